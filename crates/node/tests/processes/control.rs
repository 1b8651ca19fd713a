//! The control server: its interface over HTTP, and the coordinator in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use model::{Epoch, Incarnation};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use node::client::Event;
use node::control_server::{self, ControlSettings, Pair};
use node::coordinator::{Coordinator, EmbeddedCoordinator};
use node::folder::Folder;
use redundancy::coordinator::{PairEntry, Reply, Request};
use serde_json::{Value, json};

use crate::server::{CALLS, FATAL_AGENT, lead};
use crate::site::Site;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("control::status_lists_every_application", status_lists_every_application),
    ("control::status_needs_no_local_control_agent", status_needs_no_local_control_agent),
    ("control::health_says_whether_every_pair_serves", health_says_whether_every_pair_serves),
    ("control::listings_come_whole", listings_come_whole),
    ("control::an_order_is_carried_out_or_refused_with_a_reason", an_order_is_carried_out_or_refused_with_a_reason),
    ("control::an_order_outlives_the_server_that_had_it", an_order_outlives_the_server_that_had_it),
    (
        "control::a_switchover_is_answered_when_the_other_side_serves",
        a_switchover_is_answered_when_the_other_side_serves,
    ),
    ("control::wrong_requests_are_told_what_is_wrong", wrong_requests_are_told_what_is_wrong),
    ("control::everything_ends_on_request", everything_ends_on_request),
    ("control::what_the_coordinator_has_done_survives_its_death", what_the_coordinator_has_done_survives_its_death),
];

/// The process of the control server.
pub(crate) fn run(dir: &str, run: &str) {
    let pair = |name: &str, members: &[&str]| Pair {
        name: name.into(),
        members: members.iter().map(|member| (*member).into()).collect(),
    };
    let settings = ControlSettings {
        folder: Folder::new(dir),
        me: Incarnation::new("control", run.parse().unwrap()),
        solution: "test".into(),
        host: "h1".into(),
        others: Vec::new(),
        probed: Vec::new(),
        probe_call: Duration::from_secs(1),
        secret: [0; 32],
        addresses: Vec::new(),
        sip: pair("sip", &["sip-a", "sip-b"]),
        routing: pair("routing", &["routing-a"]),
        etcd: None,
        places: BTreeMap::new(),
        moved: BTreeMap::new(),
        fence: None,
        version: None,
    };
    if control_server::run(settings).is_err() {
        std::process::exit(1);
    }
}

/// A site in which `sip-a` and `routing-a` are primary.
fn serving() -> Site {
    let site = Site::running();
    lead(&site.folder, "sip", "sip-a", 7);
    lead(&site.folder, "routing", "routing-a", 1);
    site
}

