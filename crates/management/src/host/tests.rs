//! Scripts: what happens, and what is ordered then.

use super::*;

const NAMES: [&str; 3] = ["control", "sip-a", "sip-b"];

/// A host with a control server and one pair, and a clock.
struct Script {
    host: Host,
    now: Time,
}

impl Script {
    fn new() -> Self {
        let describe = |name: &str| Description {
            name: name.into(),
            pair: name.strip_prefix("sip").map(|_| "sip".into()),
            ends_last: name == "control",
            spare: None,
        };
        Self { host: Host::new(NAMES.map(describe)), now: Time::ZERO }
    }

    /// All three run and serve, and the pair is level.
    fn running() -> Self {
        let mut script = Self::new();
        for which in 0..NAMES.len() {
            script.host.found(which, Time::ZERO, 0, false);
            script.host.started(which, Time::ZERO, 1);
            script.host.ready(which, Time::ZERO);
        }
        script.host.reported(1, true);
        script
    }

    fn after(&mut self, millis: u64) -> &mut Self {
        self.now += Span::from_millis(millis);
        self.host.expire(self.now);
        self
    }

    /// The orders since the last call, in words.
    fn orders(&mut self) -> Vec<String> {
        let say = |Order { application, action }| match action {
            Action::Start => format!("start {}", NAMES[application]),
            Action::AskToEnd => format!("ask {}", NAMES[application]),
            Action::Kill(reason) => format!("kill {}: {reason}", NAMES[application]),
            Action::Announce(run) => format!("{}#{run} has ended", NAMES[application]),
        };
        self.host.orders().map(say).collect()
    }

    /// Looks at these every 25 ms, while none of them comes round; gives the milliseconds at the first order.
    fn frozen(&mut self, which: &[usize]) -> (u64, Vec<String>) {
        self.found(which, Doing::Stopped)
    }

    /// The same for any reason not to come round.
    fn found(&mut self, which: &[usize], doing: Doing) -> (u64, Vec<String>) {
        for looks in 0..1_000 {
            for one in which {
                self.host.observed(*one, self.now, 1, || doing);
            }
            let orders = self.orders();
            if !orders.is_empty() {
                return (looks * 25, orders);
            }
            self.after(25);
        }
        (u64::MAX, Vec::new())
    }
}

#[test]
fn what_does_not_run_is_started_and_what_runs_is_left_alone() {
    let mut script = Script::new();
    script.host.found(0, script.now, 7, false);
    script.host.found(1, script.now, 3, true);
    script.host.found(2, script.now, 0, false);
    assert_eq!(script.after(0).orders(), ["start control", "start sip-b"]);
    script.host.ready(1, script.now);
    assert_eq!(script.after(10_000).orders(), [""; 0]);
    assert_eq!([script.host.state(0), script.host.state(1)], [State::Starting, State::Started]);
    assert_eq!([script.host.run(0), script.host.run(1)], [(7, false), (3, true)]);
}

#[test]
fn what_was_found_running_must_introduce_itself() {
    let mut script = Script::new();
    script.host.found(1, script.now, 3, true);
    assert_eq!(script.after(4_999).orders(), [""; 0]);
    assert_eq!(script.after(1).orders(), ["kill sip-a: it does not get ready"]);
    script.host.ended(1, script.now);
    assert_eq!(script.after(100).orders(), ["sip-a#3 has ended", "start sip-a"]);
}

#[test]
fn a_server_that_was_killed_is_announced_at_once_and_started_after_a_breath() {
    let mut script = Script::running();
    script.after(60_000).host.ended(1, Time::from_micros(60_000_000));
    assert_eq!(script.orders(), ["sip-a#1 has ended"]);
    assert_eq!(script.host.state(1), State::Starting);
    assert_eq!(script.after(49).orders(), [""; 0]);
    assert_eq!(script.after(1).orders(), ["start sip-a"]);
    script.host.ended(1, script.now);
    assert_eq!(script.orders(), [""; 0], "it ends once");
}

#[test]
fn a_start_that_fails_is_tried_again_after_a_pause() {
    let mut script = Script::new();
    script.host.found(1, script.now, 0, false);
    assert_eq!(script.after(0).orders(), ["start sip-a"]);
    script.host.not_started(1, script.now);
    assert_eq!((script.host.state(1), script.host.deadline()), (State::Failed, Some(Time::from_micros(100_000))));
    assert_eq!(script.after(100).orders(), ["start sip-a"]);
    script.host.started(1, script.now, 1);
    script.host.ended(1, script.now);
    assert_eq!((script.host.state(1), script.orders()), (State::Failed, vec!["sip-a#1 has ended".into()]));
    assert_eq!(script.after(200).orders(), ["start sip-a"]);
}

