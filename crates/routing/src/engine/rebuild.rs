//! Deriving everything from the records: at the start, after a takeover, after a panic.

use std::collections::BTreeSet;

use model::route::{CallNumber, Order};
use model::{RecordKey, Time};

use super::{AUDIT_EVERY, Engine};
use crate::index::DeskAt;
use crate::record::{
    AGENT, ANSWERED, Agent, Caller, Chosen, EXTENSION, Extension, POST_KEY, Part, Post, Reason, Value, caller_key,
};

impl Engine {
    /// Derives the index from settings and records. Records that the settings ask for and that are not there are made,
    /// those of agents whom the settings know no more are dropped.
    pub(super) fn rebuild(&mut self, now: Time) {
        self.index.clear();
        self.stirred.clear();
        self.fresh.clear();
        if self.get::<Post>(POST_KEY).is_none() {
            self.store.insert(POST_KEY, Value::Post(Post::default()));
        }
        self.index.answered = self.store.keys(ANSWERED, None).count();
        for call in self.calls() {
            self.recall_caller(call);
        }
        for desk in 0..self.index.desks.len() {
            self.make_missing(now, desk);
            self.derive(desk);
        }
        self.drop_strangers();
    }

    fn make_missing(&mut self, now: Time, desk: DeskAt) {
        let (agent, extension) = (self.index.desks[desk].agent, self.index.desks[desk].extension);
        let settings = &self.settings.agents[desk];
        if self.store.get(agent).and_then(Agent::of).is_none() {
            let chosen = if settings.auto_ready { Chosen::Ready } else { Chosen::NotReady(Reason::Given(None)) };
            self.store.insert(agent, Value::Agent(Agent { chosen, idle_since: now }));
        }
        if self.store.get(extension).and_then(Extension::of).is_none() {
            let unheard = Extension {
                number: settings.extension.clone(),
                reachable: false,
                failed: None,
                calls: Vec::new(),
                rung: None,
                since: now,
                audit: now + AUDIT_EVERY,
                told: 0,
            };
            self.store.insert(extension, Value::Extension(unheard));
        }
    }

    /// Drops agents and extensions that the settings do not know; those that they know are all there by now.
    fn drop_strangers(&mut self) {
        let all = || self.store.keys(AGENT, None).chain(self.store.keys(EXTENSION, None));
        if all().count() == 2 * self.index.desks.len() {
            return;
        }
        let known: BTreeSet<RecordKey> =
            self.index.desks.iter().flat_map(|desk| [desk.agent, desk.extension]).collect();
        let strangers: Vec<RecordKey> = all().filter(|key| !known.contains(key)).collect();
        strangers.into_iter().for_each(|key| self.store.remove(key));
    }

    /// Puts a caller back in place. A caller whose queue the settings know no more is refused, an offer to an agent
    /// whom they know no more is withdrawn.
    fn recall_caller(&mut self, call: CallNumber) {
        let Some(caller) = self.get::<Caller>(caller_key(call)).cloned() else {
            return self.store.remove(caller_key(call));
        };
        let Some(line) = self.index.line_of(&caller.queue) else {
            self.store.remove(caller_key(call));
            return self.refuse(call, 404);
        };
        self.join_line(line, call, &caller);
        let Some(standing) = caller.offer.filter(|standing| !standing.orphan) else { return };
        if let Some(desk) = self.index.desk_of(&standing.offer.agent) {
            self.index.desks[desk].offer = Some(call);
            return;
        }
        self.send(Order::Withdraw { call, offer: standing.offer.number });
        if let Some(standing) = self.offer_of(call) {
            standing.orphan = true;
            standing.withdrawn = true;
        }
    }
}
