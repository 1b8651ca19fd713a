//! Cutting a header section into lines (RFC 3261 7.3).

use super::header::Id;
use super::{Fault, Line};
use crate::lex;

/// Goes through the header lines of a message.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// Begins at the first header line.
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next line begins; behind the empty line once [`Self::next_line`] gave `None`.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The next header line, `None` at the empty line.
    ///
    /// A line ends with CR LF and nothing else. A lone CR or LF is refused, because another element may take
    /// it for a line end and see headers that we do not see.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, Fault> {
        let rest = self.bytes.get(self.at..).ok_or(Fault::Unterminated)?;
        if rest.starts_with(b"\r\n") {
            self.at += 2;
            return Ok(None);
        }
        let name = rest.iter().position(|&byte| !is_name(byte)).ok_or(Fault::Unterminated)?;
        let blank = rest.iter().skip(name).take_while(|&&byte| byte == b' ' || byte == b'\t').count();
        if name == 0 || rest.get(name + blank) != Some(&b':') {
            return Err(Fault::HeaderLine("it is a name, a colon and a value"));
        }
        let begin = name + blank + 1;
        let end = value_end(rest, begin)?;
        let line = Line {
            id: Id::of(rest.get(..name).unwrap_or_default()),
            name: span(self.at, name),
            value: trimmed(self.bytes, self.at + begin, self.at + end),
        };
        self.at += end + 2;
        Ok(Some(line))
    }
}

/// Header names are tokens; RFC 4475 3.1.1.2 has octets of UTF-8 behind a colon only, so none are needed here.
const fn is_name(byte: u8) -> bool {
    lex::is(byte, lex::TOKEN)
}

/// Where the CR LF stands that ends the value; one before white space is a fold and part of the value.
fn value_end(rest: &[u8], begin: usize) -> Result<usize, Fault> {
    let mut at = begin;
    loop {
        at += memchr::memchr2(b'\r', b'\n', rest.get(at..).unwrap_or_default()).ok_or(Fault::Unterminated)?;
        match rest.get(at..) {
            Some([b'\r', b'\n', b' ' | b'\t', ..]) => at += 3,
            Some([b'\r', b'\n', ..]) => return Ok(at),
            Some([b'\r']) => return Err(Fault::Unterminated),
            _ => return Err(Fault::HeaderLine("a lone CR or LF stands in it")),
        }
    }
}

/// The span without white space at its ends.
fn trimmed(bytes: &[u8], from: usize, to: usize) -> (u16, u16) {
    let value = bytes.get(from..to).unwrap_or_default();
    let before = value.iter().take_while(|&&byte| lex::is(byte, lex::LWS)).count();
    span(from + before, lex::trim(value).len())
}

/// Begin and end; both fit because a message is at most 65,535 bytes.
fn span(begin: usize, length: usize) -> (u16, u16) {
    (u16::try_from(begin).unwrap_or(u16::MAX), u16::try_from(begin + length).unwrap_or(u16::MAX))
}

impl Line {
    /// Its name as it was written.
    pub(super) fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(usize::from(self.name.0)..usize::from(self.name.1)).unwrap_or_default()
    }

    /// Its value as it was written, without white space at the ends.
    pub(super) fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(usize::from(self.value.0)..usize::from(self.value.1)).unwrap_or_default()
    }
}