#[test]
fn a_start_that_never_ends_is_ended() {
    let mut script = Script::new();
    script.host.started(1, script.now, 1);
    assert_eq!(script.after(60_000).orders(), ["kill sip-a: it does not get ready"]);
}

#[test]
fn of_several_hosts_a_server_waits_for_the_others_as_long_as_it_comes_round() {
    let mut script = Script::new();
    script.host = script.host.of_several();
    (0..NAMES.len()).for_each(|which| script.host.started(which, Time::ZERO, 1));
    script.host.ready(0, Time::ZERO);
    for second in 1..=3_600 {
        script.host.observed(1, script.now, second, || Doing::Sleeping);
        script.host.observed(2, script.now, second.min(100), || Doing::Sleeping);
        script.after(1_000);
        let expected: &[&str] = if second == 99 + 60 { &["kill sip-b: it does not get ready"] } else { &[] };
        assert_eq!(script.orders(), expected, "after {second} s");
    }
    script.host.ready(1, script.now);
    assert_eq!(script.host.state(1), State::Started);
}

#[test]
fn of_a_level_pair_a_frozen_side_is_killed_soon() {
    for side in [1, 2] {
        let mut script = Script::running();
        let (millis, orders) = script.frozen(&[side]);
        assert_eq!(millis, 150);
        assert_eq!(
            orders,
            [format!("kill {}: it hangs: its serving thread has not come round for 150.0 ms", NAMES[side])]
        );
    }
}

#[test]
fn a_primary_without_a_level_backup_gets_more_time() {
    let mut script = Script::running();
    script.host.reported(1, false);
    assert_eq!(script.frozen(&[1]).0, 5_000);
}

#[test]
fn the_control_server_holds_no_call_and_is_killed_soon() {
    let mut script = Script::running();
    assert_eq!(script.frozen(&[0]).0, 150);
    script.host.ended(0, script.now);
    script.after(50).orders();
    assert_eq!(script.frozen(&[1]).0, 150, "the pair is as level as before");
}

#[test]
fn a_wait_for_the_disk_is_a_hang_only_where_somebody_could_take_over() {
    let waits = |which, is_level| {
        let mut script = Script::running();
        script.host.reported(1, is_level);
        script.found(&[which], Doing::Uninterruptible).0
    };
    assert_eq!([waits(1, true), waits(1, false), waits(0, true)], [150, u64::MAX, u64::MAX]);
}

#[test]
fn of_two_frozen_sides_only_one_is_killed_until_the_pair_is_level_again() {
    let mut script = Script::running();
    assert_eq!(script.frozen(&[1, 2]).1.len(), 1);
    script.host.ended(1, script.now);
    assert_eq!(script.after(50).orders(), ["sip-a#1 has ended", "start sip-a"]);
    // The look after the breath finds twice the usual time.
    assert_eq!(script.frozen(&[2]).0, 5_000 - 150 - 25);
    let mut script = Script::running();
    script.frozen(&[1]);
    script.host.ended(1, script.now);
    script.host.started(1, script.now, 2);
    script.host.ready(1, script.now);
    script.host.reported(2, true);
    script.orders();
    assert_eq!(script.frozen(&[2]).0, 150, "level again");
}

#[test]
fn a_helper_thread_that_stops_ends_its_process_only_where_that_costs_no_call() {
    use crate::helpers::Wait;
    let stopped = |which: usize, prepare: fn(&mut Host)| {
        let mut script = Script::running();
        prepare(&mut script.host);
        let seen = Seen { name: "recorder".into(), thread: 7, beats: 1, waits: Wait::None };
        (0..400).find_map(|_| {
            script.host.observed_helpers(which, script.now, vec![seen.clone()], |_| Doing::Stopped);
            let said = script.host.complaints(which, script.now).count();
            let orders = script.orders();
            script.after(25);
            (!orders.is_empty()).then_some((orders, said))
        })
    };
    let told =
        |name: &str| (vec![format!("kill {name}: it hangs: its thread recorder has not come round for 475.0 ms")], 0);
    assert_eq!(stopped(0, |_| {}), Some(told("control")));
    assert_eq!(stopped(1, |_| {}), Some(told("sip-a")));
    assert_eq!(stopped(1, |host| host.reported(1, false)), None);
    let mut script = Script::running();
    script.host.reported(1, false);
    let (seen, mut said) = (Seen { name: "recorder".into(), thread: 7, beats: 1, waits: Wait::None }, Vec::new());
    for beats in [2, 3, 3] {
        script.host.observed(1, script.now, beats, || Doing::Stopped);
        (0..40).for_each(|_| {
            script.host.observed_helpers(1, script.now, vec![seen.clone()], |_| Doing::Stopped);
            script.after(25);
        });
        said.push(script.host.complaints(1, script.now).count());
    }
    assert_eq!(said, [1, 1, 0], "it goes on without, and does not go on at all");
    let backup = stopped(2, |host| {
        host.reported(1, false);
        host.reported_backup(2, true);
    });
    assert!(backup.is_some_and(|(orders, _)| orders[0].ends_with("for 5.1 s")), "its primary lives");
    assert_eq!(stopped(1, |host| host.stop(Time::ZERO)).map(|(orders, _)| orders[0].clone()), Some("ask sip-a".into()));
}

