//! The callee's end of a call, up to the answer.

use model::{Span, Time};
use sip::{Dialog, Message};

use super::talking::{Leg, State};
use super::wire::{call_of, offer};
use super::{Fact, Job, Phone, T1, TIMEOUT};
use crate::plan::Manner;

/// A phone that nobody answers gives up after this long.
const RINGS_OUT: Span = Span::from_secs(12);

impl Phone {
    pub(super) fn is_called(&mut self, now: Time, invite: &Message<'_>) {
        let number = self.draw();
        let tag = format!("t{}x{number}", self.index);
        self.legs.push(Leg {
            number,
            call: call_of(invite).unwrap_or_default(),
            is_caller: false,
            state: State::Inviting,
            dialog: Some(Dialog::callee(invite, &tag)),
            invite: invite.bytes().to_vec(),
            to: self.number,
            ack: None,
            unacknowledged: None,
            refusal: None,
            cancelled: false,
            acknowledges: true,
            stutters: false,
            talks: self.plan.talks,
            holds: self.plan.holds,
            hold_tries: 2,
            told: false,
        });
        let trying = self.response(invite, 100, "", None);
        self.send_response(invite, trying);
        self.plan_job(now + self.plan.rings, Job::Ring(number));
        self.plan_job(now + self.plan.acts, Job::Act(number));
    }

    /// Answers the INVITE of a leg.
    fn answer_invite(&mut self, number: u64, status: u16, body: Option<&str>) -> Option<Vec<u8>> {
        let leg = self.leg_mut(number)?;
        let (bytes, tag) = (leg.invite.clone(), leg.dialog.as_ref()?.local_tag().to_owned());
        let invite = Message::parse(&bytes).ok()?;
        let response = self.response(&invite, status, &tag, body);
        self.send_response(&invite, response.clone());
        Some(response)
    }

    pub(super) fn ring(&mut self, number: u64) {
        if self.leg_mut(number).is_some_and(|leg| leg.state == State::Inviting && !leg.cancelled) {
            let call = self.leg_mut(number).map_or(0, |leg| leg.call);
            if self.plan.manner == Manner::PlaysFirst {
                self.answer_invite(number, 183, Some(&offer(call, false)));
            } else {
                self.answer_invite(number, 180, None);
            }
        }
    }

    pub(super) fn act(&mut self, now: Time, number: u64) {
        let open = self.leg_mut(number).is_some_and(|leg| leg.state == State::Inviting && !leg.cancelled);
        if !open {
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
        let Some(response) = self.answer_invite(number, 200, Some(&offer(call, false))) else { return };
        if let Some(leg) = self.leg_mut(number) {
            let seq = Message::parse(&leg.invite).map_or(0, |invite| invite.cseq().number);
            leg.unacknowledged = Some((response, seq, T1, now + TIMEOUT));
        }
        self.plan_job(now + T1, Job::RepeatAnswer(number));
    }

    fn refuse(&mut self, now: Time, number: u64, status: u16) {
        let Some(response) = self.answer_invite(number, status, None) else { return };
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
