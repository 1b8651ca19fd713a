//! Parameters of models from the result file of `everline drill run` (schema `everline-drill-1`, `docs/drill-result.md`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::special::{Tail, student_quantile};
use super::{Confidence, CoverageBelief, Exposure, Injections, Interval};
use crate::Error;

/// The only form of a result that is understood.
const SCHEMA: &str = "everline-drill-1";
/// With fewer times than this one cannot tell how much they vary.
const FEW: usize = 5;

/// The runs of a drill whose fault was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Drill {
    /// Where it ran, in words.
    pub place: String,
    /// The seed that repeats it.
    pub seed: u64,
    /// When it began, in nanoseconds since 1970, if the result says so: with the seed it tells one drill from another.
    pub begun_ns: Option<u64>,
    /// The runs, in order.
    pub runs: Vec<DrillRun>,
}

/// One fault that was made, and what came of it. Times are in seconds; `None` where nothing was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillRun {
    /// The step as the plan has it: `kill sip.primary`.
    pub step: String,
    /// The kind of fault: `process-death`.
    pub kind: String,
    /// Whether every check was right and no call was lost.
    pub covered: bool,
    /// From the deed until the other side took its primary for gone.
    pub detection: Option<f64>,
    /// From the deed until the other side served.
    pub takeover: Option<f64>,
    /// The longest silence while somebody waited for an answer.
    pub gap: Option<f64>,
    /// From the repair, else the deed, until everything was level again.
    pub level: Option<f64>,
}

/// What a drill says about one parameter of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// `coverage of process-death`, `gap of kill sip.primary`.
    pub name: String,
    /// `s` for times, `1` for coverage.
    pub unit: &'static str,
    /// The runs that it comes from.
    pub count: usize,
    /// What was observed, with its interval.
    pub observed: Interval,
    /// What a model takes: the mean of [`Measured::law`]. For coverage it stays below 1 although no fault was missed.
    pub value: f64,
    /// How uncertain the value is.
    pub law: Law,
}

/// How uncertain a measured parameter is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// A coverage: a beta law with these parameters.
    Beta {
        /// Faults covered, and a half.
        a: f64,
        /// Faults missed, and a half.
        b: f64,
    },
    /// A mean time: a gamma law by its shape and mean, in seconds.
    Gamma {
        /// 1 / (relative standard deviation)^2.
        shape: f64,
        /// The mean.
        mean: f64,
    },
}

/// A time that runs have, by the word that names it.
type Time = (&'static str, fn(&DrillRun) -> Option<f64>);

const TIMES: [Time; 4] = [
    ("detection", |run| run.detection),
    ("takeover", |run| run.takeover),
    ("gap", |run| run.gap),
    ("level", |run| run.level),
];

impl Drill {
    /// Reads a result; `file` names it in errors. Runs whose fault could not be made count for nothing.
    ///
    /// # Errors
    /// If the text is no JSON, is of another schema, or lacks a field, which is named.
    pub fn read(file: &str, text: &str) -> Result<Self, Error> {
        let wrong =
            |what: String| Error::new(format!("{file}: {what}"), "give the file that `everline drill run` wrote");
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) => return Err(wrong(format!("its schema is {other:?}, and {SCHEMA} is understood"))),
            None => return Err(wrong("it has no schema".to_owned())),
        }
        let missing = |field: &str| wrong(format!("the field {field} is missing or of another kind"));
        let runs = value.get("runs").and_then(Value::as_array).ok_or_else(|| missing("runs"))?;
        let mut made = Vec::new();
        for (k, run) in runs.iter().enumerate() {
            made.extend(DrillRun::read(run).map_err(|field| missing(&format!("runs[{k}].{field}")))?);
        }
        Ok(Self {
            place: value.get("place").and_then(Value::as_str).ok_or_else(|| missing("place"))?.to_owned(),
            seed: value.get("seed").and_then(Value::as_u64).ok_or_else(|| missing("seed"))?,
            begun_ns: value.get("begun_ns").and_then(Value::as_u64),
            runs: made,
        })
    }

    /// All that the drill says: for each kind of fault and for each step the coverage, and of the times those that were
    /// measured.
    #[must_use]
    pub fn estimates(&self, confidence: Confidence) -> Vec<Measured> {
        let names: BTreeSet<&str> = self.runs.iter().flat_map(|run| [run.kind.as_str(), run.step.as_str()]).collect();
        let words = ["coverage"].into_iter().chain(TIMES.iter().map(|(word, _)| *word));
        let asked = names.iter().flat_map(|fault| words.clone().map(move |word| format!("{word} of {fault}")));
        // What was not measured is left out.
        asked.filter_map(|name| self.find(&name, confidence).ok().flatten()).collect()
    }

    /// One parameter by its name: `coverage`, `detection`, `takeover`, `gap` or `level` `of` a kind of fault or a step.
    ///
    /// Coverage has the interval of Clopper and Pearson; its law is the posterior of Jeffreys' prior. A mean time has
    /// Student's interval (approximate: times need not be normal) and a gamma law with the standard error of the mean. With
    /// fewer than five times nobody knows how much they vary: they are taken for exponential, which makes the interval wide.
    ///
    /// # Errors
    /// If the name is of another form, the drill made no such fault, or it measured no such time.
    pub fn estimate(&self, name: &str, confidence: Confidence) -> Result<Measured, Error> {
        if let Some(found) = self.find(name, confidence)? {
            return Ok(found);
        }
        let (word, fault) = parts(name)?;
        if self.made(fault).next().is_some() {
            return Err(Error::new(
                format!("no run of {fault:?} has a {word}"),
                "take a fault after which a side takes over",
            ));
        }
        let kinds: BTreeSet<&str> = self.runs.iter().map(|run| run.kind.as_str()).collect();
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
        Err(Error::new(
            format!("the drill made no fault {fault:?}"),
            format!("it made: {kinds}, and the steps of its plan"),
        ))
    }

    /// The same; `None` if the drill made no such fault, or measured no such time.
    ///
    /// # Errors
    /// If the name is of another form.
    pub fn find(&self, name: &str, confidence: Confidence) -> Result<Option<Measured>, Error> {
        let (word, fault) = parts(name)?;
        let runs: Vec<&DrillRun> = self.made(fault).collect();
        if runs.is_empty() {
            return Ok(None);
        }
        let Some((_, time)) = TIMES.iter().find(|(time, _)| *time == word) else {
            return coverage(name, &runs, confidence).map(Some);
        };
        let times: Vec<f64> = runs.into_iter().filter_map(time).collect();
        if times.is_empty() {
            return Ok(None);
        }
        mean_time(name, &times, confidence).map(Some)
    }

    /// The runs of a kind of fault, or of a step.
    fn made<'a>(&'a self, fault: &'a str) -> impl Iterator<Item = &'a DrillRun> {
        self.runs.iter().filter(move |run| run.kind == fault || run.step == fault)
    }
}

