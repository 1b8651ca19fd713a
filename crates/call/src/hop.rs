//! Where a message goes.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use model::{Epoch, Kind, RecordKey};
use serde::{Deserialize, Serialize};

use crate::settings::{Carrier, ListenerId, Settings};

/// A TCP connection.
///
/// The shell numbers the connections that it accepts, the engine those that it wants opened; [`ConnectionId::accepted`]
/// keeps the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionId(pub u64);

const ACCEPTED: u64 = 1 << 63;

impl ConnectionId {
    /// The `count`-th connection that was accepted in `epoch`.
    #[must_use]
    pub fn accepted(epoch: Epoch, count: u64) -> Self {
        Self(RecordKey::drawn(Kind(0), epoch, count).id | ACCEPTED)
    }

    /// True if a peer opened it.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        self.0 & ACCEPTED != 0
    }
}

/// Connections that have ended.
#[derive(Debug, Default)]
pub(crate) struct LostFlows {
    /// All of them.
    pub(crate) connections: BTreeSet<ConnectionId>,
    /// The peers of those that this server had opened.
    pub(crate) peers: BTreeSet<SocketAddr>,
    /// The connections that there are.
    pub(crate) living: BTreeSet<ConnectionId>,
}

impl LostFlows {
    /// True if what was sent this way may have gone on one of them.
    pub(crate) fn carried(&self, hop: &Hop) -> bool {
        match hop {
            Hop::Udp { .. } => false,
            Hop::Tcp { peer, connection, .. } => {
                let (named, lives) = match connection {
                    Some(named) => (self.connections.contains(named), self.living.contains(named)),
                    None => (false, false),
                };
                named || !lives && self.peers.contains(peer)
            }
        }
    }
}

/// The next stop of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hop {
    Udp {
        listener: ListenerId,
        peer: SocketAddr,
    },
    Tcp {
        listener: ListenerId,
        /// Where a connection is opened if there is none.
        peer: SocketAddr,
        connection: Option<ConnectionId>,
    },
}

impl Hop {
    pub(crate) const fn is_reliable(&self) -> bool {
        matches!(self, Self::Tcp { .. })
    }

    pub(crate) const fn listener(&self) -> ListenerId {
        match self {
            Self::Udp { listener, .. } | Self::Tcp { listener, .. } => *listener,
        }
    }

    pub(crate) const fn peer(&self) -> SocketAddr {
        match self {
            Self::Udp { peer, .. } | Self::Tcp { peer, .. } => *peer,
        }
    }

    /// The connection that it names, if it is one.
    pub(crate) const fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Tcp { connection, .. } => *connection,
            Self::Udp { .. } => None,
        }
    }

    /// True if it is a byte stream to this peer.
    pub(crate) fn is_stream_to(&self, address: SocketAddr) -> bool {
        matches!(self, Self::Tcp { peer, .. } if *peer == address)
    }

    /// A way to an address that nothing is known of; `None` if there is no listener to send from.
    pub(crate) fn towards(settings: &Settings, carrier: Carrier, peer: SocketAddr) -> Option<Self> {
        let listener = settings.listener_towards(carrier, peer)?;
        Some(match carrier {
            Carrier::Udp => Self::Udp { listener, peer },
            Carrier::Tcp => Self::Tcp { listener, peer, connection: None },
        })
    }

    /// The same way to another address.
    pub(crate) const fn with_peer(self, peer: SocketAddr) -> Self {
        match self {
            Self::Udp { listener, .. } => Self::Udp { listener, peer },
            Self::Tcp { listener, connection, .. } => Self::Tcp { listener, peer, connection },
        }
    }
}
