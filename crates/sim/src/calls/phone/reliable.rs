//! Reliable provisional responses (RFC 3262), at both ends of a call.

use model::{Span, Time};
use sip::{Dialog, HeaderName, Message, Method};

use super::legs::State;
use super::{Job, Phone, T1, TIMEOUT};

/// What a caller knows of a callee who has rung reliably.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The last response that was acknowledged.
    rseq: u32,
}

/// A provisional response that waits for its PRACK.
#[derive(Debug)]
pub(super) struct Unpracked {
    response: Vec<u8>,
    rseq: u32,
    pause: Span,
    until: Time,
    /// It holds a session description: no 2xx before the PRACK (RFC 3262 3).
    describes: bool,
}

/// Pause before a callee looks again whether the PRACK has come.
const AGAIN: Span = Span::from_millis(50);

impl Phone {
    /// True if this phone and the caller of this leg both want provisional responses to be reliable.
    pub(super) fn rings_reliably(&mut self, number: u64) -> bool {
        let wants = self.plan.reliable;
        self.leg_mut(number).is_some_and(|leg| {
            wants && Message::parse(&leg.invite).is_ok_and(|invite| invite.lists(HeaderName::Supported, "100rel"))
        })
    }

    /// Rings, and repeats that until the PRACK comes.
    pub(super) fn ring_reliably(&mut self, now: Time, number: u64, status: u16, body: Option<&str>) {
        let rseq = 1 + self.draw() as u32;
        let Some(response) = self.answer_invite(number, (status, Some(rseq)), body) else { return };
        let describes = body.is_some();
        if let Some(leg) = self.leg_mut(number) {
            leg.unpracked = Some(Unpracked { response, rseq, pause: T1, until: now + TIMEOUT, describes });
        }
        self.plan_job(now + T1, Job::RingAgain(number));
    }

    /// RFC 3262 3: with pauses that double, until the PRACK comes or 64 T1 are over.
    pub(super) fn ring_again(&mut self, now: Time, number: u64) {
        let Some(leg) = self.leg_mut(number).filter(|leg| leg.state == State::Inviting && !leg.cancelled) else {
            return;
        };
        let Some(unpracked) = &mut leg.unpracked else { return };
        if unpracked.until <= now {
            leg.unpracked = None;
            return self.refuse(now, number, 504);
        }
        unpracked.pause = unpracked.pause.times(2);
        let (bytes, pause) = (unpracked.response.clone(), unpracked.pause);
        self.outbox.push(bytes);
        self.plan_job(now + pause, Job::RingAgain(number));
    }

    /// True if the callee may not answer yet; it will try again.
    pub(super) fn waits_for_prack(&mut self, now: Time, number: u64) -> bool {
        let waits = self.leg_mut(number).is_some_and(|leg| leg.unpracked.as_ref().is_some_and(|one| one.describes));
        if waits {
            self.plan_job(now + AGAIN, Job::Act(number));
        }
        waits
    }

    pub(super) fn hears_prack(&mut self, prack: &Message<'_>) {
        let Some(leg) = self.leg_of(prack).and_then(|number| self.leg_mut(number)) else {
            return self.respond(prack, 481, None);
        };
        let in_order = leg.dialog.as_mut().is_some_and(|dialog| dialog.take(prack.cseq().number));
        let rack = prack.rack().ok().flatten();
        let invite = Message::parse(&leg.invite).map_or(0, |invite| invite.cseq().number);
        let fits = rack.is_some_and(|rack| {
            let known = leg.unpracked.as_ref().is_some_and(|one| one.rseq == rack.rseq);
            known && rack.cseq.number == invite && rack.cseq.method == Method::Invite
        });
        if in_order && fits {
            leg.unpracked = None;
        }
        // RFC 3261 12.2.2; RFC 3262 3.
        self.respond(
            prack,
            if !in_order {
                500
            } else if fits {
                200
            } else {
                481
            },
            None,
        );
    }

    /// The caller acknowledges a reliable provisional response, once each (RFC 3262 4).
    pub(super) fn acknowledge_ringing(&mut self, now: Time, number: u64, response: &Message<'_>) {
        let Ok(Some(rseq)) = response.seconds(HeaderName::RSeq) else { return };
        let branch = self.branch();
        let tag = response.to().tag().unwrap_or_default();
        let Some(leg) = self.leg_mut(number) else { return };
        if !leg.early.iter().any(|early| early.dialog.remote_tag() == tag) {
            leg.early.push(Early { dialog: Dialog::caller(response), rseq: 0 });
        }
        let Some(early) = leg.early.iter_mut().find(|early| early.dialog.remote_tag() == tag) else { return };
        if rseq <= early.rseq {
            return;
        }
        early.rseq = rseq;
        let seq = early.dialog.next_seq();
        let dialog = early.dialog.clone();
        let mut bytes = Vec::with_capacity(500);
        self.inside_head(&dialog, Method::Prack, seq, &branch, &mut bytes)
            .format(HeaderName::RAck, format_args!("{rseq} {} INVITE", response.cseq().number))
            .finish();
        self.request(now, "PRACK", branch, bytes, Some(number));
    }
}
