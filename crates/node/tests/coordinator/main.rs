//! That every coordinator keeps its contract, and what only one of them can meet. Those that stand on etcd need the
//! programs `etcd` and `etcdctl`.
//!
//! This program is its own test harness, because it starts itself again where a test needs a process of its own.

mod conformance;
mod embedded;
mod etcd;
mod serving;

use libtest_mimic::{Arguments, Trial};

/// A test and its name.
pub(crate) type Test = (&'static str, fn());

fn main() {
    if std::env::args().skip(1).eq(embedded::CONTRACT) {
        return embedded::contract();
    }
    let missing = etcd::missing();
    if let Some(missing) = &missing {
        eprintln!("skipped tests: those of the coordinator on etcd: {missing}");
    }
    let on_etcd = etcd::TESTS.iter().map(|test| trial(*test).with_ignored_flag(missing.is_some()));
    let on_nothing = embedded::TESTS.iter().chain(etcd::ON_A_STAND_IN);
    let trials = on_nothing.map(|test| trial(*test)).chain(on_etcd).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial((name, test): Test) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
