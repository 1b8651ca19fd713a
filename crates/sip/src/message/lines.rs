//! Cutting a header section into lines (RFC 3261 7.3).

use super::Fault;
use super::header::Id;
use super::table::Line;
use crate::lex::{self, Cursor};

/// Goes through the header lines of a message.
pub(super) struct Lines<'a> {
    cursor: Cursor<'a>,
    total: usize,
}

const LINE: Fault = Fault::HeaderLine("it is a name, a colon and a value");

impl<'a> Lines<'a> {
    /// Begins at the first header line, which stands at `at`.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { cursor: Cursor::new(bytes.get(at..).unwrap_or_default()), total: bytes.len() }
    }

    /// Where the next line begins; behind the empty line once [`Self::next_line`] gave `None`.
    pub(super) const fn at(&self) -> usize {
        self.total - self.cursor.rest().len()
    }

    /// The next header line, `None` at the empty line.
    ///
    /// A line ends with CR LF and nothing else. A lone CR or LF is refused, because another element may take
    /// it for a line end and see headers that we do not see.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, Fault> {
        if let Some(end) = self.empty_line() {
            return end.map(|()| None);
        }
        let at = self.at();
        let Some(colon) = find(self.cursor.rest(), is_colon) else {
            return Err(if self.cursor.rest().contains(&b'\n') { LINE } else { Fault::Unterminated });
        };
        let name = self.cursor.take(colon);
        self.cursor.take(1);
        let (id, length) = read_name(name)?;
        self.cursor.take_until(|byte| byte != b' ' && byte != b'\t');
        let begin = self.at();
        let value = self.cursor.take(value_end(self.cursor.rest())?);
        self.cursor.take(2);
        Ok(Some(Line { id, name: span(at, length), value: trimmed(begin, value) }))
    }

    /// Takes the empty line, if it comes next or nothing else can.
    fn empty_line(&mut self) -> Option<Result<(), Fault>> {
        match self.cursor.rest() {
            [b'\r', b'\n', ..] => {
                self.cursor.take(2);
                Some(Ok(()))
            }
            [] | [b'\r'] => Some(Err(Fault::Unterminated)),
            _ => None,
        }
    }
}

/// Where a value stands without the white space and folds at its ends.
fn trimmed(begin: usize, value: &[u8]) -> (u16, u16) {
    match value {
        [b'\r', ..] | [.., b' ' | b'\t'] => {
            let folds = value.iter().take_while(|&&byte| lex::is(byte, lex::LWS)).count();
            span(begin + folds, lex::trim(value).len())
        }
        value => span(begin, value.len()),
    }
}

/// Which name stands before a colon, and how long it is; white space may stand between (RFC 3261 7.3.1).
fn read_name(text: &[u8]) -> Result<(Id, usize), Fault> {
    let name = match text {
        [.., b' ' | b'\t'] => text.trim_ascii_end(),
        name => name,
    };
    let id = Id::of(name);
    // A known name needs no check.
    if id.known().is_some() || lex::all(name, lex::TOKEN) { Ok((id, name.len())) } else { Err(LINE) }
}

/// Where the CR LF stands that ends the value; one before white space is a fold and part of the value.
fn value_end(rest: &[u8]) -> Result<usize, Fault> {
    let mut at = 0;
    loop {
        at += find(rest.get(at..).unwrap_or_default(), is_control).ok_or(Fault::Unterminated)?;
        match rest.get(at..) {
            Some([b'\r', b'\n', b' ' | b'\t', ..]) => at += 3,
            Some([b'\r', b'\n', ..]) => return Ok(at),
            Some([b'\r']) => return Err(Fault::Unterminated),
            Some([b'\r' | b'\n', ..]) => return Err(Fault::HeaderLine("a lone CR or LF stands in it")),
            _ => at += 1,
        }
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// The first byte of which `sign` sets the upper bit, eight at a time: header lines are so short that this beats
/// a call of `memchr`. The lowest bit set must be exact, those above it need not be.
fn find(text: &[u8], sign: impl Fn(u64) -> u64) -> Option<usize> {
    let mut rest = text;
    let mut at = 0;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let found = sign(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
        rest = after;
    }
    let letters = (ONES ^ 1) * u64::from(b'a');
    let found = rest.iter().position(|&byte| sign(letters | u64::from(byte)) != 0)?;
    Some(at + found)
}

/// The colons among eight bytes.
const fn is_colon(word: u64) -> u64 {
    let differ = word ^ (ONES * b':' as u64);
    differ.wrapping_sub(ONES) & !differ & HIGHS
}

/// The control characters among eight bytes.
const fn is_control(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGHS
}

/// Begin and end; both fit because a message is at most 65,535 bytes.
fn span(begin: usize, length: usize) -> (u16, u16) {
    (u16::try_from(begin).unwrap_or(u16::MAX), u16::try_from(begin + length).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_finds_what_one_at_a_time_finds() {
        let mut chance = model::Chance::new(1);
        for _ in 0..20_000 {
            let text: Vec<u8> = (0..chance.below(20))
                .map(|_| b"\r\n\t\0\x1f :;9\x80\xff\x0d\x3b~"[chance.below(14) as usize])
                .collect();
            assert_eq!(find(&text, is_colon), text.iter().position(|&byte| byte == b':'), "{text:?}");
            assert_eq!(find(&text, is_control), text.iter().position(|&byte| byte < 0x20), "{text:?}");
        }
    }
}
