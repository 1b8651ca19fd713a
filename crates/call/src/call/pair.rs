//! Two dialogs, one with the caller and one with a callee, that are joined into one conversation.

use serde::{Deserialize, Serialize};
use sip::{Dialog, Message};

use crate::hop::Hop;
use crate::settings::address_of;

/// Which end of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    Caller,
    Callee,
}

impl End {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// A dialog and the way to its other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) dialog: Dialog,
    pub(crate) hop: Hop,
    /// True if requests go where the dialog says; false if they stay on the way that they came, because the peer is
    /// behind a translator of addresses.
    pub(crate) follow: bool,
}

impl Side {
    pub(crate) fn new(dialog: Dialog, hop: Hop, follow: bool) -> Self {
        let mut side = Self { dialog, hop, follow };
        side.turn();
        side
    }

    /// Goes where the dialog points now. Names cannot be looked up here, so a peer that calls itself by one is
    /// answered where it spoke from.
    fn turn(&mut self) {
        if self.follow
            && let Some(peer) = self.dialog.next_hop().as_ref().and_then(address_of)
        {
            self.hop = self.hop.with_peer(peer);
        }
    }

    /// Notes where the peer speaks from now: on another connection after the old one broke, or from another port of
    /// its translator.
    pub(crate) fn hear_from(&mut self, from: Hop) {
        match (&mut self.hop, from) {
            (Hop::Tcp { connection, .. }, Hop::Tcp { connection: now, .. }) => *connection = now,
            (Hop::Udp { .. }, Hop::Udp { .. }) if !self.follow => self.hop = from,
            _ => {}
        }
    }

    /// Takes over the target of a message (RFC 3261 12.2.1.2).
    pub(crate) fn refresh(&mut self, message: &Message<'_>) {
        self.dialog.refresh(message);
        self.turn();
    }

    /// Takes over target and route set of the final response (RFC 3261 13.2.2.4).
    pub(crate) fn confirm(&mut self, response: &Message<'_>) {
        self.dialog.confirm(response);
        self.turn();
    }
}

/// The callee's end of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Callee {
    /// The leg: number of the first INVITE to the callee.
    pub(crate) leg: u32,
    pub(crate) side: Side,
}

impl Callee {
    /// True if it is this dialog of this leg.
    pub(crate) fn is(&self, leg: u32, remote_tag: &str) -> bool {
        self.leg == leg && self.side.dialog.remote_tag() == remote_tag
    }
}

/// Two joined dialogs, early or confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) number: u32,
    /// True once the caller's dialog belongs to this callee's for good: it carried a session description, a reliable
    /// provisional response or a request. Before, the next callee's dialog may take it over, so that a simple phone
    /// sees one tag however many phones ring.
    pub(crate) committed: bool,
    pub(crate) caller: Side,
    pub(crate) callee: Option<Callee>,
}

impl Pair {
    pub(crate) fn side(&self, end: End) -> Option<&Side> {
        match end {
            End::Caller => Some(&self.caller),
            End::Callee => self.callee.as_ref().map(|callee| &callee.side),
        }
    }

    pub(crate) fn side_mut(&mut self, end: End) -> Option<&mut Side> {
        match end {
            End::Caller => Some(&mut self.caller),
            End::Callee => self.callee.as_mut().map(|callee| &mut callee.side),
        }
    }

    /// True if its callee's end is this dialog.
    pub(crate) fn is_with(&self, leg: u32, remote_tag: &str) -> bool {
        self.callee.as_ref().is_some_and(|callee| callee.is(leg, remote_tag))
    }
}
