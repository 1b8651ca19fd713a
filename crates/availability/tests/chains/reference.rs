//! The reference files, and the few expressions that stand in them.

use std::collections::BTreeMap;

use availability::Scalar;
use availability::chain::{Chain, States};
use serde_json::Value;

/// A reference file of this name.
pub(crate) fn read(name: &str) -> Value {
    let path = format!("{}/tests/reference/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the file is there")).expect("it is JSON")
}

/// The number under `value` of this entry.
pub(crate) fn value(entry: &Value) -> f64 {
    entry["value"].as_str().expect("a value").parse().expect("a number")
}

/// Asserts that two numbers agree within a relative tolerance.
pub(crate) fn near(what: &str, got: f64, expected: f64, tolerance: f64) {
    let error = (got - expected).abs() / expected.abs();
    assert!(error <= tolerance, "{what}: got {got:e}, expected {expected:e}, relative error {error:e}");
}

/// The parameters of a file.
pub(crate) fn parameters(file: &Value) -> BTreeMap<String, f64> {
    let entries = file["parameters"].as_object().expect("parameters");
    let text = |entry: &Value| entry["value"].as_str().expect("a value").to_owned();
    entries.iter().map(|(name, entry)| (name.clone(), rate(&text(entry), &BTreeMap::new()))).collect()
}

/// The value of an expression of `+ - * / ( )`, names and numbers.
/// rounded to 15 places.
pub(crate) fn rate<T: Scalar>(text: &str, names: &BTreeMap<String, T>) -> T {
    let mut parser = Parser { rest: text, names };
    let value = parser.sum();
    assert!(parser.rest.trim().is_empty(), "what is '{}' in '{text}'?", parser.rest);
    value
}

struct Parser<'a, T> {
    rest: &'a str,
    names: &'a BTreeMap<String, T>,
}

impl<T: Scalar> Parser<'_, T> {
    fn take(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(sign);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn sum(&mut self) -> T {
        let mut value = self.product();
        loop {
            if self.take('+') {
                value += self.product();
            } else if self.take('-') {
                value = value - self.product();
            } else {
                return value;
            }
        }
    }

    fn product(&mut self) -> T {
        let mut value = self.atom();
        loop {
            if self.take('*') {
                value *= self.atom();
            } else if self.take('/') {
                value = value / self.atom();
            } else {
                return value;
            }
        }
    }

    fn atom(&mut self) -> T {
        if self.take('(') {
            let value = self.sum();
            assert!(self.take(')'), "a bracket stays open before '{}'", self.rest);
            return value;
        }
        let exponent =
            |text: &str, at: usize| text[..at].ends_with(['e', 'E']) && text.starts_with(|c: char| c.is_ascii_digit());
        let text = self.rest;
        let end = text
            .char_indices()
            .find(|&(at, c)| !(c.is_alphanumeric() || c == '.' || c == '_' || (c == '-' && exponent(text, at))));
        let (word, rest) = text.split_at(end.map_or(text.len(), |(at, _)| at));
        self.rest = rest;
        word.parse::<f64>()
            .map_or_else(|_| *self.names.get(word).unwrap_or_else(|| panic!("no parameter '{word}'")), T::from)
    }
}

/// A chain of a file: `states`, `initial`, `up` or `down` (label `down`), `arcs`.
pub(crate) fn chain<T: Scalar>(model: &Value, names: &BTreeMap<String, T>) -> Chain<T> {
    let words = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list");
        list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let mut chain = Chain::new();
    for state in words(&model["states"]) {
        chain.add_state(state);
    }
    for arc in model["arcs"].as_array().expect("arcs") {
        let [from, to, text] = &words(arc)[..] else { panic!("an arc is {arc}") };
        let (from, to) = (chain.state(from).expect("a state"), chain.state(to).expect("a state"));
        chain.add_arc(from, to, rate(text, names)).expect("an arc");
    }
    let initial = chain.state(model["initial"].as_str().expect("a word")).expect("a state");
    chain.begin(&[(initial, T::ONE)]).expect("a beginning");
    if let Some(up) = model.get("up") {
        let up: Vec<usize> = words(up).iter().map(|name| chain.state(name).expect("a state")).collect();
        let down = States::of(&up).complement(chain.states().len());
        chain.set_label("down", down);
    }
    chain
}
