//! What is noted of a load while it runs: the history of every message, the silences of the server, the losses.

use std::net::SocketAddr;

use model::Time;
use serde::{Deserialize, Serialize};

use super::call::Stage;
use super::order::Overtaken;
use super::script::Kind;
use crate::gap::{Gaps, is_answered_at_once, is_probe};
use crate::history::{Event, History, Message, Nanos, Rule};

/// Losses whose ladders are kept; the others are counted and named.
const MOST_LADDERS: usize = 40;

/// At how much of what is remembered each message has the history look: a message adds less than one transaction, so all of it is
/// looked at many times in the time for which it is kept.
const LOOKS: usize = 8;

/// A call that did not go the way its people meant it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) call: u64,
    pub(super) stage: Stage,
    pub(super) why: String,
    pub(super) kind: Kind,
    pub(super) runs: Vec<u32>,
}

/// A lost call, as results tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostCall {
    /// The number of the call in this drill.
    pub call: u64,
    /// What it was for.
    pub kind: Kind,
    /// In which state it was when it was lost.
    pub state: Stage,
    /// Why it counts as lost.
    pub why: String,
    /// When that was noticed, in nanoseconds since 1970.
    pub at_ns: Nanos,
    /// The runs that it lived in, from 1; the last of them is held to account. Empty: no fault had touched it.
    pub runs: Vec<u32>,
    /// What each of its legs said and heard; of the first losses only.
    pub ladders: Vec<Vec<String>>,
}

/// The counts of a load, which only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls that were begun.
    pub begun: u64,
    /// Calls that went the way their people meant them to.
    pub done: u64,
    /// Calls that did not.
    pub lost: u64,
    /// Messages that no RFC allows.
    pub wrong_sip: u64,
    /// Callers of a queue whose turn was taken by a later one.
    pub overtaken: u64,
}

/// All that is noted.
pub(super) struct Watch {
    /// The moment zero of the load, in nanoseconds since 1970.
    zero: Nanos,
    pub(super) history: History,
    pub(super) gaps: Gaps,
    pub(super) losses: Vec<LostCall>,
    pub(super) disorder: Vec<(u32, Overtaken)>,
    pub(super) counts: Counts,
    /// The run that goes on, from 1; 0 before the first.
    pub(super) run: u32,
    unreadable: u64,
}

impl Watch {
    pub(super) fn new(zero: Nanos, people: impl IntoIterator<Item = String>) -> Self {
        Self {
            zero,
            history: History::with_people(people),
            gaps: Gaps::new(&[]),
            losses: Vec::new(),
            disorder: Vec::new(),
            counts: Counts::default(),
            run: 0,
            unreadable: 0,
        }
    }

    /// The moment in nanoseconds since 1970.
    pub(super) const fn nanos(&self, now: Time) -> Nanos {
        self.zero + now.as_micros() * 1_000
    }

    /// Notes what a phone reads now and what had come in for it at `came`: a phone that reads late has not waited longer.
    pub(super) fn heard(&mut self, now: Time, came: Time, peer: SocketAddr, bytes: &[u8]) {
        let Some(mut event) = self.event(came, true, peer, bytes) else { return };
        self.gaps.take(&event);
        event.at = self.nanos(now);
        self.judge(now, &event);
    }

    /// Notes what a phone says.
    pub(super) fn said(&mut self, now: Time, peer: SocketAddr, bytes: &[u8]) {
        if let Some(event) = self.event(now, false, peer, bytes) {
            self.judge(now, &event);
        }
    }

    /// Notes that it leaves: the wait for its answer begins.
    pub(super) fn left(&mut self, now: Time, peer: SocketAddr, bytes: &[u8]) {
        let method = bytes.split(|byte| *byte == b' ').next().and_then(|word| str::from_utf8(word).ok());
        if method.is_some_and(is_answered_at_once)
            && let Some(event) = self.event(now, false, peer, bytes)
        {
            self.gaps.take(&event);
        }
    }

    fn event(&self, at: Time, by_server: bool, peer: SocketAddr, bytes: &[u8]) -> Option<Event> {
        // Keep-alives are no messages (RFC 5626 4.4.1).
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        Some(Event { at: self.nanos(at), by_server, peer, message: Message::parse(bytes)? })
    }

    fn judge(&mut self, now: Time, event: &Event) {
        if !is_probe(&event.message) {
            self.history.take(event);
            self.counts.wrong_sip = self.history.broken() + self.unreadable;
        }
        // Everything that may still be repeated is kept: 64 T1 and some more.
        self.history.forget(self.nanos(now).saturating_sub(100_000_000_000), LOOKS);
    }

    pub(super) const fn unreadable(&mut self) {
        self.unreadable += 1;
        self.counts.wrong_sip += 1;
    }

    pub(super) const fn begun(&mut self) {
        self.counts.begun += 1;
    }

    pub(super) const fn done(&mut self) {
        self.counts.done += 1;
    }

    pub(super) fn lost(&mut self, now: Time, loss: Loss, legs: Vec<(String, SocketAddr)>) {
        self.counts.lost += 1;
        let ladders = if self.losses.len() < MOST_LADDERS {
            legs.iter().map(|leg| self.history.ladder(leg)).collect()
        } else {
            Vec::new()
        };
        let Loss { call, stage, why, kind, runs } = loss;
        self.losses.push(LostCall { call, kind, state: stage, why, at_ns: self.nanos(now), runs, ladders });
    }

    pub(super) fn overtaken(&mut self, overtaken: Overtaken) {
        self.counts.overtaken += 1;
        self.disorder.push((self.run, overtaken));
    }

    /// How often each rule was broken so far.
    pub(super) fn breaches(&self) -> Vec<(Rule, u64)> {
        self.history.breaches()
    }
}
