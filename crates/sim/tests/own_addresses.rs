//! Where each host serves at an address of its own: a host that dies takes none of the calls along, whatever they are at.

use model::{Span, Time};
use redundancy::hot_standby::Sabotage;
use sim::outcome::{self, Outcome};
use sim::plan::{CallPlan, Fault, Kind, Layout, PhonePlan, Plan, QUEUE, Scene, Victims, Who, World};
use sim::table::POINTS;

/// Seeds in which everything must have happened.
const SEEDS: u64 = 120;

/// What stands on a ladder when it happens.
const HAPPENS: [&str; 8] =
    ["CallsMoved", "UPDATE 1 ", "INVITE 2 -", "491 (", "481 (", "CANCEL 1 -", "ends: PowerLost", "is reset"];

#[test]
fn everything_happens_in_a_few_seeds() {
    let ladders: String = (0..SEEDS)
        .map(|seed| outcome::run(&Plan::draw_world(World::OwnAddresses, seed, Sabotage::None), true).ladder)
        .collect();
    let missing: Vec<&str> = HAPPENS.into_iter().filter(|what| !ladders.contains(what)).collect();
    assert_eq!(missing, [""; 0]);
}

const fn millis(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

/// One call that begins after a second, and the host of the server loses its power then.
fn run(call: &CallPlan, at: Time) -> Outcome {
    run_with(call, at, false)
}

/// The same, with phones that speak over TCP or over UDP.
fn run_with(call: &CallPlan, at: Time, stream: bool) -> Outcome {
    let mut plan = Plan { world: World::OwnAddresses, ..Plan::quiet(3, Layout::ThreeHosts) };
    let phone = |number| PhonePlan { stream, ..PhonePlan::honest(number) };
    plan.phones = [1001, 1002, 1003, 1004, 1004, 1005, 1006].map(phone).into();
    plan.calls = vec![call.clone()];
    plan.calm = millis(3_000);
    let killed = |host: u8| {
        let mut plan = plan.clone();
        plan.faults = vec![Fault { at, kind: Kind::Power(host, Span::from_millis(900)) }];
        outcome::run(&plan, true)
    };
    // Whichever of the two serves.
    let outcomes = [0, 1].map(killed);
    let taken_over = outcomes.into_iter().max_by_key(|outcome| outcome.takeovers).expect("two");
    assert_eq!(taken_over.violation, None, "{}", taken_over.ladder);
    assert!(taken_over.ladder.contains("CallsMoved"), "{}", taken_over.ladder);
    taken_over
}

fn to(number: u32) -> CallPlan {
    CallPlan { talks: Some(Span::from_millis(1_500)), ..CallPlan::honest(millis(1_000), 6, number) }
}

#[test]
fn a_call_that_talks_goes_on_until_somebody_hangs_up() {
    let outcome = run(&to(1005), millis(1_600));
    // The callee takes UPDATE; the caller does not, and gets an INVITE in the place of it, with the first number of its side.
    let sent = |what: &str| outcome.ladder.matches(what).count();
    assert_eq!((sent("<- UPDATE 2 -"), sent("<- INVITE 1 -")), (1, 2), "{}", outcome.ladder);
    assert_eq!(outcome.ladder.matches("CallAnswered").count(), 1, "{}", outcome.ladder);
}

#[test]
fn a_call_over_tcp_goes_on_on_connections_with_the_other_host() {
    let outcome = run_with(&to(1005), millis(1_600), true);
    let sent = |what: &str| outcome.ladder.matches(what).count();
    assert_eq!((sent("<- UPDATE 2 -"), sent("<- INVITE 1 -")), (1, 2), "{}", outcome.ladder);
    assert_eq!(outcome.ladder.matches("CallAnswered").count(), 1, "{}", outcome.ladder);
    // On connections that the host makes, before any phone has come back to it.
    assert!(outcome.ladder.find("<- UPDATE 2 -") < outcome.ladder.find("-- REGISTER 4 -"), "{}", outcome.ladder);
    // Nothing is repeated on a connection: the one goodbye finds the host that has the call.
    assert_eq!([sent("-- BYE 3 -"), sent("<- BYE 3 -"), sent("<- 200 (3 BYE)")], [1; 3], "{}", outcome.ladder);
}

#[test]
fn a_phone_that_rings_is_rung_anew_and_answers() {
    let outcome = run(&to(1005), millis(1_120));
    assert_eq!(outcome.ladder.matches("CallAnswered").count(), 1, "{}", outcome.ladder);
}

#[test]
fn a_caller_who_waits_for_an_agent_is_connected() {
    let outcome = run(&to(QUEUE), millis(1_060));
    assert_eq!(outcome.ladder.matches("CallAnswered").count(), 1, "{}", outcome.ladder);
}

/// The crash-point table once more, for who takes over at another address, with phones on UDP and on TCP.
#[test]
fn no_call_is_lost_in_any_state_at_any_point_of_a_step() {
    let struck = [false, true].map(strike_everywhere);
    // Some steps come after the scene is over.
    assert!(struck.iter().all(|struck| *struck > 200), "{struck:?} cells were struck");
}

/// Gives in how many cells the server was struck.
fn strike_everywhere(stream: bool) -> u32 {
    let victims = |routing| Victims { sip: Some(Who::Primary), routing, coordinator: false };
    let mut struck = 0;
    for scene in Scene::ALL {
        for victims in [victims(None), victims(Some(Who::Primary))] {
            for (name, moment, point) in POINTS {
                for count in 1..=4 {
                    let scene_plan = scene.plan(Layout::ThreeHosts, (moment, point, count), victims);
                    let mut plan = Plan { world: World::OwnAddresses, ..scene_plan };
                    plan.phones.iter_mut().for_each(|phone| phone.stream = stream);
                    let outcome = outcome::run(&plan, false);
                    let cell = format!("{}, {name}, step {count}, {}", scene.name(), victims.name());
                    assert_eq!(outcome.violation, None, "{cell}\n{plan}");
                    assert_eq!(outcome.cold_starts, 1, "{cell}: the SIP Server began from cold");
                    struck += u32::from(outcome.signalled);
                }
            }
        }
    }
    struck
}
