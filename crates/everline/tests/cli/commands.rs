//! The commands as a person types them, against a control server that says what the test wants.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use insta::assert_snapshot;

use crate::stub::Answer;
use crate::support::Place;

const STATUS: &str = r#"{"solution":"demo","applications":[
 {"name":"control","pair":null,"role":null,"state":"started","pid":4709,"host":"h1","epoch":null,"ready":true,"lag":null,"records":null,"state_hash":null},
 {"name":"sip-a","pair":"sip","role":"primary","state":"started","pid":4711,"host":"h1","epoch":7,"ready":true,"lag":0,"records":123,"state_hash":"00c0ffee"},
 {"name":"sip-b","pair":"sip","role":null,"state":"starting","pid":null,"host":"h1","epoch":7,"ready":false,"lag":12,"records":111,"state_hash":"0badcafe","note":null,"trouble":{"what":"sip-b does not run: it has ended","do":"it is started again"},"new_field":[1]}]}"#;

const AGENTS: &str = r#"{"agents":[
 {"id":"anna","extension":"1001","state":"ready","reason":null,"since":"1970-01-01T00:00:00Z"},
 {"id":"1001","extension":"1002","state":"not-ready","reason":"lunch","since":"1970-01-01T00:00:00Z"},
 {"id":"ben","extension":"1003","state":"unreachable","reason":"not reachable, then ready","since":"1970-01-01T00:00:00Z"},
 {"id":"carla","extension":"1004","state":"busy","reason":null,"since":"1970-01-01T00:00:00Z"},
 {"id":"dora","extension":"1005","state":"ringing","reason":null,"since":"1970-01-01T00:00:00Z"}]}"#;

const CALLS: &str = r#"{"calls":[{"id":"7-1","state":"ringing","from":"1002","to":"9000","queue":"9000","agent":"anna","since":"2999-01-01T00:00:00Z"},
 {"id":"7-2","state":"trying","from":"1002","to":"1001","queue":null,"agent":null,"since":"2999-01-01T00:00:00Z"}]}"#;

const REFUSAL: &str =
    r#"{"error":{"what":"the backup of sip is not level: 12 checkpoints behind","do":"wait until it is ready"}}"#;

/// A control server that knows the three listings and refuses everything else.
fn usual(request: &str) -> Answer {
    Some(match request {
        "GET /v1/status" => (200, STATUS.into()),
        "GET /v1/agents" => (200, AGENTS.into()),
        "GET /v1/calls" => (200, CALLS.into()),
        _ => (409, REFUSAL.into()),
    })
}

