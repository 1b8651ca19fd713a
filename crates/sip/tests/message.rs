//! Reading and answering messages, rule by rule.

use std::net::SocketAddr;

use sip::limits::{MAX_HEADERS, MAX_MESSAGE, MAX_VIAS};
use sip::{Answer, AnswerHead, Fault, HeaderName, Message, Method, Outgoing, Transport};

fn source() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 40_404))
}

/// An OPTIONS request with these lines between its Via and its end.
fn options(via: &str, lines: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:b@example.com SIP/2.0\r\n{via}From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n\
         Call-ID: 1\r\nCSeq: 7 OPTIONS\r\n{lines}\r\n"
    )
    .into_bytes()
}

const VIA: &str = "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1\r\n";

fn fault(bytes: &[u8]) -> Option<Fault> {
    Message::parse(bytes).err().map(|refusal| refusal.fault())
}

/// The Via of the answer to a request that came from [`source`], and where it goes.
fn answered_via(via: &str) -> (String, SocketAddr) {
    let bytes = options(&format!("Via: {via}\r\n"), "");
    let request = Message::parse(&bytes).expect("sound");
    let mut answer = Vec::new();
    Answer::new(200).tag("t").to(&request, source(), &mut answer).finish();
    let text = String::from_utf8(answer).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("Via: ")).expect("a Via");
    (line.to_owned(), request.top_via().reply_to(source()))
}

#[test]
fn an_answer_goes_back_where_the_request_came_from() {
    // RFC 3261 18.2.1: received where the sender's address differs from sent-by, or that is a name.
    let (via, to) = answered_via("SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1");
    assert_eq!(via, "SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;received=198.51.100.9");
    assert_eq!(to, SocketAddr::from(([198, 51, 100, 9], 5062)));
    let (via, to) = answered_via("SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1");
    assert_eq!(to, SocketAddr::from(([198, 51, 100, 9], 5060)));
    // RFC 3581 4: rport is filled in, received always added, the answer goes to the source port.
    let (via, to) = answered_via("SIP/2.0/UDP 198.51.100.9:5062;rport;branch=z9hG4bK1");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.9:5062;rport=40404;branch=z9hG4bK1;received=198.51.100.9");
    assert_eq!(to, source());
    // What a liar wrote into received does not survive.
    let (via, _) = answered_via("SIP/2.0/UDP a.example;received=203.0.113.1;branch=z9hG4bK1;x=\"y;z\"");
    assert_eq!(via, "SIP/2.0/UDP a.example;branch=z9hG4bK1;x=\"y;z\";received=198.51.100.9");
}

#[test]
fn an_answer_copies_what_rfc_3261_says_and_no_more() {
    // RFC 3261 8.2.6.2
    let via = "Via: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1 , SIP/2.0/TCP p1;branch=z9hG4bK2\r\nv:SIP/2.0/UDP p2\r\n";
    let bytes = options(via, "Subject: x\r\n");
    let request = Message::parse(&bytes).expect("sound");
    let mut answer = Vec::new();
    Answer::new(486).tag("t").to(&request, source(), &mut answer).header(HeaderName::Server, "s").finish();
    let expected = "SIP/2.0 486 Busy Here\r\n\
         Via: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1, SIP/2.0/TCP p1;branch=z9hG4bK2\r\nVia: SIP/2.0/UDP p2\r\n\
         From: <sip:a@example.com>;tag=1\r\nCall-ID: 1\r\nCSeq: 7 OPTIONS\r\nTo: <sip:b@example.com>;tag=t\r\n\
         Server: s\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(String::from_utf8(answer).as_deref(), Ok(expected));
    // A transaction that keeps only the head writes the same.
    let mut kept = Vec::new();
    let head = AnswerHead::of(&request, source());
    head.answer(Answer::new(486).tag("t"), &mut kept).header(HeaderName::Server, "s").finish();
    assert_eq!(String::from_utf8(kept).as_deref(), Ok(expected));
    // A To that has a tag keeps it.
    let tagged =
        String::from_utf8(bytes).expect("text").replace("<sip:b@example.com>\r\n", "<sip:b@example.com>;tag=old\r\n");
    let request = Message::parse(tagged.as_bytes()).expect("sound");
    let mut answer = Vec::new();
    Answer::new(481).tag("t").to(&request, source(), &mut answer).finish();
    assert_eq!(Message::parse(&answer).expect("sound").to().tag(), Some("old"));
}