#[test]
fn what_has_not_started_or_is_ending_is_not_taken_for_hung() {
    let mut script = Script::new();
    script.host.started(1, script.now, 1);
    assert_eq!(script.frozen(&[1]).1, [""; 0]);
    let mut script = Script::running();
    script.host.stop(script.now);
    script.orders();
    assert!(script.frozen(&[1, 2]).1.iter().all(|order| order.ends_with("it was asked to")));
}

#[test]
fn everything_ends_in_order() {
    let mut script = Script::running();
    script.host.stop(script.now);
    assert_eq!(script.orders(), ["ask sip-a", "ask sip-b"]);
    script.host.stop(script.now);
    script.host.ended(1, script.now);
    assert_eq!(script.orders(), ["sip-a#1 has ended"]);
    assert_eq!(script.after(3_000).orders(), ["kill sip-b: it does not end although it was asked to"]);
    script.host.ended(2, script.now);
    assert_eq!(script.orders(), ["sip-b#1 has ended", "ask control"]);
    assert!(!script.host.is_finished());
    assert_eq!(script.after(500).orders(), ["kill control: it does not end although it was asked to"]);
    script.host.ended(0, script.now);
    assert!(script.host.is_finished());
    assert_eq!(NAMES.map(|_| State::Stopped), [0, 1, 2].map(|which| script.host.state(which)));
    assert_eq!((script.host.deadline(), script.orders()), (None, vec!["control#1 has ended".into()]));
}

#[test]
fn what_waits_for_its_next_start_is_not_started_during_the_end() {
    let mut script = Script::running();
    script.host.not_started(1, script.now);
    script.host.ended(0, script.now);
    script.host.ended(1, script.now);
    script.host.ended(2, script.now);
    script.orders();
    script.host.stop(script.now);
    assert!(script.host.is_finished());
    assert_eq!(script.after(60_000).orders(), [""; 0]);
}

#[test]
fn a_host_that_a_drill_ends_starts_again_by_itself() {
    let mut script = Script::running();
    script.host.fail(script.now + Span::from_secs(2));
    let why = "a drill ends everything on this host";
    let killed = ["control", "sip-a", "sip-b"].map(|name| format!("kill {name}: {why}"));
    assert_eq!(script.orders(), killed, "first whoever carries news");
    for which in 0..NAMES.len() {
        script.host.ended(which, script.now);
        assert_eq!(script.host.state(which), State::Failed);
    }
    assert_eq!(script.orders(), ["control#1 has ended", "sip-a#1 has ended", "sip-b#1 has ended"]);
    assert_eq!(script.after(1_999).orders(), [""; 0]);
    assert_eq!(script.after(1).orders(), ["start control", "start sip-a", "start sip-b"]);
    // After that an end is like any other.
    script.host.started(0, script.now, 2);
    script.host.ready(0, script.now);
    script.host.ended(0, script.now);
    script.orders();
    assert_eq!(script.after(50).orders(), ["start control"]);
}

#[test]
fn a_host_that_a_drill_ends_is_repaired_before_its_time() {
    let mut script = Script::running();
    script.host.fail(script.now + Span::from_secs(600));
    (0..NAMES.len()).for_each(|which| script.host.ended(which, script.now));
    script.orders();
    script.host.repair(script.now);
    assert_eq!(script.after(0).orders(), ["start control", "start sip-a", "start sip-b"]);
    script.host.repair(script.now);
    assert_eq!(script.after(0).orders(), [""; 0], "there is nothing to repair");
}
