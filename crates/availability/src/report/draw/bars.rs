//! What the downtime of a service is made of.

use super::{Anchor, Drawing, fitted};
use crate::report::numbers::{duration, share};
use crate::report::{Language, Report, Service};

/// The most bars; the others are put together in the table only.
const MOST_BARS: usize = 12;
const ROW: f64 = 30.0;
const LEFT: f64 = 250.0;
const WIDTH: f64 = 760.0;
/// Room for the figures at the end of a bar.
const RIGHT: f64 = 180.0;

/// A bar for each component of a service, as long as its share; the planned part is hatched.
pub(in crate::report) fn contributions(id: &str, report: &Report, service: &Service, language: Language) -> String {
    let rows = service.members.len().min(MOST_BARS);
    let name = report.title(&service.name, language);
    let heading = format!("{}: {name}", language.pick("What the downtime is made of", "停机时间的构成"));
    let first = service.members.first().map_or("", |member| report.title(&report.component(member).name, language));
    let described = format!(
        "{} {first}. {}",
        language.pick("The largest share has", "占比最大的是"),
        language.pick("All figures are in the table below.", "全部数据见下表。")
    );
    let mut drawing = Drawing::new(id, (WIDTH, ROW * rows as f64 + 12.0), &heading, &described);
    drawing.raw(&format!(
        "<defs><pattern id=\"{id}-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><rect class=\"bar\" width=\"6\" height=\"6\"/>\
         <rect class=\"gap\" width=\"2.5\" height=\"6\"/></pattern></defs>"
    ));
    let whole = service.members.first().map_or(1.0, |member| member.share).max(f64::MIN_POSITIVE);
    for (row, member) in service.members.iter().take(rows).enumerate() {
        let component = report.component(member);
        let top = ROW * row as f64 + 6.0;
        let length = (WIDTH - LEFT - RIGHT) * member.share / whole;
        let planned = component.planned.filter(|_| component.downtime.value > 0.0).unwrap_or(0.0);
        let hatched = if planned > 0.0 { length * planned / component.downtime.value } else { 0.0 };
        let copies = if member.copies > 1 { format!(" × {}", member.copies) } else { String::new() };
        let label = format!("{}{copies}", report.title(&component.name, language));
        drawing.words("label", (LEFT - 10.0, top + 15.0), Anchor::End, &fitted(&label, LEFT - 14.0));
        drawing.rect("bar", (LEFT, top), (length.max(1.0) - hatched, 20.0));
        if hatched > 0.0 {
            let (x, width) = (LEFT + length - hatched, hatched);
            drawing.raw(&format!(
                "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"20\" fill=\"url(#{id}-hatch)\"/>"
            ));
        }
        let down = duration(member.share * service.downtime.value, language);
        let figures = format!("{} · {down}", share(member.share));
        drawing.words("figure", (LEFT + length + 8.0, top + 15.0), Anchor::Start, &figures);
    }
    drawing.finish()
}
