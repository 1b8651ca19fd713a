//! The link of a pair on one host: a local stream socket that carries the protocol's messages and descriptors.
//!
//! Bytes that the socket has accepted survive their writer, so a checkpoint counts as published then (rule 16). The
//! descriptors of everything that a successor needs travel with them: the input ring, the listening sockets, each TCP
//! connection. So whoever is in sync can take over without asking anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use model::Incarnation;
use redundancy::hot_standby::Stamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::ring::Ring;
use super::streams::Account;
use super::witness::Witness;
use crate::channel::{Channel, ChannelError};
use crate::frames::FrameError;
use crate::pulse::Pulse;

/// A longer message of the protocol is cut into parts of this length, in bytes.
const PART: usize = 512 << 10;
/// The most parts of one message: the calls that a turn can touch are bounded, so it is never reached.
const MOST_PARTS: usize = 128;

/// One frame of the link.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum LinkFrame {
    /// A message of the hot standby protocol, or its last part.
    Protocol(ByteBuf),
    /// A part of a message; others follow.
    Part(ByteBuf),
    /// The first word of each side; its pulse, its input ring and its bell travel with it.
    Introduction(Incarnation),
    /// The listening sockets, which travel with it, in the order of the configuration.
    Listeners(Vec<Door>),
    /// A TCP connection, whose descriptor travels with it.
    Connection {
        /// Its number.
        number: u64,
        /// What was written to it so far.
        account: Account,
    },
    /// A connection that was being made stands now; this is its account's base.
    Established {
        /// Its number.
        number: u64,
        /// The account as it is now.
        account: Account,
    },
    /// A connection was closed.
    Gone(u64),
}

/// One address that a server listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Door {
    /// UDP at this address.
    Udp(SocketAddr),
    /// TCP at this address.
    Tcp(SocketAddr),
}

impl Door {
    /// The address.
    pub(super) const fn address(&self) -> SocketAddr {
        match *self {
            Self::Udp(address) | Self::Tcp(address) => address,
        }
    }
}

/// The other side of the pair, as far as its descriptors tell.
pub(super) struct Peer {
    pub(super) incarnation: Incarnation,
    pub(super) witness: Witness,
    pub(super) pulse: Pulse,
    pub(super) ring: Ring,
    /// Written to when it is to listen at once.
    bell: OwnedFd,
}

/// The link to the other side.
pub(super) struct Link {
    channel: Channel,
    /// Nothing more can be read or written.
    pub(super) is_broken: bool,
    /// The other side is gone, so nothing more can be written; what it said before is still to be read.
    is_mute: bool,
    /// Known after its introduction.
    pub(super) peer: Option<Peer>,
    /// The last checkpoint that was put on the link.
    last: Option<Stamp>,
    /// Bytes for connections that the peer has not handed over yet.
    pub(super) early: BTreeMap<u64, Vec<u8>>,
    /// Connections of an earlier link that the peer has not handed over on this one: if it never does, they are closed.
    pub(super) stale: BTreeSet<u64>,
    /// The parts of a message that have come so far.
    parts: Vec<u8>,
}

impl Link {
    pub(super) fn new(channel: Channel) -> Self {
        let (early, stale, parts) = Default::default();
        Self { channel, is_broken: false, is_mute: false, peer: None, last: None, early, stale, parts }
    }

    /// Says who this side is.
    pub(super) fn introduce(
        &mut self,
        me: &Incarnation,
        pulse: &Arc<OwnedFd>,
        bell: &Arc<OwnedFd>,
        ring: &Ring,
    ) -> Result<(), ChannelError> {
        let ring = Arc::new(ring.as_fd().try_clone_to_owned()?);
        self.send(&LinkFrame::Introduction(me.clone()), vec![Arc::clone(pulse), ring, Arc::clone(bell)])
    }

    /// Takes notice of the other side's introduction.
    pub(super) fn introduced(&mut self, who: Incarnation, descriptors: Vec<OwnedFd>) -> Result<(), ChannelError> {
        let [pulse, ring, bell]: [OwnedFd; 3] =
            descriptors.try_into().map_err(|_| io::Error::other("an introduction without its descriptors"))?;
        self.peer = Some(Peer {
            incarnation: who,
            witness: Witness::watch(&pulse)?,
            pulse: Pulse::open(&pulse)?,
            ring: Ring::open(ring)?,
            bell,
        });
        Ok(())
    }

    /// Puts a frame on the link.
    pub(super) fn send(&mut self, frame: &LinkFrame, descriptors: Vec<Arc<OwnedFd>>) -> Result<(), ChannelError> {
        if self.is_mute {
            return Ok(());
        }
        let sent = self.channel.send_with(frame, descriptors);
        self.unless_gone(sent)
    }

    /// Puts a protocol message on the link; `checkpoint` if it is one. The other side is woken for it, unless it is
    /// a checkpoint that is safe already.
    pub(super) fn send_protocol(&mut self, bytes: Vec<u8>, checkpoint: Option<Stamp>) -> Result<(), ChannelError> {
        let last = if bytes.len() <= PART { bytes } else { self.send_parts(bytes)? };
        self.send(&LinkFrame::Protocol(ByteBuf::from(last)), Vec::new())?;
        self.last = checkpoint.or(self.last);
        if checkpoint.is_none() || self.is_waiting() {
            self.ring_bell();
        }
        Ok(())
    }

