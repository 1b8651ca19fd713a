//! A drill as one page that needs nothing else: a table, and a timeline for each run.

use std::fmt::Write as _;

use crate::figures::millis;
use crate::history::Nanos;
use crate::result::{Ending, Report, Run, Spread};

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

fn sums(page: &mut String, report: &Report) {
    page.push_str(
        "<table><thead><tr><th>Fault</th><th>Faults</th><th>Covered</th><th>Calls touched</th><th>Lost</th><th>Wrong SIP</th>\
         <th>Out of turn</th><th>Detection</th><th>Takeover</th><th>Gap</th><th>Without the machine's</th><th>Promised</th><th>Level after</th></tr>\
         <tr class=\"unit\"><td></td><td></td><td></td><td></td><td></td><td></td><td></td>\
         <td>p50 / p99 / max ms</td><td>p50 / p99 / max ms</td><td>p50 / p99 / max ms</td><td>p50 / p99 / max ms</td><td>p99 ms</td>\
         <td>p50 / p99 / max ms</td></tr></thead><tbody>",
    );
    let spread = |one: Option<Spread>| {
        one.map_or_else(|| "&ndash;".to_owned(), |one| [one.p50, one.p99, one.max].map(millis).join(" / "))
    };
    for sum in &report.steps {
        let lost: u64 = sum.lost.values().sum();
        let late = matches!((sum.promised_gap(), sum.gap_promise_us), (Some(gap), Some(limit)) if gap.p99 > limit);
        let mark = |bad: bool| if bad { " class=\"bad\"" } else { "" };
        let injected = if sum.injected == 0 { "not done".to_owned() } else { sum.injected.to_string() };
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{injected}</td><td{}>{}</td><td>{}</td><td{}>{lost}</td><td{}>{}</td><td{}>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td><td{}>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&sum.step),
            mark(sum.covered < sum.injected),
            sum.covered,
            sum.touched,
            mark(lost > 0),
            mark(sum.wrong_sip > 0),
            sum.wrong_sip,
            mark(sum.overtaken > 0),
            sum.overtaken,
            spread(sum.detection_us),
            spread(sum.takeover_us),
            spread(sum.gap_us),
            mark(late),
            spread(sum.net_gap_us.or(sum.gap_us)),
            sum.gap_promise_us.map_or_else(|| "&ndash;".into(), millis),
            spread(sum.level_after_us)
        );
    }
    page.push_str("</tbody></table>");
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
        "<p>detection {}, takeover {}, gap {}, longest wait {}, level after {}, {lost} lost</p>",
        time(run.detection_us),
        time(run.takeover_us),
        time(run.gap_us),
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
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}\
th,td{padding:4px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}.unit td{color:var(--soft);font-size:12px}\
.verdict{font-weight:600;font-size:18px}.passed.verdict{color:var(--good)}.broken.verdict,.bad,.broken li{color:var(--bad)}\
section{border-top:1px solid var(--line);padding:6px 0}h3{margin:4px 0;font-size:15px}h3 small{color:var(--soft);font-weight:400}\
section p{margin:2px 0;color:var(--soft)}section.broken h3{color:var(--bad)}section p.bad{color:var(--bad)}\
svg{width:100%;height:auto;display:block}svg text{font-size:9px;fill:var(--soft)}svg .end{text-anchor:end}\
rect.axis{fill:var(--line)}rect.fault{fill:var(--fault)}rect.return{fill:var(--return)}rect.gap{fill:var(--gap)}rect.note{fill:var(--note)}\
circle.lost{fill:var(--bad)}b.gap{color:var(--gap)}b.fault{color:var(--fault)}b.return{color:var(--return)}b.note{color:var(--note)}b.lost{color:var(--bad)}\
pre{border:1px solid var(--line);padding:12px;overflow:auto}</style></head><body><main>";
