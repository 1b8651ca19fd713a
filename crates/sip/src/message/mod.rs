//! Messages as spans into the bytes that carried them.

mod access;
mod fault;
mod header;
mod lines;
mod method;
mod name_addr;
mod params;
mod refusal;
mod salvage;
mod start;
mod value;
mod via;

use std::fmt;

use smallvec::SmallVec;

pub use access::Header;
pub use fault::Fault;
pub use header::HeaderName;
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::{Params, unquote};
pub use refusal::Refusal;
pub(crate) use salvage::content_length;
pub use start::Start;
pub use value::{CSeq, RAck};
pub use via::{BRANCH_COOKIE, Transport, Via};

use crate::lex::{self, Cursor};
use crate::limits::{MAX_HEADERS, MAX_MESSAGE, MAX_VIAS};
use header::{Id, SINGLE};
use lines::Lines;

/// A SIP request or response (RFC 3261 7), read in place.
///
/// A message that exists is sound: its start line, Via values, From, To, Call-ID, CSeq, Max-Forwards and
/// Content-Length were read and fit together, so access to them cannot fail. All other headers are read
/// when they are asked for.
#[derive(Clone)]
pub struct Message<'a> {
    bytes: &'a [u8],
    start: Start<'a>,
    lines: Table,
    core: Core<'a>,
    body: &'a [u8],
}

type Table = SmallVec<[Line; 24]>;

/// Where one header line stands in the message; folds are part of the value.
#[derive(Clone, Copy, Debug)]
struct Line {
    id: Id,
    name: (u16, u16),
    value: (u16, u16),
}

/// The headers that every message needs (RFC 3261 8.1.1), read once.
#[derive(Clone, Debug)]
struct Core<'a> {
    via: Via<'a>,
    after_via: &'a [u8],
    from: NameAddr<'a>,
    to: NameAddr<'a>,
    call_id: &'a str,
    cseq: CSeq<'a>,
    max_forwards: Option<u8>,
}

impl<'a> Message<'a> {
    /// Reads the message in one datagram, or one message that was framed from a stream.
    ///
    /// Line ends before the start line are skipped (RFC 3261 7.5), bytes behind the body are left out
    /// (RFC 3261 18.3).
    ///
    /// # Errors
    /// A [`Refusal`], which knows the answer to a request that must be refused and what is to be dropped.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal<'a>> {
        Self::read(bytes).map_err(|fault| Refusal::new(fault, bytes))
    }

    fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.len() > MAX_MESSAGE {
            return Err(Fault::TooLarge);
        }
        let (start, at) = start::read(bytes)?;
        let (lines, at) = read_lines(bytes, at)?;
        let values = Values { bytes, lines: &lines };
        let core = values.core(&start)?;
        let body = values.body(at)?;
        Ok(Self { bytes, start, lines, core, body })
    }
}

/// Without addresses and bodies: they hold telephone numbers and secrets.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("method", &self.core.cseq.method)
            .field("status", &self.status())
            .field("call_id", &self.core.call_id)
            .field("length", &self.bytes.len())
            .finish()
    }
}

/// The header lines, and where the body begins.
fn read_lines(bytes: &[u8], at: usize) -> Result<(Table, usize), Fault> {
    let mut lines = Lines::new(bytes, at);
    let mut table = Table::new();
    let mut known = 0_u128;
    let mut repeated = 0_u128;
    while let Some(line) = lines.next_line()? {
        if table.len() == MAX_HEADERS {
            return Err(Fault::TooManyHeaders);
        }
        repeated |= known & line.id.bit();
        known |= line.id.bit();
        table.push(line);
    }
    match repeated & SINGLE {
        0 => Ok((table, lines.at())),
        repeated => Err(Fault::Repeated(header::lowest(repeated))),
    }
}

/// Header values by name, while the message is not whole yet.
#[derive(Clone, Copy)]
struct Values<'a, 't> {
    bytes: &'a [u8],
    lines: &'t [Line],
}

impl<'a, 't> Values<'a, 't> {
    fn all(self, name: HeaderName<'_>) -> impl Iterator<Item = &'a [u8]> + use<'a, 't> {
        let id = name.id();
        self.lines.iter().filter(move |line| Some(line.id) == id).map(move |line| line.value(self.bytes))
    }

    fn first(self, name: HeaderName<'_>) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    fn need(self, name: HeaderName<'static>) -> Result<&'a [u8], Fault> {
        self.first(name).ok_or(Fault::Missing(name.as_str()))
    }

    fn core(self, start: &Start<'a>) -> Result<Core<'a>, Fault> {
        let (via, after_via) = self.vias()?;
        let from = NameAddr::parse(self.need(HeaderName::From)?)?;
        let to = NameAddr::parse(self.need(HeaderName::To)?)?;
        let call_id = self.need(HeaderName::CallId)?;
        if !lex::all(call_id, lex::WORD | lex::AT) {
            return Err(Fault::CallId);
        }
        let cseq = CSeq::parse(self.need(HeaderName::CSeq)?)?;
        if start.method().is_some_and(|method| method != cseq.method) {
            return Err(Fault::CSeq("its method is not that of the request line"));
        }
        let max_forwards = match self.first(HeaderName::MaxForwards) {
            // Forgiven where it is too large, as RFC 4475 3.1.2.4 allows: no way is that long.
            Some(value) => Some(lex::number(value).ok_or(Fault::Number("Max-Forwards"))?.min(255) as u8),
            None => None,
        };
        Ok(Core { via, after_via, from, to, call_id: lex::text(call_id), cseq, max_forwards })
    }

    /// Reads every Via, as a damaged one further down would go out again in our answers, and gives the top one
    /// and what follows it in its line.
    fn vias(self) -> Result<(Via<'a>, &'a [u8]), Fault> {
        let mut top = None;
        let mut count = 0;
        for value in self.all(HeaderName::Via) {
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
    fn body(self, at: usize) -> Result<&'a [u8], Fault> {
        let came = self.bytes.get(at..).unwrap_or_default();
        match self.first(HeaderName::ContentLength) {
            Some(value) => {
                let length = lex::number(value).ok_or(Fault::ContentLength)?;
                usize::try_from(length).ok().and_then(|length| came.get(..length)).ok_or(Fault::Truncated)
            }
            None => Ok(came),
        }
    }
}
