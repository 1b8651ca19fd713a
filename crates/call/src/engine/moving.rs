//! A host that serves at an address of its own takes over from another one: it goes through the calls, some at a time, so that
//! thousands of parties are not told at once where they are now. A call that is heard of earlier is taken over then.

use model::{RecordKey, Time};

use super::Engine;
use crate::limits::{MOVED_CALLS, MOVED_STEP};
use crate::output::Event;
use crate::record::{CALL, Content, MOVED_KEY, Moved, Value};

impl Engine {
    /// Begins to serve.
    pub(super) fn begin_moving(&mut self, now: Time) {
        if self.settings.home != 0 {
            self.store.insert(MOVED_KEY, Value(Content::Moved(Moved { due: now, ..Moved::default() })));
        }
    }

    /// Takes over the next calls.
    pub(super) fn move_calls(&mut self, now: Time) {
        let Some(Value(Content::Moved(moved))) = self.store.get(MOVED_KEY) else { return self.store.remove(MOVED_KEY) };
        let (seen, mut calls) = (moved.seen, moved.calls);
        let home = self.settings.home;
        let keys: Vec<RecordKey> = self.store.keys(CALL, seen).take(MOVED_CALLS).collect();
        let last = keys.last().filter(|_| keys.len() == MOVED_CALLS).map(|call| call.id);
        for key in keys {
            if self.store.get(key).and_then(Value::as_call).is_some_and(|call| call.is_elsewhere(home)) {
                calls = calls.saturating_add(1);
                self.with_call(now, key.id, |_, _| ());
            }
        }
        if last.is_some() {
            let moved = Moved { due: now + MOVED_STEP, seen: last, calls };
            return self.store.insert(MOVED_KEY, Value(Content::Moved(moved)));
        }
        self.store.remove(MOVED_KEY);
        if calls > 0 {
            self.log(Event::CallsMoved { calls });
        }
    }
}
