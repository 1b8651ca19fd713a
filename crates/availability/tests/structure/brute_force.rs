//! Random trees, and their figures by going through all cases.

use availability::structure::{FaultTree, GateKind, Input};
use proptest::prelude::*;

/// A random tree over a few events: gates over what was declared before them, the last one on top.
pub(crate) fn trees(events: usize, kinds: &'static [&'static str]) -> impl Strategy<Value = FaultTree> {
    let gate = (prop::sample::select(kinds), prop::collection::vec(any::<prop::sample::Index>(), 1..5), 1_u32..5);
    prop::collection::vec(gate, 1..9).prop_map(move |gates| build(events, &gates))
}

fn build(events: usize, gates: &[(&str, Vec<prop::sample::Index>, u32)]) -> FaultTree {
    let mut names: Vec<_> = (0..events).map(|k| format!("e{k}")).collect();
    let mut tree = FaultTree::builder();
    tree.events(&names);
    for (number, (kind, inputs, k)) in gates.iter().enumerate() {
        // The gate before is always an input, so that the top is above all.
        let mut inputs: Vec<_> = inputs.iter().map(|input| names[input.index(names.len())].clone()).collect();
        inputs[0].clone_from(&names[names.len() - 1]);
        let name = format!("g{number}");
        let kind = match *kind {
            "and" => GateKind::And,
            "or" => GateKind::Or,
            "at least" => GateKind::AtLeast((*k).min(inputs.len() as u32)),
            "not" => {
                inputs.truncate(1);
                GateKind::Not
            }
            _ => {
                inputs.resize(2, names[0].clone());
                GateKind::Xor
            }
        };
        tree.gate(name.clone(), kind, inputs);
        names.push(name);
    }
    tree.finish(&names[names.len() - 1]).unwrap()
}

/// Whether the top event occurs if the events of these bits do.
pub(crate) fn occurs(tree: &FaultTree, events: u32) -> bool {
    input_occurs(tree, tree.top(), events)
}

fn input_occurs(tree: &FaultTree, input: Input, events: u32) -> bool {
    let gate = match input {
        Input::Event(event) => return events >> event & 1 == 1,
        Input::House(house) => return tree.houses()[house].1,
        Input::Gate(gate) => &tree.gates()[gate],
    };
    let count = gate.inputs.iter().filter(|&&below| input_occurs(tree, below, events)).count();
    match gate.kind {
        GateKind::And => count == gate.inputs.len(),
        GateKind::Or => count > 0,
        GateKind::Not => count == 0,
        GateKind::Xor => count == 1,
        GateKind::AtLeast(k) => count >= k as usize,
        GateKind::Copies { .. } => panic!("copies are written out first"),
    }
}

/// The probability of one case: which events have occurred.
pub(crate) fn weight(events: u32, probabilities: &[f64]) -> f64 {
    probabilities.iter().enumerate().map(|(k, p)| if events >> k & 1 == 1 { *p } else { 1.0 - p }).product()
}

/// The sum of the probabilities of the cases for which this holds.
pub(crate) fn sum(probabilities: &[f64], holds: impl Fn(u32) -> bool) -> f64 {
    (0..1_u32 << probabilities.len()).filter(|&events| holds(events)).map(|events| weight(events, probabilities)).sum()
}
