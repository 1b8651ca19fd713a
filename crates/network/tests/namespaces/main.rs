//! What only a kernel can show: addresses that pass from host to host, and links that are cut, slowed and thinned.
//!
//! This is its own test harness: it starts itself again in namespaces of its own, so that nothing of it is seen or left on
//! the machine, and where the machine grants none the tests are skipped by name and with the reason. It is also the
//! program without a right that some tests need.

mod address;
mod links;
mod net;
mod orphans;
mod own;
mod standing;

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Trial};
use network::rehearsal::private;

/// A test and its name.
type Test = (&'static str, fn());

/// Set in the process that runs inside.
const INSIDE: &str = "EVERLINE_NETWORK_TESTS_INSIDE";

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [word, address] = &words[..] {
        match word.as_str() {
            "claim" => return address::claim_without_a_right(address),
            "release" => return address::release_without_a_right(address),
            _ => {}
        }
    }
    let missing = missing();
    if env::var_os(INSIDE).is_none() && missing.is_none() {
        let own = env::current_exe().expect("the path of this program");
        let error = private(own.as_os_str()).args(words).env(INSIDE, "1").exec();
        panic!("cannot start again in namespaces: {error}");
    }
    if let Some(missing) = &missing {
        eprintln!("skipped tests: {missing}");
    }
    let tests = [address::TESTS, links::TESTS, orphans::TESTS, own::TESTS, standing::TESTS].concat();
    let mut trials: Vec<Trial> =
        tests.into_iter().map(|test| trial(test).with_ignored_flag(missing.is_some())).collect();
    let no_clocks = !own::have_clocks();
    if no_clocks {
        eprintln!("skipped tests of clocks: `faketime` is not installed (package faketime)");
    }
    trials.extend(own::CLOCKS.iter().map(|test| trial(*test).with_ignored_flag(missing.is_some() || no_clocks)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial((name, test): Test) -> Trial {
    Trial::test(format!("{name} (needs namespaces and nftables)"), move || {
        test();
        Ok(())
    })
}

/// What these tests lack on this machine.
fn missing() -> Option<String> {
    let packages = [
        ("ip", "iproute2"),
        ("nft", "nftables"),
        ("nsenter", "util-linux"),
        ("setpriv", "util-linux"),
        ("unshare", "util-linux"),
    ];
    let runs = |command: &mut Command| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let lacks = |program: &str| Command::new(program).stdin(Stdio::null()).output().is_err();
    if let Some((program, package)) = packages.into_iter().find(|(program, _)| lacks(program)) {
        return Some(format!("`{program}` is not installed (package {package})"));
    }
    (!runs(&mut private("true".as_ref()))).then(|| "this machine grants no namespaces of one's own".into())
}
