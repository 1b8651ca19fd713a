//! Reading of the reference figures beside this file.
#![allow(dead_code, reason = "each test takes what it needs")]

/// A part of a reference file.
pub(crate) type Case = serde_json::Value;

/// The reference file of this name.
pub(crate) fn read(name: &str) -> Case {
    let path = format!("{}/tests/reference/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A decimal string of a reference file, to the nearest binary64.
pub(crate) fn number(value: &Case) -> f64 {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no string"))
        .parse()
        .unwrap_or_else(|_| panic!("{value} is no number"))
}