/// Status and body of the answer to one request.
fn http(site: &Site, head: &str, body: &str) -> (u16, Value) {
    let mut stream = UnixStream::connect(site.folder.socket("control")).unwrap();
    let length = body.len();
    let request =
        format!("{head} HTTP/1.1\r\nHost: everline\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn get(site: &Site, path: &str) -> (u16, Value) {
    http(site, &format!("GET {path}"), "")
}

fn post(site: &Site, path: &str, body: &str) -> (u16, Value) {
    http(site, &format!("POST {path}"), body)
}

fn status_lists_every_application() {
    let mut site = serving();
    let (status, mut body) = get(&site, "/v1/status");
    assert_eq!(status, 200);
    for (row, name) in body["applications"].as_array_mut().unwrap().iter_mut().zip(crate::site::NAMES) {
        assert_eq!(row["pid"].take(), json!(site.row(name).pid), "{name}");
    }
    assert_eq!(body["applications"][4]["pid"].take(), json!(site.lca.id()));
    let plain = |name: &str, run: Value| {
        json!({"name": name, "pair": null, "role": null, "state": "started", "pid": null, "host": "h1", "run": run,
               "epoch": null, "ready": true, "level": null, "lag": null, "records": null, "state_hash": null, "hold": null,
               "note": null, "trouble": null})
    };
    let server = |name: &str, pair: &str, role: &str, epoch: u64| {
        json!({"name": name, "pair": pair, "role": role, "state": "started", "pid": null, "host": "h1", "run": 1,
               "epoch": epoch, "ready": true, "level": true, "lag": 0, "records": 123, "state_hash": "0000000000000abc", "hold": null,
               "note": null, "trouble": null})
    };
    let expected = json!({"solution": "test", "applications": [
        plain("control", json!(1)),
        server("sip-a", "sip", "primary", 7),
        server("sip-b", "sip", "backup", 7),
        server("routing-a", "routing", "primary", 1),
        plain("lca", Value::Null),
    ], "detections": []});
    assert_eq!(body, expected);
}

fn status_needs_no_local_control_agent() {
    let mut site = serving();
    let pid = site.row("sip-b").pid;
    site.kill_lca();
    let (_, body) = get(&site, "/v1/status");
    let row =
        |name: &str| body["applications"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!((&row("lca")["state"], &row("lca")["ready"]), (&json!("failed"), &json!(false)));
    assert_eq!((&row("sip-b")["role"], &row("sip-b")["pid"]), (&json!("backup"), &json!(pid)));
    let (status, body) = post(&site, "/v1/stop", "");
    assert_eq!(status, 503);
    assert!(body["error"]["what"].as_str().unwrap().contains("the local control agent"), "{body}");
}

fn health_says_whether_every_pair_serves() {
    let site = Site::running();
    lead(&site.folder, "routing", "routing-a", 1);
    let (status, body) = get(&site, "/v1/health");
    let alone = json!({"name": "routing", "primary": "routing-a", "level": false});
    let expected = json!({"healthy": false, "pairs": [{"name": "sip", "primary": null, "level": false}, alone]});
    assert_eq!((status, body), (503, expected));
    lead(&site.folder, "sip", "sip-b", 2);
    let expected = json!({"healthy": true, "pairs": [{"name": "sip", "primary": "sip-b", "level": true}, alone]});
    assert_eq!(get(&site, "/v1/health"), (200, expected));
}

fn listings_come_whole() {
    let site = serving();
    let (status, body) = get(&site, "/v1/calls");
    let calls = body["calls"].as_array().unwrap();
    assert_eq!((status, calls.len() as u64), (200, CALLS));
    let first = json!({"id": "call-0", "state": "ringing", "from": "1002", "to": "9000", "queue": "9000",
                       "agent": "anna", "since": "2026-11-24T09:00:00Z"});
    assert_eq!(calls[0], first);
    let all: std::collections::BTreeSet<_> = calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
    assert_eq!(all.len() as u64, CALLS);
    let anna = json!({"id": "anna", "extension": "1001", "state": "not-ready", "reason": "lunch",
                      "since": "2026-11-24T09:00:00Z"});
    assert_eq!(get(&site, "/v1/agents"), (200, json!({"agents": [anna]})));
}

/// What the servers have been ordered.
fn orders(site: &Site) -> Vec<String> {
    let files = fs::read_dir(site.folder.path()).unwrap().map(|file| file.unwrap().path());
    let orders = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("order-"));
    orders.map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn an_order_is_carried_out_or_refused_with_a_reason() {
    let site = serving();
    assert_eq!(post(&site, "/v1/agents/anna/not-ready", r#"{"reason": "lunch"}"#), (200, json!({})));
    assert_eq!(orders(&site), ["anna false lunch"]);
    let error = json!({"error": {"what": "there is no agent nobody", "do": "`everline agents` lists all"}});
    assert_eq!(post(&site, "/v1/agents/nobody/ready", ""), (409, error));
    for _ in 0..2 {
        assert_eq!(post(&site, "/v1/agents/ben/ready", r#"{"request_id": "mine"}"#), (200, json!({})));
    }
    assert_eq!(orders(&site).len(), 2, "of the same name once");
}

fn an_order_outlives_the_server_that_had_it() {
    let site = serving();
    assert_eq!(post(&site, &format!("/v1/agents/{FATAL_AGENT}/ready"), ""), (200, json!({})));
    assert_eq!(orders(&site), [format!("{FATAL_AGENT} true ")], "repeated under its own name");
}

fn a_switchover_is_answered_when_the_other_side_serves() {
    let site = serving();
    assert_eq!(post(&site, "/v1/pairs/sip/switchover", ""), (200, json!({})));
    let (_, body) = get(&site, "/v1/status");
    assert_eq!((&body["applications"][2]["role"], &body["applications"][2]["epoch"]), (&json!("primary"), &json!(8)));
    assert_eq!(post(&site, "/v1/pairs/sip/switchover", ""), (200, json!({})));
    let (_, body) = get(&site, "/v1/status");
    assert_eq!(body["applications"][1]["role"], json!("primary"));
    let error = json!({"error": {"what": "no switchover: there is no backup", "do": "start one"}});
    assert_eq!(post(&site, "/v1/pairs/routing/switchover", ""), (409, error));
}

fn wrong_requests_are_told_what_is_wrong() {
    let site = serving();
    let cases = [
        ("GET /v1/nothing", "", 404, "there is nothing at /v1/nothing"),
        ("DELETE /v1/calls", "", 405, "this path does not take this method"),
        ("POST /v1/pairs/media/switchover", "", 404, "there is no pair \"media\""),
        ("POST /v1/agents/anna/ready", "{", 400, "the body is not as expected"),
        ("POST /v1/agents/anna/ready", r#"{"raison": "x"}"#, 400, "unknown field `raison`"),
        ("POST /v1/agents/anna/ready", &"x".repeat(100_000), 413, "length limit exceeded"),
    ];
    for (head, body, expected, what) in cases {
        let (status, answer) = http(&site, head, body);
        let said = answer["error"]["what"].as_str().unwrap();
        assert!(status == expected && said.contains(what), "{head}: {status} {answer}");
        assert!(!answer["error"]["do"].as_str().unwrap().is_empty());
    }
}

fn everything_ends_on_request() {
    let mut site = serving();
    assert_eq!(post(&site, "/v1/stop", ""), (202, json!({})));
    assert!(site.lca.wait().unwrap().success());
}

fn what_the_coordinator_has_done_survives_its_death() {
    let mut site = Site::running();
    let mut member = EmbeddedCoordinator::new(site.folder.socket("coordinator"), "sip").unwrap();
    assert_eq!(event(&mut member), Event::Connected);
    assert!(member.send(Request::Watch));
    assert_eq!(event(&mut member), Event::Message(Reply::Entry(None)));
    let primary = Incarnation::new("sip-a", 1);
    let mut expected = None;
    for epoch in 1..=20 {
        let new = PairEntry { epoch: Epoch(epoch), in_sync: vec![primary.clone()], primary: primary.clone() };
        assert!(member.send(Request::CompareAndSwap { expected, new }));
        let Event::Message(Reply::Swapped { done: true, now: Some(now) }) = event(&mut member) else { panic!("done") };
        expected = Some(now.revision);
        assert_eq!(event(&mut member), Event::Message(Reply::Entry(Some(now.clone()))));
        site.signal("control", Signal::SIGKILL);
        // The dying process may still take a connection on.
        let answer = loop {
            match event(&mut member) {
                Event::Disconnected => {}
                Event::Connected => drop(member.send(Request::Watch)),
                Event::Message(answer) => break answer,
            }
        };
        assert_eq!(answer, Reply::Entry(Some(now)));
        site.await_run("control", epoch + 1);
    }
}

fn event(member: &mut EmbeddedCoordinator) -> Event<Reply> {
    loop {
        if let Some(event) = member.poll() {
            return event;
        }
        poll(&mut [PollFd::new(member.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
    }
}
