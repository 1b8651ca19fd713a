//! The torture messages of RFC 4475: each gets an answer that `manifest.csv` allows, from this server as a whole.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use call::{Action, Carrier, Engine, Extension, Input, Listener, ListenerId, Settings, Trunk};
use model::{Epoch, Time};
use redundancy::hot_standby::Engine as _;
use sip::Message;

struct Row {
    file: String,
    /// The answers of a server that does not serve the URI.
    stranger: Vec<String>,
    /// The answers of the registrar of the domain; empty if it is no REGISTER.
    registrar: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sip/tests/rfc4475")
}

fn rows() -> Vec<Row> {
    let manifest = fs::read_to_string(folder().join("manifest.csv")).expect("the manifest");
    let answers = |text: &str| text.split('|').filter(|answer| !answer.is_empty()).map(str::to_owned).collect();
    let rows = manifest.lines().skip(1).map(|line| {
        let field: Vec<&str> = line.splitn(8, ',').collect();
        let [file, _section, _name, _kind, _parse, stranger, registrar, _note] = field[..] else {
            panic!("a short row: {line}")
        };
        Row { file: file.to_owned(), stranger: answers(stranger), registrar: answers(registrar) }
    });
    rows.collect()
}

fn source() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 40_404))
}

/// The server of `domain`; the sender is a trunk, so that nobody asks for a password before a call.
fn settings(domain: &str) -> Settings {
    Settings {
        domain: domain.to_owned(),
        listeners: vec![Listener { carrier: Carrier::Udp, address: SocketAddr::from(([192, 0, 2, 1], 5060)) }],
        trunks: vec![Trunk { name: "torture".to_owned(), address: source().ip(), port: None }],
        secret: [7; 32],
        sha_256: true,
        expiry: call::Expiry { shortest: 30, longest: 7_200 },
        ..Settings::default()
    }
}

/// The status of the only final answer, or `drop`.
fn answer(settings: Settings, bytes: &[u8]) -> String {
    let mut engine = Engine::new(settings);
    engine.begin(Time::ZERO, Epoch(1), 1);
    engine.handle(Time::ZERO, Input::Datagram { listener: ListenerId(0), source: source(), bytes });
    let mut finals = Vec::new();
    for output in engine.outputs().drain(..) {
        let Action::Datagram { to, bytes, .. } = output.action else { continue };
        assert_eq!(to.ip(), source().ip(), "an answer goes back to where the request came from");
        // The answer to a damaged request repeats what is damaged, so only its first line is sure to be readable.
        let line = String::from_utf8_lossy(&bytes);
        let status = line.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).expect("a response, not a request");
        if !status.starts_with('1') {
            finals.push(status.to_owned());
        }
    }
    assert!(finals.len() <= 1, "one final answer: {finals:?}");
    finals.pop().unwrap_or_else(|| "drop".to_owned())
}

fn allows(allowed: &[String], answer: &str) -> bool {
    allowed.iter().any(|allowed| allowed == answer || (allowed == "2xx" && answer.starts_with('2')))
}

#[test]
fn every_message_gets_an_answer_that_the_table_allows() {
    let rows = rows();
    assert_eq!(rows.len(), 50);
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let bytes = fs::read(folder().join(&row.file)).expect("the message");
            let answer = answer(settings("everline.invalid"), &bytes);
            (!allows(&row.stranger, &answer)).then(|| format!("{}: {answer}, not {:?}", row.file, row.stranger))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_registrar_of_the_domain_answers_as_the_table_allows() {
    let mut wrong = Vec::new();
    for row in rows().iter().filter(|row| !row.registrar.is_empty()) {
        let bytes = fs::read(folder().join(&row.file)).expect("the message");
        let known = Message::parse(&bytes).ok().and_then(|message| {
            let uri = message.request_uri()?.as_sip()?.host().to_string();
            let user = message.to().uri().user().map(std::borrow::Cow::into_owned);
            Some((uri, user.unwrap_or_default()))
        });
        let (domain, user) = known.unwrap_or(("example.com".to_owned(), String::new()));
        let unknown = settings(&domain);
        let mut known = unknown.clone();
        known.extensions.insert(user, Extension { password: Some("secret".to_owned()), contact: None });
        for settings in [unknown, known] {
            let answer = answer(settings, &bytes);
            if !allows(&row.registrar, &answer) {
                wrong.push(format!("{}: {answer}, not {:?}", row.file, row.registrar));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
