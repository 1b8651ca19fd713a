//! Machines become hosts of a solution: the page that describes it, followed by its own words, and everything that can be wrong
//! with it. The machines are network namespaces.
//!
//! This is its own test harness: where the machine grants no namespaces the tests are skipped by name and with the reason.

mod certificates;
mod drill;
mod existing;
mod fence;
mod hook;
mod net;
mod page;
#[expect(dead_code, reason = "the tests of bad input need more of it")]
#[path = "../bad_input/phone.rs"]
mod phone;
mod refusals;
mod remove;
mod rights;
#[path = "../cli/stopped.rs"]
mod stopped;
mod unit;

use std::process::Command;

use libtest_mimic::{Arguments, Trial};
use rustix::process::geteuid;

/// A test and its name.
type Test = (&'static str, fn());

fn main() {
    let missing = missing();
    if let Some(missing) = &missing {
        eprintln!("skipped tests: {missing}");
    }
    let trial = |(name, test): Test| {
        Trial::test(format!("{name} (needs root, namespaces, nftables and etcd)"), move || {
            test();
            Ok(())
        })
        .with_ignored_flag(missing.is_some())
    };
    let tests = [
        page::TESTS,
        refusals::TESTS,
        certificates::TESTS,
        rights::TESTS,
        hook::TESTS,
        fence::TESTS,
        drill::TESTS,
        remove::TESTS,
        remove::machines::TESTS,
        existing::TESTS,
    ]
    .concat();
    let mut trials: Vec<Trial> = tests.into_iter().map(trial).collect();
    let lacks_systemd = Command::new("systemd-analyze").arg("--version").output().is_err();
    if lacks_systemd {
        eprintln!("skipped a test: `systemd-analyze` is not installed");
    }
    trials.extend(unit::tests().map(|test| test.with_ignored_flag(lacks_systemd)));
    let mut arguments = Arguments::from_args();
    // Members of etcd want to be heard every 80 ms.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit();
}

/// What these tests lack on this machine.
fn missing() -> Option<String> {
    let lacks = |program: &str| Command::new(program).arg("--version").output().is_err();
    if let Some(program) = ["ip", "nft", "etcd", "setpriv"].into_iter().find(|program| lacks(program)) {
        return Some(format!("`{program}` is not installed"));
    }
    (!geteuid().is_root()).then(|| "only root may make namespaces that commands are given in".to_owned())
}
