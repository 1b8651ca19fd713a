//! Shares, quantities and targets as people type them, and numbers as they read them.

use availability::Certain;
use availability::model::Model;

use crate::failure::{Failure, Kind};
use crate::output;

/// Hours of a year, and its minutes.
const YEAR: f64 = 8760.0;
/// The most hosts of the built-in solutions.
const MOST_HOSTS: u32 = 12;

/// `95%` or `0.95`.
///
/// # Errors
/// Unless it lies between 0 and 1, both excluded.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let value = match text.trim().strip_suffix('%') {
        // The decimal point moves in the text, so that the share is the nearest number to what was meant.
        Some(percent) => format!("{}e-2", percent.trim()).parse::<f64>(),
        None => text.trim().parse(),
    };
    match value {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("write a share between 0 and 1, both excluded, as `95%` or `0.95`".to_owned()),
    }
}

/// Numbers of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hosts(pub(crate) Vec<u32>);

/// `1..5`, `3`, `1,2,5`.
///
/// # Errors
/// Unless all are numbers that the built-in solutions can have.
pub(crate) fn hosts(text: &str) -> Result<Hosts, String> {
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|hosts| (1..=MOST_HOSTS).contains(hosts));
    let hosts: Option<Vec<u32>> = match text.split_once("..") {
        Some((low, high)) => number(low).zip(number(high)).map(|(low, high)| (low..=high).collect()),
        None => text.split(',').map(number).collect(),
    };
    match hosts {
        Some(hosts) if !hosts.is_empty() => Ok(Hosts(hosts)),
        _ => Err(format!("write numbers from 1 to {MOST_HOSTS}, as `1..5` or `1,3`")),
    }
}

/// A number with its unit as a model text has it: `3 per year`, `10000 h`; the unit is `1`, `h` or `1/h`.
///
/// # Errors
/// If it is not understood.
pub(super) fn quantity(what: &str, text: &str) -> Result<(f64, String), Failure> {
    let model = Model::read(what, &format!("parameter it = {text}\n"), &[]).map_err(|error| {
        Failure::new(Kind::Wrong, format!("the {what} `{text}` is not understood: {}", error.what))
            .help("write a number with its unit, as `5.26 min`, `2 per year`, `500 FIT` or `99.9 %`")
    })?;
    let first = model.parameters().first().map(|parameter| (parameter.value(), parameter.unit()));
    first
        .filter(|(value, _)| value.is_finite())
        .ok_or_else(|| Failure::new(Kind::Wrong, format!("no {what}: `{text}`")))
}

/// A target in the unit of its measure. A plain number is taken to be in it; where minutes a year are measured, a time is one for
/// each year, and a share of more than a half is an availability.
///
/// # Errors
/// If it is not understood, or of another kind than the measure.
pub(super) fn target(text: &str, unit: &str) -> Result<f64, Failure> {
    if let Ok(plain) = text.trim().parse::<f64>() {
        if unit == "min/year" && (90.0..100.0).contains(&plain) {
            output::remark(&format!("{plain} are minutes a year here; write {plain}% for an availability"));
        }
        return Ok(plain);
    }
    let (value, own) = quantity("target", text)?;
    let is_downtime = unit == "min/year";
    if is_downtime && own == "h" {
        return Ok(value * 60.0);
    }
    if is_downtime && own == "1" && value > 0.5 {
        // Thirty digits of the decimal, before it is subtracted.
        return converted(&format!("parameter a = {text}\nmeasure u = (1 - a)*365*24*60\n"), text, unit);
    }
    let asked = if unit == "1" { String::new() } else { format!(" in {unit}") };
    converted(&format!("parameter t = {text}\nmeasure target = t{asked}\n"), text, unit)
}

fn converted(model: &str, text: &str, unit: &str) -> Result<f64, Failure> {
    let wrong = |error: availability::Error| {
        let what = format!("the target `{text}` does not fit a measure in {unit}: {}", error.what);
        Failure::new(Kind::Wrong, what).help(format!("write a number in {unit}, or one with a unit of the same kind"))
    };
    let values = Model::read("target", model, &[]).and_then(|model| model.solve()).map_err(wrong)?;
    values.first().map(|value| value.value).ok_or_else(|| Failure::new(Kind::Wrong, format!("no target: `{text}`")))
}

