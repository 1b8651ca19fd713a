//! The hook is called as documented, and nobody waits for it.

use std::path::PathBuf;

use model::{Span, Time};
use network::address::{Deed, Hook, Mover, VirtualAddress};
use network::program::Run;
use rustix::event::{PollFd, PollFlags, poll};

const LIMIT: Span = Span::from_secs(5);

fn hook() -> Hook {
    Hook { program: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hook/hook.sh")), limit: LIMIT }
}

fn address(interface: &str) -> VirtualAddress {
    VirtualAddress { address: [10, 0, 0, 5].into(), prefix: 24, interface: interface.into(), hook: None }
}

fn start(interface: &str) -> Run {
    hook().start(Deed::Claim, &address(interface), Time::ZERO).expect("started")
}

/// Waits for the end of the program, by the descriptor.
fn ended(run: &Run) {
    assert_eq!(poll(&mut [PollFd::new(run, PollFlags::IN)], None), Ok(1));
}

#[test]
fn success_is_told_once() {
    let mut run = start("done");
    assert_eq!(run.deadline(), Time::ZERO + LIMIT);
    ended(&run);
    assert_eq!(run.poll(Time::ZERO), Some(Ok(())));
    assert_eq!(run.poll(Time::ZERO), None);
    assert_eq!(run.deadline(), Time::NEVER);
}

#[test]
fn it_is_told_everything_and_its_failure_is_quoted() {
    let mut run = start("says");
    ended(&run);
    let trouble = run.poll(Time::ZERO).expect("ended").expect_err("exit code 3");
    assert!(trouble.what.contains("hook.sh claim 10.0.0.5/24 says") && trouble.what.contains('3'), "{trouble}");
    assert!(trouble.remedy.contains("said: 3 claim 10.0.0.5/24 claim 10.0.0.5 24 says"), "{trouble}");
}

#[test]
fn one_that_hangs_is_killed_with_its_children_when_its_time_is_over() {
    let mut run = start("hangs");
    assert_eq!(run.poll(Time::ZERO + Span::from_millis(4_999)), None, "it runs");
    let trouble = run.poll(Time::ZERO + LIMIT).expect("over").expect_err("killed");
    assert!(trouble.what.contains("took longer than 5.0 s and was killed"), "{trouble}");
    ended(&run);
    assert_eq!(run.poll(Time::ZERO + LIMIT), None, "told once");
}

#[test]
fn one_that_nobody_asks_for_any_more_is_ended() {
    let run = start("hangs");
    let pidfd = std::os::fd::AsFd::as_fd(&run).try_clone_to_owned().expect("another descriptor");
    drop(run);
    assert_eq!(poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None), Ok(1));
}

#[test]
fn one_that_cannot_be_started_is_explained() {
    for (program, what, remedy) in [
        ("/nowhere/hook", "No such file", "create that program"),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "Permission denied", "chmod +x"),
    ] {
        let hook = Hook { program: program.into(), limit: LIMIT };
        let address: VirtualAddress = "10.0.0.5/24@eth0".parse().expect("an address");
        let trouble = hook.start(Deed::Release, &address, Time::ZERO).expect_err("no program");
        assert!(trouble.what.contains(what) && trouble.what.contains("release 10.0.0.5/24 eth0"), "{trouble}");
        assert!(trouble.remedy.contains(remedy), "{trouble}");
    }
}

/// Waits for the end of the next call.
fn outcome(mover: &Mover) -> Result<(), String> {
    loop {
        if let Some(outcome) = mover.outcome() {
            return outcome.map_err(|trouble| trouble.to_string());
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_mover_calls_it_and_whoever_orders_does_not_wait() {
    let mover = Mover::new(hook(), address("done")).expect("a thread");
    assert_eq!(mover.outcome(), None, "nothing was ordered");
    mover.order(Deed::Claim);
    assert_eq!(outcome(&mover), Ok(()));
    // A while later it asks by itself.
    assert_eq!(outcome(&mover), Ok(()));
    mover.order(Deed::Release);
    assert_eq!(outcome(&mover), Ok(()));
    mover.end();
}

#[test]
fn what_a_mover_is_told_in_vain_it_tries_again() {
    let mover = Mover::new(hook(), address("says")).expect("a thread");
    mover.order(Deed::Claim);
    for _ in 0..2 {
        assert!(outcome(&mover).expect_err("exit code 3").contains("said: 3 claim"));
    }
    mover.order(Deed::Release);
    assert!(outcome(&mover).expect_err("exit code 3").contains("said: 3 release"));
}

#[test]
fn another_order_ends_the_call_that_runs() {
    let mover = Mover::new(hook(), address("moves")).expect("a thread");
    // This one hangs, so that only a program that is ended lets the next one begin before its time is over.
    mover.order(Deed::Claim);
    mover.order(Deed::Release);
    assert_eq!(outcome(&mover), Ok(()));
    assert_eq!(mover.outcome(), None, "the first one had no outcome");
}

#[test]
fn an_address_that_leads_elsewhere_is_claimed_again() {
    let mover = Mover::new(hook(), address("astray")).expect("a thread");
    mover.order(Deed::Claim);
    assert_eq!(outcome(&mover), Ok(()));
    assert!(outcome(&mover).expect_err("it is asked").contains("leads to another host"));
    assert_eq!(outcome(&mover), Ok(()), "it is claimed again");
}
