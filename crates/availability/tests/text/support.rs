//! Model texts of this folder, figures of the reference cases, and how both are compared.

use std::collections::BTreeMap;

use availability::model::Model;
use availability::{Certain, explain};
use serde_json::Value;

/// A file below this folder.
pub(crate) fn file(path: &str) -> String {
    let path = format!("{}/tests/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A reference case.
pub(crate) fn case(name: &str) -> Value {
    serde_json::from_str(&file(&format!("reference/{name}.json"))).expect("JSON")
}

/// The figure of an entry.
pub(crate) fn figure(entry: &Value) -> f64 {
    entry["value"].as_str().unwrap_or_else(|| panic!("no figure: {entry}")).parse().expect("a number")
}

/// A model, with some parameters given.
pub(crate) fn model(text: &str, given: &[(&str, &str)]) -> Model {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Model::read("x.avail", text, &given).unwrap_or_else(|error| panic!("{}", explain(&error, text)))
}

/// The error of a text.
#[track_caller]
pub(crate) fn error(text: &str) -> String {
    match Model::read("x.avail", text, &[]).and_then(|model| model.solve()) {
        Ok(_) => panic!("nothing is wrong with {text}"),
        Err(error) => explain(&error, text),
    }
}

/// The measures of a model by name.
pub(crate) fn solved(model: &Model) -> BTreeMap<String, Certain> {
    let values = model.solve().unwrap_or_else(|error| panic!("{error}"));
    model.measures().iter().map(|measure| measure.name().to_owned()).zip(values).collect()
}

/// What the arithmetic is allowed to be off: some roundings of 1.1e-16 each. Parameters cost nothing here, since they are
/// read as the decimals that they are.
pub(crate) const TOLERANCE: f64 = 5e-15;

/// Asserts that a number has all its digits, and that its bound is none too small: the expected figures have at least 16
/// digits, so that they are within 1e-16 of the true ones.
#[track_caller]
pub(crate) fn assert_sure(what: &str, found: Certain, expected: f64) {
    let error = ((found.value - expected) / expected).abs();
    assert!(error <= TOLERANCE, "{what}: {:e} instead of {expected:e}, {error:e} off", found.value);
    assert!(
        error <= found.relative_error + 3e-16,
        "{what}: {error:e} off, and {:e} was promised",
        found.relative_error
    );
    assert!(found.digits() >= 8, "{what}: only {} digits are sure", found.digits());
}
