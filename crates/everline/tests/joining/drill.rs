//! A drill against a real solution of three hosts, started on one of them: who may, and what becomes of the calls.
//!
//! What is judged is what became of the calls, and never how long anything took.

use std::fs;

use serde_json::{Value, json};

use crate::Test;
use crate::net::{Ended, Net, Running, bare};

pub(crate) const TESTS: &[Test] =
    &[("a real solution of three hosts is drilled from one of them, where its hosts allow it", drilled)];

/// Few calls, so that a busy machine can play them. What strikes the host of the primary may strike the one where the drill runs.
const PLAN: &str = "load 5 calls/s\nkill sip.primary\nkill sip.backup\nfreeze sip.primary 1s\ntake coordinator 1 2s\n\
                    power off h2 3s\npower off @sip.primary 3s\nkill lca@h2 + sip-b@h2\nswitchover sip\ncut h1 h2 1s\n";

/// The last step cannot be made there.
const REFUSED: usize = 8;

/// Three hosts with the people of a drill; the carrier calls from an address of the first one.
fn configuration(net: &Net) -> String {
    let people = net.does(1, "everline drill config --rate 5");
    let (_, people) = people.split_once("\n\n[[extension]]").expect("the section behind [sip]");
    let trunk = people.find("[[trunk]]").expect("a carrier");
    let host = |number| {
        format!("[[host]]\nname = \"h{number}\"\naddresses = [\"10.77.1.{number}\", \"10.77.2.{number}\"]\n\n")
    };
    format!(
        "[sip]\ndomain = \"10.77.0.200\"\nlisten = [\"udp:10.77.0.200:5060\", \"tcp:10.77.0.200:5060\"]\n\n\
         [[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n\n[[network]]\nname = \"b\"\nprefix = \"10.77.2.0/24\"\n\n\
         {}[[address]]\naddress = \"10.77.0.200/24@access\"\n\n[[extension]]{}\
         [[trunk]]\nname = \"carrier\"\naddress = \"10.77.0.91\"\n",
        (1..=3).map(host).collect::<String>(),
        &people[..trunk]
    )
}

/// Runs the plan of the folder, and types that.
fn drill(net: &Net, typed: &str, options: &str) -> Ended {
    net.run(1, &format!("echo {typed} | everline drill run plan --seed 7 --out result.json {options}"))
}

/// Ends a host, and runs it again.
fn restart(net: &Net, host: u8, running: &mut [Running]) {
    net.does(host, "everline stop");
    let place = &mut running[usize::from(host) - 1];
    std::mem::replace(place, net.start(host, "exec everline host run")).ends();
    place.is_ready();
}

/// The result, if no call was lost, no message wrong, nobody overtaken, and no epoch served by two.
fn judged(net: &Net, done: &Ended) -> Value {
    let text = fs::read(net.folder(1).join("result.json"));
    let text = text.unwrap_or_else(|error| panic!("no result: {error}\n{}", done.err));
    let report: Value = serde_json::from_slice(&text).expect("JSON");
    let said = format!("{}\n{}", done.err, done.out);
    assert_eq!(report["place"], "a real solution of 3 hosts");
    assert_eq!(report["ended_early"], Value::Null, "{said}");
    assert_eq!(report["lost"], json!([]), "{said}");
    assert_eq!(report["wrong_sip"]["counts"], json!({}), "{said}\n{}", report["wrong_sip"]);
    assert_eq!(report["overtaken"], json!([]), "{said}");
    // Whether all is level just then depends on how busy the machine is: a primary that gets no processor is taken over.
    for run in report["runs"].as_array().expect("runs").iter().filter(|run| run["ending"] != "not-done") {
        let checks = run["checks"].as_array().expect("checks");
        let one = checks.iter().find(|check| check["name"] == "one primary an epoch");
        assert!(one.is_some_and(|check| check["ok"] == true), "{said}");
    }
    report
}

fn drilled() {
    let net = Net::new("drill", 3);
    net.does(1, "ip address add 10.77.0.91/24 dev access");
    let path = net.folder(1).join("everline.toml");
    let configuration = configuration(&net);
    fs::write(&path, &configuration).expect("written");
    net.does(1, "everline host init");
    let mut running = vec![net.start(1, "exec everline host run")];
    net.until(1, "authority", |row| row["state"] == "started");
    for host in 2..=3 {
        let line = net.does(1, &format!("everline host token h{host}"));
        net.does(host, bare(&line));
        running.push(net.start(host, "exec everline host run"));
    }
    running.iter_mut().for_each(Running::is_ready);

    fs::write(net.folder(1).join("plan"), "load 5 calls/s\npower off h3 1s\n").expect("written");
    let unasked = drill(&net, "everline", "");
    assert!(unasked.err.contains("is no rehearsal") && unasked.err.contains("--real"), "{}", unasked.err);
    let unallowed = drill(&net, "everline", "--real");
    assert_eq!(unallowed.code, Some(2), "{}", unallowed.err);
    assert!(unallowed.err.contains("does not allow drills; nothing was done"), "{}", unallowed.err);

    // It counts on each host from its next start.
    fs::write(&path, format!("{configuration}\n[drill]\nallow = true\n")).expect("written");
    net.does(1, "everline config apply");
    restart(&net, 1, &mut running);
    for typed in ["''", "no", "everlin"] {
        let unconfirmed = drill(&net, typed, "--real");
        assert!(unconfirmed.err.contains("not confirmed; nothing was done"), "{}", unconfirmed.err);
    }
    assert!(!net.folder(1).join("result.json").exists(), "nothing was done");
    let done = drill(&net, "everline", "--real");
    let report = judged(&net, &done);
    let why = report["steps"][0]["not_done"][0].as_str().expect("a reason");
    assert!(why.contains("h3: this host does not allow drills"), "{why}");
    net.until(1, "switchboard", |row| row["host"] == "h3" && row["state"] == "started" && row["run"] == 1);

    restart(&net, 2, &mut running);
    restart(&net, 3, &mut running);
    fs::write(net.folder(1).join("plan"), PLAN).expect("written");
    let done = drill(&net, "everline", "--real");
    let report = judged(&net, &done);
    assert!(report["load"]["done"].as_u64() > Some(100), "hardly any call: {}", report["load"]);
    let steps = report["steps"].as_array().expect("steps");
    let injected: Vec<u64> = steps.iter().map(|step| step["injected"].as_u64().expect("a count")).collect();
    assert_eq!(injected, [1, 1, 1, 1, 1, 1, 1, 1, 0], "{}", done.err);
    let why = steps[REFUSED]["not_done"][0].as_str().expect("a reason");
    assert!(why.starts_with("not possible on a real solution: ") && steps[REFUSED]["covered"] == 0, "{why}");
    let page = fs::read_to_string(net.folder(1).join("result.html")).expect("a page");
    assert!(page.contains("a real solution of 3 hosts"), "{page}");
}
