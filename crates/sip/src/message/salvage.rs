//! What can still be told from a message that could not be read.

use std::net::SocketAddr;

use super::header::Id;
use super::{Fault, HeaderName, Method, NameAddr, Via, start};
use crate::build::{Outgoing, put_top_via};
use crate::lex::{self, Cursor};
use crate::limits::MAX_VIAS;

/// The parts of a damaged request that its answer needs (RFC 3261 8.2.6.2), each as good as it came.
pub(super) struct Salvage<'a> {
    vias: Vec<&'a [u8]>,
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
    cseq: Option<&'a [u8]>,
}

impl<'a> Salvage<'a> {
    /// `None` if no answer is due or none would find its way: a response, an ACK, no Via with a sender.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (line, after) = start::line(bytes)?;
        let method = line.split(|&byte| byte == b' ').next()?;
        let is_response = method.split_at_checked(4).is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"SIP/"));
        if is_response || Method::from_name(lex::text(method)) == Method::Ack {
            return None;
        }
        let mut salvage = Self { vias: Vec::new(), from: None, to: None, call_id: None, cseq: None };
        for (name, value) in lines(bytes.get(after..)?) {
            salvage.take(name, value);
        }
        salvage.top_via().map(|_| salvage)
    }

    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        match Id::of(name).known() {
            Some(HeaderName::Via) if self.vias.len() < MAX_VIAS => self.vias.push(value),
            Some(HeaderName::From) => _ = self.from.get_or_insert(value),
            Some(HeaderName::To) => _ = self.to.get_or_insert(value),
            Some(HeaderName::CallId) => _ = self.call_id.get_or_insert(value),
            Some(HeaderName::CSeq) => _ = self.cseq.get_or_insert(value),
            _ => {}
        }
    }

    /// The top Via as far as it is sound, and the values that follow it in its line.
    fn top_via(&self) -> Option<(Via<'a>, &'a [u8])> {
        let mut cursor = Cursor::new(self.vias.first()?);
        let via = Via::salvage(&mut cursor)?;
        Some((via, if cursor.peek() == Some(b',') { cursor.rest() } else { b"" }))
    }

    /// Writes the headers of the answer and says where it goes.
    pub(super) fn write(&self, mut answer: Outgoing<'_>, source: SocketAddr, tag: &str) -> Option<SocketAddr> {
        let (top, after) = self.top_via()?;
        let mut line = Vec::new();
        put_top_via(&mut line, &top, source);
        answer = answer.parts(HeaderName::Via, &[&line, after]);
        for via in self.vias.iter().skip(1) {
            answer = answer.header(HeaderName::Via, via);
        }
        for (name, value) in
            [(HeaderName::From, self.from), (HeaderName::CallId, self.call_id), (HeaderName::CSeq, self.cseq)]
        {
            if let Some(value) = value {
                answer = answer.header(name, value);
            }
        }
        if let Some(to) = self.to {
            let untagged = NameAddr::parse(to).is_ok_and(|to| to.tag().is_none());
            let tag: &[&[u8]] = if untagged { &[to, b";tag=", tag.as_bytes()] } else { &[to] };
            answer = answer.parts(HeaderName::To, tag);
        }
        answer.finish();
        Some(top.reply_to(source))
    }
}

/// The Content-Length of a header section whose other lines may be malformed; `None` if it has none.
///
/// # Errors
/// [`Fault::ContentLength`] if it is no number, [`Fault::Repeated`] if two differ.
pub(crate) fn content_length(head: &[u8]) -> Result<Option<u64>, Fault> {
    let after = memchr::memchr(b'\n', head).map_or(head.len(), |end| end + 1);
    let mut found = None;
    for (name, value) in lines(head.get(after..).unwrap_or_default()) {
        if Id::of(name).known() == Some(HeaderName::ContentLength) {
            let length = lex::number(value).ok_or(Fault::ContentLength)?;
            if *found.get_or_insert(length) != length {
                return Err(Fault::Repeated(HeaderName::ContentLength.as_str()));
            }
        }
    }
    Ok(found)
}

/// Header lines as far as they can be told apart: name and value, until the first empty line.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let mut end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        while let Some(b' ' | b'\t') = rest.get(end) {
            end += memchr::memchr(b'\n', rest.get(end..)?).map_or(rest.len() - end, |at| at + 1);
        }
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        let line = lex::trim(line);
        if line.is_empty() {
            return None;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        Some((lex::trim(line.get(..colon)?), lex::trim(line.get(colon + 1..).unwrap_or_default())))
    })
}
