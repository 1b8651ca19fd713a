//! The reference case fault-tree-chinese: 25 events, 36 gates, much shared.

use availability::structure::{FaultTree, Limits, Order, Probability, StructureFunction};

use crate::reference::{assert_close, case, figure, tree};

/// 0.02 is within 2^-53 of its decimal, and a path through the diagram has at most 25 events.
const TOLERANCE: f64 = 1e-14;

pub(crate) fn chinese() -> (serde_json::Value, FaultTree) {
    let case = case("fault-tree-chinese");
    let events: Vec<_> = (1..=25).map(|k| format!("e{k}")).collect();
    let tree = tree(&events, &case["model"]["gates"], "r1");
    (case, tree)
}

fn rows(case: &serde_json::Value) -> Vec<(Vec<usize>, String)> {
    let rows = case["expected"]["importance (one row per group of alike events)"].as_object().unwrap();
    let numbers = |names: &String| names.split(' ').map(|name| name[1..].parse::<usize>().unwrap() - 1).collect();
    rows.keys().map(|names| (numbers(names), names.clone())).collect()
}

#[test]
fn the_top_event_and_its_complement_have_every_digit() {
    let (case, tree) = chinese();
    let expected = figure(&case, &["expected", "P(top)"]);
    for order in [Order::AsWritten, Order::SmallFirst, Order::SharedFirst, Order::Smallest] {
        let limits = Limits { order, ..Limits::default() };
        let function = StructureFunction::of_tree(&tree, &limits).unwrap();
        let top = function.certain(&[Probability::of(0.02).rounded(); 25]).unwrap();
        assert_close("P(top)", top.yes.value, expected, TOLERANCE);
        assert_close("P(not top)", top.no.value, 1.0 - expected, TOLERANCE);
        let error = (top.yes.value - expected).abs() / expected;
        assert!(error <= top.yes.relative_error && top.yes.relative_error < TOLERANCE, "{order:?}: {top:?}");
    }
}

#[test]
fn birnbaum_importances_have_every_digit() {
    let (case, tree) = chinese();
    let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
    let (_, gradient) = function.certain_gradient(&[Probability::of(0.02).rounded(); 25]).unwrap();
    for (events, row) in rows(&case) {
        let expected = figure(&case, &["expected", "importance (one row per group of alike events)", &row, "birnbaum"]);
        for event in events {
            assert_close(&row, gradient[event].value, expected, TOLERANCE);
            assert!(gradient[event].relative_error < 2.0 * TOLERANCE, "{row}: {:?}", gradient[event]);
        }
    }
}

#[test]
fn all_importances_have_every_digit() {
    let (case, tree) = chinese();
    let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
    let importance = function.importance(&[Probability::of(0.02); 25]).unwrap();
    for (events, row) in rows(&case) {
        let group = &case["expected"]["importance (one row per group of alike events)"][&row];
        for event in events {
            let found = importance[event];
            for (name, found) in [
                ("birnbaum", found.birnbaum),
                ("criticality", found.criticality),
                ("diagnosis", found.diagnosis),
                ("raw", found.risk_achievement_worth),
                ("rrw", found.risk_reduction_worth),
            ] {
                assert_close(&format!("{name} of {row}"), found, figure(group, &[name]), TOLERANCE);
            }
        }
    }
}
