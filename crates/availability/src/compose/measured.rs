//! Parameters that take their values from the results of drills.

use std::collections::{BTreeMap, BTreeSet};

use super::{Composed, join};
use crate::estimate::Confidence;
use crate::estimate::drill::{Drill, Law, Measured};
use crate::formats::File;
use crate::{Error, Place};

/// What stands before the file and the name of the estimate.
const MEASURED: &str = "from measured \"";

/// What became of the parameters that take their values from drills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Those that were given what a drill measured.
    pub replaced: Vec<Replaced>,
    /// Those that keep their values, since the drill has nothing about them.
    pub kept: Vec<Kept>,
    /// The files that are not at hand, each with the parameters that keep their values for want of it.
    pub absent: BTreeMap<String, Vec<String>>,
}

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

/// A parameter of whose fault a drill has no run, or none in which its time was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The parameter, as the whole text names it.
    pub parameter: String,
    /// The file that was asked.
    pub file: String,
    /// What it was asked for: `coverage of freeze routing.primary 10s`.
    pub estimate: String,
}

impl Composed {
    /// Replaces value and distribution of each parameter that comes `from measured "FILE#ESTIMATE"` by what the file says
    /// (see [`Drill::estimate`] for names). `read` gives the file of a path, under the name that the parameter and errors call
    /// it by; where it gives `None`, because the file is not at hand, the parameter keeps what the text says, and so it
    /// does where the drill made no such fault; [`Taken`] names them. A range (`between`) goes away with the value.
    ///
    /// # Errors
    /// If a file is no result of a drill, or has nothing of what the text takes from it; if what is asked for is no estimate.
    pub fn measure(
        &mut self,
        confidence: Confidence,
        read: &mut dyn FnMut(&str) -> Option<File>,
    ) -> Result<Taken, Error> {
        let mut drills: BTreeMap<String, Option<(String, Drill)>> = BTreeMap::new();
        let mut taken = Taken::default();
        for line in &mut self.lines {
            let Some((parameter, path, estimate)) = parts(&line.text) else { continue };
            let path_here = join(&line.file, path);
            if !drills.contains_key(&path_here) {
                // Its errors name the file, and not the line of the model: somebody may have given another one.
                let drill = match read(&path_here) {
                    Some(file) => Some(Drill::read(&file.name, &file.text).map(|drill| (file.name, drill))?),
                    None => None,
                };
                drills.insert(path_here.clone(), drill);
            }
            let Some(Some((file, drill))) = drills.get(&path_here) else {
                taken.absent.entry(path_here).or_default().push(parameter.to_owned());
                continue;
            };
            let place = || Place { file: line.file.clone(), line: line.number, column: 1 };
            let (parameter, file) = (parameter.to_owned(), file.clone());
            let Some(measured) = drill.find(estimate, confidence).map_err(|error| error.at(place()))? else {
                taken.kept.push(Kept { parameter, file, estimate: estimate.to_owned() });
                continue;
            };
            // A file that was given in the place of the one in the text is the source now.
            let source = if file == path_here { path } else { file.as_str() };
            let text = with_value(&line.text, &parameter, &measured, source, estimate);
            taken.replaced.push(Replaced { parameter, file, measured });
            line.text = text;
        }
        taken.check()?;
        Ok(taken)
    }
}

impl Taken {
    /// Refuses a file that has nothing of what the text takes from it.
    fn check(&self) -> Result<(), Error> {
        let is_used = |file: &str| self.replaced.iter().any(|replaced| replaced.file == file);
        let Some(unused) = self.kept.iter().find(|kept| !is_used(&kept.file)) else { return Ok(()) };
        let asked = self.kept.iter().filter(|kept| kept.file == unused.file);
        let faults: BTreeSet<&str> = asked.filter_map(|kept| Some(kept.estimate.split_once(" of ")?.1)).collect();
        let faults: Vec<&str> = faults.into_iter().collect();
        Err(Error::new(
            format!("{} has none of the faults that the model takes from a drill", unused.file),
            format!("give a result of `everline drill run` with some of these steps: {}", faults.join(", ")),
        ))
    }
}

/// The parameter, the file and the estimate of a line that names all three.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.trim_start().strip_prefix("parameter ")?.split_once('=')?;
    let (path, estimate) = rest.split_once(MEASURED)?.1.split_once('"')?.0.split_once('#')?;
    Some((name.trim(), path, estimate))
}

/// The line of a parameter with what was measured, and the file that it comes from; what stands behind that stays.
fn with_value(line: &str, parameter: &str, measured: &Measured, file: &str, estimate: &str) -> String {
    let behind = line.split_once(MEASURED).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(_, behind)| behind);
    // No text in quotes has a quote or the end of a line in it.
    let file = file.replace(|c: char| c == '"' || c.is_control(), "'");
    format!("parameter {parameter} = {} {MEASURED}{file}#{estimate}\"{behind}", written(measured))
}

/// Value and distribution, as the model language writes them.
fn written(measured: &Measured) -> String {
    match measured.law {
        Law::Beta { a, b } => format!("{a}/{} ~ beta(a = {a}, b = {b})", a + b),
        Law::Gamma { shape, mean } => format!("{mean} {} ~ gamma(shape = {shape})", measured.unit),
    }
}
