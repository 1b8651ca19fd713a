//! The world of calls does what it is for: whatever a telephone, a caller or a fault can do happens in a few seeds.

use model::{Span, Time};
use redundancy::hot_standby::Sabotage;
use sim::outcome;
use sim::plan::{CallPlan, FORKED, Layout, PhonePlan, Plan, World};

/// Seeds in which everything must have happened.
const SEEDS: u64 = 150;

/// What stands on a ladder when it happens.
const HAPPENS: [&str; 27] = [
    "PRACK ",
    "INFO ",
    "MESSAGE ",
    "UPDATE ",
    "REGISTER ",
    "CANCEL ",
    "BYE ",
    "182 (",
    "183 (",
    "486 (",
    "487 (",
    "491 (",
    "603 (",
    "waits again: no answer",
    "left the queue",
    "is unreachable",
    "stopped for",
    "ends: Killed",
    "ends: PowerLost",
    "switches over",
    "crashes for",
    "link cut AToB",
    "link breaks",
    "coordinator cut AToB",
    "coordinator cut BToA",
    "mail cut",
    "cut AToB for",
];

#[test]
fn everything_happens_in_a_few_seeds() {
    let ladders: String = (0..SEEDS)
        .map(|seed| outcome::run(&Plan::draw_world(World::Calls, seed, Sabotage::None), true).ladder)
        .collect();
    let missing: Vec<&str> = HAPPENS.into_iter().filter(|what| !ladders.contains(what)).collect();
    assert_eq!(missing, [""; 0]);
}

/// Seven honest phones and one call that the trunk makes.
fn one_call(to: u32) -> Plan {
    let mut plan = Plan { world: World::Calls, ..Plan::quiet(3, Layout::OneHost) };
    plan.phones = [1001, 1002, 1003, FORKED, FORKED, 1005, 1006].map(PhonePlan::honest).into();
    plan.calls = vec![CallPlan::honest(Time::ZERO + Span::from_secs(1), plan.phones.len() as u8, to)];
    plan
}

fn count(plan: &Plan, what: &str) -> usize {
    let outcome = outcome::run(plan, true);
    assert_eq!(outcome.violation, None, "{}", outcome.ladder);
    outcome.ladder.matches(what).count()
}

#[test]
fn of_two_phones_that_answer_together_one_is_late_and_told_goodbye() {
    let plan = one_call(FORKED);
    assert_eq!(count(&plan, "-- 200 (1 INVITE)"), 2, "answers");
    // The caller's, and one to each phone.
    assert_eq!(count(&plan, "ACK 1 -"), 3);
    // To the late one, from the caller, and to the other one.
    assert_eq!(count(&plan, "BYE 2 -"), 3);
}

#[test]
fn two_ends_that_hold_at_the_same_moment_glare() {
    let mut plan = one_call(1005);
    plan.calls[0].holds = Some(Span::from_millis(100));
    assert_eq!(count(&plan, "491 ("), 0);
    plan.phones[5].holds = plan.calls[0].holds;
    assert!(count(&plan, "491 (") > 0);
}
