//! Drills by the built program: on a solution of one host, and on a rehearsal of three.
//!
//! What is judged is what became of the calls, and never how long anything took: the machine may be busy. This is its own test
//! harness: where the machine grants no namespaces the test that needs them is skipped by name and with the reason.

#[expect(dead_code, reason = "the tests of commands need more of it")]
#[path = "../cli/support.rs"]
mod support;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Arguments, Trial};
use network::rehearsal::{Id, Rehearsal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::geteuid;
use serde_json::Value;

use support::{Ended, Place, Running};

/// Few calls, so that a busy machine can play them.
const PLAN: &str = "load 5 calls/s\nkill sip.primary\nswitchover sip\nkill control\nclock h1 +1h\n";

/// The same, and hosts, links, disks and clocks, a member of etcd, and a host that is not there.
const PLAN_OF_HOSTS: &str = "load 5 calls/s\npower off @sip.primary 2s\ncut @sip.primary @sip.backup on a 1s\n\
                             cut off @sip.backup on access 1s\nfill disk @sip.primary 3s\nclock @sip.primary +1h 3s\n\
                             freeze etcd 2s\ncut h1 h9 1s\n";

/// The first of its steps after which nobody may have taken over.
const WITHOUT_TAKEOVER: usize = 3;

fn main() {
    let missing = missing();
    if let Some(missing) = &missing {
        eprintln!("skipped tests: {missing}");
    }
    let plain = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let tests = vec![
        plain("what cannot be drilled is said before anything is done", what_cannot_be_drilled),
        plain("a solution of one host is drilled after a confirmation", one_host),
        plain("a rehearsal is drilled (needs root, namespaces, nftables and etcd)", three_hosts)
            .with_ignored_flag(missing.is_some()),
    ];
    let mut arguments = Arguments::from_args();
    // Each of them is a whole solution and its load.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, tests).exit();
}

/// Whether a program is installed.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// What the test of three hosts lacks on this machine.
fn missing() -> Option<String> {
    if let Some(program) = ["ip", "nft", "etcd"].into_iter().find(|program| !has(program)) {
        return Some(format!("`{program}` is not installed"));
    }
    (!geteuid().is_root()).then(|| "only root may look into the namespaces of a rehearsal from outside".to_owned())
}

fn what_cannot_be_drilled() {
    let place = Place::new();
    let absent = place.run("drill run smoke");
    assert_eq!(absent.code, Some(3), "{}", absent.err);
    assert!(absent.err.contains("nothing is running in the folder DIR"), "{}", absent.err);

    let unknown = place.run("drill run nonsense");
    assert_eq!(unknown.code, Some(2), "{}", unknown.err);
    assert!(unknown.err.contains("usual, smoke, host"), "{}", unknown.err);

    std::fs::write(place.path().join("my.plan"), "repeat 2\nkill sip.primry\n").expect("written");
    let wrong = place.run("drill run my.plan");
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    assert!(wrong.err.contains("my.plan:2:6: `sip.primry` is not understood here"), "{}", wrong.err);

    for (out, said) in [("page.html", "would be the page as well"), (".", "is a folder")] {
        let wrong = place.run(&format!("drill run smoke --out {out}"));
        assert!(wrong.code == Some(2) && wrong.err.contains(said), "{out}: {}", wrong.err);
    }

    let listed = place.run("drill list");
    assert!(listed.out.contains("usual") && listed.out.contains("smoke"), "{}", listed.out);
    for (line, plan) in [("drill list --json", "/plans/2"), ("drill list host --json", "")] {
        let listed: Value = serde_json::from_str(&place.run(line).out).expect("JSON");
        let plan = listed.pointer(plan).expect("a plan");
        assert!(plan["name"] == "host" && plan["faults"].as_u64() > Some(0), "{line}: {listed}");
    }
}

fn one_host() {
    let place = Place::new();
    let configuration = place.run("drill config --rate 5").out;
    // The drill must know where to call, so the system cannot choose a port; one that was free a moment ago will do.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let configuration = configuration.replace(":5060", &format!(":{}", free.port()));
    std::fs::write(place.path().join("everline.toml"), configuration).expect("written");
    let running = Running::up(place.clone());

    let unasked = drill(&place, &[], "");
    assert_eq!(unasked.code, Some(2), "{}", unasked.err);
    assert!(unasked.err.contains("--real"), "{}", unasked.err);
    let unconfirmed = drill(&place, &["--real"], "no\n");
    assert!(unconfirmed.err.contains("not confirmed; nothing was done"), "{}", unconfirmed.err);

    let done = drill(&place, &["--real"], "everline\n");
    let report = judged(&place, &done);
    assert_eq!(steps(&report, "injected"), [1, 1, 1, 0], "{}", done.err);
    let why = report["steps"][3]["not_done"][0].as_str().expect("a reason");
    assert!(why.contains("all processes of the machine go by it"), "{why}");
    assert_eq!(report["runs"][3]["ending"], "not-done");
    assert!(why.starts_with("not possible on a real solution: ") && !done.err.contains("not made"), "{}", done.err);

    let result = place.path().join("result.json");
    let again =
        place.run(&format!("drill report {} --page {}", result.display(), result.with_extension("again").display()));
    assert!(again.out.contains("| kill sip.primary"), "{}", again.out);
    let page = |extension| std::fs::read_to_string(result.with_extension(extension)).expect("a page");
    assert_eq!(page("again"), page("html"));
    interrupted(&place, &running);
}

/// Whoever interrupts a drill leaves no calls behind that would spoil the next one.
fn interrupted(place: &Place, running: &Running) {
    std::fs::write(place.path().join("long"), "load 5 calls/s\nnothing 600s\n").expect("written");
    let child = begins(place, "long", "long.json", &["--real"], "everline\n");
    let talk = |calls: &Value| calls["calls"].as_array().map(|calls| !calls.is_empty());
    running.ask("calls --json", |calls| talk(calls).filter(|talk| *talk));
    let second = ends(begins(place, "long", "second.json", &["--real"], "everline\n"));
    assert!(second.code == Some(1) && second.err.contains("runs already"), "{}", second.err);
    kill(Pid::from_raw(i32::try_from(child.id()).expect("an id")), Signal::SIGINT).expect("there");
    let ended = ends(child);
    assert!(ended.code == Some(1) && ended.err.contains("it was interrupted"), "{}", ended.err);
    running.ask("calls --json", |calls| talk(calls).filter(|talk| !*talk));
}

fn three_hosts() {
    let place = Place::new();
    let configuration = place.run("drill config --rate 5").out;
    std::fs::write(place.path().join("everline.toml"), configuration).expect("written");
    std::fs::write(place.path().join("plan"), PLAN_OF_HOSTS).expect("written");
    let mut program = Command::new("sh");
    let clocks = has("faketime");
    if !clocks {
        eprintln!("no clock is moved: `faketime` is not installed");
    }
    let options = if clocks { "--hosts 3 --disks --clocks" } else { "--hosts 3 --disks" };
    program.args(["-c", &format!("exec \"$0\" \"$@\" {options}"), env!("CARGO_BIN_EXE_everline")]);
    program.env("EVERLINE_DIR", place.path()).current_dir(place.path());
    let mut running = Running::by(place.clone(), program);
    let id = running.welcome.split("everline-").nth(1).and_then(|rest| rest.split('-').next());
    let id: Id = id.expect("the name of the net").parse().expect("a name");

    let asked = place.run("status");
    let done = drill(&place, &[], "");
    // Hosts run on without their `up`, until somebody ends them.
    running.signal_up(Signal::SIGKILL);
    running.end();
    let stopped = place.run("stop");
    let is_left = Rehearsal::find(&id).is_ok();
    // Whatever went wrong, the net goes with the test.
    Rehearsal::tear_down(&id).expect("nothing is left");
    assert!(stopped.out.contains("what a rehearsal had left") && !is_left, "{}{}", stopped.out, stopped.err);
    assert!(asked.out.contains("etcd"), "a host answers: {}{}", asked.out, asked.err);
    let report = judged(&place, &done);
    assert_eq!(steps(&report, "injected"), [1, 1, 1, 1, u64::from(clocks), 1, 0], "{}", done.err);
    let verdict = |said| done.code == Some(1) && done.err.contains(said);
    assert!(verdict("not made: ") || verdict("broken promise"), "{}", done.err);
    assert!(done.out.contains("not done: cut h1 h9 1s: there is no host h9"), "{}", done.out);
    for run in &report["runs"].as_array().expect("runs")[WITHOUT_TAKEOVER..] {
        let kept = run["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "no takeover");
        assert!(run["ending"] == "not-done" || kept.is_some_and(|check| check["ok"] == true), "{run}");
    }
    // What lay on the disks of the hosts lies where it always does.
    let log = std::fs::read_to_string(place.path().join("hosts/h1/log/sip-a.log")).expect("a log");
    assert!(log.contains("serves as primary"), "{log}");
}

/// Runs the plan of the folder, else the one for one host; types `typed`.
fn drill(place: &Place, options: &[&str], typed: &str) -> Ended {
    let plan = place.path().join("plan");
    if !Path::new(&plan).exists() {
        std::fs::write(&plan, PLAN).expect("written");
    }
    ends(begins(place, "plan", "result.json", options, typed))
}

fn begins(place: &Place, plan: &str, out: &str, options: &[&str], typed: &str) -> Child {
    let mut command = place.program();
    command.args(["drill", "run", plan, "--seed", "7", "--out", out]).args(options);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // It may have ended before it has read anything.
    let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
    child
}

fn ends(child: Child) -> Ended {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The result, if no call was lost, no message wrong and nobody overtaken.
fn judged(place: &Place, done: &Ended) -> Value {
    let text = std::fs::read(place.path().join("result.json"));
    let text = text.unwrap_or_else(|error| panic!("no result: {error}\n{}", done.err));
    let report: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(report["schema"], "everline-drill-1");
    assert_eq!(report["ended_early"], Value::Null, "{}", done.err);
    assert!(report["load"]["done"].as_u64() > Some(20), "hardly any call: {}", report["load"]);
    assert_eq!(report["lost"], serde_json::json!([]), "{}", done.out);
    assert_eq!(report["wrong_sip"]["counts"], serde_json::json!({}), "{}\n{}", done.err, report["wrong_sip"]);
    assert_eq!(report["overtaken"], serde_json::json!([]), "{}", done.out);
    report
}

fn steps(report: &Value, field: &str) -> Vec<u64> {
    let steps = report["steps"].as_array().expect("steps");
    steps.iter().map(|step| step[field].as_u64().expect("a count")).collect()
}
