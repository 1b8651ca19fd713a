//! What a fuzzer and the replay of its corpus do with one input; each ends in a panic if a promise is broken.
//!
//! The fuzz targets and the test `corpus` of the crate `sip` both include this file.

use std::net::SocketAddr;

use model::{Span, Time};
use sip::digest::{Algorithm, Authenticator, Challenge, Credentials, Login, Secret};
use sip::sdp::Description;
use sip::stream::{Frame, Framer};
use sip::{Answer, HeaderName, Message, Outgoing, Start, Uri};

/// A body and the name of its corpus folder.
pub(crate) type Body = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const BODIES: [Body; 5] =
    [("message", message), ("uri", uri), ("stream", stream), ("digest", digest), ("sdp", sdp)];

/// Runs the body of this name.
pub(crate) fn run(name: &str, data: &[u8]) {
    let (_, body) = BODIES.into_iter().find(|(known, _)| *known == name).expect("a body for each corpus folder");
    body(data);
}

fn source() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 40_404))
}

/// A message that is read is answered and copied without changing its meaning; a refused one is answered soundly.
fn message(data: &[u8]) {
    let message = match Message::parse(data) {
        Ok(message) => message,
        Err(refusal) => {
            let mut answer = Vec::new();
            let written = refusal.answer(source(), "tag", &mut answer).is_some();
            assert_eq!(written, refusal.status().is_some());
            assert_eq!(written, !answer.is_empty());
            assert!(!written || is_one_head(&answer), "a refusal is one message");
            return;
        }
    };
    assert!(data.len() <= sip::limits::MAX_MESSAGE);
    let vias = message.vias().count();
    assert!(vias > 0 && vias <= sip::limits::MAX_VIAS);
    for name in [HeaderName::Contact, HeaderName::Route, HeaderName::RecordRoute, HeaderName::PAssertedIdentity] {
        for address in message.addresses(name).flatten() {
            let _ = (address.display_name(), address.tag(), address.expires(), address.q(), address.uri().user());
        }
    }
    let _ = (message.expires(), message.rack(), message.content_type(), message.contact_is_star());
    if message.is_request() {
        check_answer(&message, vias);
    }
    check_copy(&message);
}

fn check_answer(message: &Message<'_>, vias: usize) {
    let mut bytes = Vec::new();
    Answer::new(486).tag("tag").to(message, source(), &mut bytes).finish();
    assert!(is_one_head(&bytes), "an answer is one message");
    let answer = Message::parse(&bytes).expect("an answer to a sound request is sound");
    assert_eq!((answer.status(), answer.cseq(), answer.call_id()), (Some(486), message.cseq(), message.call_id()));
    assert_eq!(answer.vias().count(), vias);
    assert_eq!(answer.top_via().branch(), message.top_via().branch());
    assert_eq!(answer.from().tag(), message.from().tag());
    assert!(answer.to().tag().is_some());
    let seen = answer.top_via().received().or(answer.top_via().host().address());
    assert_eq!(seen, Some(source().ip()), "who sends the answer on knows where to");
}

/// Copies every header and the body, as a B2BUA may, and reads the same again.
fn check_copy(message: &Message<'_>) {
    let mut bytes = Vec::new();
    let outgoing = match message.start() {
        Start::Request { method, uri } => Outgoing::request(&mut bytes, *method, uri.as_str()),
        Start::Response { status, .. } => Outgoing::response(&mut bytes, *status, ""),
    };
    let others = || message.headers().filter(|header| header.name != HeaderName::ContentLength);
    others().fold(outgoing, Outgoing::copy).body("", message.body());
    if bytes.len() > sip::limits::MAX_MESSAGE {
        return;
    }
    let copy = Message::parse(&bytes).expect("a copy of a sound message is sound");
    assert_eq!(copy.body(), message.body());
    let unfolded = |value: &[u8]| value.iter().map(|&byte| if byte < b' ' { b' ' } else { byte }).collect::<Vec<u8>>();
    let copied = copy.headers().filter(|header| header.name != HeaderName::ContentLength);
    assert!(
        copied
            .map(|header| (header.name, unfolded(header.value)))
            .eq(others().map(|header| { (header.name, unfolded(header.value)) }))
    );
}

