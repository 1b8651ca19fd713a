//! The downtime budget, and where the services stand in it.

use super::{Anchor, Drawing, fitted, log_ticks};
use crate::report::numbers::{duration, units};
use crate::report::{BUDGETS, Language, Report};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 252.0;
const RIGHT: f64 = 130.0;
const ROW: f64 = 34.0;
const TOP: f64 = 46.0;

/// A logarithmic scale of minutes a year with the budgets as lines; each service is a diamond, with a bar from its 5 % to its
/// 95 % point.
pub(in crate::report) fn budget(id: &str, report: &Report, language: Language) -> String {
    let (low, high) = range(report);
    let x = |minutes: f64| LEFT + (WIDTH - LEFT - RIGHT) * (minutes.clamp(low, high) / low).ln() / (high / low).ln();
    let main = report.main();
    let kept =
        main.keeps().map_or(language.pick("none of the classes", "未达到任何等级"), |budget| BUDGETS[budget].0);
    let described = format!(
        "{}: {} {}; {}: {kept}",
        report.title(&main.name, language),
        duration(main.downtime.value, language),
        language.pick("a year", "每年"),
        language.pick("keeps", "达到")
    );
    let bottom = TOP + ROW * report.services.len() as f64;
    let heading = language.pick("The downtime budget", "停机时间预算");
    let mut drawing = Drawing::new(id, (WIDTH, bottom + 34.0), heading, &described);
    for (name, minutes) in BUDGETS {
        drawing.line("limit", (x(minutes), TOP - 10.0), (x(minutes), bottom));
        drawing.words("figure", (x(minutes), 16.0), Anchor::Middle, name);
        drawing.words("tick", (x(minutes), 31.0), Anchor::Middle, &duration(minutes, language));
    }
    let [_, _, min, ..] = units(language);
    drawing.line("axis", (LEFT, bottom), (WIDTH - RIGHT, bottom));
    for tick in log_ticks(low, high).into_iter().filter(|tick| tick.log10().fract().abs() < 1e-9) {
        drawing.line("axis", (x(tick), bottom), (x(tick), bottom + 5.0));
        drawing.words("tick", (x(tick), bottom + 19.0), Anchor::Middle, &format!("{tick} {min}"));
    }
    for (row, service) in report.services.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        drawing.words(
            "label",
            (LEFT - 14.0, y + 5.0),
            Anchor::End,
            &fitted(report.title(&service.name, language), LEFT - 18.0),
        );
        if let Some(spread) = &service.spread {
            let [from, _, to] = spread.points.map(x);
            drawing.rect("range", (from, y - 4.0), (to - from, 8.0));
        }
        let at = x(service.downtime.value);
        drawing.raw(&format!("<path class=\"mark\" d=\"M{:.1} {y:.1}l8 -8 8 8 -8 8z\"/>", at - 8.0));
        drawing.words("figure", (WIDTH - 6.0, y + 5.0), Anchor::End, &duration(service.downtime.value, language));
    }
    drawing.finish()
}

/// From a power of ten below all figures to one above.
fn range(report: &Report) -> (f64, f64) {
    let mut all: Vec<f64> = BUDGETS.iter().map(|(_, minutes)| *minutes).collect();
    for service in report.services.iter().filter(|service| service.downtime.value > 0.0) {
        all.push(service.downtime.value);
        all.extend(service.spread.iter().flat_map(|spread| spread.points).filter(|point| *point > 0.0));
    }
    let low = all.iter().copied().fold(f64::INFINITY, f64::min).max(1e-6);
    let high = all.iter().copied().fold(0.0, f64::max);
    (10_f64.powf((low * 0.999).log10().floor()), 10_f64.powf((high * 1.001).log10().ceil()))
}
