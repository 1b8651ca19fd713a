//! Open-PSA as text.

use std::fmt::Write as _;

use crate::Error;
use crate::structure::{FaultTree, Gate, GateKind, Input, Law, QuantifiedTree};

/// Writes a tree as a model of one fault tree of this name, with these remarks above it. Copies are written out one by one.
/// All numbers are written so that reading them gives the same ones; of a fixed probability only the side that it occurs is.
///
/// # Errors
/// If the copies, written out, are more than a million.
pub fn write(tree: &QuantifiedTree, name: &str, remarks: &[String]) -> Result<String, Error> {
    let QuantifiedTree { tree, laws } = tree.expanded(1_000_000)?;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    for remark in remarks {
        // Two hyphens may only end a comment.
        let _ = writeln!(text, "<!-- {} -->", remark.replace("--", "__"));
    }
    text.push_str("<opsa-mef>\n");
    let _ = writeln!(text, "  <define-fault-tree name=\"{}\">", escaped(name));
    if !matches!(tree.top(), Input::Gate(_)) {
        // A model has no other way to say that its top event is an event.
        let name = format!("top: {}", tree.name(tree.top()));
        let reference = reference(&tree, tree.top());
        let _ = write!(text, "    <define-gate name=\"{}\">\n      {reference}    </define-gate>\n", escaped(&name));
    }
    for gate in tree.gates() {
        formula(&mut text, &tree, gate);
    }
    text.push_str("  </define-fault-tree>\n  <model-data>\n");
    for (house, occurs) in tree.houses() {
        let house = escaped(house);
        let _ = writeln!(
            text,
            "    <define-house-event name=\"{house}\"><constant value=\"{occurs}\"/></define-house-event>"
        );
    }
    for (event, law) in tree.events().iter().zip(&laws) {
        let event = escaped(event);
        let _ = writeln!(text, "    <define-basic-event name=\"{event}\">{}</define-basic-event>", expression(law));
    }
    text.push_str("  </model-data>\n</opsa-mef>\n");
    Ok(text)
}

fn formula(text: &mut String, tree: &FaultTree, gate: &Gate) {
    if let (GateKind::Or, &[input]) = (gate.kind, &gate.inputs[..]) {
        // Other tools want two inputs of an `or`, and read one as the same by another name.
        let (name, reference) = (escaped(&gate.name), reference(tree, input));
        let _ = write!(text, "    <define-gate name=\"{name}\">\n      {reference}    </define-gate>\n");
        return;
    }
    let (word, attribute) = match gate.kind {
        GateKind::And => ("and", String::new()),
        GateKind::Or => ("or", String::new()),
        GateKind::Not => ("not", String::new()),
        GateKind::Xor => ("xor", String::new()),
        GateKind::AtLeast(k) | GateKind::Copies { k, .. } => ("atleast", format!(" min=\"{k}\"")),
    };
    let _ = writeln!(text, "    <define-gate name=\"{}\">\n      <{word}{attribute}>", escaped(&gate.name));
    for &input in &gate.inputs {
        let _ = write!(text, "        {}", reference(tree, input));
    }
    let _ = writeln!(text, "      </{word}>\n    </define-gate>");
}

fn reference(tree: &FaultTree, input: Input) -> String {
    let word = match input {
        Input::Event(_) => "basic-event",
        Input::Gate(_) => "gate",
        Input::House(_) => "house-event",
    };
    format!("<{word} name=\"{}\"/>\n", escaped(tree.name(input)))
}

fn expression(law: &Law) -> String {
    let of_time = |name: &str, numbers: &[f64]| {
        let floats: String = numbers.iter().copied().map(float).collect();
        format!("<{name}>{floats}<system-mission-time/></{name}>")
    };
    match *law {
        Law::Fixed(probability) => float(probability.yes),
        Law::Exponential { rate } => of_time("exponential", &[rate]),
        Law::Repaired { at_start, failure_rate, repair_rate } => of_time("GLM", &[at_start, failure_rate, repair_rate]),
        Law::Weibull { scale, shape, shift } => of_time("Weibull", &[scale, shape, shift]),
    }
}

fn float(value: f64) -> String {
    format!("<float value=\"{value:e}\"/>")
}

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
