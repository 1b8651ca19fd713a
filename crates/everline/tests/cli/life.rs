//! A contact centre from `up` to its end, whatever is killed in between.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::{Place, Running};

/// The application of a pair that has a role, as soon as one has it.
fn who(running: &Running, pair: &str, role: &str) -> String {
    running.ask("status --json", |status| {
        let mut applications = status["applications"].as_array()?.iter();
        let found = applications.find(|one| one["pair"] == pair && one["role"] == role && one["ready"] == true)?;
        Some(found["name"].as_str()?.to_owned())
    })
}

#[test]
fn it_runs_until_ctrl_c_and_a_second_up_disturbs_nothing() {
    let mut running = Running::new();
    assert_eq!(running.address("udp"), running.address("tcp"));
    let before = running.living();
    assert_eq!(before.keys().collect::<Vec<_>>(), ["control", "lca", "routing-a", "routing-b", "sip-a", "sip-b"]);
    let second = running.place.run("up");
    assert_eq!((second.code, second.out.as_str()), (Some(1), ""));
    assert!(second.err.contains("`everline up` runs already in DIR (process "), "{}", second.err);
    assert_eq!(running.living(), before);

    running.signal_up(Signal::SIGINT);
    let (status, remarks) = running.end();
    assert_eq!((status.code(), remarks.as_str()), (Some(0), "Stopping ...\nStopped.\n"));
    assert!(running.living().is_empty());
    assert_eq!(running.place.run("status").code, Some(3));
}

#[test]
fn stop_ends_it_and_up_comes_back() {
    let mut running = Running::new();
    let stop = running.place.run("stop");
    assert_eq!((stop.code, stop.out.as_str()), (Some(0), "stopped\n"));
    let (status, remarks) = running.end();
    assert_eq!((status.code(), remarks.lines().last()), (Some(0), Some("Stopped.")));
    assert!(running.living().is_empty());
    running.up_again();
    assert_eq!(running.living().len(), 6);
}

#[test]
fn a_polite_kill_is_obeyed_as_well() {
    let mut running = Running::new();
    running.signal_up(Signal::SIGTERM);
    assert_eq!(running.end().0.code(), Some(0));
    assert!(running.living().is_empty());
}

#[test]
fn what_up_says_at_last_can_be_typed_as_it_stands() {
    let running = Running::new();
    let last = running.welcome.lines().rev().nth(1).expect("a line above `ready`");
    let command = last.split('`').nth(1).and_then(|command| command.strip_prefix("everline "));
    let typed = running.place.program().env_remove("EVERLINE_DIR").args(command.expect(last).split(' ')).output();
    let typed = typed.expect("the program starts");
    assert_eq!(typed.status.code(), Some(0), "{last}");
    assert!(String::from_utf8_lossy(&typed.stdout).contains("sip-a"), "{last}");
}

#[test]
fn a_terminal_that_closes_ends_nothing() {
    let mut running = Running::new();
    let before = running.living();
    running.signal_up(Signal::SIGHUP);
    running.until("`everline stop` ends it");
    assert_eq!(running.living(), before);
    assert_eq!(running.place.run("stop").code, Some(0));
    assert_eq!(running.end().0.code(), Some(0));
}

#[test]
fn what_an_unreachable_agent_will_be_is_shown() {
    let running = Running::with("[[agent]]\nid = \"ben\"\nextension = \"1002\"\n");
    let reason = |wanted: &'static str| {
        running.ask("agents --json", |agents| {
            let ben = agents["agents"].as_array()?.iter().find(|agent| agent["id"] == "ben")?;
            (ben["state"] == "unreachable" && ben["reason"] == wanted).then_some(())
        });
    };
    let said = running.place.run("agent ben not-ready --reason lunch").out;
    assert_eq!(said, "agent ben is not ready, and 1002 cannot be reached\n");
    reason("not reachable, then not ready: lunch");
    let said = running.place.run("agent ben ready").out;
    assert_eq!(said, "agent ben will be ready when 1002 can be reached\n");
    reason("not reachable, then ready");
}

#[test]
fn without_a_control_server_it_is_stopped_all_the_same() {
    let mut running = Running::new();
    running.signal("control", Signal::SIGSTOP);
    running.signal("lca", Signal::SIGKILL);
    running.signal("control", Signal::SIGKILL);
    assert_eq!(running.place.run("stop").code, Some(0));
    assert_eq!(running.end().0.code(), Some(0));
    assert!(running.living().is_empty());
}

#[test]
fn the_local_control_agent_is_replaced_and_nothing_else_notices() {
    let mut running = Running::new();
    let before = running.living();
    running.signal("lca", Signal::SIGKILL);
    running.until("The local control agent has ended; starting it again.");
    let victim = who(&running, "sip", "primary");
    running.signal(&victim, Signal::SIGKILL);
    running.until(&format!("{victim} is backup now"));
    let after = running.living();
    let changed: Vec<_> = before.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, ["lca", &victim]);
    running.signal_up(Signal::SIGTERM);
    assert_eq!(running.end().0.code(), Some(0));
    assert!(running.living().is_empty());
}

