//! The torture messages of RFC 4475 against `manifest.csv`: what is accepted, what is refused, and how.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use sip::{Fault, HeaderName, Message};

struct Row {
    file: String,
    kind: String,
    parse: String,
    answers: Vec<String>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475")
}

fn rows() -> Vec<Row> {
    let manifest = fs::read_to_string(folder().join("manifest.csv")).expect("the manifest lies beside the messages");
    let rows = manifest.lines().skip(1).map(|line| {
        let field: Vec<&str> = line.splitn(7, ',').collect();
        let [file, _section, _name, kind, parse, answers, ..] = field[..] else { panic!("short row: {line}") };
        let answers = answers.split('|').map(str::to_owned).collect();
        Row { file: file.to_owned(), kind: kind.to_owned(), parse: parse.to_owned(), answers }
    });
    rows.collect()
}

fn load(file: &str) -> Vec<u8> {
    fs::read(folder().join(file)).expect("every message of the manifest lies beside it")
}

fn source() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 40_404))
}

/// Reads every header that has a grammar of its own, as a user agent might.
fn read_whole(message: &Message<'_>) -> Result<(), Fault> {
    for name in [HeaderName::Contact, HeaderName::Route, HeaderName::RecordRoute, HeaderName::Path] {
        message.addresses(name).try_for_each(|address| address.map(|_| ()))?;
    }
    message.expires()?;
    message.rack()?;
    message.seconds(HeaderName::RSeq)?;
    Ok(())
}

/// The status of the refusal, `drop`, or `accept`.
fn outcome(bytes: &[u8]) -> String {
    match Message::parse(bytes) {
        Ok(message) => match read_whole(&message) {
            Ok(()) => "accept".to_owned(),
            Err(fault) => fault.status().to_string(),
        },
        Err(refusal) => refusal.status().map_or("drop".to_owned(), |status| status.to_string()),
    }
}

#[test]
fn every_message_is_accepted_or_refused_as_the_manifest_says() {
    let rows = rows();
    assert_eq!(rows.len(), 50, "49 messages, one of them in two sizes");
    for Row { file, kind, parse, answers } in rows {
        let outcome = outcome(&load(&file));
        let allowed = answers.contains(&outcome);
        match parse.as_str() {
            "accept" => assert_eq!(outcome, "accept", "{file} ({kind})"),
            "reject" => assert!(allowed, "{file} ({kind}): {outcome} is none of {answers:?}"),
            "either" => assert!(allowed || outcome == "accept", "{file} ({kind}): {outcome} is none of {answers:?}"),
            other => panic!("{file}: the manifest says {other:?}"),
        }
    }
}

#[test]
fn every_refusal_is_itself_a_message_that_goes_where_the_request_wants_it() {
    let mut answered = 0;
    for Row { file, kind, .. } in rows() {
        let bytes = load(&file);
        let Err(refusal) = Message::parse(&bytes) else { continue };
        let mut answer = Vec::new();
        let Some(destination) = refusal.answer(source(), "tag-of-ours", &mut answer) else {
            assert!(answer.is_empty() && refusal.status().is_none(), "{file}: dropped, so nothing is written");
            continue;
        };
        answered += 1;
        assert_eq!(destination.ip(), source().ip(), "{file}");
        if file == "insuf.dat" {
            continue; // Its answer lacks From, To and Call-ID, as the request does.
        }
        if file == "scalar02.dat" || file == "mismatch01.dat" || kind == "malformed" || kind == "invalid" {
            let text = String::from_utf8_lossy(&answer);
            assert!(text.starts_with(&format!("SIP/2.0 {} ", refusal.status().expect("answered"))), "{file}: {text}");
            assert!(text.contains("\r\nVia: SIP"), "{file}: {text}");
            assert!(text.contains("\r\nCall-ID: "), "{file}: {text}");
            assert!(text.ends_with("\r\nContent-Length: 0\r\n\r\n"), "{file}: {text}");
        }
    }
    assert!(answered >= 10, "only {answered} of the refused messages were answered");
}

#[test]
fn a_damaged_via_still_says_where_the_answer_goes() {
    // RFC 4475 3.1.2.1: `Via: SIP/2.0/UDP 192.0.2.15;;,;,,`
    let bytes = load("badinv01.dat");
    let refusal = Message::parse(&bytes).expect_err("RFC 4475 3.1.2.1 demands a 400");
    let mut answer = Vec::new();
    assert_eq!(refusal.answer(source(), "t", &mut answer), Some(SocketAddr::from(([198, 51, 100, 9], 5060))));
    let answer = String::from_utf8(answer).expect("the answer is text");
    assert!(answer.contains("\r\nVia: SIP/2.0/UDP 192.0.2.15;received=198.51.100.9\r\n"), "{answer}");
    assert!(answer.contains("\r\nTo: sip:j.user@example.com;tag=t\r\n"), "{answer}");
}

