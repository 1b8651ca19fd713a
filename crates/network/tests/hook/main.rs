//! The hook is called as documented, and nobody waits for it.

use std::path::PathBuf;

use model::{Span, Time};
use network::address::{Deed, Hook, VirtualAddress};
use network::program::Run;
use rustix::event::{PollFd, PollFlags, poll};

const LIMIT: Span = Span::from_secs(5);

fn start(interface: &str) -> Run {
    let hook = Hook { program: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hook/hook.sh")) };
    let address = VirtualAddress { address: [10, 0, 0, 5].into(), prefix: 24, interface: interface.into() };
    hook.start(Deed::Claim, &address, Time::ZERO, LIMIT).expect("started")
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
        let hook = Hook { program: program.into() };
        let address: VirtualAddress = "10.0.0.5/24@eth0".parse().expect("an address");
        let trouble = hook.start(Deed::Release, &address, Time::ZERO, LIMIT).expect_err("no program");
        assert!(trouble.what.contains(what) && trouble.what.contains("release 10.0.0.5/24 eth0"), "{trouble}");
        assert!(trouble.remedy.contains(remedy), "{trouble}");
    }
}
