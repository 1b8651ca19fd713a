//! A cold start begins with what a side was sent, even if nobody could admit it: the coordinator was away (rule 15).

use model::{Span, Time};
use redundancy::hot_standby::Sabotage;
use sim::outcome::{self, Outcome};
use sim::plan::{Act, Fault, Kind, Layout, Plan, Target, Who};

const fn strike(who: Who) -> Kind {
    Kind::Strike(Target { pair: 0, who }, Act::Kill)
}

/// The backup is lost and comes back; the coordinator goes around the `instant` of its admission, for `away`, and in
/// that time the primary is lost. The clients' sessions are in nobody's journal.
fn plan(seed: u64, instant: u64, away: Span, more: Option<(Time, Span)>) -> Plan {
    let fault = |micros: u64, kind| Fault { at: Time::from_micros(micros), kind };
    let crash = fault(376_000 + 13 * instant, Kind::ControlCrash(away));
    let again = more.map(|(at, away)| Fault { at, kind: Kind::ControlCrash(away) });
    let mut plan = Plan { clients: 8, ..Plan::quiet(seed, Layout::OneHost) };
    plan.faults = vec![fault(350_000, strike(Who::Backup)), crash, fault(600_000, strike(Who::Primary))];
    plan.faults.extend(again);
    plan
}

/// Whether the side that held every record began with them; nobody else may.
fn began_with_held(outcome: &Outcome) -> bool {
    assert_eq!(outcome.violation, None, "{}", outcome.ladder);
    let held = outcome.ladder.contains("BeganWithHeld");
    if held {
        // The first one is that of an empty pair.
        assert_eq!(outcome.ladder.matches("ColdStart").count(), 1, "{}", outcome.ladder);
    }
    held
}

#[test]
fn the_side_that_holds_every_record_begins_with_them() {
    for away in [300, 613, 1_400] {
        let held = (0..300)
            .filter(|instant| began_with_held(&outcome::run(&plan(1, *instant, Span::from_millis(away), None), true)));
        assert!(held.count() > 20, "no backup was level and not admitted when the coordinator was away for {away} ms");
    }
}

/// The other side has the first word only while both could speak.
#[test]
fn a_coordinator_that_goes_again_takes_nobody_the_first_word() {
    let away = Span::from_millis(613);
    let mut held = 0;
    for seed in 1..9 {
        let instants = (0..300).step_by(6);
        let unadmitted = |instant: &u64| began_with_held(&outcome::run(&plan(seed, *instant, away, None), true));
        for instant in instants.filter(unadmitted).take(4) {
            for again in 0..10 {
                let at = Time::from_micros(989_000 + 13 * instant + 4_000 * again);
                let run = |away| outcome::run(&plan(seed, instant, Span::from_millis(613), Some((at, away))), true);
                let runs = [195, 305].map(|away| began_with_held(&run(Span::from_millis(away))));
                held += runs.iter().filter(|held| **held).count();
            }
        }
    }
    assert!(held > 100, "the scene is not the one that was meant: {held}");
}

/// A side that waits for nobody is found out.
#[test]
fn an_empty_side_that_does_not_wait_is_noticed() {
    let breaks = |instant: &u64| {
        let plan = Plan { sabotage: Sabotage::BeginUnasked, ..plan(1, *instant, Span::from_millis(613), None) };
        outcome::run(&plan, true).violation.is_some_and(|violation| violation.what.contains("holds every record"))
    };
    assert!((0..300).any(|instant| breaks(&instant)));
}
