//! What one call costs the engine, from INVITE to BYE, checkpoints included; and what a held call weighs.
//!
//! `cargo bench -p call`. The phones' share (reading and answering what the engine sends) is measured by itself, to be
//! taken off.

use std::net::SocketAddr;

use call::{Action, Carrier, Engine, Extension, FixedContact, Input, Listener, ListenerId, Settings};
use divan::{AllocProfiler, Bencher};
use model::{Epoch, Span, Time};
use redundancy::change::Changes;
use redundancy::hot_standby::Engine as _;
use redundancy::store::Store;
use sip::{Answer, AnswerHead, HeaderName, Message, Method};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const SDP: &str = "v=0\r\no=- 3850718343 3850718343 IN IP4 192.0.2.15\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n\
                   c=IN IP4 192.0.2.15\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

fn main() {
    divan::main();
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5060))
}

fn engine() -> Engine {
    let device = |number: &str, last: u8| {
        let contact = FixedContact::parse(&format!("sip:{number}@{}", address(last))).expect("a contact");
        (number.to_owned(), Extension { password: None, contact: Some(contact) })
    };
    let mut engine = Engine::new(Settings {
        domain: "example.com".to_owned(),
        listeners: vec![Listener { carrier: Carrier::Udp, address: address(1) }],
        extensions: [device("1001", 2), device("1002", 3)].into(),
        secret: [7; 32],
        ..Settings::default()
    });
    engine.begin(Time::ZERO, Epoch(1), 1);
    engine
}

fn request(method: Method<'_>, count: u64, seq: u32, to_tag: &str, body: &str) -> String {
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "{method} sip:1002@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {};rport;branch=z9hG4bKPjO3ZKm9XDmkzmUdL{count}-{seq}{method}\r\n\
         Max-Forwards: 70\r\nFrom: \"Anna Example\" <sip:1001@example.com>;tag=aDvZbVqKrzvJsXhT5Kk0{count}\r\n\
         To: <sip:1002@example.com>{tag}\r\nContact: <sip:1001@{};ob>\r\nCall-ID: Ot5z8N3Kuqb.6Av3VyoV1kAUv7LD{count}\r\n\
         CSeq: {seq} {method}\r\nAllow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, MESSAGE, OPTIONS\r\n\
         Supported: replaces, 100rel, timer\r\nUser-Agent: Example Phone 4.7\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        address(2),
        address(2),
        body.len()
    )
}

/// Feeds one message and writes the checkpoint; gives what was sent to this address.
fn feed(engine: &mut Engine, now: Time, from: u8, bytes: &[u8], to: u8, checkpoint: &mut Vec<u8>) -> Vec<u8> {
    engine.handle(now, Input::Datagram { listener: ListenerId(0), source: address(from), bytes });
    engine.store_mut().drain(checkpoint, |_, _| {});
    let mut sent = Vec::new();
    for output in engine.outputs().drain(..) {
        if let Action::Datagram { to: address_to, bytes, .. } = output.action
            && address_to == address(to)
        {
            sent = bytes;
        }
    }
    sent
}

/// What a phone answers to a request.
fn answer(request: &[u8], status: u16, body: &str) -> Vec<u8> {
    let request = Message::parse(request).expect("sound");
    let mut bytes = Vec::with_capacity(1024);
    let answer = AnswerHead::of(&request, address(1)).answer(Answer::new(status).tag("b0b"), &mut bytes);
    let answer = answer.header(HeaderName::Contact, "<sip:1002@10.0.0.3:5060>");
    answer.header(HeaderName::UserAgent, "Example Phone 4.7").body("application/sdp", body.as_bytes());
    bytes
}

fn tag_of(response: &[u8]) -> String {
    Message::parse(response).expect("sound").to().tag().unwrap_or_default().to_owned()
}

/// From INVITE to ACK; gives the tag of the caller's dialog.
fn establish(engine: &mut Engine, now: Time, count: u64, checkpoint: &mut Vec<u8>) -> String {
    let invite = feed(engine, now, 2, request(Method::Invite, count, 1, "", SDP).as_bytes(), 3, checkpoint);
    feed(engine, now, 3, &answer(&invite, 180, ""), 2, checkpoint);
    let ok = feed(engine, now, 3, &answer(&invite, 200, SDP), 2, checkpoint);
    let tag = tag_of(&ok);
    feed(engine, now, 2, request(Method::Ack, count, 1, &tag, "").as_bytes(), 3, checkpoint);
    tag
}

fn whole(engine: &mut Engine, now: Time, count: u64, checkpoint: &mut Vec<u8>) {
    let tag = establish(engine, now, count, checkpoint);
    let bye = feed(engine, now, 2, request(Method::Bye, count, 2, &tag, "").as_bytes(), 3, checkpoint);
    feed(engine, now, 3, &answer(&bye, 200, ""), 2, checkpoint);
    engine.expire(now);
    engine.store_mut().drain(checkpoint, |_, _| {});
    engine.outputs().clear();
}

/// One call at a thousand calls a second, with what lingers of the calls before.
#[divan::bench(min_time = 2)]
fn call(bencher: Bencher<'_, '_>) {
    let mut engine = engine();
    let (mut now, mut count, mut checkpoint) = (Time::ZERO, 0, Vec::with_capacity(1 << 20));
    bencher.bench_local(|| {
        count += 1;
        now += Span::from_millis(1);
        checkpoint.clear();
        whole(&mut engine, now, count, &mut checkpoint);
    });
}

/// The phones' share of it: four messages are written by one, four are read and answered by the other.
#[divan::bench]
fn phones(bencher: Bencher<'_, '_>) {
    let invite = request(Method::Invite, 1, 1, "", SDP);
    bencher.bench_local(|| {
        let asked: usize = [Method::Invite, Method::Ack, Method::Bye]
            .map(|method| request(method, 1, 1, "tag", SDP).len())
            .into_iter()
            .sum();
        let ok = answer(invite.as_bytes(), 200, SDP);
        asked + answer(invite.as_bytes(), 180, "").len() + answer(invite.as_bytes(), 200, "").len() + tag_of(&ok).len()
    });
}

const HELD: u64 = 10_000;

/// Ten thousand calls that are held, at the primary: see "max alloc".
#[divan::bench(sample_count = 1, sample_size = 1)]
fn ten_thousand_held_calls(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| {
        let mut engine = engine();
        let mut checkpoint = Vec::new();
        for count in 0..HELD {
            checkpoint.clear();
            establish(&mut engine, Time::ZERO, count, &mut checkpoint);
        }
        engine
    });
}

/// The same at the backup.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn ten_thousand_held_calls_at_the_backup(bencher: Bencher<'_, '_>) {
    let mut engine = engine();
    let mut checkpoint = Vec::new();
    for count in 0..HELD {
        establish(&mut engine, Time::ZERO, count, &mut checkpoint);
    }
    // As a snapshot sends them.
    engine.expire(Time::ZERO + Span::from_secs(40));
    let keys: Vec<_> = engine.store().keys(model::Kind(1), None).collect();
    let mut snapshot = Vec::new();
    keys.iter().for_each(|key| engine.store().write_snapshot(*key, &mut snapshot));
    println!("{} octets for each call on the link", snapshot.len() as u64 / HELD);
    bencher.bench_local(|| {
        let mut backup = Store::<call::Value>::new();
        Changes::new(&snapshot).for_each(|change| backup.absorb(&change.expect("whole")));
        backup
    });
}
