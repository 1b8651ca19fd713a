//! The engine at its edges: damaged streams, panics, listings, deadlines in great number.

mod connections;
mod moving;

use std::net::SocketAddr;

use call::limits::{CLOSE_AT_ONCE, EXPIRE_AT_ONCE};
use call::{Action, Carrier, Engine, Event, Extension, FixedContact, Input, Listener, ListenerId, Queue, Settings};
use model::{Epoch, Kind, RecordKey, Time};
use redundancy::change::Changes;
use redundancy::hot_standby::Engine as _;

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5060))
}

fn engine() -> Engine {
    let mut engine = Engine::new(settings());
    engine.begin(Time::ZERO, Epoch(1), 1);
    engine
}

fn settings() -> Settings {
    let device = |number: &str, last: u8| {
        let contact = FixedContact::parse(&format!("sip:{number}@{}", address(last))).expect("a contact");
        (number.to_owned(), Extension { password: None, contact: Some(contact) })
    };
    let absent = |number: &str| (number.to_owned(), Extension { password: Some("x".to_owned()), contact: None });
    Settings {
        domain: "example.com".to_owned(),
        listeners: [Carrier::Udp, Carrier::Tcp].map(|carrier| Listener { carrier, address: address(1) }).into(),
        extensions: [device("1001", 2), device("1002", 3), device("1003", 4), absent("1004")].into(),
        agents: [("1002".to_owned(), "ben".to_owned())].into(),
        queues: [("9000".to_owned(), Queue::default())].into(),
        secret: [7; 32],
        sha_256: true,
        expiry: call::Expiry { shortest: 30, longest: 7_200 },
        ..Settings::default()
    }
}

fn invite(count: u32, number: &str) -> String {
    format!(
        "INVITE sip:{number}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{count}\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@example.com>;tag=f{count}\r\nTo: <sip:{number}@example.com>\r\nCall-ID: c{count}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:1001@{}>\r\nContent-Length: 0\r\n\r\n",
        address(2),
        address(2)
    )
}

fn datagram(engine: &mut Engine, now: Time, text: &str) {
    engine.handle(now, Input::Datagram { listener: ListenerId(0), source: address(2), bytes: text.as_bytes() });
}

fn actions(engine: &mut Engine) -> Vec<Action> {
    engine.outputs().drain(..).map(|output| output.action).collect()
}

fn count(engine: &Engine, kind: u8) -> usize {
    engine.store().keys(Kind(kind), None).count()
}

/// RFC 3261 17.2.1: a phone that comes meanwhile does not turn the refusal of an INVITE into a call when it is repeated.
#[test]
fn a_call_that_nobody_can_take_is_refused_once_and_for_all() {
    let mut engine = engine();
    let sent = |engine: &mut Engine| -> Vec<Vec<u8>> {
        datagram(engine, Time::ZERO, &invite(1, "1004"));
        let bytes = |action| if let Action::Datagram { bytes, .. } = action { Some(bytes) } else { None };
        actions(engine).into_iter().filter_map(bytes).collect()
    };
    let first = sent(&mut engine);
    assert!(first.last().is_some_and(|answer| answer.starts_with(b"SIP/2.0 480 ")), "{first:?}");
    assert_eq!(sent(&mut engine), first[first.len() - 1..], "the same answer");
}

#[test]
fn line_ends_and_noise_from_the_network_are_dropped() {
    let mut engine = engine();
    datagram(&mut engine, Time::ZERO, "\r\n\r\n");
    assert_eq!(actions(&mut engine), [], "a keep-alive");
    datagram(&mut engine, Time::ZERO, "GET / HTTP/1.1\r\n\r\n");
    let events = actions(&mut engine);
    assert!(matches!(&events[..], [Action::Log(Event::Malformed { status: None, .. })]), "{events:?}");
}

