//! Which parameter's uncertainty moves the result how far.

use super::{Anchor, Drawing, fitted};
use crate::report::numbers::duration;
use crate::report::{Language, Report, title};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 220.0;
/// Room at both ends for the figures.
const SIDE: f64 = 90.0;
const ROW: f64 = 28.0;
const TOP: f64 = 30.0;

/// The most bars.
pub(in crate::report) const MOST_BARS: usize = 12;

/// A bar for each parameter, from the downtime at its 5 % point to that at its 95 % point; the end of the 95 % point is filled,
/// the other one is hollow.
pub(in crate::report) fn tornado(id: &str, report: &Report, language: Language) -> String {
    let swings: Vec<_> = report.swings.iter().take(MOST_BARS).collect();
    let main = report.main();
    let now = main.downtime.value;
    let ends = swings.iter().flat_map(|swing| [swing.low, swing.high]).chain([now]);
    let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let span = if high > low { high - low } else { 1.0 };
    let x = |minutes: f64| LEFT + SIDE + (WIDTH - LEFT - 2.0 * SIDE) * (minutes - low) / span;
    let bottom = TOP + ROW * swings.len() as f64;
    let heading = format!(
        "{}: {}",
        language.pick("Which uncertainty matters", "哪些不确定性影响最大"),
        title(&main.name, language)
    );
    let widest = swings.first().map_or("", |swing| report.sources[swing.source].name.as_str());
    let described = match language {
        Language::English => format!("The widest bar is that of {widest}. All figures are in the table below."),
        Language::Chinese => format!("影响最大的是 {widest}。全部数据见下表。"),
    };
    let mut drawing = Drawing::new(id, (WIDTH, bottom + 8.0), &heading, &described);
    drawing.line("here", (x(now), TOP - 6.0), (x(now), bottom));
    drawing.words("figure", (x(now), TOP - 12.0), Anchor::Middle, &duration(now));
    for (row, swing) in swings.iter().enumerate() {
        let top = TOP + ROW * row as f64 + 4.0;
        let name = &report.sources[swing.source].name;
        drawing.words("label", (LEFT - 6.0, top + 15.0), Anchor::End, &fitted(name, LEFT - 10.0));
        for (end, class) in [(swing.low, "hollow"), (swing.high, "bar")] {
            let (from, to) = (x(end).min(x(now)), x(end).max(x(now)));
            drawing.rect(class, (from, top), ((to - from).max(1.0), 18.0));
            let is_right = end > now || (end == now && class == "bar");
            let (at, anchor) = if is_right { (to + 6.0, Anchor::Start) } else { (from - 6.0, Anchor::End) };
            drawing.words("figure", (at, top + 14.0), anchor, &duration(end));
        }
    }
    drawing.finish()
}
