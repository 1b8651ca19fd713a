//! What the ends of a call say to each other within the dialog: INFO, MESSAGE and UPDATE.

use model::{Span, Time};
use sip::{HeaderName, Message, Method};

use super::legs::State;
use super::transaction::ClientTransaction;
use super::{Fact, Job, Phone};
use crate::plan;

/// Pause before a word that came out of order, or crossed another one, is said again.
const AGAIN: Span = Span::from_millis(700);

/// How often a word is said at most.
pub(super) const MOST_TRIES: u32 = 4;

/// The word that a message carries: its Subject, which must be its body too if it has one.
fn word_of(message: &Message<'_>) -> String {
    let subject = message.value(HeaderName::Subject).unwrap_or_default();
    let whole = message.body().is_empty() || message.body() == subject;
    if whole { String::from_utf8_lossy(subject).into_owned() } else { "torn".to_owned() }
}

impl Phone {
    /// Says something to the other end, each time in other words.
    pub(super) fn say(&mut self, now: Time, number: u64) {
        let (branch, one) = (self.branch(), self.draw());
        let index = self.index;
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.number == number && leg.state == State::Talking) else {
            return;
        };
        let (Some(says), Some(dialog)) = (leg.says, &mut leg.dialog) else { return };
        leg.says_tries -= 1;
        let call = leg.call;
        let seq = dialog.next_seq();
        let dialog = dialog.clone();
        let word = format!("word {one} of {index} in {call}");
        let name = match says.method {
            plan::Method::Info => "INFO",
            plan::Method::Message => "MESSAGE",
            plan::Method::Update => "UPDATE",
        };
        let mut bytes = Vec::with_capacity(500);
        let method = Method::from_name(name);
        let head = self.inside_head(&dialog, method, seq, &branch, &mut bytes).header(HeaderName::Subject, &word);
        match says.method {
            plan::Method::Info | plan::Method::Message => head.body("text/plain", word.as_bytes()),
            // Without an offer it only says that the call goes on.
            plan::Method::Update => head.finish(),
        }
        self.facts.push(Fact::Said { word });
        self.request(now, name, branch, bytes, Some(number));
    }

    /// The other end says something.
    pub(super) fn hears_word(&mut self, request: &Message<'_>) {
        let Some(leg) = self.leg_of(request).and_then(|number| self.leg_mut(number)) else {
            return self.respond(request, 481, None);
        };
        let in_order = leg.dialog.as_mut().is_some_and(|dialog| dialog.take(request.cseq().number));
        if !matches!(leg.state, State::Talking | State::Answered) {
            return self.respond(request, 481, None);
        }
        // RFC 3261 12.2.2: to be said again.
        if !in_order {
            return self.respond(request, 500, None);
        }
        if request.method() == Method::Update {
            self.retarget(request);
        }
        if request.value(HeaderName::Subject).is_none() {
            return self.respond(request, 200, None);
        }
        let word = word_of(request);
        self.facts.push(Fact::Heard { word: word.clone() });
        self.respond(request, 200, Some(&word));
    }

    /// A request or answer that says where the other end is now (RFC 3261 12.2.1.2).
    pub(super) fn retarget(&mut self, message: &Message<'_>) {
        let of = |leg: &&mut super::Leg| {
            let tags =
                if message.is_request() { [message.to(), message.from()] } else { [message.from(), message.to()] };
            let tags = tags.map(|address| address.tag().unwrap_or_default());
            let is = |dialog: &sip::Dialog| {
                dialog.call_id() == message.call_id() && [dialog.local_tag(), dialog.remote_tag()] == tags
            };
            leg.dialog.as_ref().is_some_and(is)
        };
        if let Some(dialog) = self.legs.iter_mut().find(of).and_then(|leg| leg.dialog.as_mut()) {
            dialog.refresh(message);
        }
    }

    /// The server asks whether this side is still in the call (RFC 3261 11.2, 12.2.2).
    pub(super) fn is_asked(&mut self, request: &Message<'_>) {
        let leg = self.leg_of(request).and_then(|number| self.leg_mut(number));
        let in_order = leg.and_then(|leg| {
            let talks = matches!(leg.state, State::Talking | State::Answered);
            leg.dialog.as_mut().filter(|_| talks).map(|dialog| dialog.take(request.cseq().number))
        });
        let status = match in_order {
            Some(false) => 500,
            None if !self.is_early(request) => 481,
            _ => 200,
        };
        self.respond(request, status, None);
    }

    /// The other end has answered, or nobody has: `status` 408.
    pub(super) fn word_answered(&mut self, now: Time, request: &ClientTransaction, status: u16, answer: &[u8]) {
        let (Some(number), Ok(asked)) = (request.leg, Message::parse(request.bytes())) else { return };
        let (word, method) = (word_of(&asked), request.method());
        let Some(leg) = self.leg_mut(number) else { return };
        let call = leg.call;
        if status < 300 {
            let echoed = answer == word.as_bytes();
            return self.facts.push(Fact::Understood { word, echoed });
        }
        if matches!(status, 491 | 500) && leg.says_tries > 0 {
            return self.plan_job(now + AGAIN, Job::Say(number));
        }
        self.facts.push(Fact::Refused { call, method, status });
    }
}