#[test]
fn numbers_are_held_to_their_ranges() {
    let with = |lines: &str| fault(&options(VIA, lines));
    // RFC 3261 8.1.1.5
    let cseq = |value: &str| {
        fault(&String::from_utf8(options(VIA, "")).expect("text").replace("7 OPTIONS", value).into_bytes())
    };
    assert_eq!(cseq("2147483647 OPTIONS"), None);
    assert_eq!(cseq("0009 \r\n OPTIONS"), None);
    for bad in ["2147483648 OPTIONS", "-1 OPTIONS", "OPTIONS", "7OPTIONS", "7 ", "7 BYE", "7 options", "7 OPTIONS x"] {
        assert!(matches!(cseq(bad), Some(Fault::CSeq(_))), "{bad:?}");
    }
    // RFC 3261 20.22; RFC 4475 3.1.2.4 lets an overlarge one be forgiven.
    assert_eq!(with("Max-Forwards: 300\r\n"), None);
    assert_eq!(with("Max-Forwards: seventy\r\n"), Some(Fault::Number("Max-Forwards")));
    // RFC 3261 20.19
    let bytes = options(VIA, "Expires: 99999999999999999999\r\nMin-SE: 90;refresher=uac\r\nRSeq: x\r\n");
    let message = Message::parse(&bytes).expect("sound");
    assert_eq!(message.expires(), Ok(Some(u32::MAX)));
    assert_eq!(message.seconds(HeaderName::MinSe), Ok(Some(90)));
    assert_eq!(message.seconds(HeaderName::RSeq), Err(Fault::Number("RSeq")));
    assert_eq!(message.seconds(HeaderName::RetryAfter), Ok(None));
}

#[test]
fn lists_are_cut_at_commas_outside_of_quotes_and_brackets() {
    // RFC 3261 7.3.1
    let lines = "Contact: \"a, b\" <sip:a,b@c;x=1>;q=0.5, sip:d@e;expires=60\r\nm: <sip:f@g>\r\nAllow: INVITE,ACK\r\nAllow: , BYE\r\n";
    let bytes = options(VIA, lines);
    let message = Message::parse(&bytes).expect("sound");
    let contacts: Vec<_> = message.addresses(HeaderName::Contact).map(|contact| contact.expect("sound")).collect();
    let uris: Vec<_> = contacts.iter().map(|contact| contact.uri().as_str()).collect();
    assert_eq!(uris, ["sip:a,b@c;x=1", "sip:d@e", "sip:f@g"]);
    assert_eq!((contacts[0].q(), contacts[1].expires(), contacts[2].expires()), (500, Some(60), None));
    assert!(message.lists(HeaderName::Allow, "bye") && !message.lists(HeaderName::Allow, "PRACK"));
    assert_eq!(message.list(HeaderName::Allow).count(), 3);
}

#[test]
fn what_somebody_else_could_read_differently_is_refused() {
    for (lines, expected) in [
        ("X: a\nContent-Length: 5\r\n", "a lone CR or LF stands in it"),
        ("X: a\rb\r\n", "a lone CR or LF stands in it"),
        (": empty\r\n", "it is a name, a colon and a value"),
        ("X\r\n", "it is a name, a colon and a value"),
        ("Content Length: 5\r\n", "it is a name, a colon and a value"),
    ] {
        assert_eq!(fault(&options(VIA, lines)), Some(Fault::HeaderLine(expected)), "{lines:?}");
    }
    assert_eq!(fault(&options(VIA, "l: 0\r\nContent-Length: 0\r\n")), Some(Fault::Repeated("Content-Length")));
}

