//! Figures of the reference cases: decimal strings, of which all digits are certain.

use availability::structure::{FaultTree, GateKind};
use serde_json::Value;

/// A reference case.
pub(crate) fn case(name: &str) -> Value {
    let path = format!("{}/tests/reference/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A figure of a case, by the names that lead to it.
pub(crate) fn figure(case: &Value, path: &[&str]) -> f64 {
    let found = path.iter().fold(case, |value, name| &value[name]);
    let text = found["value"].as_str().unwrap_or_else(|| panic!("no figure at {path:?}"));
    text.parse().unwrap()
}

/// Whether two numbers agree to a relative tolerance.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: f64, expected: f64, tolerance: f64) {
    if found == expected {
        return;
    }
    let error = ((found - expected) / expected).abs();
    assert!(error <= tolerance, "{what}: {found:e} instead of {expected:e}, {error:e} off");
}

/// Gate rows of a case: name, kind, `k` and the number of inputs where it counts, inputs. A single input that is counted
/// several times stands for copies.
pub(crate) fn tree(events: &[String], gates: &Value, top: &str) -> FaultTree {
    let mut tree = FaultTree::builder();
    tree.events(events);
    for row in gates.as_array().unwrap() {
        let row = row.as_array().unwrap();
        let names = |from: usize| row[from..].iter().map(|name| name.as_str().unwrap());
        let number = |at: usize| u32::try_from(row[at].as_u64().unwrap()).unwrap();
        let name = row[0].as_str().unwrap();
        match row[1].as_str().unwrap() {
            "and" => tree.gate(name, GateKind::And, names(2)),
            "or" => tree.gate(name, GateKind::Or, names(2)),
            "at-least" if row.len() == 5 => tree.gate(name, GateKind::Copies { k: number(2), n: number(3) }, names(4)),
            other => panic!("a gate of kind {other}"),
        };
    }
    tree.finish(top).unwrap()
}
