//! Which parameter's uncertainty moves the result how far.

use super::{Anchor, Drawing, escape, fitted};
use crate::report::numbers::duration;
use crate::report::{Language, Report, Swing};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 290.0;
/// Room at both ends for the figures.
const SIDE: f64 = 112.0;
/// Room for the name of a parameter, and below it what it is.
const ROW: f64 = 40.0;
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
        report.title(&main.name, language)
    );
    let named = |swing: &Swing| {
        let source = &report.sources[swing.source];
        let words = report.described(source, language);
        if words.is_empty() { source.name.clone() } else { format!("{}: {words}", source.name) }
    };
    let widest = swings.first().map_or_else(String::new, |swing| named(swing));
    let described = match language {
        Language::English => format!("The widest bar is that of {widest}; all figures are in the table below."),
        Language::Chinese => format!("影响最大的是 {widest}；全部数据见下表。"),
    };
    let mut drawing = Drawing::new(id, (WIDTH, bottom + 8.0), &heading, &described);
    drawing.line("here", (x(now), TOP - 6.0), (x(now), bottom));
    drawing.words("figure", (x(now), TOP - 12.0), Anchor::Middle, &duration(now, language));
    for (row, swing) in swings.iter().enumerate() {
        let top = TOP + ROW * row as f64 + 4.0;
        let source = &report.sources[swing.source];
        // All of it where somebody points; beside the bar as much as there is room for.
        drawing.raw(&format!("<g><title>{}</title>", escape(&named(swing))));
        drawing.words("label", (LEFT - 6.0, top + 11.0), Anchor::End, &fitted(&source.name, LEFT - 10.0));
        let words = report.described(source, language);
        drawing.words("tick", (LEFT - 6.0, top + 27.0), Anchor::End, &fitted(&words, LEFT - 10.0));
        for (end, class) in [(swing.low, "hollow"), (swing.high, "bar")] {
            let (from, to) = (x(end).min(x(now)), x(end).max(x(now)));
            drawing.rect(class, (from, top + 6.0), ((to - from).max(1.0), 18.0));
            let is_right = end > now || (end == now && class == "bar");
            let (at, anchor) = if is_right { (to + 6.0, Anchor::Start) } else { (from - 6.0, Anchor::End) };
            drawing.words("figure", (at, top + 20.0), anchor, &duration(end, language));
        }
        drawing.raw("</g>");
    }
    drawing.finish()
}
