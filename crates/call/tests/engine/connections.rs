//! TCP connections: what cannot be read on them, how long they are waited for, and how many there may be.

use call::limits::{MAX_CONNECTIONS_PER_SOURCE, MAX_SILENT_PER_SOURCE, MESSAGE_PATIENCE};
use call::{Action, ConnectionId, Engine, Event, Input, ListenerId};
use model::{Epoch, Span, Time};
use redundancy::hot_standby::Engine as _;

use super::{actions, address, count, datagram, engine};

/// What is answered on a connection that says this, and whether it is closed.
fn said_on_a_connection(bytes: &[u8]) -> (String, bool) {
    let mut engine = engine();
    let connection = ConnectionId::accepted(Epoch(1), 1);
    engine.handle(Time::ZERO, Input::Accepted { connection, listener: ListenerId(1), peer: address(9) });
    engine.handle(Time::ZERO, Input::Stream { connection, bytes });
    let (mut answer, mut closed) = (String::new(), false);
    for action in actions(&mut engine) {
        match action {
            Action::Stream { bytes, .. } => answer += &String::from_utf8_lossy(&bytes),
            Action::Close { .. } => closed = true,
            _ => {}
        }
    }
    assert_eq!(closed, count(&engine, 4) == 0, "a closed connection has no record");
    (answer.lines().next().unwrap_or_default().to_owned(), closed)
}

#[test]
fn a_large_head_is_answered_alike_on_both_transports_and_one_line_says_what_was_too_large() {
    let with = |length: usize| {
        format!(
            "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK1\r\nFrom: <sip:1@a>;tag=f\r\n\
             To: <sip:example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nSubject: {}\r\nContent-Length: 0\r\n\r\n",
            "x".repeat(length)
        )
    };
    let large = with(60_000);
    let mut engine = engine();
    datagram(&mut engine, Time::ZERO, &large);
    assert!(
        matches!(&actions(&mut engine)[..], [Action::Datagram { bytes, .. }] if bytes.starts_with(b"SIP/2.0 200 "))
    );
    assert_eq!(said_on_a_connection(large.as_bytes()), ("SIP/2.0 200 OK".to_owned(), false));

    let connection = ConnectionId::accepted(Epoch(1), 1);
    engine.handle(Time::ZERO, Input::Accepted { connection, listener: ListenerId(1), peer: address(9) });
    engine.handle(Time::ZERO, Input::Stream { connection, bytes: with(70_000).as_bytes() });
    let events: Vec<Action> =
        actions(&mut engine).into_iter().filter(|action| matches!(action, Action::Log(_))).collect();
    let (status, fault) = (Some(513), "the message is larger than 65535 bytes".to_owned());
    let event = Event::Malformed { status, fault, source: address(9), ended: Some(connection) };
    assert_eq!(events, [Action::Log(event)]);
}

#[test]
fn a_connection_that_cannot_be_cut_is_answered_and_closed() {
    let head = "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK1\r\nFrom: <sip:1@a>;tag=f\r\n\
                To: <sip:example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";
    let whole = format!("{head}Content-Length: 0\r\n\r\n");
    assert_eq!(said_on_a_connection(whole.as_bytes()), ("SIP/2.0 200 OK".to_owned(), false));
    let endless = format!("{head}\r\n");
    assert_eq!(
        said_on_a_connection(endless.as_bytes()),
        ("SIP/2.0 400 missing Content-Length header".to_owned(), true)
    );
    let huge = format!("{head}Content-Length: 99999999\r\n\r\n");
    assert_eq!(
        said_on_a_connection(huge.as_bytes()),
        ("SIP/2.0 513 the message is larger than 65535 bytes".to_owned(), true)
    );
    assert_eq!(said_on_a_connection(b"\x16\x03\x01\x02\x00"), (String::new(), true), "TLS on a plain port");
}

