//! Registering, and taking a registration back.

use model::{Span, Time};
use sip::{Message, Method};

use super::transaction::ClientTransaction;
use super::{Fact, Job, Phone};

/// Pause before a registration that came to nothing is tried again.
const AGAIN: Span = Span::from_millis(900);

/// How the registration of a phone stands.
#[derive(Debug, Default)]
pub(super) struct Registration {
    seq: u32,
    wanted: u32,
    pending: bool,
    /// Since when the server confirms it.
    pub(super) since: Option<Time>,
}

impl Registration {
    pub(super) const fn is_pending(&self) -> bool {
        self.pending
    }
}

impl Phone {
    /// Registers for so many seconds; zero takes the registration back.
    pub(super) fn register(&mut self, now: Time, expires: u32) {
        self.registration.wanted = expires;
        if expires == 0 {
            self.registration.since = None;
        }
        self.send_register(now, None);
    }

    fn send_register(&mut self, now: Time, challenge: Option<&Message<'_>>) {
        self.registration.seq += 1;
        self.registration.pending = true;
        let branch = self.branch();
        let registration = (self.registration.seq, self.registration.wanted);
        let bytes = self.register_request(&branch, registration, challenge);
        self.request(now, "REGISTER", branch, bytes, None);
    }

    fn registered(&mut self, now: Time, response: &Message<'_>) {
        if response.cseq().number != self.registration.seq {
            return;
        }
        match response.status().unwrap_or_default() {
            100..200 => {}
            200 => {
                self.registration.pending = false;
                self.registration.since = (self.registration.wanted > 0).then_some(now);
            }
            401 => self.send_register(now, Some(response)),
            _ => self.plan_job(now + AGAIN, Job::Register),
        }
    }

    /// Since when it can be rung; `None` if it cannot.
    pub(in crate::calls) const fn registered_since(&self) -> Option<Time> {
        self.registration.since
    }

    /// A response to anything but an INVITE.
    pub(super) fn request_answered(&mut self, now: Time, response: &Message<'_>) {
        let Some(transaction) = self.answered(response) else { return };
        let status = response.status().unwrap_or_default();
        match (response.method(), transaction.leg) {
            (Method::Register, _) => self.registered(now, response),
            (Method::Bye, Some(leg)) if status >= 200 => {
                if status >= 300
                    && let Some(call) = self.legs.iter().find(|known| known.number == leg).map(|leg| leg.call)
                {
                    self.facts.push(Fact::Refused { call, method: "BYE", status });
                }
                self.leg_over(leg);
            }
            (Method::Info | Method::Message | Method::Update, Some(_)) if status >= 200 => {
                if response.method() == Method::Update && status < 300 {
                    self.retarget(response);
                }
                self.word_answered(now, &transaction, status, response.body());
            }
            _ => {}
        }
    }

    /// Nobody has answered this request.
    pub(super) fn unanswered(&mut self, now: Time, transaction: &ClientTransaction) {
        match (transaction.method(), transaction.leg) {
            ("REGISTER", _) => self.plan_job(now + AGAIN, Job::Register),
            ("INVITE", Some(leg)) => self.invite_unanswered(now, leg),
            ("BYE", Some(leg)) => {
                if let Some(call) = self.legs.iter().find(|known| known.number == leg).map(|leg| leg.call) {
                    self.facts.push(Fact::Refused { call, method: "BYE", status: 408 });
                }
                self.leg_over(leg);
            }
            ("INFO" | "MESSAGE" | "UPDATE", Some(_)) => self.word_answered(now, transaction, 408, b""),
            _ => {}
        }
    }
}
