//! Sending messages, and keeping the small records that calls want kept.

use model::route::{CallNumber, News};
use model::{RecordKey, Time, hash64};

use super::Engine;
use crate::hop::Hop;
use crate::limits::MAX_CALLS_OF_AGENT;
use crate::output::{Action, Event};
use crate::record::{CALL, Content, PRESENCE, Presence, Value, WAITING};

impl Engine {
    /// Sends a message on its way.
    pub(super) fn send(&mut self, now: Time, record: Option<RecordKey>, hop: Hop, bytes: Vec<u8>, request: bool) {
        match hop {
            Hop::Udp { listener, peer } => {
                self.output(record, Action::Datagram { listener, to: peer, bytes, request });
            }
            Hop::Tcp { listener, peer, connection } => {
                // A response goes back on its connection while that stands (RFC 3261 18.2.2), a request where its phone is now.
                let known = connection.and_then(|known| if request { self.newest(known) } else { self.living(known) });
                let found = known.or_else(|| self.connection_to(now, listener, peer, record));
                if let Some(connection) = found
                    && !self.is_said_later(connection, record, &bytes)
                {
                    self.output(record, Action::Stream { connection, bytes });
                }
            }
        }
    }

    /// Notes that a caller waits at a routing point, or does no more.
    pub(super) fn mark_waiting(&mut self, call: Option<RecordKey>, waits: bool) {
        let Some(call) = call else { return };
        let key = RecordKey::new(WAITING, call.id);
        if waits {
            self.store.insert(key, Value(Content::Waiting));
        } else {
            self.store.remove(key);
        }
    }

    /// An agent's extension has a leg in a call now.
    pub(super) fn join(&mut self, extension: &str, call: Option<RecordKey>) {
        let Some(call) = call else { return };
        let key = presence_key(extension);
        if !self.store.contains(key) {
            let presence = Presence { extension: extension.into(), calls: Vec::new() };
            self.store.insert(key, Value(Content::Presence(presence)));
        }
        if let Some(Value(Content::Presence(presence))) = self.store.get_mut(key)
            && !presence.calls.contains(&call.id)
        {
            presence.calls.push(call.id);
        }
        self.tell_extension(extension);
    }

    /// An agent's extension has no leg in a call any more.
    pub(super) fn part(&mut self, extension: &str, call: Option<RecordKey>) {
        let Some(call) = call else { return };
        let key = presence_key(extension);
        if let Some(Value(Content::Presence(presence))) = self.store.get_mut(key) {
            presence.calls.retain(|known| *known != call.id);
            if presence.calls.is_empty() {
                self.store.remove(key);
            }
        }
        self.tell_extension(extension);
    }

    /// The calls of an agent's extension that are really there.
    pub(super) fn calls_of(&mut self, extension: &str) -> Vec<u64> {
        let Some(Value(Content::Presence(presence))) = self.store.get(presence_key(extension)) else {
            return Vec::new();
        };
        let mut calls = presence.calls.clone();
        calls.retain(|call| {
            let call = self.store.get(RecordKey::new(CALL, *call)).and_then(Value::as_call);
            call.is_some_and(|call| call.present().iter().any(|number| **number == *extension))
        });
        calls
    }

    /// True if an agent's extension has as many calls as it may.
    pub(super) fn is_crowded(&mut self, extension: &str) -> bool {
        self.settings.agents.contains_key(extension) && self.calls_of(extension).len() >= MAX_CALLS_OF_AGENT
    }

    /// Drops a call that a panic may have left half changed.
    pub(super) fn abandon_call(&mut self, key: RecordKey) {
        let Some(call) = self.store.get(key).and_then(Value::as_call) else { return };
        let (present, waits) = (call.present().to_vec(), call.waiting().is_some());
        self.store.remove(key);
        for extension in present {
            self.part(&extension, Some(key));
        }
        if waits {
            self.mark_waiting(Some(key), false);
            self.post(News::Left { call: CallNumber(key.id) });
        }
        self.log(Event::CallAbandoned { call: key.id });
    }
}

fn presence_key(extension: &str) -> RecordKey {
    RecordKey::new(PRESENCE, hash64(extension.as_bytes()))
}
