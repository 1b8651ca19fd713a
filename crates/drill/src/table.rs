//! A drill as a table for a terminal and for Markdown.

use std::fmt::Write as _;

use crate::figures::{markdown, millis};
use crate::result::{Report, Spread, Sum};

const HEAD: [&str; 15] = [
    "fault",
    "faults",
    "covered",
    "calls touched",
    "lost",
    "wrong SIP",
    "out of turn",
    "detection p50/p99/max ms",
    "takeover p50/p99/max ms",
    "gap p50/p99/max ms",
    "net gap p50/p99/max ms",
    "promised ms",
    "usual wait p50 ms",
    "longest wait max ms",
    "level after p50/max ms",
];

fn three(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "-".into(), |one| [one.p50, one.p99, one.max].map(millis).join("/"))
}

fn row(sum: &Sum) -> [String; 15] {
    let lost: u64 = sum.lost.values().sum();
    let states: Vec<String> = sum.lost.iter().map(|(stage, count)| format!("{count} {}", stage.name())).collect();
    let level = sum.level_after_us.map_or_else(|| "-".into(), |one| format!("{}/{}", millis(one.p50), millis(one.max)));
    [
        sum.step.clone(),
        if sum.injected == 0 && !sum.not_done.is_empty() { "not done".into() } else { sum.injected.to_string() },
        sum.covered.to_string(),
        sum.touched.to_string(),
        if lost == 0 { "0".into() } else { format!("{lost} ({})", states.join(", ")) },
        sum.wrong_sip.to_string(),
        sum.overtaken.to_string(),
        three(sum.detection_us),
        three(sum.takeover_us),
        three(sum.gap_us),
        three(sum.net_gap_us),
        sum.gap_promise_us.map_or_else(|| "-".into(), millis),
        sum.usual_wait_us.map_or_else(|| "-".into(), |one| millis(one.p50)),
        sum.longest_wait_us.map_or_else(|| "-".into(), |one| millis(one.max)),
        level,
    ]
}

/// The table, with what ran where, what was not done, and which promises were broken.
#[must_use]
pub fn table(report: &Report) -> String {
    let rows: Vec<[String; 15]> = report.steps.iter().map(row).collect();
    let mut text = format!(
        "{}; everline {}\n{}, {} calls a second, seed {}; `{}`\n\n{}",
        report.machine.summary(),
        report.everline,
        report.place,
        report.plan.rate,
        report.seed,
        report.command,
        markdown(&HEAD, &rows)
    );
    let load = report.load;
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "\n{} calls begun, {} went as they were meant to, {} lost; {} phones, {} came back on a new connection\n",
        load.begun, load.done, load.lost, report.phones.count, report.phones.comebacks
    );
    for sum in &report.steps {
        if let (Some(hold), Some(beyond)) = (sum.hold_us, sum.beyond_round_trip_us) {
            let (hold, beyond) = (millis(hold.p50), millis(beyond.p50));
            let _ = writeln!(
                text,
                "{}: answers are held {hold} ms for the backup, {beyond} ms more than the way there and back",
                sum.step
            );
        }
        for why in &sum.not_done {
            let _ = writeln!(text, "not done: {}: {why}", sum.step);
        }
    }
    if let Some(why) = &report.ended_early {
        let _ = writeln!(text, "ended early: {why}");
    }
    match report.not_made() {
        Some(not_made) if report.broken.is_empty() && report.ended_early.is_none() => {
            let passed = if report.has_passed() { "every promise was kept" } else { "not passed" };
            let count = not_made.split(':').next().unwrap_or_default();
            let _ = writeln!(text, "{passed}; {count}");
        }
        None if report.has_passed() => text.push_str("every promise was kept\n"),
        _ => {}
    }
    for broken in &report.broken {
        let _ = writeln!(text, "broken: {broken}");
    }
    text
}