/// Whether the bytes are lines that end in CR LF, the last one empty, none of them broken.
fn is_one_head(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some(head) = text.strip_suffix("\r\n\r\n") else { return false };
    head.split("\r\n").all(|line| !line.is_empty() && !line.contains(['\r', '\n']))
}

/// A URI that is read prints as it was, and means the same as itself.
fn uri(data: &[u8]) {
    let Ok(uri) = Uri::parse(data) else { return };
    assert_eq!(uri.as_str().as_bytes(), data);
    assert!(uri.same_as(&uri));
    let _ = uri.user();
}

/// However a stream is cut, the same comes out of it. The first byte chooses the cuts.
fn stream(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let pieces = data.chunks(usize::from(size).max(1));
    assert_eq!(frames(pieces), frames([data]), "cut into pieces of {size}");
}

fn frames<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<Vec<u8>>, Option<sip::Fault>) {
    let mut framer = Framer::default();
    let mut found = Vec::new();
    for mut piece in pieces {
        loop {
            match framer.next(&mut piece) {
                Ok(Some(Frame::Message(bytes))) => found.push(bytes.into_owned()),
                Ok(Some(Frame::Ping)) => found.push(Vec::new()),
                Ok(None) => break,
                Err(lost) => return (found, Some(lost.fault())),
            }
            assert!(framer.held() <= sip::limits::MAX_MESSAGE);
        }
    }
    (found, None)
}

/// Credentials are checked and refused; a challenge is answered in a form that we would read.
fn digest(data: &[u8]) {
    if let Ok(Some(credentials)) = Credentials::parse(data) {
        let request = b"REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a>\r\nTo: <sip:a>\r\nCall-ID: a\r\n\
                        CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
        let request = Message::parse(request).expect("a message");
        let authenticator = Authenticator::new(credentials.realm(), [1; 32], Span::from_secs(60));
        let secret = Secret::Password("not to be guessed by a fuzzer");
        assert!(authenticator.check(&credentials, &request, secret, b"", Time::ZERO).is_err());
    }
    let Ok(Some(challenge)) = Challenge::parse(data) else { return };
    let secret = Secret::Ha1(Algorithm::Md5, "939e7578ed9e3c518a452acee763bce9");
    let login = Login { username: "a\"b", secret, method: "INVITE", uri: "sip:a", cnonce: "c", count: 1 };
    let mut out = Vec::new();
    let request = Outgoing::request(&mut out, sip::Method::Invite, "sip:a");
    let Some(request) = challenge.answer(login, request, HeaderName::Authorization) else { return };
    request.finish();
    assert!(is_one_head(&out));
    let line = out.split(|&byte| byte == b'\n').nth(1).expect("the header line");
    let value = line.strip_prefix(b"Authorization: ").expect("the header");
    let credentials = Credentials::parse(value).expect("well formed").expect("Digest");
    assert_eq!(credentials.username(), "a\"b");
    let realm = challenge.realm().replace(['\r', '\n'], " ");
    assert_eq!(credentials.realm(), realm);
}

/// A description that is read is written in a form that says the same.
fn sdp(data: &[u8]) {
    let Ok(description) = Description::parse(data) else { return };
    let written = description.to_string();
    let again = Description::parse(written.as_bytes()).expect("what is written can be read");
    let media = |description: &Description| {
        let media = description.media().map(|media| (media.kind().to_owned(), media.port(), media.direction()));
        media.collect::<Vec<_>>()
    };
    assert_eq!(media(&again), media(&description));
    assert_eq!(again.is_hold(), description.is_hold());
}
