//! Units of time, of rates and of shares.
//!
//! Inside, times are hours and rates are per hour; the only dimension is time, and everything else (a probability, a number
//! of units, minutes a year) is a plain number. A year has 365 days.

use crate::text::exact::Exact;
use crate::text::source::did_you_mean;

/// The power of time in a quantity: 1 for a time, -1 for a rate, 0 for a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dimension(pub(crate) i32);

impl Dimension {
    pub(crate) const PLAIN: Self = Self(0);
    pub(crate) const TIME: Self = Self(1);
    pub(crate) const RATE: Self = Self(-1);

    /// As a sentence names it: `a rate`.
    pub(crate) fn name(self) -> String {
        match self.0 {
            0 => "a plain number".to_owned(),
            1 => "a time".to_owned(),
            -1 => "a rate".to_owned(),
            power => format!("time to the power {power}"),
        }
    }

    /// The unit in which a measure of this dimension is printed if nobody asks for another.
    pub(crate) fn usual_unit(self) -> String {
        match self.0 {
            0 => "1".to_owned(),
            1 => "h".to_owned(),
            -1 => "1/h".to_owned(),
            power => format!("h^{power}"),
        }
    }
}

/// A unit: how many hours (or which share) one of it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unit {
    pub(crate) size: Exact,
    pub(crate) dimension: Dimension,
}

/// Units by name: name, numerator and denominator of the size, power of time.
const UNITS: [(&[&str], f64, f64, i32); 10] = [
    (&["ms", "millisecond", "milliseconds"], 1.0, 3_600_000.0, 1),
    (&["s", "sec", "second", "seconds"], 1.0, 3600.0, 1),
    (&["min", "minute", "minutes"], 1.0, 60.0, 1),
    (&["h", "hour", "hours"], 1.0, 1.0, 1),
    (&["d", "day", "days"], 24.0, 1.0, 1),
    (&["week", "weeks"], 168.0, 1.0, 1),
    (&["month", "months"], 730.0, 1.0, 1),
    (&["year", "years"], 8760.0, 1.0, 1),
    (&["FIT"], 1.0, 1e9, -1),
    (&["ppm"], 1.0, 1e6, 0),
];

/// What units there are, for a message.
pub(crate) const KNOWN: &str =
    "units are ms, s, min, h, day, week, month (a twelfth of a year), year (365 days), FIT (1e-9 per hour), ppm and %";

/// The unit of this name.
pub(crate) fn unit(name: &str) -> Option<Unit> {
    let (_, above, below, power) = UNITS.iter().find(|(names, ..)| names.contains(&name))?;
    Some(Unit { size: Exact::from(*above) / Exact::from(*below), dimension: Dimension(*power) })
}

impl Unit {
    /// What one divides by instead of multiplying by this unit, where that is a whole number: 60 for minutes. So `60 min`
    /// are exactly 1 h.
    pub(crate) fn divisor(self) -> Option<Self> {
        let inverse = Exact::ONE / self.size;
        let is_part = inverse.whole().is_some() && inverse.rounded() > 1.0;
        is_part.then_some(Self { size: inverse, dimension: Dimension(-self.dimension.0) })
    }
}

/// How units are called elsewhere, and here.
const ELSEWHERE: [(&str, &str); 7] = [
    ("hrs", "h"),
    ("yr", "year"),
    ("yrs", "years"),
    ("wk", "week"),
    ("wks", "weeks"),
    ("mo", "month"),
    ("mos", "months"),
];

/// The unit that is meant by a name that is none, as `; did you mean "h"?`; empty if none is near.
pub(crate) fn near(name: &str) -> String {
    let lower = name.to_lowercase();
    match ELSEWHERE.iter().find(|(other, _)| *other == lower) {
        Some((_, unit)) => format!("; did you mean `{unit}`?"),
        None => did_you_mean(name, UNITS.iter().flat_map(|(names, ..)| names.iter().copied())),
    }
}
