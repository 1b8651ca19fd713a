//! A bounded part of the explicit-state check; `sim explore` walks further.

use redundancy::hot_standby::{Commit, Sabotage};
use sim::explore::{Budget, search};

/// States for each world.
const STATES: usize = 12_000;

#[test]
fn no_order_of_events_breaks_a_promise() {
    let mut all = 0;
    for budget in [Commit::Acknowledged, Commit::Published].into_iter().flat_map(Budget::ladder) {
        let found = search(budget, STATES);
        assert_eq!(found.broken, None, "{budget:?}");
        all += found.states;
    }
    println!("{all} states");
    assert!(all > 6 * STATES, "only {all} states were reached");
}

#[test]
fn broken_rules_are_found_by_trying_everything() {
    for sabotage in [Sabotage::ReleaseEarly, Sabotage::SoloUnasked, Sabotage::TakeOverUnasked, Sabotage::AdmitOpen] {
        let found = Budget::ladder(Commit::Acknowledged)
            .into_iter()
            .any(|budget| search(Budget { sabotage, ..budget }, STATES).broken.is_some());
        assert!(found, "{sabotage:?}");
    }
}

#[test]
fn a_pledge_that_is_not_withdrawn_is_found_in_both_ways_to_commit() {
    for budget in [Commit::Acknowledged, Commit::Published].map(|commit| Budget::ladder(commit)[0]) {
        let budget = Budget { inputs: 0, kills: 1, losses: 0, switchovers: 1, ..budget };
        let found = search(budget, 2 * STATES);
        assert!(found.complete && found.broken.is_none(), "{found}");
        let found = search(Budget { sabotage: Sabotage::KeepPledge, ..budget }, 2 * STATES);
        assert!(found.broken.is_some_and(|what| what.contains("in which the entry changes still")), "{budget:?}");
    }
}
