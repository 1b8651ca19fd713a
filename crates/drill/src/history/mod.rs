//! The judge: reads what was on the wire and says which messages of the server no RFC allows.
//!
//! It knows nothing of how Everline works, only what its peers saw. `transaction` judges requests and
//! their answers, `leg` judges dialogs; both report a [`Rule`] that was broken.

mod forgetting;
mod leg;
mod message;
mod rule;
mod transaction;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use forgetting::Looked;
use leg::Leg;
pub use leg::Standing;
pub use message::{Message, Start};
pub use rule::Rule;
use transaction::Transaction;

/// Nanoseconds since 1970, the scale of the kernel's packet timestamps and of the system clock.
pub type Nanos = u64;

/// One SIP message on the wire, as seen from the server under test.
#[derive(Debug)]
pub struct Event {
    /// When it was there: the packet that completed it was sent, or a peer had read it.
    pub at: Nanos,
    /// Sent by the server, or to it.
    pub by_server: bool,
    /// The other end.
    pub peer: SocketAddr,
    /// The message.
    pub message: Message,
}

/// Breaches that are kept with their ladder; the others are counted only.
const MAX_LADDERS: usize = 30;

/// A message that no RFC allows, or one that is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Breach {
    /// The rule that was broken.
    pub rule: Rule,
    /// The Call-ID of the leg.
    pub call_id: String,
    /// When.
    pub at: Nanos,
    /// What the leg's two ends sent each other, also afterwards, for a person to read.
    pub ladder: Vec<String>,
    /// The leg.
    #[serde(skip)]
    leg: Option<LegKey>,
}

/// What the history of a run amounts to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// How many breaches of each rule there are.
    pub breaches: BTreeMap<Rule, u64>,
    /// The first of them, each with its ladder.
    pub examples: Vec<Breach>,
    /// Messages that the server sent again.
    pub repeated_by_server: u64,
    /// Messages that its peers sent again.
    pub repeated_by_peers: u64,
}

/// A leg: the Call-ID, and who is at the other end (a proxy uses the same Call-ID on both).
pub type LegKey = (String, SocketAddr);

/// A transaction: whether the server sent its request, the branch, the method.
type TransactionKey = (bool, String, String);

/// All that was seen so far.
#[derive(Default)]
pub struct History {
    /// Who takes one call at a time, by number, and the leg that was last offered to each.
    people: BTreeMap<String, Option<LegKey>>,
    transactions: BTreeMap<TransactionKey, Transaction>,
    legs: BTreeMap<LegKey, Leg>,
    looked: Looked,
    verdict: Verdict,
}

impl History {
    /// A history in which each of these numbers takes one call at a time.
    pub fn with_people(numbers: impl IntoIterator<Item = String>) -> Self {
        Self { people: numbers.into_iter().map(|number| (number, None)).collect(), ..Self::default() }
    }

    /// Takes the next message.
    pub fn take(&mut self, event: &Event) {
        let key = (event.message.call_id.clone(), event.peer);
        self.legs.entry(key.clone()).or_default().note(event);
        match event.message.start {
            Start::Request { ref method, .. } if method == "ACK" => self.acknowledgement(event, &key),
            Start::Request { .. } => self.request(event, &key),
            Start::Response { status } => self.response(event, &key, status),
        }
    }

    fn request(&mut self, event: &Event, leg_key: &LegKey) {
        let message = &event.message;
        let key = (event.by_server, message.branch.clone(), message.method.clone());
        if let Some(known) = self.transactions.get_mut(&key) {
            let changed = known.is_changed_by(message);
            known.again();
            self.repeated(event.by_server);
            if event.by_server && changed {
                self.report(Rule::RequestChanged, leg_key, event.at);
            }
            return;
        }
        if event.by_server && message.method == "CANCEL" {
            let invite = self.transactions.get(&(true, message.branch.clone(), "INVITE".to_owned()));
            if !invite.is_some_and(Transaction::may_be_cancelled) {
                self.report(Rule::CancelTooSoon, leg_key, event.at);
            }
        }
        if event.by_server
            && message.method == "INVITE"
            && message.to_tag.is_empty()
            && let Some(other) = self.taken_by(message, leg_key)
        {
            // What the other call has said tells more.
            self.report(Rule::TakenTwice, &other, event.at);
        }
        let leg = self.legs.entry(leg_key.clone()).or_default();
        let live = leg.is_live();
        let broken = leg.request(event);
        self.transactions.insert(key, Transaction::new(event, live));
        for rule in broken {
            self.report(rule, leg_key, event.at);
        }
    }

    /// Offers a call to whom the server called; the other call, if that is one of the people and has one.
    fn taken_by(&mut self, invite: &Message, leg_key: &LegKey) -> Option<LegKey> {
        let offered = self.people.get_mut(invite.called_user())?;
        let before = offered.replace(leg_key.clone())?;
        self.legs.get(&before).is_some_and(Leg::is_busy).then_some(before)
    }

