//! Messages as spans into the bytes that carried them.

mod access;
mod core;
mod fault;
mod header;
mod lines;
mod method;
mod name_addr;
mod params;
mod refusal;
mod salvage;
mod start;
mod table;
mod value;
mod via;

use std::fmt;

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

use crate::limits::MAX_MESSAGE;
use core::Core;
use table::Table;

/// A SIP request or response (RFC 3261 7), read in place.
///
/// A message that exists is sound: its start line, Via values, From, To, Call-ID, CSeq, Max-Forwards and
/// Content-Length were read and fit together, so access to them cannot fail. All other headers are read
/// when they are asked for.
#[derive(Clone)]
pub struct Message<'a> {
    bytes: &'a [u8],
    start: Start<'a>,
    table: Table,
    core: Core<'a>,
    body: &'a [u8],
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
        let (table, at) = Table::read(bytes, at)?;
        let core = Core::read(bytes, &table, &start)?;
        let body = core::body(bytes, &table, at)?;
        Ok(Self { bytes, start, table, core, body })
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
