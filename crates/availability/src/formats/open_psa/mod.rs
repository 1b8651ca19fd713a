//! Fault trees in the Open-PSA Model Exchange Format (MEF, version 2.0): `.xml`.
//!
//! What is read:
//! - containers: `opsa-mef`, `define-fault-tree`, `define-component`, `model-data`; `label` and `attributes` are passed over;
//! - `define-gate` with the formulas `and`, `or`, `not`, `xor` and `iff` (of two), `nand`, `nor`, `atleast`, `cardinality`,
//!   `imply`, nested as deep as 100, over `gate`, `basic-event`, `house-event`, `event` and `constant`;
//! - `define-house-event` with a constant;
//! - `define-basic-event` with a probability, `exponential`, `GLM` or `Weibull`, whose time is `system-mission-time` or a
//!   number (then the probability is fixed);
//! - `define-parameter`, and expressions of `float`, `int`, `parameter`, `pi`, `neg`, `add`, `sub`, `mul`, `div`, `abs`, `exp`,
//!   `log`, `log10`, `pow`, `sqrt`, `min`, `max`, `mean`; units per hour or none.
//!
//! Event trees, common-cause groups, substitutions, alignments, includes, private names, uncertain parameters (deviates,
//! histograms), and everything else is refused by name, line and column: a tree without it would be another tree.

mod containers;
mod expression;
mod formula;
mod write;

pub use write::write;

use std::collections::{BTreeMap, BTreeSet};

use expression::Parameter;
use roxmltree::{Document, Node, ParsingOptions};

use super::lines::Lines;
use crate::structure::{FaultTreeBuilder, QuantifiedTree};
use crate::{Error, Place};

/// More elements than a file of 100 MB has.
const MAX_ELEMENTS: u32 = 5_000_000;
/// Formulas, expressions and containers within each other: far more than any model has, and few enough to walk through.
const MAX_DEPTH: usize = 100;

/// Reads a tree; `file` is the name that errors call the text by. The top event is `top`, or else the one gate that is no
/// input of another.
///
/// # Errors
/// If the text is not well-formed XML, or no fault tree within the subset above; the error names the line and column, and
/// what is allowed.
pub fn read(text: &str, file: &str, top: Option<&str>) -> Result<QuantifiedTree, Error> {
    let lines = Lines::of(file, text);
    let options = ParsingOptions { nodes_limit: MAX_ELEMENTS, allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let place = Place { file: file.to_owned(), line: error.pos().row, column: error.pos().col };
        Error::new(format!("the file cannot be read as XML, {error}"), "correct what stands there").at(place)
    })?;
    let root = document.root_element();
    let mut reading = Reading::new(&lines);
    if !root.has_tag_name("opsa-mef") {
        let what = format!("the file is a `{}`", root.tag_name().name());
        return Err(reading.error(root, what, "an Open-PSA model is an element `opsa-mef`"));
    }
    reading.container(root, 0)?;
    reading.finish(root, top)
}

/// What was read so far.
struct Reading<'a, 'input> {
    lines: &'a Lines<'a>,
    builder: FaultTreeBuilder,
    /// The names of gates, and of what is an input of a gate.
    gates: BTreeSet<String>,
    inputs: BTreeSet<String>,
    /// Whether the constants false and true occur.
    constants: [bool; 2],
    parameters: BTreeMap<String, Parameter<'a, 'input>>,
    /// The elements that say the laws of basic events, in the order of the events.
    laws: Vec<(String, Node<'a, 'input>)>,
}