/// What is estimated, and of which fault: the two halves of a name.
fn parts(name: &str) -> Result<(&str, &str), Error> {
    let remedy = "name it as `coverage of process-death` or `gap of kill sip.primary`: coverage, detection, takeover, gap or level";
    let (word, fault) =
        name.split_once(" of ").ok_or_else(|| Error::new(format!("{name:?} is no name of an estimate"), remedy))?;
    if word != "coverage" && TIMES.iter().all(|(time, _)| *time != word) {
        return Err(Error::new(format!("a drill measures no {word:?}"), remedy));
    }
    Ok((word, fault))
}

impl DrillRun {
    /// A run; `None` if its fault was not made; the name of a field that is missing.
    fn read(run: &Value) -> Result<Option<Self>, &'static str> {
        let text = |field: &'static str| run.get(field).and_then(Value::as_str).ok_or(field);
        let time = |field: &'static str| match run.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(|us| Some(us as f64 / 1e6)).ok_or(field),
        };
        let covered = match text("ending")? {
            "passed" => true,
            "broken" => false,
            "not-done" => return Ok(None),
            _ => return Err("ending"),
        };
        Ok(Some(Self {
            step: text("step")?.to_owned(),
            kind: text("kind")?.to_owned(),
            covered,
            detection: time("detection_us")?,
            takeover: time("takeover_us")?,
            gap: time("gap_us")?,
            level: time("level_after_us")?,
        }))
    }
}

fn coverage(name: &str, runs: &[&DrillRun], confidence: Confidence) -> Result<Measured, Error> {
    let missed = runs.iter().filter(|run| !run.covered).count();
    let injections = Injections::new(runs.len() as u64, missed as u64)?;
    let belief = CoverageBelief::JEFFREYS.updated(injections);
    Ok(Measured {
        name: name.to_owned(),
        unit: "1",
        count: runs.len(),
        observed: injections.fixed(confidence).covered,
        value: belief.covered / (belief.covered + belief.missed),
        law: Law::Beta { a: belief.covered, b: belief.missed },
    })
}

fn mean_time(name: &str, times: &[f64], confidence: Confidence) -> Result<Measured, Error> {
    let n = times.len() as f64;
    let total: f64 = times.iter().sum();
    let mean = total / n;
    let (observed, shape) = if times.len() < FEW {
        // A gap of nothing at all still took the microsecond that is measured.
        (Exposure::until_event(total.max(1e-6), times.len() as u64)?.mean_time(confidence), n)
    } else {
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        // Times are whole microseconds, so that no standard error is smaller.
        let error = (variance / n).sqrt().max(1e-6 / n.sqrt());
        let interval =
            confidence.cut(mean, (0.0, f64::INFINITY), |tail: Tail| mean + student_quantile(n - 1.0, tail) * error);
        (Interval { lower: interval.lower.max(0.0), ..interval }, (mean / error).powi(2).max(n))
    };
    let mean = mean.max(1e-6);
    let law = Law::Gamma { shape, mean };
    Ok(Measured { name: name.to_owned(), unit: "s", count: times.len(), observed, value: mean, law })
}
