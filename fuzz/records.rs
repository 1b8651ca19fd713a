//! What a fuzzer and the replay of its corpus do with bytes that come from a disk or from the other side of a pair; each ends
//! in a panic if a promise is broken.
//!
//! The fuzz targets and the test `corpus` of the crate `node` both include this file. Frames and journals have checksums,
//! which no fuzzer guesses, so what lies within them has bodies of its own.

use std::net::SocketAddr;
use std::path::Path;

use model::{Epoch, Kind, Span, Time};
use node::journal;
use redundancy::change::Changes;
use redundancy::hot_standby::{Engine, Message, Output};
use redundancy::store::Record;

/// A body and the name of its corpus folder.
pub(crate) type Body = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const BODIES: [Body; 4] = [("record", record), ("link", link), ("journal", journal), ("cold", cold)];

/// Runs the body of this name.
pub(crate) fn run(name: &str, data: &[u8]) {
    let (_, body) = BODIES.into_iter().find(|(known, _)| *known == name).expect("a body for each corpus folder");
    body(data);
}

/// A kind, and the value of a record of that kind.
fn record(data: &[u8]) {
    let Some((kind, value)) = data.split_first() else { return };
    keeps::<call::Value>(Kind(*kind), value);
    keeps::<routing::Value>(Kind(*kind), value);
}

/// A value that is read is written in a form that says the same, and can be asked everything that a store asks.
fn keeps<V: Record>(kind: Kind, bytes: &[u8]) {
    let read = V::decode(kind, bytes);
    assert_eq!(V::understands(kind, bytes), read.is_some());
    let Some((value, known)) = read else { return };
    assert!(known <= bytes.len());
    let mut written = Vec::new();
    value.encode(&mut written);
    let (again, known) = V::decode(kind, &written).expect("what is written can be read");
    assert_eq!(known, written.len());
    assert_eq!((again.deadline(), again.aliases()), (value.deadline(), value.aliases()));
    let mut twice = Vec::new();
    again.encode(&mut twice);
    assert_eq!(twice, written);
}

/// A message of the link, with the changes and outputs within it.
fn link(data: &[u8]) {
    changes(data);
    output::<call::Output>(data);
    output::<routing::Output>(data);
    let Some(message) = Message::decode(data) else { return };
    let written = message.encode();
    assert_eq!(Message::decode(&written).as_ref(), Some(&message));
    match message {
        Message::Piece { changes: bytes, .. } => changes(bytes),
        Message::Checkpoint(step) => changes(step.changes),
        _ => {}
    }
}

/// Changes are written as they were read, up to the first damaged one.
fn changes(data: &[u8]) {
    let mut written = Vec::new();
    Changes::new(data).map_while(Result::ok).for_each(|change| change.write(&mut written));
    assert!(data.starts_with(&written));
}

fn output<O: Output>(data: &[u8]) {
    let Some(output) = O::decode(data) else { return };
    let mut written = Vec::new();
    output.encode(&mut written);
    let again = O::decode(&written).expect("what is written can be read");
    assert_eq!(
        (again.record(), again.is_stream(), again.may_repeat()),
        (output.record(), output.is_stream(), output.may_repeat())
    );
}

/// The bytes of a journal's file, whatever has happened to them.
fn journal(data: &[u8]) {
    let Ok((contents, warnings)) = journal::parse(Path::new("fuzz"), data) else { return };
    assert!(warnings.len() <= 1);
    assert!(contents.entries().all(|entry| entry.stamp <= contents.newest()));
}

/// Durable records of any content, with which a server begins and goes on.
fn cold(data: &[u8]) {
    let durable = || Changes::new(data).map_while(Result::ok);
    let mut sip = call::Engine::new(call::Settings::default());
    for change in durable().filter(|change| <call::Engine as Engine>::durable(change.key.kind)) {
        sip.store_mut().absorb(&change);
    }
    let options =
        b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: <sip:a>;tag=a\r\n\
        To: <sip:a>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    let source = SocketAddr::from(([198, 51, 100, 9], 5060));
    let datagram = call::Input::Datagram { listener: call::ListenerId(0), source, bytes: options };
    live(&mut sip, datagram);
    let mut routing = routing::Engine::new(routing::Settings::default());
    for change in durable().filter(|change| <routing::Engine as Engine>::durable(change.key.kind)) {
        routing.store_mut().absorb(&change);
    }
    live(&mut routing, routing::Input::MailConnected);
}

/// Begins, takes an input in, and lets a week pass.
fn live<E: Engine>(engine: &mut E, input: E::Input<'_>) {
    let mut now = Time::ZERO;
    engine.begin(now, Epoch(1), 1);
    engine.store_mut().settle();
    engine.handle(now, input);
    for _ in 0..7 {
        now += Span::from_secs(86_400);
        engine.expire(now);
        engine.outputs().clear();
    }
}
