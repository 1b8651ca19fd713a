//! Calls go on while the coordinator is away: whatever was on its way to it.

use model::{Span, Time};
use sim::outcome;
use sim::plan::{Fault, Kind, Layout, Plan};

/// How long the coordinator is away.
const AWAY: Span = Span::from_millis(800);

/// The longest time without an output, in seconds: clients think for 30 ms and repeat themselves after 60 ms.
const MOST: f64 = 0.2;

/// The backup becomes level before, while and after the coordinator goes: each instant is one run.
#[test]
fn outputs_leave_whatever_the_backup_does_when_the_coordinator_goes() {
    let mut on_its_way = 0;
    for layout in [Layout::OneHost, Layout::TwoHosts] {
        for instant in 0..300 {
            let at = Time::from_micros(10_000 + 257 * instant);
            let mut plan = Plan { clients: 8, ..Plan::quiet(1, layout) };
            plan.faults = vec![Fault { at, kind: Kind::ControlCrash(AWAY) }];
            let outcome = outcome::run(&plan, true);
            assert_eq!(outcome.violation, None, "{}", outcome.ladder);
            let asks = |line: &&str| line.contains("-> e1 ") && line.matches("toy-").count() > 2;
            let away = second(at)..second(at + AWAY);
            let asked = outcome.ladder.lines().find(asks).is_some_and(|line| when(line) < away.end);
            let answered =
                outcome.ladder.lines().find(|line| line.contains("Level(")).is_some_and(|line| when(line) < away.end);
            // Rule 8: while the answer is unknown, what the backup has leaves.
            on_its_way += usize::from(asked && !answered);
            let longest = longest_silence(&outcome.ladder, &away);
            assert!(longest < MOST, "{layout:?}: nothing left for {longest} s\n{}", outcome.ladder);
        }
    }
    assert!(on_its_way > 0, "the coordinator never went with a request on its way");
}

fn longest_silence(ladder: &str, away: &std::ops::Range<f64>) -> f64 {
    let serves = ladder.lines().find(|line| line.contains("serves e1")).map_or(0.0, when);
    let mut last = away.start.max(serves);
    let released = ladder.lines().filter(|line| line.contains("releases e")).map(when);
    let mut longest = 0_f64;
    for at in released.filter(|at| away.contains(at)).chain([away.end]) {
        longest = longest.max(at - last);
        last = at;
    }
    longest
}

fn second(at: Time) -> f64 {
    at.as_micros() as f64 / 1e6
}

fn when(line: &str) -> f64 {
    line.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).expect("a time")
}
