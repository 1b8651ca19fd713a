//! Requests that came in at a leg, and their answers.

use model::Time;
use sip::build::AnswerHead;
use sip::transaction::timer::{Repeat, T2, TIMER_H};
use sip::transaction::{Action, ServerInvite, ServerRequest};
use sip::{Answer, HeaderName};

use super::super::wording::{self, Who};
use super::{Effects, Happening};

/// An INVITE that came in.
pub(super) struct InviteIn {
    pub(super) tx: ServerInvite,
    pub(super) head: AnswerHead,
    pub(super) branch: String,
    pub(super) seq: u32,
    pub(super) last: Vec<u8>,
    /// The 2xx is sent again until it is acknowledged (RFC 3261 13.3.1.4), and for so long at most.
    pub(super) repeat: Repeat,
    pub(super) give_up: Time,
    pub(super) first: bool,
}

/// Another request that came in, and its answer.
pub(super) struct RequestIn {
    pub(super) tx: ServerRequest,
    pub(super) branch: String,
    pub(super) reply: Vec<u8>,
}

impl InviteIn {
    pub(super) fn respond(&mut self, now: Time, who: &Who, status: u16, tag: &str, call: u64, fx: &mut Effects) {
        if self.tx.respond(now, status) != Action::Send {
            return;
        }
        let mut bytes = Vec::with_capacity(640);
        let answer = self.head.answer(Answer::new(status).tag(tag), &mut bytes);
        let answer = answer.header(HeaderName::Contact, who.contact());
        if (200..300).contains(&status) {
            answer.body("application/sdp", wording::session(who, call, "sendrecv").as_bytes());
            (self.repeat, self.give_up) = (Repeat::begin(now), now + TIMER_H);
        } else {
            answer.finish();
        }
        fx.out.push(bytes.clone());
        self.last = bytes;
    }

    pub(super) fn deadline(&self) -> Time {
        let own = if self.tx.is_lingering() || self.tx.is_terminated() { Time::NEVER } else { self.tx.deadline() };
        own.min(self.repeat.at()).min(self.give_up)
    }

    pub(super) fn expire(&mut self, now: Time, fx: &mut Effects) {
        if self.give_up <= now {
            (self.repeat, self.give_up) = (Repeat::NEVER, Time::NEVER);
            fx.happened.push(Happening::NeverAcknowledged);
        } else if self.repeat.at() <= now {
            self.repeat.again(now, T2);
            fx.out.push(self.last.clone());
        }
        if !self.tx.is_lingering() && !self.tx.is_terminated() {
            match self.tx.expire(now) {
                Action::Send => fx.out.push(self.last.clone()),
                Action::TimedOut => fx.happened.push(Happening::NeverAcknowledged),
                _ => {}
            }
        }
    }
}