#[test]
fn a_panic_costs_the_call_in_hand_and_nothing_else() {
    let mut engine = engine();
    datagram(&mut engine, Time::ZERO, &invite(1, "1002"));
    datagram(&mut engine, Time::ZERO, &invite(2, "9000"));
    datagram(&mut engine, Time::ZERO, &invite(3, "1002"));
    let calls: Vec<RecordKey> = engine.store().keys(Kind(1), None).collect();
    assert_eq!((calls.len(), count(&engine, 5), count(&engine, 6)), (3, 1, 1), "calls, presence, waiting");
    actions(&mut engine);

    engine.abandon(Time::ZERO, &calls[..2]);
    let events = actions(&mut engine);
    for call in &calls[..2] {
        assert!(events.contains(&Action::Log(Event::CallAbandoned { call: call.id })), "{events:?}");
    }
    assert_eq!((count(&engine, 1), count(&engine, 5), count(&engine, 6)), (1, 1, 0));
    engine.abandon(Time::ZERO, &calls[2..]);
    assert_eq!((count(&engine, 1), count(&engine, 5)), (0, 0), "the agent has no call any more");
}

#[test]
fn calls_are_listed_in_pages() {
    let mut engine = engine();
    for number in 1..=5 {
        datagram(&mut engine, Time::ZERO, &invite(number, "1002"));
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let (rows, next) = engine.calls(after, 2);
        seen.extend(rows.into_iter().map(|row| (row.call & 0xff, row.state, row.from, row.to)));
        let Some(next) = next else { break };
        after = Some(next);
    }
    let expected: Vec<_> = (1..=5).map(|call| (call, "trying", "1001".to_owned(), "1002".to_owned())).collect();
    assert_eq!(seen, expected);
}

#[test]
fn deadlines_in_great_number_are_handled_a_few_at_a_time() {
    let mut engine = engine();
    let many = EXPIRE_AT_ONCE as u32 * 2 + 1;
    for number in 1..=many {
        datagram(&mut engine, Time::ZERO, &invite(number, "1003"));
    }
    actions(&mut engine);
    let due = engine.store().deadline();
    let sent: Vec<usize> = (0..4)
        .map(|_| {
            engine.expire(due);
            actions(&mut engine).len()
        })
        .collect();
    assert_eq!(sent, [EXPIRE_AT_ONCE, EXPIRE_AT_ONCE, 1, 0], "Timer A of each INVITE, once");
    assert!(engine.store().deadline() > due);
}

#[test]
fn no_number_is_drawn_twice_after_a_takeover() {
    let names = |epoch: u64| {
        let mut engine = engine();
        // As bad as can be: the same seed again.
        engine.begin(Time::ZERO, Epoch(epoch), 1);
        datagram(&mut engine, Time::ZERO, &invite(1, "1002"));
        engine.store().keys(Kind(1), None).next().expect("a call").id
    };
    assert_ne!(names(1), names(2));
}

#[test]
fn who_calls_a_server_that_ends_is_refused() {
    let mut engine = engine();
    let many = u32::try_from(CLOSE_AT_ONCE + 1).expect("a small number");
    for number in 1..=many {
        datagram(&mut engine, Time::ZERO, &invite(number, "9000"));
    }
    sent_to(&mut engine, 2);
    let (mut cut, mut after) = (Vec::new(), None);
    while let Some((input, up_to)) = engine.closing(after) {
        engine.handle(Time::ZERO, input);
        let events = engine.outputs().iter().filter_map(|output| match output.action {
            Action::Log(Event::CallsCut { calls }) => Some(calls),
            _ => None,
        });
        cut.extend(events);
        assert!(sent_to(&mut engine, 2).iter().all(|answer| answer.starts_with("SIP/2.0 503 ")));
        after = Some(up_to);
    }
    assert_eq!(cut, [many - 1, 1]);
    datagram(&mut engine, Time::ZERO, &invite(many + 1, "9000"));
    let refused = sent_to(&mut engine, 2);
    assert!(
        matches!(&refused[..], [one] if one.starts_with("SIP/2.0 503 ") && one.contains("Retry-After")),
        "{refused:?}"
    );
    assert_eq!(engine.calls(None, 1_000).0, [], "none is left");
    assert!(engine.store().keys(Kind(1), None).count() > CLOSE_AT_ONCE, "their records linger");
    assert_eq!(engine.calls_in_progress(), 0, "and are no calls");
}

