//! Bad input from every side: phones, folders, disks, rights, local callers. Each gets the right answer or one clear error,
//! and whoever did nothing wrong notices nothing.
//!
//! This is its own test harness, because some of it needs a namespace that not every machine grants: such a test is
//! skipped by name and with the reason, never silently.

mod configuration;
mod connections;
mod damage;
mod disk;
mod ending;
mod local;
mod messages;
mod phone;
mod ports;
mod rights;
mod running;
#[path = "../cli/stopped.rs"]
mod stopped;
#[path = "../cli/support.rs"]
mod support;
mod threads;

use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Trial};

/// A test and its name.
type Test = (&'static str, fn());

fn main() {
    let anywhere = [
        messages::TESTS,
        connections::TESTS,
        damage::TESTS,
        local::TESTS,
        ports::TESTS,
        configuration::TESTS,
        ending::TESTS,
    ];
    let mut trials: Vec<Trial> = anywhere.concat().into_iter().map(trial).collect();
    let isolated = [disk::TESTS, rights::TESTS].concat();
    let is_granted = can_isolate();
    if !is_granted {
        eprintln!("skipped tests: this machine grants no namespaces of one's own (`unshare` from util-linux)");
    }
    trials.extend(isolated.into_iter().map(|test| trial(test).with_ignored_flag(!is_granted)));
    let can_freeze = is_granted && disk::can_freeze();
    if is_granted && !can_freeze {
        eprintln!("skipped a test: this user may not mount and freeze a disk of its own");
    }
    trials.extend(disk::FROZEN.iter().map(|test| trial(*test).with_ignored_flag(!can_freeze)));
    let can_stop = stopped::can_stop();
    if !can_stop {
        eprintln!("skipped tests: this user may not stop a thread of another process (ptrace(2), Yama's ptrace_scope)");
    }
    trials.extend(threads::TESTS.iter().map(|test| trial(*test).with_ignored_flag(!can_stop)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial((name, test): Test) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// What gives a program namespaces of its own: `--mount`, `--net`.
pub(crate) fn isolated(what: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(what);
    command
}

fn can_isolate() -> bool {
    let mount = "mount -t tmpfs none /mnt && ip link set lo up && command -v setpriv";
    let tried =
        isolated(&["--mount", "--net"]).args(["sh", "-c", mount]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}
