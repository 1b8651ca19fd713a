//! Answers: what RFC 3261 8.2.6 copies from the request.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Outgoing, put_number, put_value};
use crate::message::{Message, Via};

/// The status line of an answer and its To tag.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    status: u16,
    reason: &'a str,
    tag: &'a str,
}

impl<'a> Answer<'a> {
    /// An answer with the usual phrase and no To tag, which only 100 may lack (RFC 3261 8.2.6.2).
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, reason: "", tag: "" }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// With another phrase.
    #[must_use]
    pub const fn reason(self, reason: &'a str) -> Self {
        Self { reason, ..self }
    }

    /// With this tag in To, if the request has none there.
    #[must_use]
    pub const fn tag(self, tag: &'a str) -> Self {
        Self { tag, ..self }
    }

    /// Writes the answer to `request`, which came from `source`, up to the headers of its own.
    pub fn to<'b>(self, request: &Message<'_>, source: SocketAddr, out: &'b mut Vec<u8>) -> Outgoing<'b> {
        let answer = Outgoing::response(out, self.status, self.reason);
        put_head(answer.out, request, source);
        self.end_to(answer, request.to().tag().is_some())
    }

    /// Ends the To line with the tag.
    fn end_to(self, answer: Outgoing<'_>, tagged: bool) -> Outgoing<'_> {
        if !tagged && !self.tag.is_empty() {
            answer.out.extend_from_slice(b";tag=");
            put_value(answer.out, self.tag.as_bytes());
        }
        answer.out.extend_from_slice(b"\r\n");
        answer
    }
}

/// What every answer to one request has in common, as bytes: a server transaction keeps it instead of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHead {
    #[serde(with = "serde_bytes")]
    lines: Box<[u8]>,
    tagged: bool,
}

impl AnswerHead {
    /// What answers to `request`, which came from `source`, have in common.
    #[must_use]
    pub fn of(request: &Message<'_>, source: SocketAddr) -> Self {
        let mut lines = Vec::with_capacity(512);
        put_head(&mut lines, request, source);
        Self { lines: lines.into_boxed_slice(), tagged: request.to().tag().is_some() }
    }

    /// Writes an answer up to the headers of its own.
    pub fn answer<'b>(&self, answer: Answer<'_>, out: &'b mut Vec<u8>) -> Outgoing<'b> {
        let outgoing = Outgoing::response(out, answer.status, answer.reason);
        outgoing.out.extend_from_slice(&self.lines);
        answer.end_to(outgoing, self.tagged)
    }
}

/// Writes Via, From, Call-ID and CSeq, and To without its line end (RFC 3261 8.2.6.2).
fn put_head(out: &mut Vec<u8>, request: &Message<'_>, source: SocketAddr) {
    use crate::message::HeaderName as Name;
    let mut vias = request.values(Name::Via);
    if vias.next().is_some() {
        out.extend_from_slice(b"Via: ");
        put_top_via(out, request.top_via(), source);
        put_value(out, request.after_top_via());
        out.extend_from_slice(b"\r\n");
    }
    for via in vias {
        put_line(out, b"Via: ", via);
    }
    put_line(out, b"From: ", request.value(Name::From).unwrap_or_default());
    put_line(out, b"Call-ID: ", request.call_id().as_bytes());
    put_line(out, b"CSeq: ", request.value(Name::CSeq).unwrap_or_default());
    out.extend_from_slice(b"To: ");
    put_value(out, request.value(Name::To).unwrap_or_default());
}

fn put_line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    put_value(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Writes the top Via with the address and port that the request came from (RFC 3261 18.2.1, RFC 3581 4).
pub(crate) fn put_top_via(out: &mut Vec<u8>, via: &Via<'_>, source: SocketAddr) {
    put_value(out, via.sent_by());
    for (name, value) in via.params().iter().filter(|(name, _)| !name.eq_ignore_ascii_case("received")) {
        out.push(b';');
        out.extend_from_slice(name.as_bytes());
        if name.eq_ignore_ascii_case("rport") {
            out.push(b'=');
            put_number(out, source.port().into());
        } else if let Some(value) = value {
            out.push(b'=');
            put_value(out, value.as_bytes());
        }
    }
    if via.rport().is_some() || via.host().address() != Some(source.ip()) {
        put_received(out, source);
    }
}

/// Writes the `received` parameter; IPv6 without brackets (RFC 3261 25.1, `via-received`).
fn put_received(out: &mut Vec<u8>, source: SocketAddr) {
    use std::io::Write;
    // Writing into memory cannot fail.
    let _ = write!(out, ";received={}", source.ip());
}
