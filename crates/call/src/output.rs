//! What the engine wants done.

use std::net::SocketAddr;

use model::RecordKey;
use model::route::News;
use redundancy::hot_standby;
use redundancy::mailbox::Envelope;
use serde::{Deserialize, Serialize};

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
    },
    /// A message was dropped: it belongs to nothing that is known here.
    Stray {
        /// True if it is a response.
        response: bool,
    },
    /// A connection was closed by this server.
    ConnectionRefused {
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
}

impl hot_standby::Output for Output {
    fn record(&self) -> Option<RecordKey> {
        self.record
    }

    fn is_stream(&self) -> bool {
        matches!(self.action, Action::Stream { .. })
    }

    fn may_repeat(&self) -> bool {
        match self.action {
            // An answer that no record remembers is given anew when its request is repeated, perhaps another one.
            Action::Datagram { request, .. } => !request && self.record.is_some(),
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
