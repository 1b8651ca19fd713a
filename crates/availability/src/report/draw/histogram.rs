//! The distribution of a downtime.

use super::{Anchor, Drawing, log_ticks};
use crate::report::numbers::duration;
use crate::report::{BUDGETS, Language, Report, Spread};

const WIDTH: f64 = 760.0;
const BOTTOM: f64 = 250.0;
const TOP: f64 = 44.0;
const SIDE: f64 = 30.0;

/// Bars over a logarithmic axis, with the point of the model, the 5 % and 95 % points, and the budgets that lie in it.
pub(in crate::report) fn histogram(id: &str, report: &Report, spread: &Spread, language: Language) -> String {
    let service = report.main();
    let (low, high) = (spread.bins[0].low, spread.bins[spread.bins.len() - 1].high);
    let x = |minutes: f64| {
        let place = if high > low { (minutes.clamp(low, high) / low).ln() / (high / low).ln() } else { 0.5 };
        SIDE + (WIDTH - 2.0 * SIDE) * place
    };
    let [p05, p50, p95] = spread.points.map(|point| duration(point, language));
    let heading = format!(
        "{}: {}",
        language.pick("How sure the downtime is", "停机时间的不确定性"),
        report.title(&service.name, language)
    );
    let described = match language {
        Language::English => {
            format!("Nine of ten samples lie between {p05} and {p95} a year, half of them below {p50}.")
        }
        Language::Chinese => format!("十分之九的样本在每年 {p05} 与 {p95} 之间，半数低于 {p50}。"),
    };
    let mut drawing = Drawing::new(id, (WIDTH, BOTTOM + 44.0), &heading, &described);
    let most = spread.bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1) as f64;
    let [from, _, to] = spread.points;
    drawing.rect("between", (x(from), TOP), (x(to) - x(from), BOTTOM - TOP));
    for bin in &spread.bins {
        let height = (BOTTOM - TOP) * bin.count as f64 / most;
        drawing.rect("bar", (x(bin.low) + 0.5, BOTTOM - height), (x(bin.high) - x(bin.low) - 1.0, height));
    }
    drawing.line("axis", (SIDE, BOTTOM), (WIDTH - SIDE, BOTTOM));
    for tick in log_ticks(low, high) {
        drawing.line("axis", (x(tick), BOTTOM), (x(tick), BOTTOM + 5.0));
        drawing.words("tick", (x(tick), BOTTOM + 19.0), Anchor::Middle, &format!("{tick}"));
    }
    let unit = language.pick("minutes a year (logarithmic)", "每年分钟数（对数坐标）");
    drawing.words("tick", (WIDTH / 2.0, BOTTOM + 38.0), Anchor::Middle, unit);
    for (name, minutes) in BUDGETS.iter().filter(|(_, minutes)| (low..=high).contains(minutes)) {
        drawing.line("limit", (x(*minutes), TOP - 8.0), (x(*minutes), BOTTOM));
        drawing.words("figure", (x(*minutes), 32.0), Anchor::Middle, name);
    }
    let at = x(service.downtime.value);
    drawing.line("here", (at, 20.0), (at, BOTTOM));
    drawing.words("figure", (at, 14.0), Anchor::Middle, &duration(service.downtime.value, language));
    drawing.finish()
}
