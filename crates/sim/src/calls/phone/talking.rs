//! What both ends of a call do while they talk.

use model::{Span, Time};
use sip::{Message, Method};

use super::legs::State;
use super::wire::{call_of, offer};
use super::{Fact, Job, Phone, T1, TIMEOUT};

impl Phone {
    /// This side talks from now on.
    pub(super) fn connected(&mut self, now: Time, number: u64) {
        let Some(leg) = self.leg_mut(number) else { return };
        leg.state = State::Talking;
        let (call, caller, talks, holds, says) = (leg.call, leg.is_caller, leg.talks, leg.holds, leg.says);
        self.facts.push(Fact::Connected { call, caller });
        // In the end somebody hangs up: the caller, or a callee who hears nothing any more.
        let longest = Span::from_secs(if caller { 2 } else { 20 });
        self.plan_job(now + talks.unwrap_or(longest), Job::HangUp(number));
        if let Some(after) = holds {
            self.plan_job(now + after, Job::Hold(number));
        }
        if let Some(says) = says {
            self.plan_job(now + says.after, Job::Say(number));
        }
    }

    /// The leg is no more.
    pub(super) fn leg_over(&mut self, number: u64) {
        if let Some(leg) = self.leg_mut(number) {
            leg.state = State::Over;
            if leg.dialog.is_some() {
                // With the dialog, what was under way in it is over (RFC 3261 15.1.2).
                self.forget_invites(number);
            }
        }
    }

