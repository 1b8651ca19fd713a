//! TCP connections.

use std::net::SocketAddr;

use model::{Alias, Time, hash64};
use serde::{Deserialize, Serialize};
use sip::stream::Framer;

use crate::hop::ConnectionId;
use crate::limits::MAX_HOPEFULS;
use crate::settings::ListenerId;

/// A TCP connection that is open or being opened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) listener: ListenerId,
    pub(crate) peer: SocketAddr,
    /// True if this server opened it, so that it may be used for whatever goes to the peer's address.
    pub(crate) ours: bool,
    /// What was read of a message that is not whole yet.
    pub(crate) framer: Framer,
    /// When to close it, unless a message has become whole by then.
    pub(crate) patience: Time,
    /// The calls that sent something on it before it was open.
    pub(crate) hopefuls: Vec<u64>,
    pub(crate) opening: bool,
    /// True once a whole message came on it. Until then it has cost its peer nothing to open it.
    pub(crate) proven: bool,
}

impl Connection {
    pub(crate) const fn deadline(&self) -> Time {
        self.patience
    }

    /// True if the peer opened it and has brought nothing whole yet.
    pub(crate) const fn is_silent(&self) -> bool {
        !self.ours && !self.proven
    }

    pub(crate) fn alias(&self) -> Option<Alias> {
        self.ours.then(|| alias_of(self.peer))
    }

    /// Remembers a call that hopes for the connection to open.
    pub(crate) fn hope(&mut self, call: u64) {
        if self.opening && self.hopefuls.len() < MAX_HOPEFULS && !self.hopefuls.contains(&call) {
            self.hopefuls.push(call);
        }
    }
}

/// A connection that has ended: the calls that had something on it are looked after when it is due.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) peer: SocketAddr,
    /// True if this server had opened it.
    pub(crate) ours: bool,
    pub(crate) due: Time,
    /// The last call that was looked at for it.
    #[serde(deserialize_with = "super::default_if_absent")]
    pub(crate) seen: Option<u64>,
}

/// The second name of a registration that knows where a phone is whose connection this was.
pub(crate) fn alias_of_former(connection: ConnectionId) -> Alias {
    Alias(hash64(format!("flow {}", connection.0).as_bytes()))
}

/// The second name of a connection that this server opened.
pub(crate) fn alias_of(peer: SocketAddr) -> Alias {
    Alias(hash64(format!("tcp {peer}").as_bytes()))
}
