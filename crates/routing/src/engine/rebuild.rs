//! Deriving everything from the records: at the start, after a takeover, after a panic.

use model::route::{CallNumber, Order};
use model::{RecordKey, Time};

use super::{AUDIT_EVERY, Engine};
use crate::index::Index;
use crate::record::{
    AGENT, ANSWERED, Agent, Caller, Chosen, EXTENSION, Extension, POST_KEY, Post, Reason, Value, agent_key, caller_key,
    extension_key,
};

impl Engine {
    /// Derives the index from settings and records. Records that the settings ask for and that are not there are made,
    /// those of agents whom the settings know no more are dropped.
    pub(super) fn rebuild(&mut self, now: Time) {
        self.index = Index::new(&self.settings);
        self.stirred.clear();
        self.fresh.clear();
        if self.get::<Post>(POST_KEY).is_none() {
            self.store.insert(POST_KEY, Value::Post(Post::default()));
        }
        self.index.answered = self.store.keys(ANSWERED, None).count();
        self.drop_strangers();
        self.make_missing(now);
        for call in self.calls() {
            self.recall_caller(call);
        }
        for desk in 0..self.index.desks.len() {
            self.derive(desk);
        }
    }

    fn drop_strangers(&mut self) {
        let keys: Vec<RecordKey> = self.store.keys(AGENT, None).chain(self.store.keys(EXTENSION, None)).collect();
        for key in keys {
            let known = match self.store.get(key) {
                Some(Value::Agent(agent)) => self.index.desk_of(&agent.id).is_some(),
                Some(Value::Extension(extension)) => self.index.desk_at(&extension.number).is_some(),
                _ => false,
            };
            if !known {
                self.store.remove(key);
            }
        }
    }

    fn make_missing(&mut self, now: Time) {
        for settings in &self.settings.agents {
            let (agent, extension) = (agent_key(&settings.id), extension_key(&settings.extension));
            if !self.store.contains(agent) {
                let id = settings.id.clone();
                let chosen = if settings.auto_ready { Chosen::Ready } else { Chosen::NotReady(Reason::Given(None)) };
                self.store.insert(agent, Value::Agent(Agent { id, chosen, idle_since: now }));
            }
            if !self.store.contains(extension) {
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