#[test]
fn the_largest_message_is_read_and_a_larger_one_refused() {
    let mut bytes = options(VIA, "");
    bytes.resize(MAX_MESSAGE, b'x');
    assert_eq!(Message::parse(&bytes).expect("sound").body().len(), MAX_MESSAGE - options(VIA, "").len());
    bytes.push(b'x');
    let refusal = Message::parse(&bytes).expect_err("too large");
    assert_eq!((refusal.fault(), refusal.status()), (Fault::TooLarge, Some(513)));
}

#[test]
fn so_many_headers_are_read_and_more_refused() {
    let vias = |count: usize| "Via: SIP/2.0/UDP a\r\n".repeat(count);
    assert_eq!(Message::parse(&options(&vias(MAX_VIAS), "")).expect("sound").vias().count(), MAX_VIAS);
    let in_one_line = format!("Via: {}\r\n", vec!["SIP/2.0/UDP a"; MAX_VIAS + 1].join(","));
    let many_lines = "X: y\r\n".repeat(MAX_HEADERS);
    for (bytes, expected) in [
        (options(&vias(MAX_VIAS + 1), ""), Fault::TooManyVias),
        (options(&vias(1000), ""), Fault::TooManyHeaders),
        (options(&in_one_line, ""), Fault::TooManyVias),
        (options(VIA, &many_lines), Fault::TooManyHeaders),
    ] {
        let refusal = Message::parse(&bytes).expect_err("too many");
        assert_eq!((refusal.fault(), refusal.status()), (expected, Some(513)));
        let mut answer = Vec::new();
        assert!(refusal.answer(source(), "t", &mut answer).is_some());
        assert!(answer.len() < bytes.len() + 1000, "an answer is no larger than its request");
    }
}

#[test]
fn noise_responses_and_acks_are_never_answered() {
    let ack = String::from_utf8(options(VIA, "")).expect("text").replace("OPTIONS sip", "ACK sip");
    for bytes in ["", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0 999 x\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", &ack] {
        let refusal = Message::parse(bytes.as_bytes()).expect_err("none of these is sound");
        assert_eq!(refusal.status(), None, "{bytes:?}");
        assert_eq!(refusal.answer(source(), "t", &mut Vec::new()), None, "{bytes:?}");
    }
}

#[test]
fn a_log_line_shows_no_number_and_no_secret() {
    let bytes = options(VIA, "Authorization: Digest response=\"secret\"\r\n");
    let message = Message::parse(&bytes).expect("sound");
    let shown = format!("{message:?} {:?}", Message::parse(&bytes[..40]).expect_err("cut off"));
    assert!(!shown.contains("example.com") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_request_of_ours_asks_for_a_symmetric_answer() {
    // RFC 3581 3
    let mut bytes = Vec::new();
    Outgoing::request(&mut bytes, Method::Bye, "sip:a@b")
        .via(Transport::Tcp, "192.0.2.1:5060", "z9hG4bK7")
        .header(HeaderName::From, "<sip:a@b>;tag=1")
        .header(HeaderName::To, "<sip:a@b>;tag=2")
        .header(HeaderName::CallId, "c")
        .format(HeaderName::CSeq, format_args!("{} BYE", 3))
        .number(HeaderName::MaxForwards, 70)
        .body("text/plain", b"bye");
    let message = Message::parse(&bytes).expect("sound");
    let via = message.top_via();
    assert_eq!((via.transport(), via.unique_branch(), via.rport()), (Transport::Tcp, Some("z9hG4bK7"), Some(None)));
    assert_eq!((message.content_type(), message.body()), (Some("text/plain"), &b"bye"[..]));
}

#[test]
fn branches_are_unique_only_with_the_cookie_and_something_behind_it() {
    // RFC 3261 8.1.1.7, 17.2.3; RFC 4475 3.2.1
    for (branch, unique) in [("z9hG4bK1", true), ("Z9HG4BK1", true), ("z9hG4bK", false), ("390skdjuw", false)] {
        let bytes = options(&format!("Via: SIP/2.0/UDP a;branch={branch}\r\n"), "");
        let message = Message::parse(&bytes).expect("sound");
        assert_eq!(message.top_via().branch(), Some(branch));
        assert_eq!(message.top_via().unique_branch().is_some(), unique, "{branch}");
    }
}
