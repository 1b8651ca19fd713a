//! Measures as tables and as JSON.

use availability::Certain;
use serde_json::{Value, json};

use crate::cli::Solve;
use crate::output::{self, Cell, optional, plain};

use super::{Answer, Slope};

/// Derivatives are sums with thirty digits, the largest terms of which are mostly as large as the measure over the parameter: what is
/// so much smaller may be 0.
const CANCELLED: f64 = 1e-27;

/// Tables for people: the measures, and what else was asked.
pub(super) fn tables(answers: &[Answer], order: &Solve) -> String {
    let row = |answer: &Answer| {
        [plain(&answer.name), plain(sure(answer.value)), plain(&answer.unit), plain(answer.value.digits())]
    };
    let rows: Vec<[Cell; 4]> = answers.iter().map(row).collect();
    let mut text = output::table(["MEASURE", "VALUE", "UNIT", "SURE DIGITS"], &rows, "no measures");
    if let Some(count) = order.samples {
        let rows: Vec<[Cell; 7]> = answers.iter().filter_map(spread_row).collect();
        let head = ["MEASURE", "MEAN", "SD", "5 %", "50 %", "95 %", "SD BY DELTA METHOD"];
        let seed = order.seed;
        text.push_str(&format!("\n{count} samples with seed {seed}\n{}", output::table(head, &rows, "no samples")));
    }
    for answer in answers.iter().filter(|answer| !answer.is_smooth && (order.gradient || order.hessian)) {
        text.push_str(&format!("\n{} has no derivatives: the distribution of downtime has none\n", answer.name));
    }
    for answer in answers.iter().filter(|answer| order.gradient && answer.is_smooth) {
        let mut slopes: Vec<_> = answer.gradient.iter().filter(|slope| slope.derivative != 0.0).collect();
        slopes.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()));
        let row = |slope: &Slope| {
            [plain(&slope.by[0]), plain(derivative(slope)), plain(&slope.unit), plain(format!("{:+.6}", slope.share))]
        };
        let rows: Vec<[Cell; 4]> = slopes.into_iter().map(row).collect();
        let head = ["PARAMETER", "DERIVATIVE", "UNIT", "% FOR 1 %"];
        let table = output::table(head, &rows, "it depends on no parameter");
        text.push_str(&format!("\n{} by each parameter\n{table}", answer.name));
    }
    for answer in answers.iter().filter(|answer| order.hessian && answer.is_smooth) {
        let curved = answer.hessian.iter().filter(|slope| slope.derivative != 0.0);
        let row =
            |slope: &Slope| [plain(&slope.by[0]), plain(&slope.by[1]), plain(derivative(slope)), plain(&slope.unit)];
        let rows: Vec<[Cell; 4]> = curved.map(row).collect();
        let table = output::table(["PARAMETER", "PARAMETER", "SECOND DERIVATIVE", "UNIT"], &rows, "all are 0");
        text.push_str(&format!("\n{} by each two parameters\n{table}", answer.name));
    }
    text
}

/// Ten digits; of what may be the rest of terms that cancel, one and a question mark, as of a value without a sure digit.
fn derivative(slope: &Slope) -> String {
    if slope.share != 0.0 && slope.share.abs() < CANCELLED {
        return format!("{:.0e}?", slope.derivative);
    }
    format!("{:.9e}", slope.derivative)
}

fn spread_row(answer: &Answer) -> Option<[Cell; 7]> {
    let spread = answer.spread.as_ref()?;
    let short = |value: f64| plain(format!("{value:.5e}"));
    let [low, middle, high] = spread.points.map(short);
    let delta = optional(spread.delta.map(|delta| format!("{delta:.5e}")));
    Some([plain(&answer.name), short(spread.mean), short(spread.sd), low, middle, high, delta])
}

/// The sure digits, without a power of ten where people read the number more easily so.
fn sure(number: Certain) -> String {
    let digits = number.digits() as i32;
    let size = number.value.abs();
    if number.value == 0.0 && number.relative_error == 0.0 {
        return "0".to_owned();
    }
    if number.relative_error == 0.0 && number.value.fract() == 0.0 && size < 1e15 {
        return format!("{}", number.value);
    }
    let before = size.log10().floor() as i32 + 1;
    if digits == 0 || !(1e-3..1e7).contains(&size) || before > digits {
        return number.to_string();
    }
    format!("{:.*}", (digits - before) as usize, number.value)
}

/// `{"measures": [...]}`; what was not asked for is not there.
pub(super) fn json(answers: &[Answer], order: &Solve) -> String {
    let measures: Vec<Value> = answers.iter().map(|answer| measure(answer, order)).collect();
    format!("{}\n", json!({ "measures": measures }))
}

fn measure(answer: &Answer, order: &Solve) -> Value {
    let mut value = json!({
        "name": answer.name,
        "value": answer.value.value,
        "unit": answer.unit,
        "digits": answer.value.digits(),
    });
    if order.gradient {
        let row = |slope: &Slope| json!({ "parameter": slope.by[0], "derivative": slope.derivative, "unit": slope.unit, "elasticity": slope.share });
        let rows: Value = answer.gradient.iter().map(row).collect();
        value["gradient"] = if answer.is_smooth { rows } else { Value::Null };
    }
    if order.hessian {
        let row = |slope: &Slope| json!({ "parameters": slope.by, "derivative": slope.derivative, "unit": slope.unit });
        let rows: Value = answer.hessian.iter().map(row).collect();
        value["hessian"] = if answer.is_smooth { rows } else { Value::Null };
    }
    if let (Some(spread), Some(count)) = (&answer.spread, order.samples) {
        let [p05, p50, p95] = spread.points;
        value["samples"] = json!({
            "count": count, "seed": order.seed, "mean": spread.mean, "sd": spread.sd,
            "p05": p05, "p50": p50, "p95": p95, "sd_delta": spread.delta,
        });
    }
    value
}
