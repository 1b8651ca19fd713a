//! The crowd against a server that is played by hand: what it does wrong must be found.

use std::net::SocketAddr;

use model::{Span, Time};
use sip::{Answer, HeaderName, Message, Method};

use super::crowd::{Cast, Crowd, Output, Seat};
use super::people::{Extension, People, configuration};
use super::watch::Watch;

const SERVER: &str = "192.0.2.1:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn at(millis: u64) -> Time {
    Time::ZERO + Span::from_millis(millis)
}

/// One phone and a carrier that calls it once a second.
fn crowd() -> Crowd {
    let extension = Extension { number: "1000".into(), password: "secret".into(), agent: None };
    let people = People {
        udp: Some(address(SERVER)),
        tcp: None,
        domain: "example.com".into(),
        extensions: vec![extension],
        queues: Vec::new(),
        carriers: vec![(address(SERVER).ip(), None)],
    };
    let seat = |text| Seat { place: address(text), tcp: false };
    let cast = Cast {
        extensions: vec![seat("192.0.2.2:5060")],
        carriers: vec![seat("192.0.2.3:5060")],
        prober: seat("192.0.2.4:5060"),
    };
    // The carrier has the first call of this seed.
    Crowd::new(people, &cast, 1, 1, 7, Watch::new(0, []), false)
}

/// The next request of this method that goes out until then, and from whom.
fn sent(crowd: &mut Crowd, now: Time, method: Method<'_>) -> (usize, Vec<u8>) {
    crowd.tick(now);
    let outputs = crowd.take_outputs();
    let is_it =
        |bytes: &[u8]| Message::parse(bytes).is_ok_and(|message| message.is_request() && message.method() == method);
    let found = outputs.into_iter().find_map(|output| match output {
        Output::Send(phone, bytes) if is_it(&bytes) => Some((phone, bytes)),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {method} goes out"))
}

/// Lets somebody call, and gives the INVITE.
fn called() -> (Crowd, usize, Vec<u8>) {
    let mut crowd = crowd();
    crowd.call(at(0), true);
    let (phone, invite) = sent(&mut crowd, at(1), Method::Invite);
    crowd.call(at(1), false);
    (crowd, phone, invite)
}

fn answer(crowd: &mut Crowd, now: Time, phone: usize, request: &[u8], status: u16, tag: &str) {
    let request = Message::parse(request).expect("sound");
    let mut bytes = Vec::new();
    let answer = Answer::new(status).tag(tag).to(&request, address("192.0.2.3:5060"), &mut bytes);
    answer.header(HeaderName::Contact, format!("<sip:{SERVER}>")).finish();
    crowd.message(now, now, phone, &bytes, address(SERVER));
}

#[test]
fn a_call_that_is_refused_is_lost_in_its_state() {
    let (mut crowd, phone, invite) = called();
    answer(&mut crowd, at(2), phone, &invite, 180, "s");
    answer(&mut crowd, at(3), phone, &invite, 500, "s");
    let lost = &crowd.watch.losses[0];
    assert_eq!((lost.state, lost.why.as_str()), (super::Stage::Ringing, "refused by 500"));
    assert!(lost.ladders[0].last().expect("a ladder").contains("ACK"), "{:?}", lost.ladders);
}

#[test]
fn a_call_that_nobody_answers_is_lost_when_the_timers_are_over() {
    let (mut crowd, ..) = called();
    let copies = (1..40).filter(|second| {
        crowd.tick(at(second * 1_000));
        !crowd.take_outputs().is_empty()
    });
    // RFC 3261 17.1.1.2: after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s; the phone registers meanwhile.
    assert!(copies.count() >= 6);
    assert!(crowd.watch.losses.iter().any(|lost| lost.why == "no answer to INVITE"), "{:?}", crowd.watch.losses);
}

#[test]
fn a_call_that_neither_end_has_ended_is_lost() {
    let (mut crowd, phone, invite) = called();
    answer(&mut crowd, at(2), phone, &invite, 200, "s");
    let ack = crowd.take_outputs().into_iter().next_back();
    let Some(Output::Send(_, ack)) = ack else { panic!("no ACK goes out") };
    let ack = Message::parse(&ack).expect("sound");
    let bye = format!(
        "BYE sip:x@192.0.2.3 SIP/2.0\r\nVia: SIP/2.0/UDP {SERVER};branch=z9hG4bKb\r\nFrom: <sip:1000@example.com>;tag=s\r\n\
         To: <sip:x@example.com>;tag={}\r\nCall-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        ack.from().tag().expect("a tag"),
        ack.call_id()
    );
    crowd.message(at(3), at(3), phone, bye.as_bytes(), address(SERVER));
    assert_eq!(crowd.watch.losses[0].why, "it was ended by neither of its ends");
}

#[test]
fn an_illegal_answer_is_found() {
    let (mut crowd, phone, invite) = called();
    answer(&mut crowd, at(2), phone, &invite, 180, "");
    assert_eq!(crowd.watch.counts.wrong_sip, 1, "RFC 3261 8.2.6.2: a To tag");
    crowd.message(at(3), at(3), phone, b"hello", address(SERVER));
    assert_eq!(crowd.watch.counts.wrong_sip, 2, "no message at all");
}

#[test]
fn the_same_seed_draws_the_same_calls() {
    let (first, second) = (called(), called());
    assert_eq!((first.1, first.2), (second.1, second.2));
}

#[test]
fn the_configuration_has_work_for_everybody() {
    let text = configuration(100, &[address(SERVER).ip()], "[sip]\n");
    assert_eq!(text.matches("[[queue]]").count(), 2);
    assert_eq!(text.matches("[[agent]]").count(), 106 + 8);
    assert_eq!(text.matches("[[extension]]").count(), 24 + 106 + 8);
    assert!(text.contains("address = \"192.0.2.1\""));
}

#[test]
fn as_many_calls_are_held_as_were_asked_for() {
    for calls in [0, 1] {
        let mut crowd = crowd();
        crowd.hold(at(0), calls);
        (0..5).for_each(|second| crowd.tick(at(second)));
        assert_eq!(crowd.live(), calls as usize);
    }
}
