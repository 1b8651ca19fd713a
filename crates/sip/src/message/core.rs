//! The headers that every message needs, read once.

use super::table::Table;
use super::{CSeq, Fault, HeaderName, NameAddr, Start, Via};
use crate::lex::{self, Cursor};
use crate::limits::MAX_VIAS;

/// The headers that every message needs (RFC 3261 8.1.1), in sound form.
#[derive(Clone, Debug)]
pub(super) struct Core<'a> {
    pub(super) via: Via<'a>,
    /// What follows the top Via in its line.
    pub(super) after_via: &'a [u8],
    pub(super) from: NameAddr<'a>,
    pub(super) to: NameAddr<'a>,
    pub(super) call_id: &'a str,
    pub(super) cseq: CSeq<'a>,
    pub(super) max_forwards: Option<u8>,
}

impl<'a> Core<'a> {
    /// Reads them, and sees that they fit the start line.
    pub(super) fn read(bytes: &'a [u8], table: &Table, start: &Start<'a>) -> Result<Self, Fault> {
        let need = |name: HeaderName<'static>| table.first(bytes, name).ok_or(Fault::Missing(name.as_str()));
        let (via, after_via) = read_vias(bytes, table)?;
        let from = NameAddr::parse(need(HeaderName::From)?)?;
        let to = NameAddr::parse(need(HeaderName::To)?)?;
        let call_id = need(HeaderName::CallId)?;
        if !lex::all(call_id, lex::WORD | lex::AT) {
            return Err(Fault::CallId);
        }
        let cseq = CSeq::parse(need(HeaderName::CSeq)?)?;
        if start.method().is_some_and(|method| method != cseq.method) {
            return Err(Fault::CSeq("its method is not that of the request line"));
        }
        let max_forwards = match table.first(bytes, HeaderName::MaxForwards) {
            // Forgiven where it is too large, as RFC 4475 3.1.2.4 allows: no way is that long.
            Some(value) => Some(lex::number(value).ok_or(Fault::Number("Max-Forwards"))?.min(255) as u8),
            None => None,
        };
        Ok(Self { via, after_via, from, to, call_id: lex::text(call_id), cseq, max_forwards })
    }
}

/// Reads every Via, as a damaged one further down would go out again in our answers, and gives the top one
/// and what follows it in its line.
fn read_vias<'a>(bytes: &'a [u8], table: &Table) -> Result<(Via<'a>, &'a [u8]), Fault> {
    let mut top = None;
    let mut count = 0;
    for value in table.all(bytes, HeaderName::Via) {
        let mut cursor = Cursor::new(value);
        loop {
            let via = Via::read(&mut cursor)?;
            top.get_or_insert((via, cursor.rest()));
            count += 1;
            if count > MAX_VIAS {
                return Err(Fault::TooManyVias);
            }
            if cursor.is_done() {
                break;
            }
            if !cursor.eat(b',') {
                return Err(Fault::Via("something that is no parameter follows its host"));
            }
        }
    }
    top.ok_or(Fault::Missing("Via"))
}

/// The body that begins at `at`: what Content-Length says, or all that came (RFC 3261 18.3).
pub(super) fn body<'a>(bytes: &'a [u8], table: &Table, at: usize) -> Result<&'a [u8], Fault> {
    let came = bytes.get(at..).unwrap_or_default();
    match table.first(bytes, HeaderName::ContentLength) {
        Some(value) => {
            let length = lex::number(value).ok_or(Fault::ContentLength)?;
            usize::try_from(length).ok().and_then(|length| came.get(..length)).ok_or(Fault::Truncated)
        }
        None => Ok(came),
    }
}
