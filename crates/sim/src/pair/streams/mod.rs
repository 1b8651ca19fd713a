//! TCP connections: kept by the kernel of a host, held by both sides of a pair, finished by whoever serves.
//!
//! As the shell does it: the descriptor of each connection goes to the backup with the news of it, the backup counts
//! along what the primary writes, and at a takeover asks the kernel how much of that it really took.

mod handing;
mod network;
mod serving;
mod succession;

use std::collections::VecDeque;
use std::net::SocketAddr;

use model::Time;
pub(in crate::pair) use succession::unsent;

/// A connection as the kernel of a host knows it.
#[derive(Debug)]
pub(in crate::pair) struct Socket {
    /// The number that the server has given it; none while it waits to be accepted.
    number: Option<u64>,
    peer: SocketAddr,
    /// Bytes that the peer has sent and nobody has read.
    inbox: VecDeque<Vec<u8>>,
    /// The peer has closed it, or it could not be made.
    ended: bool,
    /// It stands.
    open: bool,
    /// Bytes that were ever written to it, as a kernel counts them: the SYN of the side that connects is one.
    written: u64,
    /// Which sides hold a descriptor of it.
    holders: [bool; 2],
}

/// A connection as a process knows it.
#[derive(Clone, Debug)]
pub(in crate::pair) struct Account {
    socket: u64,
    remote: SocketAddr,
    accepted: bool,
    open: bool,
    /// What the kernel counted before the first byte.
    base: u64,
    /// Bytes that were ever to be written.
    queued: u64,
    /// The last of them: all that the kernel may not have taken.
    tail: Vec<u8>,
    closes: bool,
    /// Until when the kernel takes nothing.
    full_until: Time,
}

/// What a primary tells its backup of a connection.
#[derive(Clone, Debug)]
pub(in crate::pair) enum StreamNews {
    /// It is there, and this is its account; the descriptor travels with it.
    Handed(u64, Account),
    /// It stands now, and the kernel counts from here.
    Established(u64, u64),
    /// It is closed.
    Gone(u64),
}

/// What an output does to a connection.
#[derive(Debug)]
pub enum StreamAction {
    /// Opens one to this address.
    Connect(u64, SocketAddr),
    /// Writes to it.
    Write(u64, Vec<u8>),
    /// Closes it when everything before is written.
    Close(u64),
}

/// What a kernel counts for the SYN of a side that connects.
const SYN: u64 = 1;

/// The most that a backup keeps of a connection before it asks the kernel what has left.
const PRUNE_ABOVE: usize = 4_096;

impl Account {
    fn new(socket: u64, remote: SocketAddr, accepted: bool) -> Self {
        let (base, queued, tail, full_until) = (0, 0, Vec::new(), Time::ZERO);
        Self { socket, remote, accepted, open: accepted, base, queued, tail, closes: false, full_until }
    }

    fn queue(&mut self, bytes: &[u8]) {
        self.queued += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
    }

    /// The connection stands; a predecessor may have written to it already.
    fn establish(&mut self, written: u64) {
        self.base = written.min(SYN);
        self.open = true;
        self.forget_written(written);
    }

    /// Forgets what the kernel has taken.
    fn forget_written(&mut self, written: u64) {
        if !self.open {
            return;
        }
        let written = written.saturating_sub(self.base);
        let first_kept = self.queued - self.tail.len() as u64;
        let done = (written.saturating_sub(first_kept) as usize).min(self.tail.len());
        self.tail.drain(..done);
    }
}