#[test]
fn a_connection_with_half_a_message_is_closed_in_time() {
    let mut engine = engine();
    let connection = ConnectionId::accepted(Epoch(1), 1);
    engine.handle(Time::ZERO, Input::Accepted { connection, listener: ListenerId(1), peer: address(9) });
    let half = Time::ZERO + Span::from_secs(10);
    engine.handle(half, Input::Stream { connection, bytes: b"OPTIONS sip:" });
    engine.expire(Time::ZERO + MESSAGE_PATIENCE - Span::from_micros(1));
    assert!(!actions(&mut engine).contains(&Action::Close { connection }));
    engine.expire(Time::ZERO + MESSAGE_PATIENCE);
    assert!(actions(&mut engine).contains(&Action::Close { connection }), "slow drops do not win more time");
    // The shell tells of the end of it all the same, and of bytes that were on their way.
    engine.handle(half, Input::Stream { connection, bytes: b"x" });
    engine.handle(half, Input::Closed { connection });
    assert_eq!(actions(&mut engine), []);
}

#[test]
fn line_ends_alone_keep_no_connection_open() {
    let mut engine = engine();
    let connection = ConnectionId::accepted(Epoch(1), 1);
    engine.handle(Time::ZERO, Input::Accepted { connection, listener: ListenerId(1), peer: address(9) });
    for bytes in [&b"\r\n\r\n"[..], b"\r", b"\n"] {
        engine.handle(Time::ZERO + Span::from_secs(20), Input::Stream { connection, bytes });
    }
    engine.expire(Time::ZERO + MESSAGE_PATIENCE);
    assert!(actions(&mut engine).contains(&Action::Close { connection }));

    let connection = ConnectionId::accepted(Epoch(1), 2);
    engine.handle(Time::ZERO, Input::Accepted { connection, listener: ListenerId(1), peer: address(9) });
    let whole = b"ACK sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
    for bytes in [&whole[..], b"\r", b"\n\r\n"] {
        engine.handle(Time::ZERO, Input::Stream { connection, bytes });
    }
    engine.expire(Time::ZERO + MESSAGE_PATIENCE);
    assert!(!actions(&mut engine).contains(&Action::Close { connection }), "its keep-alives came in pieces");
}

#[test]
fn no_address_takes_all_connections_and_a_successor_counts_alike() {
    let mut engine = engine();
    let mut came = 0;
    let mut open = |engine: &mut Engine, from: u8| {
        came += 1;
        let connection = ConnectionId::accepted(Epoch(1), came);
        engine.handle(Time::ZERO, Input::Accepted { connection, listener: ListenerId(1), peer: address(from) });
        let is_closed = actions(engine).contains(&Action::Close { connection });
        (!is_closed).then_some(connection)
    };
    let silent: Vec<_> = (0..MAX_SILENT_PER_SOURCE).map(|_| open(&mut engine, 8).expect("there is room")).collect();
    assert_eq!(open(&mut engine, 8), None, "too many that say nothing");
    let other = open(&mut engine, 9).expect("another address is not to blame");
    engine.begin(Time::ZERO, Epoch(2), 2);
    assert_eq!(open(&mut engine, 8), None, "a successor counts the same");
    let whole = b"ACK sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
    for connection in silent {
        engine.handle(Time::ZERO, Input::Stream { connection, bytes: whole });
        engine.handle(Time::ZERO, Input::Stream { connection, bytes: whole });
    }
    for _ in MAX_SILENT_PER_SOURCE..MAX_CONNECTIONS_PER_SOURCE {
        let connection = open(&mut engine, 8).expect("those before have spoken");
        engine.handle(Time::ZERO, Input::Stream { connection, bytes: whole });
    }
    assert_eq!(open(&mut engine, 8), None, "too many of one address");
    engine.handle(Time::ZERO, Input::Closed { connection: other });
    assert!(open(&mut engine, 9).is_some());
    assert_eq!(count(&engine, 4), MAX_CONNECTIONS_PER_SOURCE + 1);
}
