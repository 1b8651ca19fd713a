//! Minimal cut and path sets, against all 2^n cases and against the reference.

use availability::structure::{FaultTree, Limits, MinimalSet, Probability, SetFamily, StructureFunction};
use proptest::prelude::*;

use crate::brute_force::{occurs, sum, trees};
use crate::chinese::chinese;
use crate::reference::{assert_close, figure};

const EVENTS: usize = 7;

/// The minimal sets of events for which this holds, by trying all.
fn minimal(holds: impl Fn(u32) -> bool) -> Vec<u32> {
    let holding: Vec<_> = (0..1_u32 << EVENTS).filter(|&set| holds(set)).collect();
    let is_minimal = |set: &u32| !holding.iter().any(|other| other != set && other & set == *other);
    holding.iter().copied().filter(is_minimal).collect()
}

fn bits(set: &MinimalSet) -> u32 {
    set.events.iter().map(|event| 1 << event).sum()
}

fn function(tree: &FaultTree) -> StructureFunction {
    StructureFunction::of_tree(tree, &Limits::default()).unwrap()
}

fn all(family: &SetFamily, events: &[Probability]) -> Vec<MinimalSet> {
    family.most_probable(events, usize::MAX).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn they_are_those_of_all_cases(
        tree in trees(EVENTS, &["and", "or", "at least"]),
        p in prop::collection::vec(0.01..0.99, EVENTS),
    ) {
        let events: Vec<_> = p.iter().map(|&p| Probability::of(p)).collect();
        let function = function(&tree);
        let full = (1 << EVENTS) - 1;
        let cuts = function.cut_sets(&Limits::default()).unwrap();
        let paths = function.path_sets(&Limits::default()).unwrap();
        let (expected_cuts, expected_paths) = (minimal(|s| occurs(&tree, s)), minimal(|s| !occurs(&tree, full & !s)));
        for (family, mut expected) in [(&cuts, expected_cuts.clone()), (&paths, expected_paths)] {
            let sets = all(family, &events);
            prop_assert!(sets.is_sorted_by(|a, b| a.probability >= b.probability));
            let by_order = family.smallest(&events, usize::MAX).unwrap();
            prop_assert!(by_order.is_sorted_by(|a, b| a.events.len() <= b.events.len()));
            prop_assert_eq!(by_order.len(), sets.len());
            let mut found: Vec<_> = sets.iter().map(bits).collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(family.count(), expected.len() as u128);
            prop_assert_eq!(&found, &expected);
            for (event, count) in family.occurrences().into_iter().enumerate() {
                prop_assert_eq!(count, expected.iter().filter(|&&set| set >> event & 1 == 1).count() as u128);
            }
        }
        let top = function.probability(&events).unwrap().yes;
        let importance = cuts.fussell_vesely(&events, &Limits::default()).unwrap();
        for (event, found) in importance.into_iter().enumerate() {
            let of_event = |case: u32| expected_cuts.iter().any(|&cut| cut >> event & 1 == 1 && cut & case == cut);
            prop_assert!((found - sum(&p, of_event) / top).abs() < 1e-13);
        }
    }
}

#[test]
fn the_reference_case_has_392_cut_sets() {
    let (case, tree) = chinese();
    let events = [Probability::of(0.02); 25];
    let function = function(&tree);
    let cuts = function.cut_sets(&Limits::default()).unwrap();
    assert_eq!(cuts.count(), 392);
    assert_eq!(cuts.count_by_order(), [0, 0, 12, 0, 24, 188, 168]);
    let expected = |name: &str| figure(&case, &["expected", name]);
    assert_close("rare", cuts.sum_of_probabilities(&events).unwrap(), expected("rare-event sum"), 1e-14);
    assert_close("bound", cuts.min_cut_upper_bound(&events, 392).unwrap(), expected("min-cut upper bound"), 1e-14);
    let refused = cuts.min_cut_upper_bound(&events, 391).unwrap_err();
    assert!(refused.what.contains("392 sets"), "{refused}");
    let occurrences = cuts.occurrences();
    for (name, row) in case["expected"]["importance (one row per group of alike events)"].as_object().unwrap() {
        for event in name.split(' ').map(|name| name[1..].parse::<usize>().unwrap() - 1) {
            assert_eq!(occurrences[event].to_string(), row["occurrence"]["value"].as_str().unwrap(), "{name}");
        }
    }
}

#[test]
fn a_tree_with_a_negation_that_matters_has_none() {
    use availability::structure::GateKind;
    let mut tree = FaultTree::builder();
    tree.events(["a", "b"]).gate("not b", GateKind::Not, ["b"]).gate("top", GateKind::And, ["a", "not b"]);
    let error = function(&tree.finish("top").unwrap()).cut_sets(&Limits::default()).unwrap_err();
    assert!(error.what.contains("\"b\" may prevent the top event"), "{error}");
}
