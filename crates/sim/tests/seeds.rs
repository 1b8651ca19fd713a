//! A budget of fresh seeds, and the promise that a seed is all that a run depends on.

use redundancy::hot_standby::Sabotage;
use sim::plan::{Layout, Plan, World};
use sim::{budget, outcome, toy};

#[test]
fn fresh_seeds_keep_every_promise_of_the_protocol() {
    let tally = budget::run(World::Toy, 1_000_000, 3_000, 2, Sabotage::None);
    assert_eq!((tally.seeds, &tally.broken[..]), (3_000, &[][..]));
    assert!(tally.takeovers > 3_000, "hardly any takeover happened: {tally:?}");
}

#[test]
fn fresh_seeds_keep_every_promise_of_the_calls() {
    let tally = budget::run(World::Calls, 1_000_000, 400, 2, Sabotage::None);
    assert_eq!((tally.seeds, &tally.broken[..]), (400, &[][..]));
    assert!(tally.takeovers > 800, "hardly any takeover happened: {tally:?}");
}

#[test]
fn fresh_seeds_keep_every_promise_on_several_hosts() {
    for (world, seeds) in [(World::ToyHosts, 1_500), (World::Hosts, 60), (World::OwnAddresses, 120)] {
        let tally = budget::run(world, 1_000_000, seeds, 2, Sabotage::None);
        assert_eq!((tally.seeds, &tally.broken[..]), (seeds, &[][..]), "{world:?}");
        assert!(tally.takeovers > seeds * 6 / 5, "hardly any takeover happened: {tally:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_hash_twice_and_another_one_another() {
    for (world, seeds) in
        [(World::Toy, 40), (World::Calls, 10), (World::ToyHosts, 20), (World::Hosts, 4), (World::OwnAddresses, 6)]
    {
        for seed in 0..seeds {
            let plan = Plan::draw_world(world, seed, Sabotage::None);
            let [once, again] = [false, true].map(|with_ladder| outcome::run(&plan, with_ladder));
            assert_eq!((once.hash, once.events), (again.hash, again.events), "{world:?}, seed {seed}");
            let other = outcome::run(&Plan::draw_world(world, seed + 1, Sabotage::None), false);
            assert_ne!(once.hash, other.hash, "{world:?}, seeds {seed} and {}", seed + 1);
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let [one, two] = [1, 2].map(|jobs| budget::run(World::Toy, 0, 60, jobs, Sabotage::ReleaseEarly));
    assert_eq!((one.events, one.broken), (two.events, two.broken));
}

#[test]
fn without_faults_a_pair_becomes_level_and_never_changes_roles() {
    for layout in [Layout::OneHost, Layout::TwoHosts, Layout::ThreeHosts] {
        let outcome = toy::run(&Plan::quiet(1, layout), true);
        assert_eq!((outcome.violation, outcome.takeovers, outcome.cold_starts), (None, 1, 1), "{}", outcome.ladder);
    }
}
