//! A budget of fresh seeds, and the promise that a seed is all that a run depends on.

use redundancy::hot_standby::Sabotage;
use sim::plan::{Layout, Plan};
use sim::{budget, toy};

#[test]
fn fresh_seeds_keep_every_promise() {
    let tally = budget::run(1_000_000, 3_000, 2, Sabotage::None);
    assert_eq!((tally.seeds, &tally.broken[..]), (3_000, &[][..]));
    assert!(tally.takeovers > 3_000, "hardly any takeover happened: {tally:?}");
}

#[test]
fn the_same_seed_gives_the_same_hash_twice_and_another_one_another() {
    for seed in 0..40 {
        let plan = Plan::draw(seed, Sabotage::None);
        let [once, again] = [false, true].map(|with_ladder| toy::run(&plan, with_ladder));
        assert_eq!((once.hash, once.events), (again.hash, again.events), "seed {seed}");
        let other = toy::run(&Plan::draw(seed + 1, Sabotage::None), false);
        assert_ne!(once.hash, other.hash, "seeds {seed} and {}", seed + 1);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let [one, two] = [1, 2].map(|jobs| budget::run(0, 60, jobs, Sabotage::ReleaseEarly));
    assert_eq!((one.events, one.broken), (two.events, two.broken));
}

#[test]
fn without_faults_a_pair_becomes_level_and_never_changes_roles() {
    for layout in [Layout::OneHost, Layout::TwoHosts] {
        let outcome = toy::run(&Plan::quiet(1, layout), true);
        assert_eq!((outcome.violation, outcome.takeovers, outcome.cold_starts), (None, 1, 1), "{}", outcome.ladder);
    }
}
