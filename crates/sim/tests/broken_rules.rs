//! The checkers bite: each rule of the protocol, broken on purpose, is noticed within a stated number of seeds.

use redundancy::hot_standby::Sabotage;
use sim::budget::first_found;

/// Within how many seeds a broken rule is noticed, and by which checker at the first time.
const BOUNDS: [(Sabotage, u64, &str); 9] = [
    (Sabotage::ReleaseEarly, 20, "explained"),
    (Sabotage::SoloUnasked, 50, "explained"),
    (Sabotage::TakeOverUnasked, 20, "one primary"),
    (Sabotage::AcceptOldEpoch, 1_500, "explained"),
    (Sabotage::AdmitOpen, 50, "explained"),
    (Sabotage::ForgetTimer, 20, "progress"),
    (Sabotage::LoseSnapshotRecord, 20, "same state"),
    (Sabotage::ForgetInputs, 500, "progress"),
    (Sabotage::ForgetOutputs, 500, "progress"),
];

#[test]
fn every_broken_rule_is_noticed_within_its_bound() {
    let missed: Vec<String> = BOUNDS
        .iter()
        .filter_map(|(sabotage, bound, checker)| match first_found(*sabotage, *bound) {
            Some((_, violation)) if violation.checker == *checker => None,
            found => Some(format!("{sabotage:?} within {bound} seeds by `{checker}`: {found:?}")),
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn the_table_names_every_rule() {
    assert_eq!(BOUNDS.map(|(sabotage, ..)| sabotage), Sabotage::ALL);
}
