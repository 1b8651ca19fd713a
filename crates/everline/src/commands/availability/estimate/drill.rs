//! `everline availability estimate drill`.

use std::collections::BTreeMap;
use std::path::Path;

use availability::estimate::drill::{Drill, Measured};
use availability::estimate::{Confidence, Injections, Interval};
use serde_json::{Value, json};

use crate::cli::EstimateDrill;
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, plain};

use super::super::amounts::digits;
use super::{failed, law_json, law_text, text, wrong};

pub(super) fn estimate(order: &EstimateDrill) -> Result<String, Failure> {
    let confidence = Confidence::two_sided(order.confidence).map_err(|error| failed(&error))?;
    let mut campaign: Option<Drill> = None;
    let mut taken: BTreeMap<(u64, u64), &Path> = BTreeMap::new();
    for file in &order.files {
        let drill = Drill::read(&file.display().to_string(), &text(file)?).map_err(|error| wrong(&error, ""))?;
        if let Some(first) = drill.begun_ns.and_then(|begun| taken.insert((drill.seed, begun), file)) {
            let what = format!("{} and {} are the result of one drill", first.display(), file.display());
            return Err(Failure::new(Kind::Wrong, what).help("give each result once: its runs would count twice"));
        }
        match &mut campaign {
            Some(campaign) => campaign.runs.extend(drill.runs),
            None => campaign = Some(drill),
        }
    }
    let Some(campaign) = campaign else { return Ok(String::new()) };
    let mut estimates = campaign.estimates(confidence);
    if order.any_time {
        for estimate in &mut estimates {
            if let Some(interval) = at_any_time(&campaign, estimate, confidence) {
                estimate.observed = interval;
            }
        }
    }
    Ok(if order.listing.json { as_json(order, &estimates) } else { table(&estimates) })
}

/// The interval of a coverage that one may look at after every fault.
fn at_any_time(drill: &Drill, estimate: &Measured, confidence: Confidence) -> Option<Interval> {
    let fault = estimate.name.strip_prefix("coverage of ")?;
    let runs: Vec<bool> =
        drill.runs.iter().filter(|run| run.kind == fault || run.step == fault).map(|run| run.covered).collect();
    let missed = runs.iter().filter(|covered| !**covered).count() as u64;
    Some(Injections::new(runs.len() as u64, missed).ok()?.at_any_time(confidence).covered)
}

fn table(estimates: &[Measured]) -> String {
    let row = |estimate: &Measured| -> [Cell; 7] {
        let Interval { point, lower, upper } = estimate.observed;
        let number = |value: f64| plain(if value.is_infinite() { "-".to_owned() } else { digits(value, 5) });
        let (value, law) = (digits(estimate.value, 5), law_text(estimate.law));
        let (unit, model) = match estimate.unit {
            "1" => ("", format!("{value} {law}")),
            unit => (unit, format!("{value} {unit} {law}")),
        };
        [
            plain(&estimate.name),
            plain(estimate.count),
            number(point),
            number(lower),
            number(upper),
            plain(unit),
            plain(model),
        ]
    };
    let rows: Vec<[Cell; 7]> = estimates.iter().map(row).collect();
    let head = ["ESTIMATE", "RUNS", "OBSERVED", "LOWER", "UPPER", "UNIT", "FOR A MODEL"];
    output::table(head, &rows, "the drill made no fault")
}

fn as_json(order: &EstimateDrill, estimates: &[Measured]) -> String {
    let of = |estimate: &Measured| -> Value {
        let Interval { point, lower, upper } = estimate.observed;
        json!({
            "name": estimate.name, "runs": estimate.count, "observed": point, "lower": lower, "upper": upper,
            "unit": estimate.unit, "value": estimate.value, "law": law_json(estimate.law),
        })
    };
    let estimates: Vec<Value> = estimates.iter().map(of).collect();
    format!("{}\n", json!({ "confidence": order.confidence, "any_time": order.any_time, "estimates": estimates }))
}
