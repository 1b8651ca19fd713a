//! `everline availability estimate parts`.

use availability::estimate::parts::{Equipment, Factors, PartRate, Prediction};
use serde_json::{Value, json};

use crate::cli::EstimateParts;
use crate::failure::Failure;
use crate::output::{self, Cell, plain};

use super::super::amounts::{digits, humane};
use super::{text, wrong};

/// Failures per hour that are one FIT.
const FIT: f64 = 1e-9;

pub(super) fn estimate(order: &EstimateParts) -> Result<String, Failure> {
    let (table_text, list) = (text(&order.factors)?, text(&order.file)?);
    let factors = Factors::read(&order.factors.display().to_string(), &table_text);
    let factors = factors.map_err(|error| wrong(&error, &table_text))?;
    let equipment = Equipment::read(&order.file.display().to_string(), &list).map_err(|error| wrong(&error, &list))?;
    let prediction = factors.predict(&equipment).map_err(|error| wrong(&error, &list))?;
    Ok(if order.listing.json { as_json(&equipment, &prediction) } else { table(&equipment, &prediction) })
}

fn table(equipment: &Equipment, prediction: &Prediction) -> String {
    let row = |part: &PartRate| -> [Cell; 6] {
        let all = part.count * part.each;
        let factors: Vec<String> =
            part.factors.iter().map(|(name, factor)| format!("{name} {}", digits(*factor, 4))).collect();
        [
            plain(&part.part),
            plain(part.count),
            plain(digits(part.each / FIT, 5)),
            plain(digits(all / FIT, 5)),
            plain(format!("{:.1} %", 100.0 * all / prediction.rate)),
            plain(factors.join(", ")),
        ]
    };
    let rows: Vec<[Cell; 6]> = prediction.parts.iter().map(row).collect();
    let head = ["PART", "COUNT", "EACH, FIT", "ALL, FIT", "SHARE", "FACTORS"];
    let (rate, mean) = (prediction.rate, prediction.rate.recip());
    format!(
        "{}\n{}: {} FIT, {}, one failure in {}\n",
        output::table(head, &rows, "no parts"),
        equipment.name,
        digits(rate / FIT, 5),
        humane(rate, "1/h"),
        humane(mean, "h")
    )
}

fn as_json(equipment: &Equipment, prediction: &Prediction) -> String {
    let of = |part: &PartRate| -> Value {
        let factors: Vec<Value> =
            part.factors.iter().map(|(name, factor)| json!({ "name": name, "factor": factor })).collect();
        json!({ "part": part.part, "count": part.count, "each": part.each, "factors": factors })
    };
    let parts: Vec<Value> = prediction.parts.iter().map(of).collect();
    format!("{}\n", json!({ "equipment": equipment.name, "rate": prediction.rate, "unit": "1/h", "parts": parts }))
}
