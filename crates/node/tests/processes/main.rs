//! What only real processes can show: that they are killed, hang, crash, and are found again.
//!
//! This program is its own test harness, because it is also the processes that it watches: it starts itself again as
//! the local control agent, and the agent starts it again as the applications.

mod application;
mod control;
mod disk;
mod lca;
mod log;
mod open_files;
mod pulse;
mod server;
mod site;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        ["--dir", dir, "run", "lca"] => site::run_lca(dir),
        ["--dir", dir, "run", "control", "--run-number", run] => control::run(dir, run),
        ["--dir", dir, "run", name, "--run-number", run] => application::run(dir, name, run),
        ["disk", path] => disk::run(path),
        ["log", path] => log::run(path),
        ["open-files", path] => open_files::run(path),
        ["pulse", role] => pulse::run(role),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit(),
    }
}

fn trials() -> Vec<Trial> {
    let of_one_process = pulse::TESTS.iter().chain(disk::TESTS).chain(log::TESTS).chain(open_files::TESTS);
    let tests = of_one_process.chain(lca::TESTS).chain(control::TESTS);
    let trial = |(name, test): &(&'static str, fn())| {
        let test = *test;
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    };
    tests.map(trial).collect()
}
