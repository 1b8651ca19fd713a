//! The tables as Markdown, with what one must know to read them.

use std::fmt::Write as _;

use drill::figures::markdown;

use super::cases::Group;
use super::report::{Bench, OURS};
use super::run::{Nothing, Number, Outcome, VALUE};
use crate::bench::report::median;

/// What samples are called: their mean is compared with that of other samples, so that it cannot have all digits.
pub(super) const SAMPLES: &str = "samples";
/// The steps of the hierarchy in their order, each with the kind of its numbers.
const STEPS: [(&str, &str); 6] = [
    ("read", ""),
    ("values with bounds", VALUE),
    ("values alone", ""),
    ("58 derivatives", "derivative"),
    ("Hessian", "second derivative"),
    ("100,000 samples", SAMPLES),
];
/// Seconds that a side must be quicker to be named as quicker.
const NOTABLE: f64 = 0.01;

const READING: &str = "\
How to read it: each number comes from a process of its own, the sides in turn; seconds are from the text of the model to the number
(the start of the process is not in them) and, like memory, the median of the runs. `processor` is what the first thread of the
process had of one, the start of the process included. An error is relative to what is true: 1e-16 is
all that binary64 can hold, 1e0 or more is noise. What is true was computed in 60-digit decimal arithmetic from the same text (stiff
chains) or stands in the reference cases in `crates/availability/tests/reference`. The proven bound is what Everline says itself,
before anybody knows the truth. A side that gave no number is shown as `none`, the reason below the table; from then on it was
not asked about that case and larger ones of the table, so that a median can be one of fewer runs.
";

/// All of it.
pub(super) fn text(bench: &Bench) -> String {
    let Bench { machine, peers, command, runs, limit_s, memory_gib, .. } = bench;
    let mut text = format!(
        "{}; stormpy {}, Storm {}, numpy {}, Python {}\n`{command}`; medians of {runs} runs, each process bounded to \
         {limit_s} s (60 s but for the cluster, 90 s for its largest) and {memory_gib} GiB\n\n{READING}",
        machine.summary(),
        peers.stormpy,
        peers.storm,
        peers.numpy,
        peers.python,
    );
    let parts =
        [waiting(bench), stiff(bench), hierarchy(bench), by_size(bench, Group::Cluster), by_size(bench, Group::Trees)];
    for part in parts.into_iter().chain([quicker(bench), coverage(bench)]).filter(|part| !part.is_empty()) {
        text.push('\n');
        text.push_str(&part);
    }
    text
}

/// How much of its time a measured process had to wait for a processor.
fn waiting(bench: &Bench) -> String {
    let numbers = bench.measurements.iter().filter_map(|found| match &found.outcome {
        Outcome::Number(number) => number.used.waiting(),
        Outcome::Nothing(_) => None,
    });
    let shares: Vec<f64> = numbers.collect();
    let most = shares.iter().copied().fold(0.0, f64::max);
    median(shares).map_or_else(String::new, |middle| {
        let [middle, most] = [middle, most].map(|share| 100.0 * share);
        format!("The processes waited for a processor {middle:.0} % of the time that they could have used (median; at most {most:.0} %).\n")
    })
}

fn stiff(bench: &Bench) -> String {
    let group = Group::Stiff;
    if bench.cases(group).is_empty() {
        return String::new();
    }
    let error = |number: &Number| number.errors.get(VALUE).and_then(|worst| worst.relative_error);
    let bound = |case: &str| sure(bench.median(case, OURS, |number| number.bound));
    let errors = matrix(bench, &["proven bound"], bound, |case, side| sure(bench.median(case, side, error)));
    let times = |case: &str, side: &str| seconds(bench.median(case, side, |number| Some(number.seconds())));
    format!(
        "## Stiff chains: relative error of U\n\n`units`: so many alike, failing at 1e-9, repaired at 1e3, down when all have \
         failed. `modes`: three units in a place whose modes change at 1e3 down to 1e-9.\n\n{errors}\n{}\nThe same, time:\n\n{}",
        reasons(bench, group),
        matrix(bench, &[], |_| String::new(), times),
    )
}

/// A row for each stiff chain, a column for each side, and one more after the first side if it has a name.
fn matrix(bench: &Bench, more: &[&str], extra: impl Fn(&str) -> String, cell: impl Fn(&str, &str) -> String) -> String {
    let sides = bench.sides(Group::Stiff);
    let head: Vec<&str> =
        ["chain", "states"].iter().chain(&sides[..1]).chain(more).chain(&sides[1..]).copied().collect();
    let row = |(case, states): (&str, usize)| {
        let mut row = vec![case.to_owned(), states.to_string(), cell(case, sides[0])];
        row.extend(more.iter().map(|_| extra(case)));
        row.extend(sides[1..].iter().map(|side| cell(case, side)));
        row
    };
    markdown(&head, &bench.cases(Group::Stiff).into_iter().map(row).collect::<Vec<_>>())
}