#[test]
fn a_takeover_goes_on_when_the_control_server_that_must_agree_is_killed_with_the_primary() {
    let mut running = Running::new();
    let before = running.living();
    let victim = who(&running, "sip", "primary");
    running.signal("control", Signal::SIGKILL);
    running.signal(&victim, Signal::SIGKILL);
    running.until(&format!("{victim} is backup now"));
    let after = running.living();
    let changed: Vec<_> = before.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, ["control", &victim]);
    running.signal_up(Signal::SIGTERM);
    assert_eq!(running.end().0.code(), Some(0));
}

#[test]
fn an_up_that_was_killed_is_replaced_by_the_next_one_and_nothing_else_notices() {
    let mut running = Running::new();
    let before = running.living();
    running.kill_up();
    running.up_again();
    assert_eq!(running.living(), before);
    let victim = who(&running, "routing", "primary");
    running.signal(&victim, Signal::SIGKILL);
    running.until("is primary now");
    running.signal_up(Signal::SIGINT);
    let (status, remarks) = running.end();
    assert_eq!((status.code(), remarks.lines().last()), (Some(0), Some("Stopped.")));
    assert!(running.living().is_empty());
}

#[test]
fn servers_that_live_without_anybody_are_found_and_kept() {
    let mut running = Running::new();
    let before = running.living();
    running.kill_up();
    running.signal("lca", Signal::SIGKILL);
    running.up_again();
    let after = running.living();
    assert_eq!((before.len(), after.len()), (6, 6));
    let changed: Vec<_> = before.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, ["lca"]);
    running.signal_up(Signal::SIGINT);
    assert_eq!(running.end().0.code(), Some(0));
    assert!(running.living().is_empty());
}

#[test]
fn what_runs_stays_the_program_that_it_is_when_another_one_is_installed() {
    let place = Place::new();
    place.configure("");
    let installed = place.path().join("everline");
    // By another process: from this one the child of another test would inherit the open file, and what is open for writing cannot be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_everline")).arg(&installed).status().expect("started");
    assert!(copied.success());
    let mut first = place.clone();
    first.by = vec![installed.to_str().expect("text").to_owned()];
    let start = first.program();
    let mut running = Running::by(place, start);
    let next = running.place.path().join("next");
    fs::write(&next, "cannot run").expect("written");
    fs::rename(&next, &installed).expect("replaced");

    let comes_back = |running: &mut Running, pair: &str| {
        who(running, pair, "backup");
        let victim = who(running, pair, "primary");
        running.signal(&victim, Signal::SIGKILL);
        running.until(&format!("{victim} is backup now"));
    };
    comes_back(&mut running, "sip");
    running.signal("lca", Signal::SIGKILL);
    running.until("The local control agent has ended; starting it again.");
    comes_back(&mut running, "routing");
    running.kill_up();
    // This one is another file, with the same in it.
    running.up_again();
    running.until("What runs here is another version of everline");
    comes_back(&mut running, "sip");
    for pid in running.living().into_values().chain([running.up.id().cast_signed()]) {
        let file = fs::read_link(format!("/proc/{pid}/exe")).expect("it lives");
        assert_eq!(file.to_str(), Some(format!("{} (deleted)", installed.display()).as_str()));
        assert_eq!(fs::read_to_string(format!("/proc/{pid}/comm")).expect("it lives"), "everline\n");
    }
    running.signal_up(Signal::SIGTERM);
    assert_eq!(running.end().0.code(), Some(0));
}

#[test]
fn after_the_death_of_every_process_it_comes_back_with_what_the_agents_chose() {
    let mut running = Running::new();
    // The Routing Server has heard from the SIP Server who can be reached.
    running.ask("agents --json", |agents| (agents["agents"][0]["state"] == "not-ready").then_some(()));
    let order = running.place.run("agent 1001 not-ready --reason lunch");
    assert_eq!((order.code, order.out.as_str()), (Some(0), "agent anna is not ready\n"), "{}", order.err);
    // Each side writes it down in a thread of its own, so that nobody waits for a disk.
    let journal = |side: &str| fs::read(running.place.path().join(format!("data/{side}.journal"))).expect("read");
    let is_written = |side: &&str| journal(side).windows(5).any(|word| word == b"lunch");
    running.ask("agents --json", |_| ["routing-a", "routing-b"].iter().any(is_written).then_some(()));
    running.kill_up();
    for application in ["lca", "control", "sip-a", "sip-b", "routing-a", "routing-b"] {
        running.signal(application, Signal::SIGKILL);
    }
    running.up_again();
    running.ask("agents --json", |agents| (agents["agents"][0]["reason"] == "lunch").then_some(()));
}

#[test]
fn a_planned_switchover_changes_the_roles_of_one_pair() {
    let running = Running::new();
    let (primary, backup) = (who(&running, "sip", "primary"), who(&running, "sip", "backup"));
    let switched = running.place.run("switchover sip");
    assert_eq!(
        (switched.code, switched.out.as_str()),
        (Some(0), "the backup of sip is primary now\n"),
        "{}",
        switched.err
    );
    assert_eq!(who(&running, "sip", "primary"), backup);
    assert_ne!(primary, backup);
    let unknown = running.place.run("switchover media");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("there is no pair \"media\""), "{}", unknown.err);
}
