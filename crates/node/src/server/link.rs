//! The link of a pair on one host: a local stream socket that carries the protocol's messages and descriptors.
//!
//! Bytes that the socket has accepted survive their writer, so a checkpoint counts as published then (rule 16). The
//! descriptors of everything that a successor needs travel with them: the input ring, the listening sockets, each TCP
//! connection. So whoever is in sync can take over without asking anybody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::Incarnation;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::ring::Ring;
use super::streams::Account;
use super::witness::Witness;
use crate::channel::{Channel, ChannelError};
use crate::pulse::Pulse;

/// One frame of the link.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum LinkFrame {
    /// A message of the hot standby protocol.
    Protocol(ByteBuf),
    /// The first word of each side; its pulse and its input ring travel with it.
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

/// The other side of the pair, as far as its descriptors tell.
pub(super) struct Peer {
    pub(super) incarnation: Incarnation,
    pub(super) witness: Witness,
    pub(super) pulse: Pulse,
    pub(super) ring: Ring,
}

/// The link to the other side.
pub(super) struct Link {
    channel: Channel,
    /// Nothing more can be read or written.
    pub(super) is_broken: bool,
    /// Known after its introduction.
    pub(super) peer: Option<Peer>,
    /// The last checkpoint that was put on the link.
    sequence: u64,
    /// Bytes for connections that the peer has not handed over yet.
    pub(super) early: BTreeMap<u64, Vec<u8>>,
}

impl Link {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, is_broken: false, peer: None, sequence: 0, early: BTreeMap::new() }
    }

    /// Says who this side is.
    pub(super) fn introduce(&mut self, me: &Incarnation, pulse: &OwnedFd, ring: &Ring) -> Result<(), ChannelError> {
        let descriptors = vec![pulse.try_clone()?, ring.as_fd().try_clone_to_owned()?];
        self.channel.send_with(&LinkFrame::Introduction(me.clone()), descriptors)
    }

    /// Takes notice of the other side's introduction.
    pub(super) fn introduced(&mut self, who: Incarnation, descriptors: Vec<OwnedFd>) -> Result<(), ChannelError> {
        let [pulse, ring]: [OwnedFd; 2] =
            descriptors.try_into().map_err(|_| std::io::Error::other("an introduction without its descriptors"))?;
        self.peer = Some(Peer {
            incarnation: who,
            witness: Witness::watch(&pulse)?,
            pulse: Pulse::open(&pulse)?,
            ring: Ring::open(ring)?,
        });
        Ok(())
    }

    /// Puts a frame on the link.
    pub(super) fn send(&mut self, frame: &LinkFrame, descriptors: Vec<OwnedFd>) -> Result<(), ChannelError> {
        self.channel.send_with(frame, descriptors)
    }

    /// Puts a protocol message on the link; `sequence` if it is a checkpoint.
    pub(super) fn send_protocol(&mut self, bytes: Vec<u8>, sequence: Option<u64>) -> Result<(), ChannelError> {
        self.channel.send(&LinkFrame::Protocol(ByteBuf::from(bytes)))?;
        self.sequence = sequence.unwrap_or(self.sequence);
        Ok(())
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> Result<(), ChannelError> {
        self.channel.flush()
    }

    /// The last checkpoint that the kernel has accepted for the other side: it survives this process.
    pub(super) fn published(&self) -> Option<u64> {
        (!self.channel.is_waiting() && self.sequence > 0).then_some(self.sequence)
    }

    /// True if the kernel takes no more at the moment.
    pub(super) fn is_waiting(&self) -> bool {
        self.channel.is_waiting()
    }

    /// The next frame; `None` if there is none now.
    pub(super) fn receive(&mut self) -> Result<Option<(LinkFrame, Vec<OwnedFd>)>, ChannelError> {
        self.channel.receive()
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}
