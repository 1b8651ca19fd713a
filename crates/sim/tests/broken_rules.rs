//! The checkers bite: each rule of the protocol, broken on purpose, is noticed within a stated number of seeds.

use redundancy::hot_standby::Sabotage;
use sim::plan::World;
use sim::rules;

/// What takes more seeds is left to `cargo xtask sim gate`, whose code is optimised and which looks for all of them (`cargo xtask test`
/// runs it): [`LEFT`]. Only the gap in a watch is looked for here as well: what a solution of several hosts stands or falls by is whole here.
const FEW: u64 = 1_500;

/// What is left to the gate.
const LEFT: [(Sabotage, World); 9] = [
    (Sabotage::BeginUnasked, World::Toy),
    (Sabotage::KeepPledge, World::Toy),
    (Sabotage::ForgetInputs, World::Calls),
    (Sabotage::BeginUnasked, World::Calls),
    (Sabotage::ServeOffered, World::Calls),
    (Sabotage::KeepPledge, World::Calls),
    (Sabotage::AcceptOldEpoch, World::ToyHosts),
    (Sabotage::KeepPledge, World::ToyHosts),
    (Sabotage::MixLinks, World::ToyHosts),
];

fn is_looked_for(broken: &&rules::Broken) -> bool {
    broken.bound <= FEW || broken.rule == Sabotage::WatchGap
}

#[test]
fn every_broken_rule_is_noticed_within_its_bound() {
    let looks = rules::ALL.iter().filter(is_looked_for).map(|broken| broken.look(2));
    let missed: Vec<String> = looks.filter(|look| !look.is_as_stated()).map(|look| look.to_string()).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_is_left_to_the_gate_is_named() {
    let left = rules::ALL.iter().filter(|broken| !is_looked_for(broken)).map(|broken| (broken.rule, broken.world));
    assert_eq!(left.collect::<Vec<_>>(), LEFT);
}

#[test]
fn the_table_names_every_rule_in_each_world() {
    for world in [World::Toy, World::Calls] {
        let named: Vec<Sabotage> = rules::ALL.iter().filter(|one| one.world == world).map(|one| one.rule).collect();
        assert_eq!(named, Sabotage::ALL, "{world:?}");
    }
    let named: Vec<Sabotage> =
        rules::ALL.iter().filter(|one| one.world == World::ToyHosts).map(|one| one.rule).collect();
    for rule in Sabotage::OF_HOSTS.iter().chain(&[Sabotage::SoloUnasked]) {
        assert!(named.contains(rule), "{rule:?}");
    }
}
