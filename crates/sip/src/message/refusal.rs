//! Answering what could not be read (RFC 4475 3.1.2, 3.3.1; RFC 3261 16.3, 18.3).

use std::fmt;
use std::net::SocketAddr;

use super::Fault;
use super::salvage::Salvage;
use crate::build::Outgoing;

/// A message that cannot be processed: what is wrong with it, and the answer if one is due.
#[derive(Clone, Copy)]
pub struct Refusal<'a> {
    fault: Fault,
    bytes: &'a [u8],
}

impl<'a> Refusal<'a> {
    pub(crate) const fn new(fault: Fault, bytes: &'a [u8]) -> Self {
        Self { fault, bytes }
    }

    /// What is wrong.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// The status of the answer; `None` means: drop it. Responses, ACK and noise are never answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.salvage().map(|_| self.fault.status())
    }

    /// Writes the answer, whose phrase says what is wrong (RFC 3261 21.4.1), and says where it goes over an unreliable transport; `None` means: drop it.
    ///
    /// `tag` becomes the To tag where the request has none.
    pub fn answer(&self, source: SocketAddr, tag: &str, out: &mut Vec<u8>) -> Option<SocketAddr> {
        let salvage = self.salvage()?;
        salvage.write(Outgoing::response(out, self.fault.status(), &self.fault.to_string()), source, tag)
    }

    fn salvage(&self) -> Option<Salvage<'a>> {
        match self.fault {
            Fault::NotSip => None,
            _ => Salvage::of(self.bytes),
        }
    }
}

/// Without the bytes: they may hold telephone numbers and secrets.
impl fmt::Debug for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("fault", &self.fault).field("length", &self.bytes.len()).finish()
    }
}
