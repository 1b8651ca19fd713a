//! What the loop must know of the server that it drives: how bytes become inputs and outputs become effects.

use std::net::SocketAddr;

use redundancy::hot_standby::Engine;

use super::notes::Note;
use crate::wire::{AgentRow, CallRow, ControlReply, Page};

/// An engine with everything that ties it to sockets.
pub trait Service: Engine {
    /// A datagram that came to the listener with this number.
    fn datagram(listener: u8, source: SocketAddr, bytes: &[u8]) -> Option<Self::Input<'_>>;

    /// Bytes of a TCP connection.
    fn bytes(connection: u64, bytes: &[u8]) -> Option<Self::Input<'_>>;

    /// The number of the `count`-th TCP connection that was accepted in `epoch`; no other epoch or engine draws it.
    fn accepted_number(epoch: model::Epoch, count: u64) -> u64;

    /// A TCP connection stands; `listener` accepted it, or none if this side connected.
    fn opened<'a>(connection: u64, listener: Option<u8>, remote: SocketAddr) -> Option<Self::Input<'a>>;

    /// A TCP connection is gone, or could not be made.
    fn closed<'a>(connection: u64) -> Option<Self::Input<'a>>;

    /// A TCP connection is gone with a predecessor, or what that had begun to make.
    fn lost<'a>(connection: u64) -> Option<Self::Input<'a>> {
        Self::closed(connection)
    }

    /// The other pair's primary can be talked to, or not any more.
    fn partner<'a>(is_there: bool) -> Self::Input<'a>;

    /// Something that the other pair says.
    fn mail(bytes: &[u8]) -> Option<Self::Input<'_>>;

    /// An order to an agent's state, with the number under which it is answered.
    fn order<'a>(request: u64, agent: &str, ready: bool, reason: Option<&str>) -> Option<Self::Input<'a>>;

    /// The input that cuts off what is in progress behind the place `after`, some of it at a time, and the place to go on
    /// from; `None` once there is nothing.
    fn closing(&self, _after: Option<u64>) -> Option<(Self::Input<'static>, u64)> {
        None
    }

    /// What this output does.
    fn action(output: Self::Output) -> Action;

    /// The TCP connections that the records know.
    fn connections(&self) -> Vec<u64>;

    /// Who has opened them, and at which of the doors.
    fn connected(&mut self) -> Vec<(u8, SocketAddr)> {
        Vec::new()
    }

    /// How many calls there are, or somewhat more.
    fn calls_in_progress(&mut self) -> u64 {
        0
    }

    /// Calls behind the place `after`; `date` turns pair time into microseconds since 1970.
    fn calls(&mut self, after: Option<u64>, limit: u32, date: &dyn Fn(model::Time) -> u64) -> Page<CallRow>;

    /// Agents behind the place `after`.
    fn agents(&mut self, after: Option<u64>, limit: u32, date: &dyn Fn(model::Time) -> u64) -> Page<AgentRow>;
}

/// An effect on the world.
#[derive(Debug)]
pub enum Action {
    /// Send a datagram through this listener's socket.
    Datagram {
        /// The listener.
        listener: u8,
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Make a TCP connection.
    Connect {
        /// The connection.
        connection: u64,
        /// Where to.
        to: SocketAddr,
    },
    /// Write to a TCP connection, as soon as it stands.
    Stream {
        /// The connection.
        connection: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close a TCP connection when everything before was sent.
    Close {
        /// The connection.
        connection: u64,
    },
    /// Say something to the other pair.
    Mail(Vec<u8>),
    /// Begin the talk with the other pair anew: something of it was missing.
    MailAgain,
    /// Answer an order.
    Answer {
        /// The order's number.
        request: u64,
        /// The answer.
        reply: ControlReply,
    },
    /// Write a line to the log.
    Log(Note),
}