/// A target that lies where a measure of this unit can.
///
/// # Errors
/// If it is not positive and finite, or a downtime of all the time.
pub(super) fn sensible(target: f64, text: &str, unit: &str) -> Result<f64, Failure> {
    let most = if unit == "min/year" { YEAR * 60.0 } else { f64::INFINITY };
    if target > 0.0 && target < most && target.is_finite() {
        return Ok(target);
    }
    let what = format!("the target {text} is out of range");
    let remedy = match unit {
        "min/year" => {
            "a downtime lies between 0 and 525600 minutes a year, an availability between 0 and 100 %, both excluded"
        }
        _ => "it is positive and finite",
    };
    Err(Failure::new(Kind::Wrong, what).help(remedy))
}

/// Up to five digits for a table, not more than are sure.
pub(super) fn brief(number: Certain) -> String {
    digits(number.value, (number.digits() as usize).min(5))
}

/// A number with so many significant digits, without a power of ten where people read it more easily so.
pub(super) fn digits(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if digits == 0 {
        return format!("{value:.0e}?");
    }
    let before = value.abs().log10().floor() as i32 + 1;
    if !(-3..=7).contains(&before) || before > digits as i32 {
        return format!("{value:.*e}", digits - 1);
    }
    format!("{value:.*}", (digits as i32 - before).max(0) as usize)
}

/// A value of a measure with its unit, in up to so many digits; what is near to 1, as an availability is, in as many as it needs.
pub(super) fn measured(value: f64, unit: &str, most: usize) -> String {
    match unit {
        "1" if value > 0.9 && value < 1.0 => humane(value, unit),
        "1" => digits(value, most),
        unit => format!("{} {unit}", digits(value, most)),
    }
}

/// A parameter's value with a unit that makes it easy to read.
pub(super) fn humane(value: f64, unit: &str) -> String {
    let of = |size: f64, name: &str| format!("{} {name}", digits(value / size, 4));
    match unit {
        "h" if value < 1.0 / 3600.0 => of(1.0 / 3.6e6, "ms"),
        "h" if value < 1.0 / 60.0 => of(1.0 / 3600.0, "s"),
        "h" if value < 1.0 => of(1.0 / 60.0, "min"),
        "h" if value < 100.0 => of(1.0, "h"),
        "h" if value < YEAR => of(24.0, "d"),
        "h" => of(YEAR, "years"),
        "1/h" if value >= 1.0 => of(1.0, "per hour"),
        "1/h" if value >= 1e-3 / YEAR => of(1.0 / YEAR, "per year"),
        "1/h" => of(1e-9, "FIT"),
        "1" if value > 0.9 && value < 1.0 => {
            // As many digits as what is missing needs.
            let places = (2.0 - ((1.0 - value).log10() + 1e-9).floor()).clamp(3.0, 16.0) as usize;
            format!("{value:.places$}")
        }
        "1" => digits(value, 4),
        unit => format!("{} {unit}", digits(value, 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_targets_are_read_as_meant() {
        assert_eq!(share("99.9 %"), Ok(0.999));
        assert_eq!(share("0.95"), Ok(0.95));
        assert!(share("95").is_err() && share("100%").is_err() && share("x").is_err());
        assert_eq!(target("5.26min", "min/year").ok(), Some(5.26));
        assert_eq!(target("99.999%", "min/year").ok(), Some(5.256));
        assert_eq!(target("1e-5", "1").ok(), Some(1e-5));
        assert_eq!(target("99.5 %", "1").ok(), Some(0.995));
        assert_eq!(target("2 h", "h").ok(), Some(2.0));
        assert!(target("3 per year", "min/year").is_err());
        assert!(target("soon", "min/year").is_err());
    }

    #[test]
    fn values_read_as_people_say_them() {
        for (value, unit, said) in [
            (0.5, "h", "30.00 min"),
            (1e-5, "h", "36.00 ms"),
            (1.0 / YEAR, "1/h", "1.000 per year"),
            (0.999_9, "1", "0.999900"),
            (0.05, "1", "0.05000"),
        ] {
            assert_eq!(humane(value, unit), said);
        }
        assert_eq!(measured(0.999_99, "1", 5), "0.9999900");
        assert_eq!(measured(0.771_738, "min/year", 5), "0.77174 min/year");
        assert_eq!(hosts("1..3"), Ok(Hosts(vec![1, 2, 3])));
        assert_eq!(hosts("4,1"), Ok(Hosts(vec![4, 1])));
        assert!(hosts("0..2").is_err() && hosts("5..1").is_err() && hosts("a").is_err());
    }
}
