//! The local control agent and the processes that it watches over.

use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use node::wire::ApplicationRow;

use crate::application::{Hold, Order, obstacle};
use crate::site::{NAMES, Site, holder, is_held};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("lca::a_killed_application_is_announced_and_comes_back", a_killed_application_is_announced_and_comes_back),
    ("lca::a_stopped_process_is_killed", a_stopped_process_is_killed),
    ("lca::a_process_that_turns_without_end_is_killed", a_process_that_turns_without_end_is_killed),
    ("lca::a_helper_thread_that_hangs_is_named", a_helper_thread_that_hangs_is_named),
    ("lca::a_helper_thread_that_waits_for_a_disk_is_told", a_helper_thread_that_waits_for_a_disk_is_told),
    (
        "lca::its_own_death_disturbs_nobody_and_it_finds_them_again",
        its_own_death_disturbs_nobody_and_it_finds_them_again,
    ),
    ("lca::what_ended_while_it_was_dead_is_announced", what_ended_while_it_was_dead_is_announced),
    ("lca::what_froze_while_it_was_dead_is_killed", what_froze_while_it_was_dead_is_killed),
    ("lca::a_second_one_is_refused", a_second_one_is_refused),
    ("lca::everything_ends_when_it_is_asked_to", everything_ends_when_it_is_asked_to),
    ("lca::what_does_not_end_is_killed", what_does_not_end_is_killed),
    ("lca::a_start_that_fails_is_told_and_tried_again", a_start_that_fails_is_told_and_tried_again),
    ("lca::a_crash_is_told", a_crash_is_told),
    ("lca::after_the_death_of_all_runs_go_on_counting", after_the_death_of_all_runs_go_on_counting),
    ("lca::an_application_started_by_hand_is_refused", an_application_started_by_hand_is_refused),
];

fn runs(rows: &[ApplicationRow]) -> Vec<(u64, Option<u32>)> {
    rows.iter().map(|row| (row.run, row.pid)).collect()
}

fn a_killed_application_is_announced_and_comes_back() {
    let mut site = Site::running();
    assert!(site.ask("sip-b", &Order::WhoHasEnded).is_empty());
    for run in 1..=5 {
        site.signal("sip-a", Signal::SIGKILL);
        let row = site.await_run("sip-a", run + 1);
        assert_eq!(row.trouble, None);
        assert_eq!(site.ask("sip-b", &Order::WhoHasEnded), [("sip-a".into(), run)].into());
        assert_eq!(site.ask("sip-a", &Order::WhoHasEnded), [("sip-a".into(), run)].into());
    }
}

fn a_stopped_process_is_killed() {
    let mut site = Site::running();
    site.ask("sip-a", &Order::Lead { level: true });
    site.signal("sip-a", Signal::SIGSTOP);
    let rows = site.until("it is killed", |rows| rows.iter().any(|row| row.name == "sip-a" && row.run == 2));
    let trouble = rows.iter().find(|row| row.name == "sip-a").and_then(|row| row.trouble.clone());
    assert!(trouble.is_some_and(|trouble| trouble.what.contains("sip-a was killed: it hangs")), "{rows:?}");
    assert_eq!(site.await_run("sip-a", 2).trouble, None);
}

fn a_process_that_turns_without_end_is_killed() {
    let mut site = Site::running();
    site.ask("sip-a", &Order::Lead { level: true });
    site.tell("sip-b", &Order::Spin);
    site.await_run("sip-b", 2);
}

fn a_helper_thread_that_hangs_is_named() {
    let mut site = Site::running();
    for (run, hold) in (1..).zip([Hold::Wait, Hold::Spin, Hold::Panic]) {
        // After each kill the pair has to become level again.
        [false, true].into_iter().for_each(|level| drop(site.ask("sip-a", &Order::Lead { level })));
        site.tell("sip-b", &Order::Hold(hold));
        let rows = site.until("it is killed", |rows| rows.iter().any(|row| row.name == "sip-b" && row.run == run + 1));
        let trouble = rows.iter().find(|row| row.name == "sip-b").and_then(|row| row.trouble.clone());
        let named = "sip-b was killed: it hangs: its thread helper has not come round";
        assert!(trouble.is_some_and(|trouble| trouble.what.contains(named)), "{hold:?}: {rows:?}");
        site.await_run("sip-b", run + 1);
    }
}

