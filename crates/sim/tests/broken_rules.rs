//! The checkers bite: each rule of the protocol, broken on purpose, is noticed within a stated number of seeds.

use redundancy::hot_standby::Sabotage;
use sim::plan::World;
use sim::rules;

/// What takes more seeds is left to `sim gate`, whose code is optimised.
const FEW: u64 = 1_500;

#[test]
fn every_broken_rule_is_noticed_within_its_bound() {
    let looks = rules::ALL.iter().filter(|broken| broken.bound <= FEW).map(|broken| broken.look(2));
    let missed: Vec<String> = looks.filter(|look| !look.is_as_stated()).map(|look| look.to_string()).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
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