#[test]
fn folds_and_odd_spacing_do_not_hide_anything() {
    // RFC 4475 3.1.1.1
    let bytes = load("wsinv.dat");
    let message = Message::parse(&bytes).expect("well formed");
    assert_eq!(message.to().tag(), Some("1918181833n"));
    assert_eq!(message.from().tag(), Some("98asjd8"));
    assert_eq!(message.from().display_name().as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(message.max_forwards(), Some(68));
    assert_eq!(message.cseq().number, 9);
    assert_eq!(message.vias().count(), 3);
    assert_eq!(
        message.vias().filter_map(|via| via.unique_branch()).collect::<Vec<_>>(),
        ["z9hG4bK9ikj8", "z9hG4bK30239"]
    );
    assert_eq!(message.value(HeaderName::Subject), Some(&b""[..]));
    assert_eq!(message.body().len(), 150);
    let contact = message.contact().expect("well formed").expect("there");
    assert_eq!(contact.display_name().as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.q(), 330);
    assert_eq!(contact.params().get("newparam"), Some("newvalue"));
}

#[test]
fn rare_characters_stay_what_they_are() {
    // RFC 4475 3.1.1.2
    let bytes = load("intmeth.dat");
    let message = Message::parse(&bytes).expect("well formed");
    assert_eq!(message.method().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(message.to().display_name().as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    assert_eq!(message.from().tag(), Some("_token~1'+`*%!-."));
    assert_eq!(message.from().raw_display(), b"token1~` token2'+_ token3*%!.-");
    assert_eq!(message.value(HeaderName::Other("EXTENSIONHEADER-!.%*+_`'~")).map(<[u8]>::len), Some(12));
}

#[test]
fn escapes_are_decoded_once_and_only_in_uris() {
    let user = |bytes: &[u8]| {
        let message = Message::parse(bytes).expect("well formed");
        message.request_uri().and_then(sip::Uri::user).map(std::borrow::Cow::into_owned)
    };
    // RFC 4475 3.1.1.3
    assert_eq!(user(&load("esc01.dat")).as_deref(), Some("sips:user@example.com"));
    // RFC 4475 3.1.1.4: an escaped NUL does not end the name.
    let bytes = load("escnull.dat");
    let message = Message::parse(&bytes).expect("well formed");
    assert_eq!(message.to().uri().user().as_deref(), Some("null-\0-null"));
    assert_eq!(message.addresses(HeaderName::Contact).count(), 2);
    // RFC 4475 3.1.1.5: neither a method nor a header name is decoded.
    let bytes = load("esc02.dat");
    let message = Message::parse(&bytes).expect("well formed");
    assert_eq!(message.method().as_str(), "RE%47IST%45R");
    assert_eq!(message.addresses(HeaderName::Contact).count(), 2);
    // RFC 4475 3.1.1.9: all that stands left of the @ is the user.
    assert_eq!(user(&load("semiuri.dat")).as_deref(), Some("user;par=u@example.net"));
}

#[test]
fn a_body_is_cut_by_its_length_alone() {
    // RFC 4475 3.1.1.8: the second request in the datagram is no part of the first.
    let bytes = load("dblreq.dat");
    assert_eq!(Message::parse(&bytes).expect("well formed").body(), b"");
    // RFC 4475 3.1.1.11: NUL, CR and LF in a binary body.
    let bytes = load("mpart01.dat");
    assert_eq!(Message::parse(&bytes).expect("well formed").body().len(), 553);
}

#[test]
fn a_parameter_belongs_to_the_uri_only_inside_of_brackets() {
    // RFC 4475 3.3.12 and 3.3.13
    for (file, in_uri) in [("cparam01.dat", false), ("cparam02.dat", true)] {
        let bytes = load(file);
        let message = Message::parse(&bytes).expect("well formed");
        let contact = message.contact().expect("well formed").expect("there");
        let uri = contact.uri().as_sip().expect("a SIP URI");
        assert_eq!(
            (uri.params().has("unknownparam"), contact.params().has("unknownparam")),
            (in_uri, !in_uri),
            "{file}"
        );
    }
    // RFC 4475 3.3.14: headers in a bracketed Contact are kept.
    let bytes = load("regescrt.dat");
    let message = Message::parse(&bytes).expect("well formed");
    let contact = message.contact().expect("well formed").expect("there");
    assert_eq!(contact.uri().as_sip().and_then(sip::SipUri::headers), Some("Route=%3Csip:sip.example.com%3E"));
}
