//! A planned switchover goes on the moment that everything has left: nobody waits for a clock in between.

use model::{Span, Time};
use sim::outcome;
use sim::plan::{Fault, Kind, Layout, Plan};

/// From the order to the new primary, in seconds: the link may accept nothing for 20 ms, and beyond that each way takes
/// at most a millisecond. A wait for the next heartbeat would come on top of it.
const MOST: f64 = 0.022;

/// Requests come while the order does: each instant is one run.
#[test]
fn takes_a_few_ways_of_the_link_whatever_waits_at_that_instant() {
    let waits: Vec<f64> = (0..200).map(|instant| wait(Span::from_micros(700_000 + 137 * instant))).collect();
    let slow: Vec<_> = waits.iter().filter(|wait| **wait > MOST).collect();
    assert!(slow.is_empty(), "{} of {} took too long: {slow:?}", slow.len(), waits.len());
}

fn wait(at: Span) -> f64 {
    let mut plan = Plan { clients: 8, stalls: 300, ..Plan::quiet(1, Layout::OneHost) };
    plan.faults = vec![Fault { at: Time::ZERO + at, kind: Kind::Switchover(0) }];
    let outcome = outcome::run(&plan, true);
    assert_eq!(outcome.violation, None, "{}", outcome.ladder);
    let instant = |what: &str| -> f64 {
        let line = outcome.ladder.lines().find(|line| line.contains(what));
        let line = line.unwrap_or_else(|| panic!("no {what:?} in\n{}", outcome.ladder));
        line.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).expect("a time")
    };
    instant("serves e2") - instant("switches over")
}
