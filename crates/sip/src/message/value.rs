//! Small values: CSeq, RAck, numbers, comma lists.

use super::{Fault, Method};
use crate::lex::{self, Cursor};

/// A sequence number and the method it counts (RFC 3261 20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The number, below 2^31 (RFC 3261 8.1.1.5).
    pub number: u32,
    /// The method.
    pub method: Method<'a>,
}

impl<'a> CSeq<'a> {
    /// Reads a CSeq value.
    ///
    /// # Errors
    /// [`Fault::CSeq`] if the number is missing or not below 2^31, or the method is no token.
    pub fn parse(value: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(lex::trim(value));
        let number = sequence(&mut cursor).ok_or(Fault::CSeq("its number is not below 2^31"))?;
        let method = cursor.rest();
        if !lex::all(method, lex::TOKEN) {
            return Err(Fault::CSeq("a method follows its number"));
        }
        Ok(Self { number, method: Method::from_name(lex::text(method)) })
    }
}

/// Which reliable provisional answer a PRACK acknowledges (RFC 3262 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// The RSeq of the answer.
    pub rseq: u32,
    /// The CSeq of the request that it answers.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    /// Reads a RAck value.
    ///
    /// # Errors
    /// [`Fault::Number`] if the first number is none, [`Fault::CSeq`] if the rest is no CSeq.
    pub fn parse(value: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(lex::trim(value));
        let rseq = sequence(&mut cursor).ok_or(Fault::Number("RAck"))?;
        Ok(Self { rseq, cseq: CSeq::parse(cursor.rest())? })
    }
}

/// A number below 2^31 and the white space behind it.
fn sequence(cursor: &mut Cursor<'_>) -> Option<u32> {
    let number = lex::number(cursor.take_while(lex::TOKEN))?;
    if !cursor.peek().is_some_and(|byte| lex::is(byte, lex::LWS)) {
        return None;
    }
    cursor.skip_lws();
    u32::try_from(number).ok().filter(|&number| number < 1 << 31)
}

/// A header value that is one number, at most `u32::MAX` (RFC 3261 20.19 lets a larger one count as that).
pub(super) fn seconds(value: &[u8]) -> Option<u32> {
    // `Expires`, `Min-Expires` and `Session-Expires` may carry parameters or a comment behind the number.
    let mut cursor = Cursor::new(lex::trim(value));
    let number = lex::number(cursor.take_while(lex::TOKEN))?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The members of a comma list, trimmed; commas in quotes and in < > do not separate. Empty members are left out.
pub(super) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = member_end(text);
        rest = text.get(end + 1..);
        text.get(..end).map(lex::trim)
    })
    .filter(|member| !member.is_empty())
}

fn member_end(text: &[u8]) -> usize {
    let mut at = 0;
    let mut bracketed = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += text.get(at..).and_then(lex::quoted_end).map_or(0, |length| length - 1),
            b'<' => bracketed = true,
            b'>' => bracketed = false,
            b',' if !bracketed => break,
            _ => {}
        }
        at += 1;
    }
    at
}
