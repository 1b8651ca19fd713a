//! The callee's end of a call, up to the answer.

use model::{Span, Time};
use sip::Message;

use super::legs::{Leg, State};
use super::wire::offer;
use super::{Fact, Job, Phone, T1, TIMEOUT};
use crate::plan::Manner;

/// A phone that nobody answers gives up after this long.
const RINGS_OUT: Span = Span::from_secs(12);

impl Phone {
    pub(super) fn is_called(&mut self, now: Time, invite: &Message<'_>) {
        let number = self.draw();
        let tag = format!("t{}x{number}", self.index);
        self.legs.push(Leg::called(number, &self.plan, invite, &tag));
        let trying = self.response(invite, 100, "", None);
        self.send_response(invite, trying);
        self.plan_job(now + self.plan.rings, Job::Ring(number));
        self.plan_job(now + self.plan.acts, Job::Act(number));
    }

    /// Answers the INVITE of a leg.
    pub(super) fn answer_invite(
        &mut self,
        number: u64,
        (status, rseq): (u16, Option<u32>),
        body: Option<&str>,
    ) -> Option<Vec<u8>> {
        let leg = self.leg_mut(number)?;
        let (bytes, tag) = (leg.invite.clone(), leg.dialog.as_ref()?.local_tag().to_owned());
        let invite = Message::parse(&bytes).ok()?;
        let response = self.numbered_response(&invite, (status, rseq), &tag, body);
        self.send_response(&invite, response.clone());
        Some(response)
    }

    pub(super) fn ring(&mut self, now: Time, number: u64) {
        let Some(leg) = self.leg_mut(number).filter(|leg| leg.state == State::Inviting && !leg.cancelled) else {
            return;
        };
        let call = leg.call;
        let plays = (self.plan.manner == Manner::PlaysFirst).then(|| offer(call, false));
        let status = if plays.is_some() { 183 } else { 180 };
        if self.rings_reliably(number) {
            self.ring_reliably(now, number, status, plays.as_deref());
        } else {
            self.answer_invite(number, (status, None), plays.as_deref());
        }
    }

    pub(super) fn act(&mut self, now: Time, number: u64) {
        let open = self.leg_mut(number).is_some_and(|leg| leg.state == State::Inviting && !leg.cancelled);
        if !open || self.waits_for_prack(now, number) {
            return;
        }
        match self.plan.manner {
            Manner::Answers | Manner::PlaysFirst => self.answer(now, number),
            Manner::Busy => self.refuse(now, number, 486),
            Manner::Declines => self.refuse(now, number, 603),
            Manner::HangsUpAtOnce => {
                self.answer(now, number);
                self.hang_up(now, number);
            }
            Manner::LetsRing | Manner::AnswersLate if self.plan.acts < RINGS_OUT => {
                self.plan.acts = RINGS_OUT;
                self.plan_job(now + RINGS_OUT, Job::Act(number));
            }
            Manner::LetsRing | Manner::AnswersLate | Manner::Dead => self.refuse(now, number, 480),
        }
    }

    /// Answers the call, and repeats the answer until the ACK comes.
    pub(super) fn answer(&mut self, now: Time, number: u64) {
        let Some(leg) = self.leg_mut(number).filter(|leg| leg.state == State::Inviting) else { return };
        leg.state = State::Answered;
        let call = leg.call;
        let Some(response) = self.answer_invite(number, (200, None), Some(&offer(call, false))) else { return };
        if let Some(leg) = self.leg_mut(number) {
            let seq = Message::parse(&leg.invite).map_or(0, |invite| invite.cseq().number);
            leg.unacknowledged = Some((response, seq, T1, now + TIMEOUT));
        }
        self.plan_job(now + T1, Job::RepeatAnswer(number));
    }

    pub(super) fn refuse(&mut self, now: Time, number: u64, status: u16) {
        let Some(response) = self.answer_invite(number, (status, None), None) else { return };
        if let Some(leg) = self.leg_mut(number) {
            leg.state = State::Over;
            leg.refusal = Some((response, T1, now + TIMEOUT));
        }
        self.plan_job(now + T1, Job::RepeatAnswer(number));
    }

    pub(super) fn is_cancelled(&mut self, now: Time, cancel: &Message<'_>) {
        let of = |leg: &&mut Leg| {
            Message::parse(&leg.invite).is_ok_and(|invite| {
                invite.call_id() == cancel.call_id() && invite.top_via().branch() == cancel.top_via().branch()
            })
        };
        let Some(leg) = self.legs.iter_mut().find(of) else { return self.respond(cancel, 481, None) };
        let (number, open) = (leg.number, leg.state == State::Inviting);
        let is_new = !std::mem::replace(&mut leg.cancelled, true);
        self.respond(cancel, 200, None);
        if open && is_new {
            if self.plan.manner == Manner::AnswersLate {
                self.plan_job(now + Span::from_millis(80), Job::AnswerLate(number));
            } else {
                self.refuse(now, number, 487);
            }
        }
    }

    /// An INVITE of this leg that gets no answer any more.
    pub(super) fn forget_invites(&mut self, leg: u64) {
        self.clients.retain(|client| client.leg != Some(leg) || client.method() != "INVITE");
    }

    /// The facts since the last call.
    pub(in crate::calls) fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }
}