fn hierarchy(bench: &Bench) -> String {
    let mut rows: Vec<[String; 6]> = Vec::new();
    for (case, _) in bench.cases(Group::Hierarchy) {
        for side in bench.sides(Group::Hierarchy) {
            let steps: &[(&str, &str)] = if side == OURS { &STEPS } else { &[("build", ""), ("solve", VALUE)] };
            for (step, kind) in steps {
                let worst = bench.numbers(case, side).find_map(|number| number.errors.get(*kind));
                let error = bench.median(case, side, |number| number.errors.get(*kind)?.relative_error);
                let bound = bench.median(case, side, |number| number.bound).filter(|_| *kind == VALUE);
                rows.push([
                    side.to_owned(),
                    (*step).to_owned(),
                    seconds(bench.median(case, side, |number| number.steps.get(*step).copied())),
                    worst.map_or_else(|| "-".to_owned(), |worst| worst.numbers.to_string()),
                    if kind.is_empty() { "-".to_owned() } else { sure(error) },
                    if bound.is_some() { sure(bound) } else { "-".to_owned() },
                ]);
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let table = markdown(&["side", "step", "time", "numbers", "worst relative error", "proven bound"], &rows);
    format!(
        "## The SIP cluster\n\nEverline: the unavailabilities of all twelve chains and of the whole; samples on all processors, their \
         mean against that of the reference's 2,000 samples. Storm is asked for the twelve chains, their rates rounded to \
         binary64, and not for the trees above them, nor for derivatives and samples.\n\n{table}\n{}",
        reasons(bench, Group::Hierarchy)
    )
}

fn by_size(bench: &Bench, group: Group) -> String {
    let cases = bench.cases(group);
    let (title, size) = match group {
        Group::Cluster => ("The workstation cluster: time and memory, building the chain included", "states"),
        _ => ("Fault trees: probability that the top has failed by a time", "events"),
    };
    let mut rows: Vec<[String; 9]> = Vec::new();
    for (case, count) in &cases {
        for side in bench.sides(group) {
            let of = |what: &dyn Fn(&Number) -> Option<f64>| bench.median(case, side, what);
            let known = of(&|number| number.errors.get(VALUE)?.relative_error);
            let has_number = bench.numbers(case, side).next().is_some();
            let memory = of(&|number| Some(number.used.peak_kib? as f64 / 1_024.0));
            rows.push([
                (*case).to_owned(),
                count.to_string(),
                side.to_owned(),
                seconds(of(&|number| Some(number.seconds()))),
                seconds(of(&|number| number.steps.get("build").copied())),
                seconds(of(&|number| number.used.ran_s)),
                memory.map_or_else(|| "none".to_owned(), |mib| format!("{mib:.0}")),
                if has_number && known.is_none() { "not known".to_owned() } else { sure(known) },
                if side == OURS { sure(of(&|number| number.bound)) } else { "-".to_owned() },
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = ["case", size, "side", "time", "of it building", "processor", "MiB", "relative error", "proven bound"];
    format!("## {title}\n\n{}\n{}", markdown(&head, &rows), reasons(bench, group))
}

/// Why cells of a group are empty, each side once: of the larger cases it was not asked.
fn reasons(bench: &Bench, group: Group) -> String {
    let mut text = String::new();
    for found in bench.measurements.iter().filter(|found| found.group == group) {
        if let Outcome::Nothing(Nothing::Failed(reason)) = &found.outcome {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "- {}, {}, run {}: {reason}", found.case, found.side, found.run);
        }
    }
    text
}

/// Who was quicker than Everline, wherever it was.
fn quicker(bench: &Bench) -> String {
    let mut text = String::new();
    for group in [Group::Stiff, Group::Cluster, Group::Trees] {
        for (case, _) in bench.cases(group) {
            let time = |side: &str| bench.median(case, side, |number| Some(number.seconds()));
            let own = time(OURS);
            for side in bench.sides(group).into_iter().filter(|side| *side != OURS) {
                if time(side).is_some_and(|other| own.is_none_or(|own| other + NOTABLE < own)) {
                    let error = bench.median(case, side, |number| number.errors.get(VALUE)?.relative_error);
                    let error = error.map_or_else(
                        || "an error that is not known".to_owned(),
                        |error| format!("an error of {}", sure(Some(error))),
                    );
                    let _ = writeln!(
                        text,
                        "- {case}: {side} {} with {error}, Everline {}",
                        seconds(time(side)),
                        seconds(own)
                    );
                }
            }
        }
    }
    let found = if text.is_empty() { "No case.\n" } else { &text };
    format!("## Where Everline is slower by more than {:.0} ms\n\n{found}", 1e3 * NOTABLE)
}

fn coverage(bench: &Bench) -> String {
    if bench.coverages.is_empty() {
        return String::new();
    }
    let row = |found: &super::coverage::Coverage| {
        [found.interval.clone(), found.kind.clone(), found.samples.to_string(), format!("{:.2} %", 100.0 * found.held)]
    };
    let rows: Vec<[String; 4]> = bench.coverages.iter().map(row).collect();
    format!(
        "## 95 % intervals: how often they hold the truth\n\nExact ones must in 94 to 96 % of the samples. Those from counts cannot be \
         exact, and must in 94 % or more.\n\n{}",
        markdown(&["interval of", "kind", "samples", "held"], &rows)
    )
}

/// An error or a bound; none if there is no number.
fn sure(error: Option<f64>) -> String {
    match error {
        None => "none".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(error) => format!("{error:.0e}"),
    }
}

/// A time in a unit that leaves digits to see.
fn seconds(time: Option<f64>) -> String {
    match time {
        None => "none".to_owned(),
        Some(time) if time < 0.01 => format!("{:.2} ms", 1e3 * time),
        Some(time) => format!("{time:.2} s"),
    }
}
