//! Parameters that take their values from the results of drills.

use std::collections::BTreeMap;

use super::{Composed, join};
use crate::estimate::Confidence;
use crate::estimate::drill::{Drill, Law, Measured};
use crate::{Error, Place};

/// What stands before the file and the name of the estimate.
const MEASURED: &str = "from measured \"";

/// A parameter that was given what a drill measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Replaced {
    /// The parameter, as the whole text names it.
    pub parameter: String,
    /// The file that it comes from.
    pub file: String,
    /// What was measured, with its interval.
    pub measured: Measured,
}

impl Composed {
    /// Replaces value and distribution of each parameter that comes `from measured "FILE#ESTIMATE"` by what the file says
    /// (see [`Drill::estimate`] for names). `read` gives the text of a path; where it gives `None`, because the file is not at
    /// hand, the parameter keeps what the text says. A range (`between`) goes away with the value.
    ///
    /// # Errors
    /// If a file is no result of a drill, or has no such estimate.
    pub fn measure(
        &mut self,
        confidence: Confidence,
        read: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Vec<Replaced>, Error> {
        let mut drills: BTreeMap<String, Option<Drill>> = BTreeMap::new();
        let mut replaced = Vec::new();
        for line in &mut self.lines {
            let Some((parameter, path, estimate)) = parts(&line.text) else { continue };
            let file = join(&line.file, path);
            let place = || Place { file: line.file.clone(), line: line.number, column: 1 };
            if !drills.contains_key(&file) {
                let drill =
                    read(&file).map(|text| Drill::read(&file, &text)).transpose().map_err(|error| error.at(place()))?;
                drills.insert(file.clone(), drill);
            }
            let Some(Some(drill)) = drills.get(&file) else { continue };
            let measured = drill.estimate(estimate, confidence).map_err(|error| error.at(place()))?;
            let origin = line.text.find(MEASURED).map_or("", |at| &line.text[at..]);
            let text = format!("parameter {parameter} = {} {origin}", written(&measured));
            replaced.push(Replaced { parameter: parameter.to_owned(), file: file.clone(), measured });
            line.text = text;
        }
        Ok(replaced)
    }
}

/// The parameter, the file and the estimate of a line that names all three.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.trim_start().strip_prefix("parameter ")?.split_once('=')?;
    let (path, estimate) = rest.split_once(MEASURED)?.1.split_once('"')?.0.split_once('#')?;
    Some((name.trim(), path, estimate))
}

/// Value and distribution, as the model language writes them.
fn written(measured: &Measured) -> String {
    match measured.law {
        Law::Beta { a, b } => format!("{a}/{} ~ beta(a = {a}, b = {b})", a + b),
        Law::Gamma { shape, mean } => format!("{mean} {} ~ gamma(shape = {shape})", measured.unit),
    }
}
