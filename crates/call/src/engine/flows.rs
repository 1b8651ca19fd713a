//! Connections that end under calls: what was on its way on them goes again, on whichever connection its peer has now.
//!
//! The kernel has taken what was written, but nobody knows whether the peer has. A connection dies with its host, and its
//! peer comes back on another one (RFC 5626), perhaps from another port.

use model::{RecordKey, Time};

use super::Engine;
use super::connections::key_of;
use crate::hop::{ConnectionId, LostFlows};
use crate::limits::{LOST_FLOWS_CALLS, LOST_FLOWS_PAUSE, LOST_FLOWS_STEP};
use crate::record::{CALL, Content, LOST, Lost, Value, alias_of_former};

impl Engine {
    /// The connection itself, or the one on which its phone has registered since.
    pub(super) fn living(&mut self, known: ConnectionId) -> Option<ConnectionId> {
        if self.store.contains(key_of(known)) { Some(known) } else { self.successor(known) }
    }

    /// The connection on which its phone has registered since, or else the connection itself.
    pub(super) fn newest(&mut self, known: ConnectionId) -> Option<ConnectionId> {
        self.successor(known).or_else(|| self.living(known))
    }

    fn successor(&mut self, known: ConnectionId) -> Option<ConnectionId> {
        let registration = self.store.find(alias_of_former(known))?;
        let Some(Value(Content::Registration(registration))) = self.store.get(registration) else { return None };
        registration.successor(known).filter(|now| self.store.contains(key_of(*now)))
    }

    /// A phone has registered on another connection. Its old one is as good as ended, though the system may not know it yet: a
    /// phone that was cut off cannot say so (RFC 5626 4.4).
    pub(super) fn has_moved(&mut self, now: Time, from: ConnectionId) {
        if let Some(Value(Content::Connection(left))) = self.store.get(key_of(from)) {
            let lost = Lost { peer: left.peer, ours: left.ours, due: next_look(now), seen: None };
            self.store.insert(RecordKey::new(LOST, from.0), Value(Content::Lost(lost)));
        }
    }

    /// Forgets a connection that has ended. If anything was ever said on it, the calls are looked through soon, and for all
    /// connections of the moment at once. On one that was still opening that was not, unless it `may_have_opened`.
    pub(super) fn lose_connection(&mut self, now: Time, connection: ConnectionId, may_have_opened: bool) {
        let key = key_of(connection);
        let Some(Value(Content::Connection(gone))) = self.store.get(key) else { return };
        let lost = Lost { peer: gone.peer, ours: gone.ours, due: next_look(now), seen: None };
        let had_calls = !gone.is_silent() && (may_have_opened || !gone.opening);
        self.forget_connection(key);
        if had_calls {
            self.store.insert(RecordKey::new(LOST, connection.0), Value(Content::Lost(lost)));
        }
    }

    /// Looks at the next calls for what was on this connection that has ended, and on all others that have come as far.
    pub(super) fn mend_flows(&mut self, now: Time, key: RecordKey) {
        let Some(seen) = self.lost(key).map(|lost| lost.seen) else { return self.store.remove(key) };
        let keys: Vec<RecordKey> = self.store.keys(LOST, None).collect();
        let calls: Vec<RecordKey> = self.store.keys(CALL, seen).take(LOST_FLOWS_CALLS).collect();
        let last = calls.last().filter(|_| calls.len() == LOST_FLOWS_CALLS).map(|call| call.id);
        let living = self.connections().into_iter().collect();
        let mut flows = LostFlows { living, ..LostFlows::default() };
        for key in keys {
            let Some(lost) = self.lost(key).filter(|lost| lost.due <= now && lost.seen == seen) else { continue };
            flows.connections.insert(ConnectionId(key.id));
            flows.peers.extend(Some(lost.peer).filter(|_| lost.ours));
            let further = Lost { seen: last, due: now + LOST_FLOWS_STEP, ..*lost };
            match last {
                Some(_) => self.store.insert(key, Value(Content::Lost(further))),
                None => self.store.remove(key),
            }
        }
        self.store.settle();
        for key in calls {
            if self.store.get(key).and_then(Value::as_call).is_some_and(|call| call.is_on(&flows)) {
                self.with_call(now, key.id, |call, desk| call.flows_lost(desk, &flows));
            }
        }
    }

    fn lost(&mut self, key: RecordKey) -> Option<&Lost> {
        match self.store.get(key) {
            Some(Value(Content::Lost(lost))) => Some(lost),
            _ => None,
        }
    }
}

/// When the calls are looked through for a connection that ends now.
fn next_look(now: Time) -> Time {
    let pause = LOST_FLOWS_PAUSE.as_micros();
    Time::from_micros((now.as_micros() / pause + 1) * pause)
}