    /// Sends all parts of a long message but the last, which it gives back.
    fn send_parts(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, ChannelError> {
        if bytes.len() > PART * MOST_PARTS {
            return Err(ChannelError::Full);
        }
        let last = bytes.split_off((bytes.len() - 1) / PART * PART);
        for part in bytes.chunks(PART) {
            self.send(&LinkFrame::Part(ByteBuf::from(part)), Vec::new())?;
        }
        Ok(last)
    }

    fn ring_bell(&self) {
        if let Some(peer) = &self.peer {
            // Fails only if it has been rung countless times without an answer.
            let _ = nix::unistd::write(&peer.bell, &1u64.to_ne_bytes());
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> Result<(), ChannelError> {
        if self.is_mute {
            return Ok(());
        }
        let sent = self.channel.flush();
        self.unless_gone(sent)
    }

    /// Whoever has gone cannot be told anything, but may have said something before: that is read first, and then the end.
    fn unless_gone(&mut self, outcome: Result<(), ChannelError>) -> Result<(), ChannelError> {
        outcome.or_else(|error| {
            self.is_mute = error.is_end();
            if self.is_mute { Ok(()) } else { Err(error) }
        })
    }

    /// Ends it: the other side reads what was sent, and then the end.
    pub(super) fn shut(&mut self) {
        self.is_broken = true;
        // Fails only if the other side has ended it already.
        let _ = self.channel.socket().shutdown(Shutdown::Both);
    }

    /// The last checkpoint that the kernel has accepted for the other side: it survives this process.
    pub(super) fn published(&self) -> Option<Stamp> {
        self.last.filter(|_| !self.is_mute && !self.channel.is_waiting())
    }

    /// True if the kernel takes no more at the moment.
    pub(super) fn is_waiting(&self) -> bool {
        !self.is_mute && self.channel.is_waiting()
    }

    /// The next frame; `None` if there is none now.
    pub(super) fn receive(&mut self) -> Result<Option<(LinkFrame, Vec<OwnedFd>)>, ChannelError> {
        while let Some((frame, descriptors)) = self.channel.receive()? {
            match frame {
                LinkFrame::Part(_) if self.parts.len() >= PART * MOST_PARTS => return Err(FrameError::Payload.into()),
                LinkFrame::Part(bytes) => self.parts.extend_from_slice(&bytes),
                LinkFrame::Protocol(last) if !self.parts.is_empty() => {
                    let mut whole = std::mem::take(&mut self.parts);
                    whole.extend_from_slice(&last);
                    return Ok(Some((LinkFrame::Protocol(ByteBuf::from(whole)), descriptors)));
                }
                frame => return Ok(Some((frame, descriptors))),
            }
        }
        Ok(None)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use model::Epoch;

    use super::*;

    fn checkpoint(sequence: u64) -> Option<Stamp> {
        Some(Stamp { epoch: Epoch(1), sequence })
    }

    fn pair() -> (Link, Link) {
        let (one, other) = UnixStream::pair().expect("sockets");
        (Link::new(Channel::new(one)), Link::new(Channel::new(other)))
    }

    fn next(link: &mut Link) -> Option<Vec<u8>> {
        match link.receive().expect("readable") {
            Some((LinkFrame::Protocol(bytes), _)) => Some(bytes.into_vec()),
            Some((frame, _)) => panic!("{frame:?}"),
            None => None,
        }
    }

    #[test]
    fn a_message_of_any_length_arrives_whole_and_counts_as_published_only_then() {
        let (mut from, mut to) = pair();
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 5 * PART + 7] {
            let bytes: Vec<u8> = (0..length).map(|place| (place * 31 % 251) as u8).collect();
            let before = from.published();
            from.send_protocol(bytes.clone(), checkpoint(length as u64 + 1)).expect("sent");
            let mut got = next(&mut to);
            while got.is_none() {
                assert_eq!(from.published(), None, "some of it waits, after {before:?}");
                from.flush().expect("sent");
                got = next(&mut to);
            }
            assert_eq!((got.expect("a message"), from.published()), (bytes, checkpoint(length as u64 + 1)));
        }
    }

    #[test]
    fn what_a_dead_peer_said_is_read_to_its_end_though_writing_to_it_fails() {
        let (mut dead, mut alive) = pair();
        for number in 0..100u8 {
            dead.send_protocol(vec![number; 100], checkpoint(u64::from(number))).expect("sent");
        }
        drop(dead);
        alive.send_protocol(vec![1], checkpoint(1)).expect("nobody hears it, which is no error");
        alive.send_protocol(vec![2], checkpoint(2)).expect("nobody hears it, which is no error");
        assert_eq!((alive.published(), alive.is_waiting()), (None, false));
        for number in 0..100u8 {
            assert_eq!(next(&mut alive), Some(vec![number; 100]));
        }
        assert!(alive.receive().expect_err("the end").is_end());
    }

    #[test]
    fn a_link_that_was_given_up_ends_for_the_other_side_too() {
        let (mut one, mut other) = pair();
        one.send_protocol(vec![7], checkpoint(1)).expect("sent");
        one.shut();
        assert_eq!(next(&mut other), Some(vec![7]));
        assert!(other.receive().expect_err("the end").is_end());
    }
}