#[test]
fn a_count_of_the_calls_reads_few_of_those_that_came_from_another_side() {
    let (mut primary, mut backup) = (engine(), engine());
    (1..=600).for_each(|number| datagram(&mut primary, Time::ZERO, &invite(number, "9000")));
    assert_eq!(primary.calls_in_progress(), 600);
    let mut after = None;
    while let Some((input, up_to)) = primary.closing(after) {
        primary.handle(Time::ZERO, input);
        after = Some(up_to);
    }
    let mut bytes = Vec::new();
    primary.store_mut().drain(&mut bytes, |_, _| {});
    Changes::new(&bytes).for_each(|change| backup.store_mut().absorb(&change.expect("whole")));
    assert_eq!([(); 3].map(|()| backup.calls_in_progress()), [600 - 256, 600 - 512, 0]);
}

/// What `party` was sent.
fn sent_to(engine: &mut Engine, party: u8) -> Vec<String> {
    let datagrams = actions(engine).into_iter().filter_map(|action| match action {
        Action::Datagram { to, bytes, .. } if to == address(party) => Some(bytes),
        _ => None,
    });
    datagrams.map(|bytes| String::from_utf8(bytes).expect("text")).collect()
}

fn line<'m>(message: &'m str, name: &str) -> &'m str {
    message.lines().find(|line| line.starts_with(name)).expect("the header")
}

/// The answer to an INVITE, of a callee with this tag.
fn answer(invite: &str, tag: u32) -> String {
    let copied = ["Via:", "From:", "Call-ID:", "CSeq:", "To:"].map(|name| line(invite, name)).join("\r\n");
    let contact = address(3);
    format!("SIP/2.0 200 OK\r\n{copied};tag=t{tag}\r\nContact: <sip:1002@{contact}>\r\nContent-Length: 0\r\n\r\n")
}

/// RFC 3261 17.1.3: the branch alone does not make a response that of a transaction.
#[test]
fn a_response_with_another_method_is_none() {
    let mut engine = engine();
    datagram(&mut engine, Time::ZERO, &invite(1, "1002"));
    let leg = sent_to(&mut engine, 3).remove(0);
    let good = answer(&leg, 0);
    datagram(&mut engine, Time::ZERO, &good.replace("1 INVITE", "1 OPTIONS"));
    assert_eq!(sent_to(&mut engine, 2), [""; 0]);
    datagram(&mut engine, Time::ZERO, &good);
    let answered = sent_to(&mut engine, 2).pop().expect("the answer");
    let names = ["From:", "To:", "Call-ID:"].map(|name| line(&answered, name)).join("\r\n");
    let inside = |method: &str, seq: u32| {
        format!(
            "{method} sip:call@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
             {names}\r\nCSeq: {seq} {method}\r\nContent-Length: 0\r\n\r\n",
            address(2)
        )
    };
    datagram(&mut engine, Time::ZERO, &inside("ACK", 1));
    datagram(&mut engine, Time::ZERO, &inside("INFO", 2));
    let info = sent_to(&mut engine, 3).pop().expect("it is passed on");
    datagram(
        &mut engine,
        Time::ZERO,
        &answer(&info, 0).replace(";tag=t0;tag=t0", ";tag=t0").replace(" INFO", " MESSAGE"),
    );
    assert_eq!(sent_to(&mut engine, 2), [""; 0]);
    datagram(&mut engine, Time::ZERO, &answer(&info, 0).replace(";tag=t0;tag=t0", ";tag=t0"));
    assert!(sent_to(&mut engine, 2).pop().is_some_and(|answer| answer.starts_with("SIP/2.0 200 ")));
}

