//! What the world tells the engine.

use std::net::SocketAddr;

use model::route::Order;
use redundancy::mailbox::Envelope;

use crate::hop::ConnectionId;
use crate::settings::ListenerId;

/// One input.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A datagram came.
    Datagram {
        /// Where it came in.
        listener: ListenerId,
        /// Who sent it.
        source: SocketAddr,
        /// What it holds.
        bytes: &'a [u8],
    },
    /// A peer opened a connection, numbered by [`ConnectionId::accepted`].
    Accepted {
        /// The connection.
        connection: ConnectionId,
        /// Where it was accepted.
        listener: ListenerId,
        /// Who opened it.
        peer: SocketAddr,
    },
    /// A connection that the engine asked for is open.
    Opened {
        /// The connection.
        connection: ConnectionId,
    },
    /// Bytes came on a connection.
    Stream {
        /// The connection.
        connection: ConnectionId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A connection has ended, or could not be opened.
    Closed {
        /// The connection.
        connection: ConnectionId,
    },
    /// A connection is gone with a predecessor. If that was still opening it, nobody knows whether the peer is there.
    Lost {
        /// The connection.
        connection: ConnectionId,
    },
    /// A connection with the Routing Server stands; its greeting follows.
    RoutingConnected,
    /// The connection with the Routing Server is gone.
    RoutingGone,
    /// This server is about to end: cuts off the calls with numbers behind `after`, up to `up_to`.
    Close {
        /// None for the first ones.
        after: Option<u64>,
        /// At most [`crate::limits::CLOSE_AT_ONCE`] calls lie between the two.
        up_to: u64,
    },
    /// The Routing Server says something.
    Mail(Envelope<Order>),
}
