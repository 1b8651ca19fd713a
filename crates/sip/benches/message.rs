//! What one message costs: reading a usual INVITE, and writing the answer to it.
//!
//! `cargo bench -p sip`

use std::net::SocketAddr;

use divan::Bencher;
use sip::{Answer, AnswerHead, HeaderName, Message};

/// An INVITE as a usual phone sends it.
const INVITE: &[u8] = b"INVITE sip:9000@203.0.113.7 SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.15:5060;rport;branch=z9hG4bKPjO3ZKm9XDmkzmUdLsuX0WAhGc5nIBL9tn\r\n\
Max-Forwards: 70\r\n\
From: \"Anna Example\" <sip:1001@203.0.113.7>;tag=aDvZbVqKrzvJsXhT5Kk0iTQ6DVFWkCZK\r\n\
To: <sip:9000@203.0.113.7>\r\n\
Contact: <sip:1001@192.0.2.15:5060;ob>\r\n\
Call-ID: Ot5z8N3Kuqb.6Av3VyoV1kAUv7LD1pUQ\r\n\
CSeq: 22417 INVITE\r\n\
Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS\r\n\
Supported: replaces, 100rel, timer, norefersub\r\n\
Session-Expires: 1800\r\n\
Min-SE: 90\r\n\
User-Agent: Example Phone 4.7\r\n\
Content-Type: application/sdp\r\n\
Content-Length: 160\r\n\
\r\n\
v=0\r\n\
o=- 3850718343 3850718343 IN IP4 192.0.2.15\r\n\
s=-\r\n\
t=0 0\r\n\
m=audio 4000 RTP/AVP 0 8 101\r\n\
c=IN IP4 192.0.2.15\r\n\
a=rtpmap:101 telephone-event/8000\r\n\
a=sendrecv\r\n";

fn main() {
    divan::main();
}

fn source() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 15], 5060))
}

#[divan::bench]
fn read_invite(bencher: Bencher) {
    bencher.bench(|| Message::parse(divan::black_box(INVITE)).map(|message| message.cseq().number));
}

#[divan::bench]
fn read_header_by_header(bencher: Bencher) {
    let message = Message::parse(INVITE).expect("the INVITE is sound");
    bencher.bench(|| {
        let message = divan::black_box(&message);
        message.headers().map(|header| header.value.len()).sum::<usize>()
    });
}

#[divan::bench]
fn look_up_what_a_call_needs(bencher: Bencher) {
    let message = Message::parse(INVITE).expect("the INVITE is sound");
    bencher.bench(|| {
        let message = divan::black_box(&message);
        let contact = message.contact().map(|contact| contact.map(|contact| contact.uri().as_str().len()));
        (contact, message.lists(HeaderName::Supported, "100rel"), message.top_via().unique_branch(), message.to().tag())
    });
}

#[divan::bench]
fn write_an_answer(bencher: Bencher) {
    let message = Message::parse(INVITE).expect("the INVITE is sound");
    let mut out = Vec::with_capacity(2048);
    bencher.bench_local(|| {
        out.clear();
        Answer::new(180).tag("7f3a").to(divan::black_box(&message), source(), &mut out).finish();
        out.len()
    });
}

#[divan::bench]
fn write_an_answer_from_its_head(bencher: Bencher) {
    let message = Message::parse(INVITE).expect("the INVITE is sound");
    let head = AnswerHead::of(&message, source());
    let mut out = Vec::with_capacity(2048);
    bencher.bench_local(|| {
        out.clear();
        divan::black_box(&head).answer(Answer::new(180).tag("7f3a"), &mut out).finish();
        out.len()
    });
}
