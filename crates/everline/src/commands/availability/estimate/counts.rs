//! `everline availability estimate counts`.

use availability::estimate::drill::Law;
use availability::estimate::{Confidence, CoverageBelief, Exposure, Injections, Interval};
use serde_json::{Value, json};

use crate::cli::EstimateCounts;
use crate::failure::{Failure, Kind};

use super::super::amounts::quantity;
use super::{Row, ending, failed, from_failures, rate_law, table, wrong};

pub(super) fn estimate(order: &EstimateCounts) -> Result<String, Failure> {
    let confidence = Confidence::two_sided(order.confidence).map_err(|error| failed(&error))?;
    // The usage has one pair or the other.
    let mut rows = Vec::new();
    if let (Some(failures), Some(over)) = (order.failures, &order.over) {
        let up = Exposure::new(hours(over)?, failures, ending(order.until)).map_err(|error| wrong(&error, ""))?;
        rows.extend(failure_rows(&up, confidence));
    }
    if let (Some(covered), Some(all)) = (order.covered, order.of) {
        rows.extend(coverage_rows(covered, all, confidence)?);
    }
    if order.listing.json {
        let estimates: Vec<Value> = rows.iter().map(Row::json).collect();
        return Ok(format!("{}\n", json!({ "confidence": order.confidence, "estimates": estimates })));
    }
    Ok(table("COUNTED", &rows))
}

fn hours(over: &str) -> Result<f64, Failure> {
    match quantity("time", over)? {
        (hours, unit) if unit == "h" => Ok(hours),
        _ => Err(Failure::new(Kind::Wrong, format!("`{over}` is no time")).help("write it as `17000 h` or `2 years`")),
    }
}

fn failure_rows(up: &Exposure, confidence: Confidence) -> [Row; 2] {
    let row = |what, interval, unit, model| Row {
        of: "failures".to_owned(),
        what,
        interval,
        unit,
        from: from_failures(up),
        model,
    };
    [
        row("failure rate", up.rate(confidence), "1/h", Some(rate_law(up.belief()))),
        row("mean up time", up.mean_time(confidence), "h", None),
    ]
}

fn coverage_rows(covered: u64, all: u64, confidence: Confidence) -> Result<[Row; 4], Failure> {
    let missed = all.checked_sub(covered).ok_or_else(|| {
        Failure::new(Kind::Wrong, format!("{covered} faults covered of {all}"))
            .help("no more can be covered than were made")
    })?;
    let injections = Injections::new(all, missed).map_err(|error| wrong(&error, ""))?;
    let belief = CoverageBelief::JEFFREYS.updated(injections);
    let (exact, credible) = (injections.fixed(confidence), belief.coverage(confidence));
    let row = |what, interval: Interval, model| Row {
        of: "faults".to_owned(),
        what,
        interval,
        unit: "1",
        from: format!("{covered} of {all} covered"),
        model,
    };
    let law = Law::Beta { a: belief.covered, b: belief.missed };
    Ok([
        row("coverage, Clopper-Pearson", exact.covered, None),
        row("missed, Clopper-Pearson", exact.missed, None),
        row("coverage, Jeffreys", credible.covered, Some(law)),
        row("missed, Jeffreys", credible.missed, None),
    ])
}
