//! The pulse of a process that dies.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use node::pulse::Pulse;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("pulse::whoever_waits_for_a_killed_process_is_woken", whoever_waits_for_a_killed_process_is_woken),
    ("pulse::an_end_in_the_past_is_noticed", an_end_in_the_past_is_noticed),
    ("pulse::a_crash_is_noted_and_the_process_dies_of_it", a_crash_is_noted_and_the_process_dies_of_it),
];

/// The child: holds the pulse that it inherited as standard input, says so, and does what its role is.
pub(crate) fn run(role: &str) {
    let pulse = Pulse::open(&std::io::stdin().as_fd().try_clone_to_owned().unwrap()).unwrap();
    pulse.hold().unwrap();
    pulse.watch_crashes().unwrap();
    pulse.take_in_hand(42);
    std::io::stdout().write_all(b"!").unwrap();
    std::io::stdout().flush().unwrap();
    match role {
        "abort" => std::process::abort(),
        "overflow" => println!("{}", overflow(1)),
        "thread overflow" => println!("{}", std::thread::spawn(|| overflow(1)).join().unwrap()),
        _ => loop {
            std::thread::park();
        },
    }
}

/// Uses up the stack.
fn overflow(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 1_000]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + room[(depth % 1_000) as usize] }
}

/// A child that holds the pulse.
fn holder(role: &str, descriptor: &OwnedFd) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["pulse", role]).stdin(descriptor.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut said = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    child
}

fn whoever_waits_for_a_killed_process_is_woken() {
    let (pulse, descriptor) = Pulse::create().unwrap();
    let mut child = holder("wait", &descriptor);
    assert!(pulse.hold().is_err(), "the child holds it");
    let waiting: Vec<_> = (0..3)
        .map(|_| Pulse::open(&descriptor).unwrap())
        .map(|pulse| std::thread::spawn(move || pulse.await_end()))
        .collect();
    child.kill().unwrap();
    for thread in waiting {
        thread.join().unwrap().unwrap();
    }
    assert_eq!((pulse.crashed(), pulse.in_hand()), (None, 42));
    child.wait().unwrap();
}

fn an_end_in_the_past_is_noticed() {
    let (pulse, descriptor) = Pulse::create().unwrap();
    let mut child = holder("wait", &descriptor);
    child.kill().unwrap();
    child.wait().unwrap();
    pulse.await_end().unwrap();
    Pulse::open(&descriptor).unwrap().await_end().unwrap();
}

fn a_crash_is_noted_and_the_process_dies_of_it() {
    let cases = [("abort", libc::SIGABRT), ("overflow", libc::SIGSEGV), ("thread overflow", libc::SIGSEGV)];
    for (role, signal) in cases {
        let (pulse, descriptor) = Pulse::create().unwrap();
        let status = holder(role, &descriptor).wait().unwrap();
        pulse.await_end().unwrap();
        assert_eq!((status.signal(), pulse.crashed(), pulse.in_hand()), (Some(signal), Some(signal), 42), "{role}");
    }
}