/// The size of the records that changed since it was last asked.
fn changed(engine: &mut Engine) -> usize {
    let mut bytes = Vec::new();
    engine.store_mut().drain(&mut bytes, |_, _| {});
    bytes.len()
}

#[test]
fn a_call_does_not_grow_however_often_it_is_answered_or_asked() {
    const MANY: u32 = 300;
    let mut engine = engine();
    datagram(&mut engine, Time::ZERO, &invite(1, "1002"));
    let leg = sent_to(&mut engine, 3).remove(0);
    // A callee that gives ever new answers: each gets an ACK and a goodbye, until there are too many.
    datagram(&mut engine, Time::ZERO, &answer(&leg, 0));
    let answered = sent_to(&mut engine, 2).pop().expect("the answer");
    for tag in 1..MANY {
        datagram(&mut engine, Time::ZERO, &answer(&leg, tag));
    }
    let goodbyes = sent_to(&mut engine, 3).iter().filter(|message| message.starts_with("BYE")).count();
    assert_eq!(goodbyes, call::limits::MAX_ANSWERS);
    // A caller that is refused over and over: what is kept for the ACKs is bounded.
    for seq in 2..MANY {
        let names = ["From:", "To:", "Call-ID:"].map(|name| line(&answered, name)).join("\r\n");
        datagram(
            &mut engine,
            Time::ZERO,
            &format!(
                "INVITE sip:call@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKre{seq}\r\nMax-Forwards: 70\r\n\
                 {names}\r\nCSeq: {seq} INVITE\r\nContact: <sip:1001@{}>\r\nRequire: teleport\r\n\
                 Content-Length: 0\r\n\r\n",
                address(2),
                address(2)
            ),
        );
        assert_eq!(sent_to(&mut engine, 2).len(), 1, "each is answered");
    }
    assert!(changed(&mut engine) < 64 << 10);
}

#[test]
fn an_agent_has_so_many_calls_and_no_more() {
    let mut engine = engine();
    let many = u32::try_from(call::limits::MAX_CALLS_OF_AGENT).expect("a small number");
    for count in 1..=many {
        datagram(&mut engine, Time::ZERO, &invite(count, "1002"));
    }
    let legs = sent_to(&mut engine, 3);
    assert_eq!(legs.len(), call::limits::MAX_CALLS_OF_AGENT);
    datagram(&mut engine, Time::ZERO, &invite(many + 1, "1002"));
    let busy = sent_to(&mut engine, 2).pop().expect("an answer");
    assert!(busy.starts_with("SIP/2.0 486 "), "{busy}");
    // A call ends before the INVITE comes again: it is refused all the same (RFC 3261 17.2.1), until its ACK came.
    datagram(&mut engine, Time::ZERO, &answer(&legs[0], 0).replace("200 OK", "603 Decline"));
    sent_to(&mut engine, 2);
    datagram(&mut engine, Time::ZERO, &invite(many + 1, "1002"));
    assert_eq!(sent_to(&mut engine, 2), [busy.as_str()]);
    let ack = invite(many + 1, "1002").replace("INVITE", "ACK");
    datagram(&mut engine, Time::ZERO, &ack.replace(line(&ack, "To:"), line(&busy, "To:")));
    assert_eq!(actions(&mut engine), [], "it is absorbed");
    datagram(&mut engine, Time::ZERO, &invite(1_000, "1002"));
    sent_to(&mut engine, 3);
    // Neither may the agent begin one more; others may.
    let own = invite(many + 2, "1001");
    engine.handle(Time::ZERO, Input::Datagram { listener: ListenerId(0), source: address(3), bytes: own.as_bytes() });
    let refused = sent_to(&mut engine, 3).pop().expect("an answer");
    assert!(refused.starts_with("SIP/2.0 503 ") && refused.contains("Retry-After"), "{refused}");
    datagram(&mut engine, Time::ZERO, &invite(many + 3, "9000"));
    assert_eq!(engine.calls(None, 1_000).0.len(), call::limits::MAX_CALLS_OF_AGENT + 1);
}
