//! `everline availability estimate plan`.

use availability::estimate::{Confidence, Sides, injections_needed, time_needed};
use serde_json::{Value, json};

use crate::cli::EstimatePlan;
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, plain};

use super::super::amounts::{digits, humane, quantity, share};
use super::{failed, sequential, wrong};

/// What is claimed.
enum Claim {
    /// A coverage: the share of faults that may be missed.
    Missed(f64),
    /// A mean up time, in hours.
    MeanTime(f64),
}

pub(super) fn estimate(order: &EstimatePlan) -> Result<String, Failure> {
    let claim = claim(&order.claim)?;
    if let Some(hoped) = order.sequential {
        let Claim::Missed(missed) = claim else {
            let what = format!("a sequential plan for `{}`, which is no coverage", order.claim);
            return Err(Failure::new(Kind::Wrong, what).help("claim a coverage (99.9%), or leave --sequential away"));
        };
        return sequential::plan(order, missed, hoped);
    }
    let mut rows = Vec::new();
    for misses in 0..=order.misses {
        let needed = match claim {
            Claim::Missed(share) => injections_needed(share, order.confidence, misses).map(|needed| needed as f64),
            Claim::MeanTime(hours) => time_needed(hours, order.confidence, misses),
        };
        rows.push((misses, needed.map_err(|error| failed(&error))?));
    }
    Ok(if order.listing.json { as_json(order, &claim, &rows) } else { table(order, &claim, &rows) })
}

fn claim(text: &str) -> Result<Claim, Failure> {
    if let Ok(covered) = share(text) {
        return complement(covered).map(Claim::Missed);
    }
    let (value, unit) = quantity("claim", text)?;
    match unit.as_str() {
        "h" if value > 0.0 => Ok(Claim::MeanTime(value)),
        "1/h" if value > 0.0 => Ok(Claim::MeanTime(value.recip())),
        _ => Err(Failure::new(Kind::Wrong, format!("the claim `{text}` is out of range"))
            .help("claim a coverage between 0 and 100 % (99.9%), a mean time (10000 h) or a rate (2 per year)")),
    }
}

/// The complement of a share that is a decimal, without the rounding of 1 - x.
pub(super) fn complement(share: f64) -> Result<f64, Failure> {
    let confidence = Confidence::new(share, Sides::Lower).map_err(|error| wrong(&error, ""))?;
    Ok(confidence.doubt())
}

fn table(order: &EstimatePlan, claim: &Claim, rows: &[(u64, f64)]) -> String {
    let row = |(misses, needed): &(u64, f64)| -> [Cell; 2] {
        let needed = match claim {
            Claim::Missed(_) => format!("{needed}"),
            Claim::MeanTime(_) => format!("{} h ({})", digits(*needed, 6), humane(*needed, "h")),
        };
        [plain(misses), plain(needed)]
    };
    let rows: Vec<[Cell; 2]> = rows.iter().map(row).collect();
    let (head, what) = match claim {
        Claim::Missed(missed) => {
            (["MISSED ON THE WAY", "INJECTIONS"], format!("at most {} of all faults missed", digits(*missed, 4)))
        }
        Claim::MeanTime(hours) => (
            ["FAILURES ON THE WAY", "TIME UP, ALL UNITS TOGETHER"],
            format!("a mean time of {} or more", humane(*hours, "h")),
        ),
    };
    format!("{what}, shown with confidence {}\n\n{}", order.confidence, output::table(head, &rows, "no rows"))
}

fn as_json(order: &EstimatePlan, claim: &Claim, rows: &[(u64, f64)]) -> String {
    let (what, unit, value) = match claim {
        Claim::Missed(missed) => ("missed", "injections", *missed),
        Claim::MeanTime(hours) => ("mean_time", "h", *hours),
    };
    let row = |(misses, needed): &(u64, f64)| json!({ "misses": misses, "needed": needed });
    let rows: Vec<Value> = rows.iter().map(row).collect();
    format!("{}\n", json!({ "claim": { (what): value }, "confidence": order.confidence, "unit": unit, "plans": rows }))
}
