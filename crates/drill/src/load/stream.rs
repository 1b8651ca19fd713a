//! The sockets of one phone, and its connections.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Instant;

use rustix::event::epoll;
use rustix::fd::OwnedFd;
use sip::{Frame, Framer};

use super::arrival::receive;
use super::crowd::Crowd;
use super::shell::{now, token};

/// A connection.
pub(super) struct Stream {
    pub(super) socket: TcpStream,
    pub(super) framer: Framer,
    /// What the system did not take yet.
    pub(super) rest: Vec<u8>,
    pub(super) is_open: bool,
}

/// The sockets of one phone.
pub(super) enum Line {
    Datagrams(UdpSocket),
    /// Where the server may connect to, the connection of the phone, and those that the server has opened.
    Streams {
        listener: TcpListener,
        main: Option<Stream>,
        accepted: BTreeMap<u32, Stream>,
        count: u32,
        ways: Ways,
    },
}

/// On which connection each request came: its answers go back there (RFC 3261 18.2.2).
#[derive(Default)]
pub(super) struct Ways(BTreeMap<Vec<u8>, u32>);

/// So many requests are remembered for each phone, more than it answers in a minute.
const MOST_WAYS: usize = 10_000;

impl Ways {
    pub(super) fn came(&mut self, slot: u32, message: &[u8]) {
        if slot != MAIN && !message.starts_with(ANSWER) {
            if self.0.len() >= MOST_WAYS {
                self.0.clear();
            }
            self.0.extend(branch(message).map(|branch| (branch.to_vec(), slot)));
        }
    }

    /// The connection for an answer, if its request came on one that the server has opened.
    pub(super) fn back(&self, message: &[u8]) -> Option<u32> {
        if message.starts_with(ANSWER) { self.0.get(branch(message)?).copied() } else { None }
    }
}

/// Answers begin so.
const ANSWER: &[u8] = b"SIP/2.0 ";

/// The branch of the first Via, as it is written.
fn branch(message: &[u8]) -> Option<&[u8]> {
    const MARK: &[u8] = b";branch=";
    let from = message.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let rest = message.get(from..)?;
    let end = rest.iter().position(|byte| matches!(byte, b';' | b',' | b'\r' | b' ')).unwrap_or(rest.len());
    rest.get(..end)
}

pub(super) const LISTENER: u32 = 0;
pub(super) const MAIN: u32 = 1;

impl Stream {
    /// Writes what waits, and asks to be told when there is room if some is left; false if the connection is broken.
    pub(super) fn flush(&mut self, poll: &OwnedFd, phone: usize, slot: u32) -> bool {
        while !self.rest.is_empty() {
            match self.socket.write(&self.rest) {
                Ok(0) => return false,
                Ok(written) => drop(self.rest.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        let mut flags = epoll::EventFlags::IN;
        if !self.rest.is_empty() {
            flags |= epoll::EventFlags::OUT;
        }
        epoll::modify(poll, &self.socket, token(phone, slot), flags).is_ok()
    }

    /// Reads what came; false if the connection has ended.
    pub(super) fn read(
        &mut self,
        crowd: &mut Crowd,
        ways: &mut Ways,
        begun: Instant,
        (phone, slot): (usize, u32),
        buffer: &mut [u8],
    ) -> bool {
        let source = self.socket.peer_addr();
        loop {
            let (length, came) = match receive(&self.socket, buffer, begun) {
                Ok(arrival) if arrival.length == 0 => return false,
                Ok(arrival) => (arrival.length, arrival.came),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            };
            if slot == MAIN {
                crowd.heard(phone);
            }
            let mut bytes = buffer.get(..length).unwrap_or_default();
            loop {
                match (self.framer.next(&mut bytes), &source) {
                    (Ok(Some(Frame::Message(message))), Ok(source)) => {
                        ways.came(slot, &message);
                        crowd.message(now(begun), came, phone, &message, *source);
                    }
                    (Ok(Some(_)), _) => {}
                    (Ok(None), _) => break,
                    (Err(_), _) => return false,
                }
            }
        }
    }
}
