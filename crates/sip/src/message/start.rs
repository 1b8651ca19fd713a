//! Start lines (RFC 3261 7.1, 7.2).

use super::{Fault, Method};
use crate::lex;
use crate::uri::Uri;

/// The first line of a message.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// A request line.
    Request {
        /// What is asked for.
        method: Method<'a>,
        /// Of whom (the Request-URI).
        uri: Uri<'a>,
    },
    /// A status line.
    Response {
        /// The status, 100 to 699.
        status: u16,
        /// The reason phrase as it was written; may be empty.
        reason: &'a [u8],
    },
}

impl<'a> Start<'a> {
    /// The method of a request.
    #[must_use]
    pub const fn method(&self) -> Option<Method<'a>> {
        match self {
            Self::Request { method, .. } => Some(*method),
            Self::Response { .. } => None,
        }
    }
}

/// Reads the start line and says where the headers begin.
pub(super) fn read(bytes: &[u8]) -> Result<(Start<'_>, usize), Fault> {
    let (line, after) = line(bytes).ok_or(Fault::NotSip)?;
    let start = match line.split_at_checked(4) {
        Some((version, _)) if version.eq_ignore_ascii_case(b"SIP/") => read_status(line)?,
        _ => read_request(line)?,
    };
    Ok((start, after))
}

/// The start line without its line end, and where the next line begins.
pub(super) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let rest = bytes.get(begin..)?;
    let length = memchr::memchr2(b'\r', b'\n', rest)?;
    (rest.get(length..length + 2)? == b"\r\n").then_some((rest.get(..length)?, begin + length + 2))
}

fn read_request(line: &[u8]) -> Result<Start<'_>, Fault> {
    // What ends in a SIP version is a request, however malformed; all else is noise (an HTTP probe, say).
    let (method, rest) = split_space(line).ok_or(Fault::NotSip)?;
    let (uri, version) = rsplit_space(lex::trim(rest)).ok_or(Fault::NotSip)?;
    if !is_version(version) {
        return Err(Fault::NotSip);
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Fault::Version);
    }
    if !lex::all(method, lex::TOKEN) {
        return Err(Fault::RequestLine("the method is no token"));
    }
    if rest.last() == Some(&b' ') {
        return Err(Fault::RequestLine("white space follows the version"));
    }
    if uri.iter().any(|&byte| lex::is(byte, lex::LWS)) || uri.is_empty() {
        return Err(Fault::RequestLine("it is a method, a URI and a version with one space between"));
    }
    let uri = Uri::parse(uri)?;
    if uri.as_sip().is_some_and(|uri| uri.headers().is_some()) {
        return Err(Fault::RequestLine("the Request-URI carries headers (RFC 3261 19.1.1)"));
    }
    Ok(Start::Request { method: Method::from_name(lex::text(method)), uri })
}

fn read_status(line: &[u8]) -> Result<Start<'_>, Fault> {
    let (version, rest) = split_space(line).ok_or(Fault::StatusLine("no status follows the version"))?;
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Fault::Version);
    }
    let (code, reason) = split_space(rest).unwrap_or((rest, b""));
    let status = lex::number(code).filter(|_| code.len() == 3).and_then(|status| u16::try_from(status).ok());
    match status {
        Some(status @ 100..=699) => Ok(Start::Response { status, reason }),
        _ => Err(Fault::StatusLine("the status is a number from 100 to 699")),
    }
}

fn is_version(text: &[u8]) -> bool {
    text.split_at_checked(4)
        .is_some_and(|(name, number)| name.eq_ignore_ascii_case(b"SIP/") && lex::all(number, lex::TOKEN))
}

fn split_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b' ', text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn rsplit_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memrchr(b' ', text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
