//! `everline availability estimate`: parameters from what was observed.

mod counts;
mod drill;
mod log;
mod parts;
mod plan;
mod sequential;

use std::path::Path;

use availability::Error;
use availability::estimate::drill::Law;
use availability::estimate::{Ending, Exposure, Interval, RateBelief};
use serde_json::{Value, json};

use crate::cli::{Estimate, Until};
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, optional, plain};

use super::amounts::{digits, humane};
use super::{failure, text_of};

/// Estimates what was asked.
///
/// # Errors
/// [`Kind::Wrong`] if a file or the usage is; a failure if what was observed does not suffice.
pub(crate) fn estimate(order: &Estimate) -> Result<(), Failure> {
    output::result(&match order {
        Estimate::Log(order) => log::estimate(order)?,
        Estimate::Drill(order) => drill::estimate(order)?,
        Estimate::Counts(order) => counts::estimate(order)?,
        Estimate::Plan(order) => plan::estimate(order)?,
        Estimate::Parts(order) => parts::estimate(order)?,
    })
}

/// An estimate with its interval, and from what it is.
struct Row {
    /// The component or the fault.
    of: String,
    what: &'static str,
    interval: Interval,
    unit: &'static str,
    from: String,
    /// What a model takes, where its language has the law.
    model: Option<Law>,
}

impl Row {
    fn cells(&self) -> [Cell; 8] {
        let Interval { point, lower, upper } = self.interval;
        let number = |value: f64| plain(if value.is_infinite() { "-".to_owned() } else { digits(value, 5) });
        [
            plain(&self.of),
            plain(self.what),
            number(point),
            number(lower),
            number(upper),
            plain(self.unit),
            plain(&self.from),
            optional(self.model.map(for_a_model)),
        ]
    }

    fn json(&self) -> Value {
        // Infinite ends are null: JSON has no other word for them.
        let Interval { point, lower, upper } = self.interval;
        let model = self.model.map(|law| json!({ "value": mean(law), "law": law_json(law) }));
        json!({
            "of": self.of, "what": self.what, "value": point, "lower": lower, "upper": upper, "unit": self.unit,
            "from": self.from, "model": model,
        })
    }
}

fn table(head: &'static str, rows: &[Row]) -> String {
    let cells: Vec<[Cell; 8]> = rows.iter().map(Row::cells).collect();
    let head = [head, "WHAT", "ESTIMATE", "LOWER", "UPPER", "UNIT", "FROM", "FOR A MODEL"];
    output::table(head, &cells, "nothing to estimate")
}

/// The value of a parameter, a rate per hour or a share, and what stands behind it in a model.
fn for_a_model(law: Law) -> String {
    let value = match law {
        Law::Beta { .. } => humane(mean(law), "1"),
        Law::Gamma { mean, .. } => format!("{} per h", digits(mean, 5)),
    };
    format!("{value} {}", law_text(law))
}

fn mean(law: Law) -> f64 {
    match law {
        Law::Beta { a, b } => a / (a + b),
        Law::Gamma { mean, .. } => mean,
    }
}

/// What stands behind the value in a model.
fn law_text(law: Law) -> String {
    match law {
        Law::Beta { a, b } => format!("~ beta(a = {a}, b = {b})"),
        Law::Gamma { shape, .. } => format!("~ gamma(shape = {})", digits(shape, 4)),
    }
}

fn law_json(law: Law) -> Value {
    match law {
        Law::Beta { a, b } => json!({ "beta": { "a": a, "b": b } }),
        Law::Gamma { shape, mean } => json!({ "gamma": { "shape": shape, "mean": mean } }),
    }
}

/// What is known of a rate, as a model has it.
fn rate_law(belief: RateBelief) -> Law {
    Law::Gamma { shape: belief.events, mean: belief.events / belief.time }
}

fn ending(until: Until) -> Ending {
    match until {
        Until::Failure => Ending::Event,
        Until::Time => Ending::Time,
    }
}

/// From what a failure rate is: `3 failures in 17000.0 h up, until a time`.
fn from_failures(up: &Exposure) -> String {
    let until = match up.ending {
        Ending::Event => "the last failure",
        Ending::Time => "a time",
    };
    format!("{} in {} h up, until {until}", output::count(up.events as usize, "failure"), digits(up.time, 6))
}

/// The text of a file that must be there.
fn text(path: &Path) -> Result<String, Failure> {
    let file = text_of(path)?.ok_or_else(|| {
        Failure::new(Kind::Wrong, format!("there is no file {}", path.display())).help("name the file to read")
    })?;
    Ok(file.text)
}

/// What is wrong with a file that was given, with the line that it is about.
fn wrong(error: &Error, text: &str) -> Failure {
    failure(Kind::Wrong, error, text)
}

/// What cannot be computed from what was observed.
fn failed(error: &Error) -> Failure {
    failure(Kind::Failed, error, "")
}
