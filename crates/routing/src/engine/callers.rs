//! The way of one caller through a queue: in, and out again.

use model::Time;
use model::route::{CallNumber, Offer, OfferNumber, Order};

use super::{CALLERS_MAX, Engine};
use crate::index::{DeskAt, LineAt};
use crate::output::Event;
use crate::record::{CALLER, Caller, Extension, POST_KEY, Post, Value, caller_key};

/// Busy Here (RFC 3261 21.4.24): the queue is full.
const QUEUE_FULL: u16 = 486;
/// Not Found (RFC 3261 21.4.5): there is no such queue.
const NO_QUEUE: u16 = 404;
/// Service Unavailable (RFC 3261 21.5.4): more callers than this server can hold.
const TOO_MANY: u16 = 503;

impl Engine {
    /// A caller stands at a routing point.
    pub(super) fn waiting(&mut self, now: Time, call: CallNumber, queue: String, since: Time, offer: Option<Offer>) {
        let Some(line) = self.index.line_of(&queue) else {
            self.drop_caller(now, call);
            return self.refuse(call, NO_QUEUE);
        };
        let known = self.get::<Caller>(caller_key(call)).cloned();
        if known.is_none()
            && let Some(status) = self.is_full(line)
        {
            return self.refuse(call, status);
        }
        let told = self.post().mailbox.heard.stream;
        let ours = known.and_then(|caller| caller.offer).filter(|ours| self.stands(ours, offer.as_ref()));
        let offer = if ours.is_some() {
            self.leave_line(call);
            ours
        } else {
            self.drop_caller(now, call);
            offer.map(|offer| self.adopt(now, call, line, offer))
        };
        let caller = Caller { queue, since, told, queued: false, offer };
        let desk = caller.offer.as_ref().and_then(|standing| self.desk_for(standing));
        self.join_line(line, call, &caller);
        self.store.insert(caller_key(call), Value::Caller(caller));
        if let Some(desk) = desk {
            self.ring(now, desk, call);
        }
    }

    /// Why the queue takes nobody, if it does not. Callers who are told anew waited before, whoever forgot them; the
    /// end of the story looks at the capacity (see [`Engine::heard_all`]).
    fn is_full(&mut self, line: LineAt) -> Option<u16> {
        if self.index.callers >= CALLERS_MAX {
            return Some(TOO_MANY);
        }
        let full = self.index.lines[line].callers >= self.settings.queues[line].capacity;
        (full && !self.post().is_being_told()).then_some(QUEUE_FULL)
    }

    pub(super) fn refuse(&mut self, call: CallNumber, status: u16) {
        self.send(Order::Refuse { call, status });
        self.tell(Event::Refused { call, status });
    }

    /// The caller hung up or was sent elsewhere.
    pub(super) fn left(&mut self, now: Time, call: CallNumber) {
        if self.drop_caller(now, call) {
            self.tell(Event::Left { call });
        }
    }

    /// The agent has the caller. Whichever offer is named, the caller has left the queue; the agent of another offer
    /// than ours is heard of through the extension.
    pub(super) fn answered(&mut self, now: Time, call: CallNumber, offer: OfferNumber) {
        let Some((caller, desk)) = self.take_caller(call) else { return };
        self.tell(Event::Connected { call, offer });
        let Some(desk) = desk else { return };
        let is_ours = caller.offer.is_some_and(|standing| standing.offer.number == offer);
        let key = self.index.desks[desk].extension;
        if is_ours && let Some(extension) = self.get_mut::<Extension>(key) {
            extension.rung = None;
            if !extension.calls.contains(&call) {
                extension.calls.push(call);
            }
        }
        self.refresh(now, desk);
    }

    /// Takes the caller out. The state of the agent who rang is for whoever calls this to refresh.
    fn take_caller(&mut self, call: CallNumber) -> Option<(Caller, Option<DeskAt>)> {
        self.leave_line(call);
        let caller = self.get::<Caller>(caller_key(call))?.clone();
        self.store.remove(caller_key(call));
        let desk = caller.offer.as_ref().and_then(|standing| self.desk_for(standing));
        if let Some(desk) = desk {
            self.index.desks[desk].offer = None;
        }
        Some((caller, desk))
    }

    /// Takes the caller out; false if there was none.
    pub(super) fn drop_caller(&mut self, now: Time, call: CallNumber) -> bool {
        let Some((_, desk)) = self.take_caller(call) else { return false };
        if let Some(desk) = desk {
            self.refresh(now, desk);
        }
        true
    }

    /// Counts the caller in a queue, and lets the caller wait there if nobody rings.
    pub(super) fn join_line(&mut self, at: LineAt, call: CallNumber, caller: &Caller) {
        let line = &mut self.index.lines[at];
        line.callers += 1;
        self.index.callers += 1;
        if caller.offer.is_none() {
            line.waiting.insert((caller.since, call));
            self.stirred.insert(at);
            if !caller.queued {
                self.fresh.push(call);
            }
        }
    }

    /// Takes the caller out of the queue's order and count.
    pub(super) fn leave_line(&mut self, call: CallNumber) {
        let Some(caller) = self.get::<Caller>(caller_key(call)) else { return };
        let (queue, since) = (caller.queue.clone(), caller.since);
        let Some(line) = self.index.line_of(&queue) else { return };
        let line = &mut self.index.lines[line];
        line.callers -= 1;
        line.waiting.remove(&(since, call));
        self.index.callers -= 1;
    }

    /// Tells the SIP Server of the callers who began to wait and for whom nobody rings.
    pub(super) fn tell_queued(&mut self) {
        for call in std::mem::take(&mut self.fresh) {
            let key = caller_key(call);
            if !self.get::<Caller>(key).is_some_and(|caller| caller.offer.is_none() && !caller.queued) {
                continue;
            }
            if let Some(caller) = self.get_mut::<Caller>(key) {
                caller.queued = true;
            }
            self.send(Order::Queued { call });
            self.tell(Event::Queued { call });
        }
    }

    /// The SIP Server has told everything: whoever it did not name is no more, and of the callers beyond a queue's
    /// capacity those who came last are refused.
    pub(super) fn heard_all(&mut self, now: Time) {
        let stream = self.post().mailbox.heard.stream;
        if let Some(post) = self.get_mut::<Post>(POST_KEY) {
            post.told = stream;
        }
        for call in self.calls() {
            if self.get::<Caller>(caller_key(call)).is_some_and(|caller| caller.told != stream) {
                self.drop_caller(now, call);
                self.tell(Event::CallerLost { call });
            }
        }
        for desk in 0..self.index.desks.len() {
            let key = self.index.desks[desk].extension;
            if self.get::<Extension>(key).is_some_and(|extension| extension.told != stream) {
                self.extension_stands(now, desk, false, Vec::new());
            }
        }
        for line in 0..self.index.lines.len() {
            self.refuse_beyond_capacity(now, line);
        }
        self.stirred.extend(0..self.index.lines.len());
        self.fresh = self.calls();
        self.tell(Event::HeardAll { callers: self.index.callers });
    }

    fn refuse_beyond_capacity(&mut self, now: Time, line: LineAt) {
        while self.index.lines[line].callers > self.settings.queues[line].capacity
            && let Some((_, call)) = self.index.lines[line].waiting.last().copied()
        {
            self.drop_caller(now, call);
            self.refuse(call, QUEUE_FULL);
        }
    }

    /// The calls of all callers.
    pub(super) fn calls(&self) -> Vec<CallNumber> {
        self.store.keys(CALLER, None).map(|key| CallNumber(key.id)).collect()
    }
}
