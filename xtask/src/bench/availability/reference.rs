//! What is true, by the reference cases of the crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::root;

/// A reference case of the crate.
pub(super) fn reference(name: &str) -> Result<Value> {
    let path = root().join(format!("crates/availability/tests/reference/{name}.json"));
    let read = |path: &Path| Ok::<Value, anyhow::Error>(serde_json::from_slice(&fs::read(path)?)?);
    read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The number of an entry.
pub(super) fn figure(entry: &Value) -> Result<f64> {
    entry["value"].as_str().and_then(|text| text.parse().ok()).with_context(|| format!("{entry} has no figure"))
}

/// How far a text is from the truth, relative to it (to 0 absolutely); what is no number is infinitely far.
pub(super) fn relative_error(found: &str, truth: f64) -> f64 {
    let Ok(found) = found.parse::<f64>() else { return f64::INFINITY };
    let error = (found - truth).abs() / if truth == 0.0 { 1.0 } else { truth.abs() };
    if error.is_nan() { f64::INFINITY } else { error }
}

/// The rows of the upper triangle, each with its name in front, in the order of the names.
pub(super) fn second_derivatives(expected: &Value) -> Result<BTreeMap<String, f64>> {
    let list = |value: &Value| value.as_array().cloned().context("the reference has no second derivatives");
    let names = list(&expected["order"])?;
    let mut found = BTreeMap::new();
    for (row, line) in list(&expected["rows"])?.iter().enumerate() {
        for (entry, name) in list(line)?[1..].iter().zip(&names[row..]) {
            let number =
                entry.as_str().and_then(|text| text.parse().ok()).context("a second derivative is no number")?;
            let [first, second] = [&names[row], name].map(|name| name.as_str().unwrap_or_default());
            found.insert(format!("second derivative/{first}/{second}"), number);
            found.insert(format!("second derivative/{second}/{first}"), number);
        }
    }
    Ok(found)
}

/// The reference's tree in the format of Galileo. The rate is `-ln 0.98`: each event has failed by time 1 with the
/// reference's probability 0.02.
pub(super) fn chinese(gates: &Value) -> Result<(String, usize)> {
    let mut text = "toplevel \"r1\";\n".to_owned();
    for gate in gates.as_array().context("the reference has no gates")? {
        let words: Vec<&str> = gate.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let [name, kind, inputs @ ..] = &words[..] else { bail!("{gate} is no gate") };
        let inputs: Vec<String> = inputs.iter().map(|input| format!("\"{input}\"")).collect();
        text.push_str(&format!("\"{name}\" {kind} {};\n", inputs.join(" ")));
    }
    let events = 25;
    for event in 1..=events {
        text.push_str(&format!("\"e{event}\" lambda=2.020270731751944840804530102e-2;\n"));
    }
    Ok((text, events))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_relative_to_the_truth() {
        assert_eq!(relative_error("1.5", 1.0), 0.5);
        assert_eq!(relative_error("-1", 0.5), 3.0);
        assert_eq!(relative_error("0.25", 0.0), 0.25);
        assert_eq!(relative_error("nan", 1.0), f64::INFINITY);
        assert_eq!(relative_error("?", 1.0), f64::INFINITY);
    }

    #[test]
    fn the_reference_has_what_is_asked() {
        let second = reference("sip-websphere-hessian").expect("a file");
        assert_eq!(second_derivatives(&second["expected"]).expect("numbers").len(), 58 * 58);
        let (tree, events) =
            chinese(&reference("fault-tree-chinese").expect("a file")["model"]["gates"]).expect("gates");
        assert_eq!((tree.matches(" and ").count() + tree.matches(" or ").count(), events), (36, 25));
        assert!(tree.contains("\"g9\" and \"g13\" \"g14\";\n"), "{tree}");
    }
}