    fn response(&mut self, event: &Event, leg_key: &LegKey, status: u16) {
        let message = &event.message;
        let key = (!event.by_server, message.branch.clone(), message.method.clone());
        // A request that was on its way when its dialog ended may well be denied.
        let (is_live, ended) =
            self.legs.get(leg_key).map_or((false, true), |leg| (leg.is_live(), leg.ended_by_server()));
        let Some(transaction) = self.transactions.get_mut(&key) else {
            if event.by_server {
                self.report(Rule::AnswerToNothing, leg_key, event.at);
            }
            return;
        };
        let is_live = is_live || !ended && transaction.is_first_bye();
        let broken = if event.by_server { transaction.judge(message, status, is_live) } else { Vec::new() };
        let is_new = transaction.answered(message, status);
        if !is_new {
            self.repeated(event.by_server);
        }
        self.legs.entry(leg_key.clone()).or_default().response(event, status);
        for rule in broken {
            self.report(rule, leg_key, event.at);
        }
    }

    /// An ACK belongs to the INVITE of its branch, or, for a 2xx, to that of its CSeq (RFC 3261 13.2.2.4).
    fn acknowledgement(&mut self, event: &Event, leg_key: &LegKey) {
        let message = &event.message;
        let leg = self.legs.entry(leg_key.clone()).or_default();
        leg.acknowledged(event);
        let of_invite = |branch: &str| (event.by_server, branch.to_owned(), "INVITE".to_owned());
        let same = of_invite(&message.branch);
        let key = if self.transactions.contains_key(&same) {
            Some(same)
        } else {
            leg.branch_of_invite(event.by_server, message.cseq).map(of_invite)
        };
        let transaction = key.and_then(|key| self.transactions.get_mut(&key));
        let fits = transaction.is_some_and(Transaction::acknowledged);
        if event.by_server && !fits {
            self.report(Rule::AckOfNothing, leg_key, event.at);
        }
    }

    /// The peer has given up the request of this branch, as the connection that it had gone by has ended (RFC 3261 8.1.3.1, 17.1.4):
    /// the server could answer nowhere.
    pub fn given_up(&mut self, branch: &str, method: &str) {
        if let Some(transaction) = self.transactions.get_mut(&(false, branch.to_owned(), method.to_owned())) {
            transaction.give_up();
        }
    }

    /// How many calls stand in each state now.
    pub fn standing(&self) -> BTreeMap<Standing, u64> {
        let mut counts = BTreeMap::new();
        for standing in self.legs.values().filter_map(Leg::standing) {
            *counts.entry(standing).or_insert(0) += 1;
        }
        counts
    }

    /// How many breaches of each rule there are so far; what is missing comes to light by [`forget`](Self::forget) and
    /// [`finish`](Self::finish).
    #[must_use]
    pub fn breaches(&self) -> Vec<(Rule, u64)> {
        self.verdict.breaches.iter().map(|(rule, count)| (*rule, *count)).collect()
    }

    /// How many there are in all.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.verdict.breaches.values().sum()
    }

    /// The ladder of a leg; empty if it is not known.
    #[must_use]
    pub fn ladder(&self, leg: &LegKey) -> Vec<String> {
        self.legs.get(leg).map(Leg::ladder).unwrap_or_default()
    }

    /// Ends the history in the middle: of what is still open nothing is known.
    #[must_use]
    pub fn so_far(mut self) -> Verdict {
        self.tell_all_of_all();
        self.verdict
    }

    /// What a leg of which an example speaks has said since.
    fn tell_all(&mut self, key: &LegKey) {
        let Some(leg) = self.legs.get(key) else { return };
        let own = self.verdict.examples.iter_mut().filter(|example| example.leg.as_ref() == Some(key));
        own.for_each(|example| example.ladder = leg.ladder());
    }

    fn tell_all_of_all(&mut self) {
        let keys: Vec<LegKey> = self.verdict.examples.iter().filter_map(|example| example.leg.clone()).collect();
        keys.iter().for_each(|key| self.tell_all(key));
    }

    /// Ends the history; what is still open now will stay so.
    pub fn finish(mut self) -> Verdict {
        let mut open = Vec::new();
        for ((by_server, ..), transaction) in &self.transactions {
            let rule = transaction.left_open(*by_server);
            open.extend(rule.map(|rule| (rule, transaction.leg().clone())));
        }
        for (key, leg) in &self.legs {
            open.extend(leg.left_open().map(|rule| (rule, key.clone())));
        }
        for (rule, key) in open {
            self.report_left(rule, &key);
        }
        self.tell_all_of_all();
        self.verdict
    }

    fn report_left(&mut self, rule: Rule, key: &LegKey) {
        let last = self.legs.get(key).map_or(0, Leg::last_at);
        self.report(rule, key, last);
    }

    const fn repeated(&mut self, by_server: bool) {
        if by_server {
            self.verdict.repeated_by_server += 1;
        } else {
            self.verdict.repeated_by_peers += 1;
        }
    }

    fn report(&mut self, rule: Rule, key: &LegKey, at: Nanos) {
        *self.verdict.breaches.entry(rule).or_insert(0) += 1;
        if self.verdict.examples.len() < MAX_LADDERS {
            let ladder = self.legs.get(key).map(Leg::ladder).unwrap_or_default();
            self.verdict.examples.push(Breach { rule, call_id: key.0.clone(), at, ladder, leg: Some(key.clone()) });
        }
    }
}

#[cfg(test)]
mod tests;
