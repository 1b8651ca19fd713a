//! The reference case aircraft-kofn: copies, two levels, mission times from 1 h to 1,000 h, the mean time to failure.

use availability::structure::{FaultTree, GateKind, Limits, Probability, StructureFunction};
use availability::{Certain, Dual};
use serde_json::Value;

use crate::reference::{assert_close, case, figure};

/// Members, their rates, and the gates that count them.
const SETS: [(&str, &str); 4] = [("irs", "irs_set"), ("prs", "prs_set"), ("sa", "sa_set"), ("cs", "cs_set")];

/// A rate read as a decimal is off by 2^-53; it enters a probability to the third power at most.
const TOLERANCE: f64 = 5e-15;

fn tree(case: &Value) -> FaultTree {
    let mut tree = FaultTree::builder();
    tree.events(SETS.map(|(member, _)| member));
    for part in case["model"]["trees"].as_array().unwrap() {
        for row in part["gates"].as_array().unwrap().iter().map(|row| row.as_array().unwrap()) {
            let text = |at: usize| row[at].as_str().unwrap();
            let number = |at: usize| u32::try_from(row[at].as_u64().unwrap()).unwrap();
            let own_name = |name: &str| {
                if name == "top" { format!("{}.top", part["name"].as_str().unwrap()) } else { name.into() }
            };
            match text(1) {
                "at-least" => tree.gate(text(0), GateKind::Copies { k: number(2), n: number(3) }, [text(4)]),
                "or" => tree.gate(own_name(text(0)), GateKind::Or, (2..row.len()).map(|at| own_name(text(at)))),
                other => panic!("a gate of kind {other}"),
            };
        }
    }
    tree.finish("crash.top").unwrap()
}

fn rates(case: &Value) -> Vec<f64> {
    SETS.iter().map(|(member, _)| figure(case, &["parameters", member])).collect()
}

#[test]
fn sets_parts_and_the_whole_at_all_times() {
    let case = case("aircraft-kofn");
    let tree = tree(&case);
    let gates = [
        ("P(IRS set failed)", "irs_set"),
        ("P(PRS set failed)", "prs_set"),
        ("P(SA set failed)", "sa_set"),
        ("P(sensor part failed)", "sensor_part.top"),
        ("P(computers failed)", "cs_set"),
        ("P(CRASH)", "crash.top"),
    ];
    for (name, gate) in gates {
        let function = StructureFunction::of_tree(&tree.with_top(gate).unwrap(), &Limits::default()).unwrap();
        for (at, time) in [("t=1 h", 1.0), ("t=10 h", 10.0), ("t=100 h", 100.0), ("t=1000 h", 1000.0)] {
            let failed: Vec<_> = rates(&case).into_iter().map(|rate| Probability::failed_by(rate, time)).collect();
            let found = function.probability(&failed).unwrap();
            let expected = figure(&case, &["expected", at, name]);
            assert_close(&format!("{name} at {at}"), found.yes, expected, TOLERANCE);
            assert_close(&format!("not {name} at {at}"), found.no, 1.0 - expected, TOLERANCE);
        }
    }
}

#[test]
fn the_mean_time_to_failure_has_every_digit_and_its_bound_holds() {
    let case = case("aircraft-kofn");
    let function = StructureFunction::of_tree(&tree(&case), &Limits::default()).unwrap();
    let expected = figure(&case, &["expected", "mean time to CRASH"]);
    let rates = rates(&case);
    assert_close("mean time", function.mean_time_to_failure(&rates).unwrap(), expected, TOLERANCE);
    let read = |&value: &f64| Certain { value, relative_error: f64::EPSILON / 2.0 };
    let certain = function.certain_mean_time(&rates.iter().map(read).collect::<Vec<_>>()).unwrap();
    assert!((certain.value - expected).abs() <= certain.relative_error * expected, "{certain:?}");
    assert!(certain.digits() >= 12, "{certain:?}");
}

#[test]
fn mean_times_that_have_a_formula() {
    let mut tree = FaultTree::builder();
    tree.events(["a", "b"]).gate("both", GateKind::And, ["a", "b"]);
    let pair = StructureFunction::of_tree(&tree.finish("both").unwrap(), &Limits::default()).unwrap();
    // 1/a + 1/b - 1/(a+b), also for rates that lie twelve powers of ten apart.
    for (a, b) in [(1.0, 1.0), (1e-9, 1e3), (3.0, 0.25)] {
        let expected = 1.0 / a + 1.0 / b - 1.0 / (a + b);
        let found = pair.mean_time_to_failure(&[Dual::variable(a), Dual::from(b)]).unwrap();
        assert_close("pair", found.value, expected, 4e-15);
        let slope = -1.0 / (a * a) + 1.0 / ((a + b) * (a + b));
        assert_close("slope", found.slope, slope, 1e-13);
    }
    // At least one of 40 copies works: the sum of 1/k.
    let mut tree = FaultTree::builder();
    tree.event("x").gate("all", GateKind::Copies { k: 40, n: 40 }, ["x"]);
    let all = StructureFunction::of_tree(&tree.finish("all").unwrap(), &Limits::default()).unwrap();
    let harmonic: f64 = (1..=40).map(|k| 1.0 / f64::from(k)).sum();
    assert_close("40 copies", all.mean_time_to_failure(&[1.0]).unwrap(), harmonic, 4e-15);
    for (rates, says) in [([0.0, 1.0], "need not ever occur"), ([-1.0, 1.0], "\"a\" has the failure rate -1")] {
        let error = pair.mean_time_to_failure(&rates).unwrap_err();
        assert!(error.what.contains(says), "{error}");
    }
}