    pub(super) fn hang_up(&mut self, now: Time, number: u64) {
        let branch = self.branch();
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.number == number) else { return };
        if !matches!(leg.state, State::Talking | State::Answered) {
            return;
        }
        let Some(dialog) = &mut leg.dialog else { return };
        let seq = dialog.next_seq();
        let dialog = dialog.clone();
        leg.state = State::Ending;
        let (call, caller) = (leg.call, leg.is_caller);
        let bytes = self.inside(&dialog, Method::Bye, seq, &branch, None);
        self.request(now, "BYE", branch, bytes, Some(number));
        self.facts.push(Fact::Ended { call, caller, by_me: true });
    }

    pub(super) fn hears_bye(&mut self, request: &Message<'_>) {
        let Some(number) = self.leg_of(request) else { return self.respond(request, 481, None) };
        self.respond(request, 200, None);
        let Some(leg) = self.leg_mut(number) else { return };
        if let Some(dialog) = &mut leg.dialog {
            let _ = dialog.take(request.cseq().number);
        }
        let was_in = matches!(leg.state, State::Talking | State::Answered);
        let (call, caller) = (leg.call, leg.is_caller);
        leg.unacknowledged = None;
        if leg.state != State::Ending {
            leg.state = State::Over;
        }
        // With the dialog, what was under way in it is over (RFC 3261 15.1.2).
        self.forget_invites(number);
        if was_in {
            self.facts.push(Fact::Ended { call, caller, by_me: false });
        }
    }

    /// Puts the call on hold: a re-INVITE (RFC 3261 14.1).
    pub(super) fn hold(&mut self, now: Time, number: u64) {
        let busy = self.open_invite(number).is_some();
        let branch = self.branch();
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.number == number && leg.state == State::Talking) else {
            return;
        };
        if busy || leg.unacknowledged.is_some() {
            return;
        }
        let call = leg.call;
        let Some(dialog) = &mut leg.dialog else { return };
        let seq = dialog.next_seq();
        let dialog = dialog.clone();
        let bytes = self.inside(&dialog, Method::Invite, seq, &branch, Some(&offer(call, true)));
        self.request(now, "INVITE", branch, bytes, Some(number));
    }

    /// The re-INVITE of this side is answered.
    pub(super) fn hold_answered(&mut self, now: Time, number: u64, invite: &[u8], response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        if status < 200 {
            return;
        }
        let branch = self.branch();
        if status < 300 {
            self.retarget(response);
        }
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.number == number) else { return };
        let Some(dialog) = leg.dialog.clone() else { return };
        if status < 300 {
            let ack = self.inside(&dialog, Method::Ack, response.cseq().number, &branch, None);
            self.outbox.push(ack.clone());
            if let Some(leg) = self.leg_mut(number) {
                leg.ack = Some(ack);
            }
            return;
        }
        let ack = Self::like(invite, Method::Ack, response.value(sip::HeaderName::To));
        self.outbox.push(ack);
        let Some(leg) = self.leg_mut(number) else { return };
        if status == 491 && leg.hold_tries > 0 {
            leg.hold_tries -= 1;
            // RFC 3261 14.1: the owner of the Call-ID waits longer.
            let pause = Span::from_millis(if leg.is_caller { 2_300 } else { 700 });
            return self.plan_job(now + pause, Job::Hold(number));
        }
        if leg.state == State::Talking && status != 491 {
            let call = leg.call;
            self.facts.push(Fact::Refused { call, method: "INVITE", status });
        }
    }

    /// The other end puts the call on hold.
    pub(super) fn is_reinvited(&mut self, now: Time, request: &Message<'_>) {
        let Some(number) = self.leg_of(request) else { return self.refuse_reinvite(now, None, request, 481) };
        let busy = self.open_invite(number).is_some();
        let Some(leg) = self.leg_mut(number) else { return };
        match leg.state {
            State::Talking => {}
            // The ACK of the first INVITE has not come yet.
            State::Answered => return self.refuse_reinvite(now, Some(number), request, 491),
            _ => return self.refuse_reinvite(now, Some(number), request, 481),
        }
        let in_order = leg.dialog.as_mut().is_some_and(|dialog| dialog.take(request.cseq().number));
        if busy || leg.unacknowledged.is_some() {
            return self.refuse_reinvite(now, Some(number), request, 491);
        }
        if !in_order {
            return self.refuse_reinvite(now, Some(number), request, 500);
        }
        self.retarget(request);
        let call = call_of(request).unwrap_or_default();
        let response = self.response(request, 200, "", Some(&offer(call, false)));
        self.send_response(request, response.clone());
        let seq = request.cseq().number;
        if let Some(leg) = self.leg_mut(number) {
            leg.unacknowledged = Some((response, seq, T1, now + TIMEOUT));
        }
        self.plan_job(now + T1, Job::RepeatAnswer(number));
    }

    fn refuse_reinvite(&mut self, now: Time, leg: Option<u64>, request: &Message<'_>, status: u16) {
        let tag = format!("t{}", self.index);
        let response = self.response(request, status, &tag, None);
        self.send_response(request, response.clone());
        if let Some(leg) = leg.and_then(|number| self.leg_mut(number)) {
            let number = leg.number;
            leg.refusal = Some((response, T1, now + TIMEOUT));
            self.plan_job(now + T1, Job::RepeatAnswer(number));
        }
    }

    /// An ACK: of a 2xx in its dialog, of a refusal in its transaction.
    pub(super) fn hears_ack(&mut self, now: Time, ack: &Message<'_>) {
        let Some(number) = self.leg_of(ack).or_else(|| self.leg_refused(ack)) else { return };
        let seq = ack.cseq().number;
        let Some(leg) = self.leg_mut(number) else { return };
        leg.refusal = None;
        if leg.unacknowledged.as_ref().is_some_and(|(_, of, ..)| *of == seq) {
            leg.unacknowledged = None;
            if leg.state == State::Answered {
                self.connected(now, number);
            }
        }
    }

    /// Repeats an answer to an INVITE until it is acknowledged (RFC 3261 13.3.1.4, 17.2.1 timer G).
    pub(super) fn repeat_answer(&mut self, now: Time, number: u64) {
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.number == number) else { return };
        if let Some((response, pause, until)) = &mut leg.refusal {
            if *until <= now {
                leg.refusal = None;
                return;
            }
            *pause = super::wire::next_pause(*pause);
            let (bytes, after) = (response.clone(), *pause);
            self.outbox.push(bytes);
            return self.plan_job(now + after, Job::RepeatAnswer(number));
        }
        let Some((response, _, pause, until)) = &mut leg.unacknowledged else { return };
        if *until <= now {
            leg.unacknowledged = None;
            // RFC 3261 15.1.1: for who has said BYE the session is over.
            if matches!(leg.state, State::Answered | State::Talking) {
                let call = leg.call;
                self.facts.push(Fact::Unacknowledged { call });
            }
            return self.hang_up(now, number);
        }
        *pause = super::wire::next_pause(*pause);
        let (bytes, after) = (response.clone(), *pause);
        self.outbox.push(bytes);
        self.plan_job(now + after, Job::RepeatAnswer(number));
    }
}
