//! What is looked after when its time has come.

use model::route::{CallNumber, Order};
use model::{RecordKey, Span, Time};

use super::{AUDIT_AWAY_EVERY, AUDIT_EVERY, Engine};
use crate::index::DeskAt;
use crate::record::{ANSWERED, CALLER, EXTENSION, Extension};
use crate::request::State;

impl Engine {
    /// Looks after a record whose deadline has come. The next deadline is set first, so that a record that makes the
    /// engine panic is not looked at again at once; a record that cannot be read has no next deadline.
    pub(super) fn look_after(&mut self, now: Time, key: RecordKey) {
        match key.kind {
            EXTENSION => self.audit(now, key),
            CALLER => self.chase(now, CallNumber(key.id)),
            ANSWERED => self.index.answered = self.index.answered.saturating_sub(1),
            _ => {}
        }
        self.store.settle();
        if self.store.due(now) == Some(key) {
            self.store.remove(key);
            self.store.settle();
        }
    }

    /// Asks how an extension stands.
    fn audit(&mut self, now: Time, key: RecordKey) {
        let Some(extension) = self.get_mut::<Extension>(key) else { return };
        extension.audit = now + AUDIT_EVERY;
        let number = extension.number.clone();
        self.store.settle();
        if let Some(desk) = self.index.desk_at(&number).filter(|_| self.talking) {
            self.put_off_audit(now, desk);
            self.send(Order::Audit { extension: number });
        }
    }

    /// Looks after an offer that should have been answered: asks for its end, and how the extension stands. The
    /// answers undo it, whether or not the SIP Server knows it still.
    fn chase(&mut self, now: Time, call: CallNumber) {
        let Some(standing) = self.offer_of(call) else { return };
        standing.due = now + AUDIT_EVERY;
        let (offer, forgotten) = (standing.offer.clone(), standing.orphan && standing.chased.is_some());
        self.store.settle();
        if forgotten {
            self.take_offer(call);
        } else if self.talking {
            self.send(Order::Withdraw { call, offer: offer.number });
            let chased = self.send(Order::Audit { extension: offer.extension });
            if let Some(standing) = self.offer_of(call) {
                standing.chased = Some(chased);
            }
        }
    }

    /// Sets when to ask about the extension next, counted from `now`.
    pub(super) fn put_off_audit(&mut self, now: Time, desk: DeskAt) {
        let (state, key) = (self.index.desks[desk].state, self.index.desks[desk].extension);
        if let Some(extension) = self.get_mut::<Extension>(key) {
            extension.audit = audit_every(state, extension.failed.is_some()).map_or(Time::NEVER, |span| now + span);
        }
    }
}

/// How often to ask about an agent in this state; an idle one is not asked about.
const fn audit_every(state: State, failed: bool) -> Option<Span> {
    match state {
        State::Ready | State::NotReady => None,
        State::Unreachable if !failed => Some(AUDIT_AWAY_EVERY),
        State::Unreachable | State::Ringing | State::Busy => Some(AUDIT_EVERY),
    }
}
