//! A drill as one page that needs nothing else: a table, and a timeline for each run.

use std::fmt::Write as _;

use crate::figures::millis;
use crate::history::Nanos;
use crate::result::{Ending, Report, Run, Spread, Sum};

/// The width of a timeline, in its own units.
const WIDTH: f64 = 900.0;

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut page = String::from(HEAD);
    let verdict = if report.has_passed() { "passed" } else { "broken" };
    let said = match verdict {
        "passed" => "Every promise was kept.",
        _ if report.broken.is_empty() && report.ended_early.is_none() => "Not passed: faults were not made.",
        _ => "Promises were broken.",
    };
    // Writing into a String cannot fail.
    let _ = write!(
        page,
        "<h1>Drill: {}</h1><p class=\"verdict {verdict}\">{}</p><p>{}; everline {}<br>{}, {} calls a second, seed {}<br>\
         <code>{}</code></p>",
        escape(&report.plan.name),
        said,
        escape(&report.machine.summary()),
        escape(&report.everline),
        escape(&report.place),
        report.plan.rate,
        report.seed,
        escape(&report.command)
    );
    let broken =
        report.ended_early.iter().map(|why| format!("ended early: {why}")).chain(report.broken.iter().cloned());
    let broken = broken.chain(report.not_made());
    let broken: String = broken.map(|line| format!("<li>{}</li>", escape(&line))).collect();
    let _ = write!(page, "<ul class=\"broken\">{broken}</ul>");
    sums(&mut page, report);
    page.push_str("<h2>Runs</h2><p>Time runs to the right, from the fault. <b class=\"gap\">&#9632;</b> no answer, \
                   <b class=\"fault\">&#9632;</b> the fault lasts, <b class=\"return\">&#9632;</b> until everything was level, \
                   <b class=\"note\">|</b> what a server noted, <b class=\"lost\">&#9679;</b> a lost call.</p>");
    for run in &report.runs {
        one(&mut page, report, run);
    }
    let _ = writeln!(page, "<h2>Plan</h2><pre>{}</pre></main></body></html>", escape(&report.plan.text));
    page
}

/// How a time of several runs is told.
const THREE: &str = "p50/p99/max ms";

/// The columns of the table, each with its unit. A head of several words is broken into lines.
const COLUMNS: [(&str, &str); 13] = [
    ("Fault", ""),
    ("Faults", ""),
    ("Covered", ""),
    ("Calls touched", ""),
    ("Lost", ""),
    ("Wrong SIP", ""),
    ("Out of turn", ""),
    ("Detection", THREE),
    ("Takeover", THREE),
    ("Gap", THREE),
    ("Net gap", THREE),
    ("Promised", "p99 ms"),
    ("Level after", THREE),
];

