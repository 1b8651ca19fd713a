//! How many TCP connections there are, and of whom: nobody may take the place of all others.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_PER_SOURCE, MAX_SILENT_PER_SOURCE};
use crate::record::Connection;

/// The connections by the address of their peer; derived from their records.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    total: usize,
    /// Only addresses that have a connection.
    sources: BTreeMap<IpAddr, Share>,
}

/// The connections of one address.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    open: usize,
    /// Those of them that have brought nothing whole yet.
    silent: usize,
}

impl Crowd {
    /// Why a connection of this address is not taken on; `None` if it is.
    pub(super) fn refuses(&self, source: IpAddr) -> Option<&'static str> {
        let share = self.sources.get(&source).copied().unwrap_or_default();
        if self.is_full() {
            Some("there are too many connections")
        } else if share.open >= MAX_CONNECTIONS_PER_SOURCE {
            Some("its address has too many connections")
        } else if share.silent >= MAX_SILENT_PER_SOURCE {
            Some("its address has too many connections on which nothing whole came")
        } else {
            None
        }
    }

    /// True if there is room for none, whoever asks.
    pub(super) const fn is_full(&self) -> bool {
        self.total >= MAX_CONNECTIONS
    }

    pub(super) fn add(&mut self, connection: &Connection) {
        self.total += 1;
        let share = self.sources.entry(connection.peer.ip()).or_default();
        share.open += 1;
        share.silent += usize::from(connection.is_silent());
    }

    pub(super) fn remove(&mut self, connection: &Connection) {
        self.total = self.total.saturating_sub(1);
        let source = connection.peer.ip();
        let Some(share) = self.sources.get_mut(&source) else { return };
        share.open = share.open.saturating_sub(1);
        share.silent = share.silent.saturating_sub(usize::from(connection.is_silent()));
        if share.open == 0 {
            self.sources.remove(&source);
        }
    }

    /// A connection that was silent is so no more.
    pub(super) fn has_spoken(&mut self, source: IpAddr) {
        if let Some(share) = self.sources.get_mut(&source) {
            share.silent = share.silent.saturating_sub(1);
        }
    }
}
