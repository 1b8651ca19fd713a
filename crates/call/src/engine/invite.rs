//! The first INVITE of a call: who calls, and who is called.

use model::{Alias, Time, hash64};
use sip::{HeaderName, Message};

use super::Engine;
use super::identity::Proof;
use super::probe::PROBE_STATUS;
use crate::call::{Arrival, Call, Caller, Target, merge_key, reply_with};
use crate::limits::{MAX_RECORDS, RETRY_AFTER, RING_PATIENCE};
use crate::record::{CALL, Content, Value};
use crate::token::Token;

/// Who calls.
pub(super) enum Who {
    Trunk,
    Extension(String),
    /// A control server that looks whether calls are taken.
    Probe,
}

/// Where a number leads.
pub(super) enum Way {
    Queue,
    Targets(Vec<Target>),
    /// Nobody: it is a probe.
    Nowhere,
}

impl Who {
    fn extension(&self) -> Option<&str> {
        match self {
            Self::Trunk | Self::Probe => None,
            Self::Extension(number) => Some(number),
        }
    }
}

impl Engine {
    pub(super) fn invite(&mut self, now: Time, invite: &Message<'_>, arrival: &Arrival) {
        // RFC 3261 16.3 point 3.
        if invite.max_forwards() == Some(0) {
            return self.answer(now, invite, arrival, 483);
        }
        let Some(number) = self.called(invite) else { return self.answer(now, invite, arrival, 404) };
        if self.is_merged(invite) || self.is_loop(invite, &number) {
            return self.answer(now, invite, arrival, 482);
        }
        // RFC 3261 8.1.1.8: without a Contact there is no way back into the dialog.
        if !invite.contact().is_ok_and(|contact| contact.is_some_and(|contact| contact.uri().as_sip().is_some())) {
            return self.answer(now, invite, arrival, 400);
        }
        let (who, way) = if self.is_probe(&number, invite) {
            (Who::Probe, Way::Nowhere)
        } else {
            let Some(who) = self.who(now, invite, arrival) else { return };
            let Some(way) = self.way(now, &number) else { return self.answer(now, invite, arrival, 404) };
            (who, way)
        };
        match way {
            _ if self.closing || self.store.len() >= MAX_RECORDS => self.refuse_full(now, invite, arrival),
            way => self.begin_call(now, invite, arrival, &who, &number, &way),
        }
    }

    /// True if the same request came on another way before (RFC 3261 8.2.2.2).
    fn is_merged(&mut self, invite: &Message<'_>) -> bool {
        let key = merge_key(invite);
        let found = self.store.find(Alias(hash64(&key)));
        let call = found.and_then(|found| self.store.get(found)).and_then(Value::as_call);
        call.is_some_and(|call| call.has_merge_key(&key))
    }

    /// True if it is an INVITE of ours that came back for the same number (RFC 3261 16.3 point 4).
    fn is_loop(&mut self, invite: &Message<'_>, number: &str) -> bool {
        let Some(tag) = invite.from().tag().and_then(Token::parse) else { return false };
        let key = model::RecordKey::new(CALL, tag.call);
        self.store.get(key).and_then(Value::as_call).is_some_and(|call| call.called() == number)
    }

    /// Who sends this INVITE or OPTIONS; `None` if it was answered with a challenge or refused.
    pub(super) fn who(&mut self, now: Time, invite: &Message<'_>, arrival: &Arrival) -> Option<Who> {
        if self.settings.trunk_at(arrival.source).is_some() {
            return Some(Who::Trunk);
        }
        if let Some(number) = self.devices.get(&arrival.source) {
            return Some(Who::Extension(number.clone()));
        }
        let number = invite.from().uri().user().unwrap_or_default().into_owned();
        match self.prove(now, invite, arrival, &number) {
            Proof::Given => Some(Who::Extension(number)),
            Proof::Answered => None,
        }
    }

    pub(super) fn way(&mut self, now: Time, number: &str) -> Option<Way> {
        if self.settings.queues.contains_key(number) {
            return Some(Way::Queue);
        }
        self.settings.extensions.contains_key(number).then(|| Way::Targets(self.targets(now, number)))
    }

    fn refuse_full(&mut self, now: Time, invite: &Message<'_>, arrival: &Arrival) {
        reply_with(&mut self.desk(now), invite, arrival, 503, |answer| {
            answer.number(HeaderName::RetryAfter, RETRY_AFTER)
        });
    }

    fn begin_call(&mut self, now: Time, invite: &Message<'_>, arrival: &Arrival, who: &Who, number: &str, way: &Way) {
        let key = self.draw_key(CALL);
        let caller = Caller { extension: who.extension(), trusted: matches!(who, Who::Trunk), called: number };
        // Who is refused gets a call as well, so that the INVITE, when it comes again, has the same answer (17.2.1).
        let refusal = match way {
            Way::Targets(_) if self.is_crowded(number) => Some(486),
            _ if who.extension().is_some_and(|caller| self.is_crowded(caller)) => Some(503),
            _ => None,
        };
        let mut desk = self.desk(now);
        let mut call = Call::begin(&mut desk, key.id, invite, arrival, &caller);
        match (refusal, way) {
            (Some(status), _) => call.decline(&mut desk, status),
            (None, Way::Nowhere) => call.decline(&mut desk, PROBE_STATUS),
            (None, Way::Queue) => call.enter_queue(&mut desk, number, invite),
            (None, Way::Targets(targets)) => call.fork(&mut desk, invite, targets, now + RING_PATIENCE),
        }
        self.store.insert(key, Value(Content::Call(Box::new(call))));
        self.carry_out(now, Some(key));
        if matches!(way, Way::Queue) && self.is_routing_missed() {
            self.divert(now, Some(key));
        }
    }
}
