//! `everline availability estimate`: parameters from what was observed.

mod drill;
mod log;
mod parts;
mod plan;

use std::path::Path;

use availability::Error;
use availability::estimate::Interval;
use serde_json::{Value, json};

use crate::cli::Estimate;
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, plain};

use super::amounts::digits;
use super::{failure, text_of};

/// Estimates what was asked.
///
/// # Errors
/// [`Kind::Wrong`] if a file or the usage is; a failure if what was observed does not suffice.
pub(crate) fn estimate(order: &Estimate) -> Result<(), Failure> {
    output::result(&match order {
        Estimate::Log(order) => log::estimate(order)?,
        Estimate::Drill(order) => drill::estimate(order)?,
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
}

impl Row {
    fn cells(&self) -> [Cell; 7] {
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
        ]
    }

    fn json(&self) -> Value {
        // Infinite ends are null: JSON has no other word for them.
        let Interval { point, lower, upper } = self.interval;
        json!({ "of": self.of, "what": self.what, "value": point, "lower": lower, "upper": upper, "unit": self.unit, "from": self.from })
    }
}

fn table(head: &'static str, rows: &[Row]) -> String {
    let cells: Vec<[Cell; 7]> = rows.iter().map(Row::cells).collect();
    output::table([head, "WHAT", "ESTIMATE", "LOWER", "UPPER", "UNIT", "FROM"], &cells, "nothing to estimate")
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
