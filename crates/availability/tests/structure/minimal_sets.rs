//! Minimal cut and path sets, against all 2^n cases and against the reference.

use availability::structure::{FaultTree, GateKind, Limits, MinimalSet, Probability, SetFamily, StructureFunction};
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
fn sets_of_k_of_n_take_no_longer_than_their_diagram_is_large() {
    // 30 of 60: as many cut sets as there are choices of 30, path sets as of 31, in a thousand nodes.
    let names: Vec<String> = (0..60).map(|k| format!("e{k}")).collect();
    let mut tree = FaultTree::builder();
    tree.events(names.clone()).gate("top", GateKind::AtLeast(30), names);
    let function = function(&tree.finish("top").unwrap());
    let little = Limits { memory: 1 << 20, ..Limits::default() };
    let (cuts, paths) = (function.cut_sets(&little).unwrap(), function.path_sets(&little).unwrap());
    assert_eq!((cuts.count(), paths.count()), (118_264_581_564_861_424, 114_449_595_062_769_120));
    assert_eq!(cuts.count_by_order()[30], cuts.count());
    // Each event is in as many cut sets as there are choices of 29 of the 59 others.
    assert_eq!(cuts.occurrences(), [59_132_290_782_430_712_u128; 60]);
    // p P(at least 29 of 59) / P(at least 30 of 60) with p = 1/4, in fractions.
    for found in cuts.fussell_vesely(&[Probability::of(0.25); 60], &Limits::default()).unwrap() {
        assert_close("Fussell and Vesely", found, 0.507_339_258_337_361_9, 1e-13);
    }
}

#[test]
fn a_tree_with_a_negation_that_matters_has_none() {
    let mut tree = FaultTree::builder();
    tree.events(["a", "b"]).gate("not b", GateKind::Not, ["b"]).gate("top", GateKind::And, ["a", "not b"]);
    let error = function(&tree.finish("top").unwrap()).cut_sets(&Limits::default()).unwrap_err();
    assert!(error.what.contains("\"b\" may prevent the top event"), "{error}");
    // Negations that cancel do not matter.
    let mut tree = FaultTree::builder();
    tree.events(["a", "b"]).gate("works", GateKind::Not, ["b"]).gate("fails", GateKind::Not, ["works"]);
    tree.gate("top", GateKind::And, ["a", "fails"]);
    let cuts = function(&tree.finish("top").unwrap()).cut_sets(&Limits::default()).unwrap();
    assert_eq!(cuts.count_by_order(), [0, 0, 1]);
}