/// The same without the ages of 1970, which grow.
fn without_age(text: &str) -> String {
    text.lines()
        .map(|line| line.rsplit_once("  ").map_or(line, |(line, _)| line.trim_end()))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn tables_are_for_people_and_have_no_colours_in_a_pipe() {
    let place = Place::new();
    place.serve(usual);
    let status = place.run("status");
    assert_eq!((status.code, status.err.as_str()), (Some(0), ""));
    assert_snapshot!(status.out);
    assert_snapshot!(place.run("calls").out);
    assert_snapshot!(without_age(&place.run("agents").out));
}

#[test]
fn json_is_the_control_servers_own() {
    let place = Place::new();
    place.serve(usual);
    for (command, body) in [("status", STATUS), ("agents", AGENTS), ("calls", CALLS)] {
        let ended = place.run(&format!("{command} --json"));
        assert_eq!((ended.code, ended.out), (Some(0), format!("{body}\n")));
    }
}

#[test]
fn an_empty_listing_says_so() {
    let place = Place::new();
    place.serve(|_| Some((200, r#"{"calls":[]}"#.into())));
    assert_eq!(place.run("calls").out, "no calls\n");
}

#[test]
fn nothing_running_is_exit_code_3_everywhere() {
    let place = Place::new();
    for command in ["status", "calls --json", "agents", "agent anna ready", "switchover sip", "stop"] {
        let ended = place.run(command);
        assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{command}");
        assert!(ended.err.starts_with("error: nothing is running in the folder DIR"), "{}", ended.err);
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_understood() {
    let place = Place::new();
    for (command, said) in
        [("staus", "status"), ("status --jsn", "--json"), ("agent anna redy", "ready"), ("", "Usage:")]
    {
        let ended = place.run(command);
        assert_eq!(ended.code, Some(2), "{command}");
        assert!(ended.err.contains(said), "{}", ended.err);
    }
}

#[test]
fn an_agent_is_found_by_id_first_and_by_extension() {
    let place = Place::new();
    let asked =
        place.serve(|request| if request.starts_with("GET") { usual(request) } else { Some((200, "{}".into())) });
    assert_eq!(place.run("agent anna ready").out, "agent anna is ready\n");
    assert_eq!(place.run("agent 1001 not-ready --reason lunch").out, "agent 1001 is not ready\n");
    assert_eq!(place.run("agent 1002 not-ready").out, "agent 1001 is not ready\n");
    let asked = asked.lock().expect("the server lives");
    let orders = asked.iter().filter_map(|request| request.strip_prefix("POST /v1/agents/"));
    let orders: Vec<_> = orders.map(|order| order.split_once(' ').expect("a body")).collect();
    let named = |body: &str| {
        let mut body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let name = body.as_object_mut().and_then(|body| body.remove("request_id")).expect("a name");
        (name.to_string(), body.to_string())
    };
    let (paths, bodies): (Vec<&str>, Vec<_>) = orders.iter().map(|(path, body)| (*path, named(body))).unzip();
    assert_eq!(paths, ["anna/ready", "1001/not-ready", "1001/not-ready"]);
    let (names, bodies): (BTreeSet<String>, Vec<String>) = bodies.into_iter().unzip();
    assert_eq!(names.len(), 3, "each order has a name of its own");
    assert_eq!(bodies, ["{}", r#"{"reason":"lunch"}"#, r#"{"reason":null}"#]);
}

#[test]
fn what_became_of_an_order_to_an_agent_is_said_as_it_is() {
    let place = Place::new();
    place.serve(|request| if request.starts_with("GET") { usual(request) } else { Some((200, "{}".into())) });
    for (order, said) in [
        ("ben ready", "agent ben will be ready when 1003 can be reached"),
        ("ben not-ready", "agent ben is not ready, and 1003 cannot be reached"),
        ("carla ready", "agent carla will be ready when the call at 1004 has ended"),
        ("carla not-ready", "agent carla will be not ready when the call at 1004 has ended"),
        ("dora ready", "agent dora will be ready when the call at 1005 has ended"),
        ("1001 ready", "agent 1001 was put ready, and is not-ready again already"),
        ("anna not-ready", "agent anna was put not ready, and is ready again already"),
    ] {
        assert_eq!(place.run(&format!("agent {order}")).out, format!("{said}\n"));
    }
}

#[test]
fn an_order_to_an_agent_that_makes_no_sense_is_not_given() {
    let place = Place::new();
    let asked = place.serve(usual);
    for (words, said) in [
        (&["agent", "anna", "lunch"][..], "possible values: ready, not-ready"),
        (&["agent", "anna", "ready", "--reason", "x"], "--reason goes with not-ready"),
        (&["agent", "anna", "not-ready", "--reason", ""], "--reason"),
        (&["agent", "anna", "not-ready", "--reason", " "], "--reason"),
    ] {
        let output = place.program().args(words).output().expect("the program starts");
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains(said) && !told.contains("--version"), "{told}");
    }
    assert!(asked.lock().expect("the server lives").iter().all(|request| request.starts_with("GET")));
}

#[test]
fn what_only_the_program_itself_types_is_listed_nowhere() {
    let place = Place::new();
    for line in ["", "--help", "help", "help run", "run", "rn"] {
        let ended = place.run(line);
        assert!(!(ended.out + &ended.err).contains("run-number"), "{line}");
    }
    let told = place.run("").err;
    assert!(told.contains("status") && !told.contains("run"), "{told}");
    assert_eq!(place.run("help run").code, Some(2));
}

#[test]
fn a_folder_without_a_name_is_told_how_it_is_named() {
    let place = Place::new();
    for command in [&mut place.program().env("EVERLINE_DIR", ""), &mut place.program().args(["--dir", ""])] {
        let output = command.arg("status").output().expect("the program starts");
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("EVERLINE_DIR") && told.contains("--dir"), "{told}");
    }
}

/// Makes the first of two hosts.
const INIT: &str = "host init --host h1=10.77.1.1/24,10.77.2.1/24 --host h2=10.77.1.2/24,10.77.2.2/24";

#[test]
fn the_line_that_lets_a_host_join_names_the_folder() {
    let place = Place::new();
    let made = place.run(INIT);
    assert_eq!(made.code, Some(0), "{}", made.err);
    for said in [made, place.run("host token h2")] {
        let line = said.out.lines().find(|line| line.contains("everline host join 10.77.1.1 "));
        assert!(line.is_some_and(|line| line.ends_with(" --dir DIR")), "{}{}", said.out, said.err);
    }
}

#[test]
fn a_first_host_that_was_broken_off_is_made_when_it_is_asked_for_again() {
    let place = Place::new();
    let made = place.run(INIT);
    assert_eq!(made.code, Some(0), "{}", made.err);
    // That this machine is a host is written last, so a full disk leaves everything but that.
    let identity = place.path().join("data/identity.json");
    for again in [INIT, "host init"] {
        std::fs::remove_file(&identity).expect("there");
        let ended = place.run(again);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert_eq!(ended.out.lines().next(), made.out.lines().next(), "its authority is the same one");
    }
    std::fs::remove_file(&identity).expect("there");
    let path = place.path().join("everline.toml");
    let text = std::fs::read_to_string(&path).expect("there");
    std::fs::write(&path, text.replace("name = \"everline\"", "name = \"other\"")).expect("written");
    let told = place.run("host init").err;
    assert!(told.contains("is the authority of everline, and the configuration is that of other"), "{told}");
    let told = place.run(INIT).err;
    assert!(told.contains("everline.toml exists, and is never overwritten"), "{told}");
}

#[test]
fn a_file_is_no_folder() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").expect("written");
    for command in ["up", "status", "stop", "config check"] {
        let ended = place.run(&format!("{command} --dir file"));
        assert_eq!(ended.code, Some(2), "{command}: {}", ended.err);
        assert!(ended.err.starts_with("error: DIR/file is not a folder\n"), "{}", ended.err);
    }
    let below = place.run("up --dir file/below");
    assert!(below.err.contains("name another one with --dir"), "{}", below.err);
}

#[test]
fn what_is_no_file_is_no_configuration_however_much_could_be_read_of_it() {
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/zero", place.path().join("everline.toml")).expect("a link");
    let checked = place.run("config check");
    assert_eq!(checked.code, Some(2), "{}", checked.err);
    assert!(checked.err.contains("everline.toml is no file with a text"), "{}", checked.err);
}

#[test]
fn one_of_a_kind_is_not_many() {
    let place = Place::new();
    place.configure("");
    let said = place.run("config check").out;
    assert_eq!(said, "DIR/everline.toml is right: 2 extensions, 1 agent, 1 queue, 0 trunks\n");
}

#[test]
fn a_server_that_keeps_silent_is_not_called_the_control_server() {
    let place = Place::new();
    let (told, heard) = std::sync::mpsc::channel::<()>();
    place.serve(move |request| {
        // The answer comes when the command has said what it waits for.
        heard.recv().expect("the test goes on");
        usual(request)
    });
    let mut command = place.program();
    let command = command.arg("agents").stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("started");
    let mut remark = String::new();
    BufReader::new(child.stderr.take().expect("heard")).read_line(&mut remark).expect("text");
    assert_eq!(remark, "Waiting for an answer of the servers ...\n");
    told.send(()).expect("the stub waits");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
}

#[test]
fn an_agent_that_nobody_knows_is_suggested_another() {
    let place = Place::new();
    place.serve(usual);
    let ended = place.run("agent ana ready");
    assert_eq!(ended.code, Some(1));
    assert_snapshot!(ended.err);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_exit_code_1() {
    let place = Place::new();
    let asked = place.serve(usual);
    let ended = place.run("switchover sip");
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert_snapshot!(ended.err);
    assert_eq!(asked.lock().expect("the server lives").as_slice(), ["POST /v1/pairs/sip/switchover {}"]);
    assert_eq!(place.run("switchover a/b").code, Some(1));
}

#[test]
fn an_answer_of_another_version_is_not_misread() {
    let place = Place::new();
    place.serve(|_| Some((200, r#"{"calls":"many"}"#.into())));
    let ended = place.run("calls");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("is not understood"), "{}", ended.err);
}

#[test]
fn what_may_be_asked_for_twice_is_asked_for_again_if_the_control_server_dies_over_it() {
    let place = Place::new();
    let count = AtomicU32::new(0);
    let asked = place.serve(move |request| match (request, count.fetch_add(1, Ordering::Relaxed)) {
        (_, 0 | 2) => None,
        ("GET /v1/agents", _) => usual(request),
        _ => Some((200, "{}".into())),
    });
    assert_eq!(place.run("agent anna ready").code, Some(0));
    let asked = asked.lock().expect("the server lives");
    assert_eq!(asked[..2], ["GET /v1/agents"; 2]);
    assert_eq!((asked.len(), &asked[2]), (5, &asked[3]), "the same order under the same name");
    assert_eq!(asked[4], "GET /v1/agents", "what became of it");
}

#[test]
fn what_may_have_been_done_is_not_asked_for_again() {
    let place = Place::new();
    let asked = place.serve(|_| None);
    let ended = place.run("switchover sip");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("whether it was done is not known"), "{}", ended.err);
    assert_eq!(asked.lock().expect("the server lives").len(), 1);
}

#[test]
fn completions_and_manual_pages_name_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = place.run(&format!("completions {shell}"));
        assert!(ended.code == Some(0) && ended.out.contains("switchover"), "{shell}");
        assert!(!ended.out.contains("run-number"), "hidden: {shell}");
    }
    assert!(place.run("man").out.contains("everline\\-switchover"));
    let agent = place.run("man agent").out;
    let head = concat!(".TH everline-agent 1  \"everline ", env!("CARGO_PKG_VERSION"), "\"");
    assert!(agent.contains(head) && agent.contains("REASON"), "{agent}");
    assert_eq!(place.run("man nothing").code, Some(2));
}

#[test]
fn every_help_shows_an_example() {
    let place = Place::new();
    for command in [
        "",
        "up",
        "status",
        "calls",
        "agents",
        "agent",
        "agent x ready",
        "agent x not-ready",
        "switchover",
        "promote",
        "stop",
        "host",
        "host run",
        "host init",
        "host token",
        "host join",
        "host remove",
        "host list",
        "host unit",
        "host fail",
        "host repair",
        "link",
        "link cut",
        "link delay",
        "link loss",
        "link black-hole",
        "link repair",
        "link list",
        "config",
        "config check",
        "config apply",
        "config show",
        "drill",
        "drill run",
        "drill list",
        "drill report",
        "drill config",
        "completions",
        "man",
    ] {
        let help = place.run(&format!("{command} --help"));
        assert!(help.code == Some(0) && help.out.contains("\n  everline "), "{command}: {}", help.out);
    }
}
