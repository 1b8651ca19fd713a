//! What the engine wants done.

use std::net::SocketAddr;

use model::RecordKey;
use model::route::News;
use redundancy::hot_standby;
use redundancy::mailbox::Envelope;
use serde::{Deserialize, Serialize};
use sip::{Message, Method};

use crate::hop::ConnectionId;
use crate::record::pack;
use crate::settings::ListenerId;

/// One output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The record that caused it.
    pub record: Option<RecordKey>,
    /// What is to be done.
    pub action: Action,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Send a datagram.
    Datagram {
        /// From this listener's address.
        listener: ListenerId,
        /// To this address.
        to: SocketAddr,
        /// The message.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// True if it is a request, which has a timer of its own that repeats it.
        request: bool,
    },
    /// Open a connection; the answer is [`crate::Input::Opened`] or [`crate::Input::Closed`].
    Connect {
        /// Its number.
        connection: ConnectionId,
        /// The peer.
        to: SocketAddr,
    },
    /// Send bytes on a connection, once it is open.
    Stream {
        /// The connection.
        connection: ConnectionId,
        /// The bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// Close a connection when everything before was sent.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Tell the Routing Server.
    Mail(Envelope<News>),
    /// Drop the connection with the Routing Server and open a new one.
    Redial,
    /// Write something into the log.
    Log(Event),
}

/// Something that happened, for the log. Events carry numbers of records and no telephone numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An INVITE became a call.
    CallBegan {
        /// The call.
        call: u64,
    },
    /// A callee answered.
    CallAnswered {
        /// The call.
        call: u64,
    },
    /// The call is over.
    CallEnded {
        /// The call.
        call: u64,
        /// The status that the caller was refused with; `None` if there was an answer.
        status: Option<u16>,
    },
    /// A call was dropped because a message about it made the server panic.
    CallAbandoned {
        /// The call.
        call: u64,
    },
    /// The contacts of an extension have changed.
    Registered {
        /// The number of the registration's record.
        registration: u64,
        /// How many contacts it has now.
        contacts: u32,
    },
    /// A message was refused because it could not be read.
    Malformed {
        /// The status of the answer; `None` if it was dropped.
        status: Option<u16>,
        /// What is wrong with it.
        fault: String,
        /// Who sent it.
        source: SocketAddr,
        /// The connection that was closed for it, as its messages cannot be told apart any more.
        ended: Option<ConnectionId>,
    },
    /// A message was dropped: it belongs to nothing that is known here.
    Stray {
        /// True if it is a response.
        response: bool,
    },
    /// A connection was closed by this server.
    ConnectionClosed {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        why: String,
    },
    /// The Routing Server does not know what it was told; everything is told anew.
    RoutingToldAnew,
    /// The Routing Server is gone for so long that callers go to the default target of their queue.
    RoutingMissed,
    /// A request came with a wrong password, or with one of somebody else.
    WrongPassword {
        /// The number of the record that the extension's registration has, or would have.
        registration: u64,
        /// Who sent it.
        source: SocketAddr,
    },
    /// Calls of another host, whose address was another one, were taken over: their parties are told where they are now.
    CallsMoved {
        /// How many.
        calls: u32,
    },
    /// Calls were cut off, as this server was asked to end.
    CallsCut {
        /// How many.
        calls: u32,
    },
}

impl hot_standby::Output for Output {
    fn record(&self) -> Option<RecordKey> {
        self.record
    }

    fn is_stream(&self) -> bool {
        matches!(self.action, Action::Stream { .. })
    }

    fn may_repeat(&self) -> bool {
        match &self.action {
            Action::Datagram { request: true, .. } => false,
            // An answer to an INVITE that no record remembers is given anew when that is repeated, perhaps another one;
            // who has acknowledged the first one must not hear it again. Of other requests a second answer is dropped
            // where the transaction has ended (RFC 3261 17.1.2.2), and without a first one the datagram were lost.
            Action::Datagram { bytes, .. } => self.record.is_some() || !answers_invite(bytes),
            // The stream's own count says what is left to write.
            Action::Connect { .. } | Action::Stream { .. } | Action::Close { .. } | Action::Log(_) => true,
            // The mailbox repeats what is not confirmed.
            Action::Mail(_) | Action::Redial => false,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        pack(self, out);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

fn answers_invite(bytes: &[u8]) -> bool {
    Message::parse(bytes).is_ok_and(|answer| answer.method() == Method::Invite)
}

#[cfg(test)]
mod tests {
    use redundancy::hot_standby::Output as _;

    use super::*;

    #[test]
    fn of_answers_that_no_record_remembers_those_to_invites_are_not_repeated() {
        let answer = |method: &str| {
            let text = format!(
                "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
            );
            let to = SocketAddr::from(([192, 0, 2, 1], 5060));
            let action = Action::Datagram { listener: ListenerId(0), to, bytes: text.into(), request: false };
            Output { record: None, action }
        };
        assert_eq!(["INVITE", "OPTIONS", "REGISTER"].map(|method| answer(method).may_repeat()), [false, true, true]);
    }
}