fn a_helper_thread_that_waits_for_a_disk_is_told() {
    let mut site = Site::running();
    site.ask("sip-a", &Order::Lead { level: true });
    site.ask("sip-b", &Order::Hold(Hold::Disk));
    let note = |row: &ApplicationRow| row.report.as_ref().and_then(|report| report.note.clone()).unwrap_or_default();
    let is_told = |row: &ApplicationRow| row.name == "sip-b" && note(row).contains("its thread helper has waited");
    let rows = site.until("it is told", |rows| rows.iter().any(is_told));
    assert!(rows.iter().all(|row| row.run == 1), "{rows:?}");
}

fn its_own_death_disturbs_nobody_and_it_finds_them_again() {
    let mut site = Site::running();
    let before = site.await_all_started();
    site.kill_lca();
    site.ask("sip-a", &Order::WhoHasEnded);
    site.start_lca();
    let after = site.await_all_started();
    assert_eq!(runs(&before), runs(&after));
    site.signal("sip-a", Signal::SIGKILL);
    site.await_run("sip-a", 2);
    assert_eq!(site.ask("sip-b", &Order::WhoHasEnded).get("sip-a"), Some(&1));
    assert!(site.stop().success());
}

fn what_ended_while_it_was_dead_is_announced() {
    let mut site = Site::running();
    let pid = site.row("sip-a").pid;
    site.kill_lca();
    let pid = nix::unistd::Pid::from_raw(pid.unwrap().cast_signed());
    nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    site.start_lca();
    site.await_run("sip-a", 2);
    site.await_all_started();
    assert_eq!(site.ask("sip-b", &Order::WhoHasEnded).get("sip-a"), Some(&1));
}

fn what_froze_while_it_was_dead_is_killed() {
    let mut site = Site::running();
    site.signal("sip-a", Signal::SIGSTOP);
    site.kill_lca();
    site.start_lca();
    site.await_run("sip-a", 2);
}

fn a_second_one_is_refused() {
    let mut site = Site::running();
    let second = Site::command(&site.folder).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains(&format!("is running already (process {})", site.lca.id())), "{said}");
    let rows = site.await_all_started();
    assert!(rows.iter().all(|row| row.run == 1), "{rows:?}");
}

fn everything_ends_when_it_is_asked_to() {
    let mut site = Site::running();
    assert!(site.stop().success());
    let left: Vec<_> = fs::read_dir(site.folder.path().join("run")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.extension().is_some_and(|ending| ending == "lock")), "{left:?}");
    assert!(!NAMES.iter().any(|name| is_held(&site.folder, name)));
}

fn what_does_not_end_is_killed() {
    let mut site = Site::running();
    site.ask("sip-b", &Order::BeStubborn);
    assert!(site.stop().success());
    assert!(!is_held(&site.folder, "sip-b"));
}

fn a_start_that_fails_is_told_and_tried_again() {
    let mut site = Site::starting(&["sip-b"]);
    let told = |row: &ApplicationRow| {
        row.trouble.as_ref().is_some_and(|trouble| trouble.what == "something stands in the way")
    };
    site.until("it has failed", |rows| rows.iter().any(|row| row.state == "failed" && row.pid.is_none() && told(row)));
    fs::remove_file(obstacle(&site.folder, "sip-b")).unwrap();
    let rows = site.await_all_started();
    let row = rows.iter().find(|row| row.name == "sip-b").unwrap();
    assert!(row.run > 1 && row.trouble.is_none(), "{row:?}");
}

fn a_crash_is_told() {
    let mut site = Site::running();
    site.tell("sip-a", &Order::Abort);
    let rows = site.until("it has ended", |rows| rows.iter().any(|row| row.name == "sip-a" && row.run == 2));
    let trouble = rows.iter().find(|row| row.name == "sip-a").and_then(|row| row.trouble.clone());
    assert!(trouble.is_some_and(|trouble| trouble.what.contains("it has crashed (signal 6)")), "{rows:?}");
}

fn after_the_death_of_all_runs_go_on_counting() {
    let mut site = Site::running();
    site.kill_lca();
    for name in NAMES {
        let pid = nix::unistd::Pid::from_raw(holder(&site.folder, name).unwrap());
        nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    }
    site.start_lca();
    let rows = site.await_all_started();
    assert!(rows.iter().all(|row| row.run == 2), "{rows:?}");
    assert_eq!(site.ask("sip-a", &Order::WhoHasEnded).get("sip-b"), Some(&1));
}

fn an_application_started_by_hand_is_refused() {
    let site = Site::running();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--dir").arg(site.folder.path()).args(["run", "sip-a", "--run-number", "7"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("start the contact centre with `everline up`"), "{said}");
}