fn sums(page: &mut String, report: &Report) {
    let heads: String = COLUMNS.iter().map(|(head, _)| format!("<th>{head}</th>")).collect();
    let units: String = COLUMNS.iter().map(|(_, unit)| format!("<td>{unit}</td>")).collect();
    let _ = write!(page, "<table><thead><tr>{heads}</tr><tr class=\"unit\">{units}</tr></thead><tbody>");
    for sum in &report.steps {
        page.push_str("<tr>");
        for (text, is_bad) in cells(sum) {
            let mark = if is_bad { " class=\"bad\"" } else { "" };
            let _ = write!(page, "<td{mark}>{}</td>", escape(&text));
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table><p>The net gap leaves out the time in which the machine itself stood still; promises are about it.</p>");
}

/// The row of a step: what each cell says, and whether that is a promise broken.
fn cells(sum: &Sum) -> [(String, bool); COLUMNS.len()] {
    let lost: u64 = sum.lost.values().sum();
    let late = matches!((sum.promised_gap(), sum.gap_promise_us), (Some(gap), Some(limit)) if gap.p99 > limit);
    let late = late || sum.exceeds_idle;
    let is_net = sum.net_gap_us.is_some();
    let injected = if sum.injected == 0 { "not done".to_owned() } else { sum.injected.to_string() };
    let fine = |text: String| (text, false);
    [
        fine(sum.step.clone()),
        fine(injected),
        (sum.covered.to_string(), sum.covered < sum.injected),
        fine(sum.touched.to_string()),
        (lost.to_string(), lost > 0),
        (sum.wrong_sip.to_string(), sum.wrong_sip > 0),
        (sum.overtaken.to_string(), sum.overtaken > 0),
        fine(three(sum.detection_us)),
        fine(three(sum.takeover_us)),
        (three(sum.gap_us), late && !is_net),
        (three(sum.net_gap_us), late && is_net),
        fine(sum.gap_promise_us.map_or_else(|| NONE.to_owned(), short)),
        fine(three(sum.level_after_us)),
    ]
}

/// What stands where there is no figure.
const NONE: &str = "\u{2013}";

fn three(spread: Option<Spread>) -> String {
    spread.map_or_else(|| NONE.to_owned(), |one| [one.p50, one.p99, one.max].map(short).join("/"))
}

/// Microseconds as milliseconds: to a tenth below a hundred, else whole, so that a row has room beside a timeline.
fn short(micros: u64) -> String {
    let millis = micros as f64 / 1_000.0;
    if micros < 99_950 { format!("{millis:.1}") } else { format!("{millis:.0}") }
}

/// Where moments of a run lie on its timeline.
struct Scale {
    begin: Nanos,
    span: f64,
}

impl Scale {
    fn of(run: &Run) -> Self {
        let base = run.mended_ns.unwrap_or(run.at_ns);
        let level = base + run.level_after_us.unwrap_or(0) * 1_000;
        let end = level.max(run.at_ns + 2_000_000_000);
        Self { begin: run.at_ns, span: (end - run.at_ns) as f64 }
    }

    fn x(&self, at: Nanos) -> f64 {
        (at.saturating_sub(self.begin) as f64 / self.span).min(1.0) * WIDTH
    }
}

fn one(page: &mut String, report: &Report, run: &Run) {
    let ending = match run.ending {
        Ending::Passed => "passed",
        Ending::Broken => "broken",
        Ending::NotDone => "not done",
    };
    let lost: u64 = run.lost.values().sum();
    let time =
        |micros: Option<u64>| micros.map_or_else(|| "&ndash;".to_owned(), |micros| format!("{} ms", millis(micros)));
    let _ = write!(
        page,
        "<section class=\"{}\"><h3>{}. {} <small>{} &middot; {ending}</small></h3>",
        ending.replace(' ', "-"),
        run.run,
        escape(&run.step),
        escape(&run.victims.join(", "))
    );
    if let Some(why) = &run.not_done {
        let _ = write!(page, "<p>not done: {}</p></section>", escape(why));
        return;
    }
    let _ = write!(
        page,
        "<p>detection {}, takeover {}, gap {} (net {}), longest wait {}, level after {}, {lost} lost</p>",
        time(run.detection_us),
        time(run.takeover_us),
        time(run.gap_us),
        time(run.net_gap_us),
        time(run.longest_wait_us),
        time(run.level_after_us)
    );
    timeline(page, report, run);
    for check in run.checks.iter().filter(|check| !check.ok) {
        let _ = write!(page, "<p class=\"bad\">{}: {}</p>", escape(&check.name), escape(&check.said));
    }
    page.push_str("</section>");
}

fn timeline(page: &mut String, report: &Report, run: &Run) {
    let scale = Scale::of(run);
    let _ = write!(page, "<svg viewBox=\"-2 0 {} 46\" role=\"img\" aria-label=\"timeline\">", WIDTH + 4.0);
    let mut bar = |class: &str, from: Nanos, to: Nanos, y: u32, height: u32, title: &str| {
        let (x, end) = (scale.x(from), scale.x(to));
        let _ = write!(
            page,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{height}\"><title>{}</title></rect>",
            (end - x).max(1.0),
            escape(title)
        );
    };
    let mended = run.mended_ns.unwrap_or(run.at_ns);
    let level = mended + run.level_after_us.unwrap_or(0) * 1_000;
    bar("axis", run.at_ns, run.at_ns + scale.span as Nanos, 22, 1, "time");
    if run.mended_ns.is_some() {
        bar("fault", run.at_ns, mended, 14, 6, "the fault lasts");
    }
    bar("return", mended, level, 24, 6, "until everything was level");
    for silence in &run.silences {
        let length = silence.to_ns.saturating_sub(silence.from_ns) / 1_000;
        bar("gap", silence.from_ns, silence.to_ns, 6, 6, &format!("no answer for {} ms", millis(length)));
    }
    for noted in &run.noted {
        let title = format!("{}: {}", noted.application, noted.what);
        bar("note", noted.at_ns, noted.at_ns, 4, 32, &title);
    }
    for call in report.lost.iter().filter(|call| call.runs.last() == Some(&run.run)) {
        let title = format!("call {}, {}: {}", call.call, call.state.name(), call.why);
        let _ = write!(
            page,
            "<circle class=\"lost\" cx=\"{:.1}\" cy=\"38\" r=\"3\"><title>{}</title></circle>",
            scale.x(call.at_ns),
            escape(&title)
        );
    }
    let seconds = scale.span / 1e9;
    let _ = write!(
        page,
        "<text x=\"0\" y=\"45\">0</text><text x=\"{WIDTH}\" y=\"45\" class=\"end\">{seconds:.1} s</text></svg>"
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Drill</title>\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>\
:root{--ink:#1a2230;--soft:#5c6675;--line:#d9dee6;--back:#fff;--bad:#b3261e;--good:#1b7a3d;--fault:#e9b949;--return:#8fb4e3;--gap:#b3261e;--note:#5b3f9c}\
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;--line:#333c49;--back:#141920;--bad:#ff8a80;--good:#6fd08c;--fault:#b88a1e;--return:#3f6ea8;--gap:#ff8a80;--note:#b79cf2}}\
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.45 system-ui,sans-serif}main{max-width:1200px;margin:0 auto;padding:24px}\
table{border-collapse:collapse;font-size:12px;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}\
th,td{padding:4px 5px;border-bottom:1px solid var(--line);text-align:right}th{vertical-align:bottom}td{white-space:nowrap}\
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:13em}.unit td{color:var(--soft);font-size:11px;white-space:normal}\
.verdict{font-weight:600;font-size:18px}.passed.verdict{color:var(--good)}.broken.verdict,.bad,.broken li{color:var(--bad)}\
section{border-top:1px solid var(--line);padding:6px 0}h3{margin:4px 0;font-size:15px}h3 small{color:var(--soft);font-weight:400}\
section p{margin:2px 0;color:var(--soft)}section.broken h3{color:var(--bad)}section p.bad{color:var(--bad)}\
svg{width:100%;height:auto;display:block}svg text{font-size:9px;fill:var(--soft)}svg .end{text-anchor:end}\
rect.axis{fill:var(--line)}rect.fault{fill:var(--fault)}rect.return{fill:var(--return)}rect.gap{fill:var(--gap)}rect.note{fill:var(--note)}\
circle.lost{fill:var(--bad)}b.gap{color:var(--gap)}b.fault{color:var(--fault)}b.return{color:var(--return)}b.note{color:var(--note)}b.lost{color:var(--bad)}\
pre{border:1px solid var(--line);padding:12px;overflow:auto}</style></head><body><main>";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The widest figures of a drill so far, and some more.
    fn wide() -> Sum {
        let spread = |p50, p99| Some(Spread { count: 20, p50, p99, max: p99 });
        Sum {
            step: "black hole 200 @sip.primary -> @sip.backup on a,b 3s".into(),
            kind: "black-hole".into(),
            planned: 20,
            injected: 20,
            covered: 14,
            not_done: Vec::new(),
            touched: 206_236,
            lost: BTreeMap::new(),
            wrong_sip: 15,
            overtaken: 0,
            detection_us: spread(335_780, 1_166_970),
            takeover_us: spread(348_290, 1_176_330),
            gap_us: spread(1_459_180, 1_691_000),
            net_gap_us: spread(1_458_900, 1_690_000),
            longest_wait_us: None,
            usual_wait_us: None,
            hold_us: None,
            beyond_round_trip_us: None,
            level_after_us: spread(24_581_650, 25_017_650),
            gap_promise_us: Some(250_000),
            exceeds_idle: false,
        }
    }

    #[test]
    fn times_are_told_in_few_figures() {
        assert_eq!(
            [0, 4_214, 99_949, 99_950, 158_343, 24_581_650].map(short),
            ["0.0", "4.2", "99.9", "100", "158", "24582"]
        );
        assert_eq!((three(wide().level_after_us), three(None)), ("24582/25018/25018".to_owned(), NONE.to_owned()));
    }

    #[test]
    fn what_breaks_a_promise_is_marked_where_it_is_measured() {
        let bad = |sum: Sum| -> Vec<&'static str> {
            COLUMNS.iter().zip(cells(&sum)).filter(|(_, (_, is_bad))| *is_bad).map(|((head, _), _)| *head).collect()
        };
        assert_eq!(bad(wide()), ["Covered", "Wrong SIP", "Net gap"]);
        assert_eq!(bad(Sum { net_gap_us: None, ..wide() }), ["Covered", "Wrong SIP", "Gap"]);
        let idle = Sum { gap_promise_us: None, exceeds_idle: true, ..wide() };
        assert_eq!(bad(idle), ["Covered", "Wrong SIP", "Net gap"]);
    }

    #[test]
    fn the_widest_row_fits_a_page_of_1200_pixels() {
        let longest = |text: &str| text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        let cells = cells(&wide());
        let columns = COLUMNS.iter().zip(&cells).skip(1);
        let width = columns.map(|((head, unit), (text, _))| text.chars().count().max(longest(head)).max(longest(unit)));
        // The fault may have several lines of 13em; a digit is 0.6em wide at most, and 1em is 12 px.
        let needed = 12.0 * (13.0 + 0.6 * width.sum::<usize>() as f64);
        // Less the margins of the page, and those of the cells.
        let room = 1_200.0 - 2.0 * 24.0 - 10.0 * COLUMNS.len() as f64;
        assert!(needed <= room, "{needed} of {room} px");
    }
}
