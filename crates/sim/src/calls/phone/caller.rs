//! The caller's end of a call, up to the answer.

use model::{Span, Time};
use sip::{Dialog, HeaderName, Message, Method};

use super::legs::{Leg, State};
use super::{Fact, Job, LONGEST_WAIT, Phone, TIMEOUT};
use crate::plan::CallPlan;

impl Phone {
    pub(super) fn begin_call(&mut self, now: Time, call: u32, plan: &CallPlan) {
        let number = self.draw();
        let branch = self.branch();
        let invite = self.invite(&branch, (call, plan.to, plan.reliable), 1, None);
        self.legs.push(Leg::calling(number, call, plan, invite.clone()));
        self.request(now, "INVITE", branch, invite.clone(), Some(number));
        if plan.stutters {
            self.outbox.push(invite);
        }
        if let Some(after) = plan.cancels {
            self.plan_job(now + after, Job::Cancel(number));
        }
        self.plan_job(now + LONGEST_WAIT, Job::LosePatience(number));
    }

    /// A response to an INVITE of this phone.
    pub(super) fn invite_answered(&mut self, now: Time, response: &Message<'_>) {
        let Some(known) = self.transaction_of(response) else { return };
        let (Some(number), invite) = (known.leg, known.bytes().to_vec()) else { return };
        let is_new = self.answered(response).is_some();
        let first = Message::parse(&invite).is_ok_and(|invite| invite.to().tag().is_none());
        if !is_new {
            return self.answered_again(number, &invite, response);
        }
        if first {
            self.call_answered(now, number, &invite, response);
        } else {
            self.hold_answered(now, number, &invite, response);
        }
    }

    /// A final answer that was heard before is acknowledged again (RFC 3261 13.2.2.4, 17.1.1.2).
    fn answered_again(&mut self, number: u64, invite: &[u8], response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        let Some(leg) = self.leg_mut(number) else { return };
        let (ack, acknowledges) = (leg.ack.clone(), leg.acknowledges);
        if status >= 300 {
            self.outbox.push(Self::like(invite, Method::Ack, response.value(HeaderName::To)));
        } else if status >= 200
            && acknowledges
            && let Some(ack) = ack
        {
            self.outbox.push(ack);
        }
    }

    fn call_answered(&mut self, now: Time, number: u64, invite: &[u8], response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        let Some(leg) = self.leg_mut(number) else { return };
        if status < 200 {
            leg.rung.extend(response.to().tag().map(ToOwned::to_owned));
        }
        match status {
            0..200 => {
                let (cancelled, reliable) = (leg.cancelled, leg.reliable);
                if reliable {
                    self.acknowledge_ringing(now, number, response);
                }
                if cancelled {
                    self.send_cancel(now, number);
                }
            }
            200..300 => self.call_connected(now, number, response),
            _ => {
                let ack = Self::like(invite, Method::Ack, response.value(HeaderName::To));
                self.outbox.push(ack);
                if status == 401 && response.cseq().number == 1 {
                    return self.prove(now, number, response);
                }
                self.call_final(number, status);
                self.leg_over(number);
            }
        }
    }

    /// Sends the INVITE again with the answer to the challenge.
    fn prove(&mut self, now: Time, number: u64, challenge: &Message<'_>) {
        let branch = self.branch();
        let Some(leg) = self.leg_mut(number) else { return };
        let (call, to, reliable, cancelled) = (leg.call, leg.to, leg.reliable, leg.cancelled);
        if cancelled {
            self.call_final(number, 487);
            return self.leg_over(number);
        }
        let invite = self.invite(&branch, (call, to, reliable), 2, Some(challenge));
        if let Some(leg) = self.leg_mut(number) {
            leg.invite.clone_from(&invite);
        }
        self.request(now, "INVITE", branch, invite, Some(number));
    }

    fn call_connected(&mut self, now: Time, number: u64, response: &Message<'_>) {
        let branch = self.branch();
        let Some(leg) = self.leg_mut(number) else { return };
        let tag = response.to().tag().unwrap_or_default();
        let known = leg.early.iter().position(|early| early.dialog.remote_tag() == tag);
        let mut dialog = known.map_or_else(|| Dialog::caller(response), |at| leg.early.swap_remove(at).dialog);
        dialog.confirm(response);
        leg.dialog = Some(dialog.clone());
        let (acknowledges, stutters, cancelled) = (leg.acknowledges, leg.stutters, leg.cancelled);
        self.call_final(number, response.status().unwrap_or_default());
        if acknowledges {
            let ack = self.inside(&dialog, Method::Ack, response.cseq().number, &branch, None);
            self.outbox.push(ack.clone());
            if stutters {
                self.outbox.push(ack.clone());
            }
            if let Some(leg) = self.leg_mut(number) {
                leg.ack = Some(ack);
            }
        }
        self.connected(now, number);
        if cancelled {
            self.hang_up(now, number);
        }
    }

    fn call_final(&mut self, number: u64, status: u16) {
        let Some(leg) = self.leg_mut(number) else { return };
        if !std::mem::replace(&mut leg.told, true) {
            let call = leg.call;
            self.facts.push(Fact::Final { call, status });
        }
    }

    /// The caller gives up: CANCEL, but not before there was any answer (RFC 3261 9.1).
    pub(super) fn cancel(&mut self, now: Time, number: u64, impatient: bool) {
        let Some(leg) = self.leg_mut(number).filter(|leg| leg.state == State::Inviting && !leg.cancelled) else {
            return;
        };
        leg.cancelled = true;
        let call = leg.call;
        self.facts.push(Fact::Cancelled { call, impatient });
        if self.open_invite(number).is_some_and(super::ClientTransaction::is_proceeding) {
            self.send_cancel(now, number);
        }
    }

    fn send_cancel(&mut self, now: Time, number: u64) {
        let Some(leg) = self.leg_mut(number) else { return };
        let bytes = Self::like(&leg.invite, Method::Cancel, None);
        let sent = self.clients.iter().any(|client| client.method() == "CANCEL" && client.bytes() == bytes);
        let Some(branch) = Message::parse(&bytes).ok().and_then(|cancel| cancel.top_via().branch().map(str::to_owned))
        else {
            return;
        };
        if !sent {
            self.request(now, "CANCEL", branch, bytes, Some(number));
            self.plan_job(now + TIMEOUT + Span::from_secs(2), Job::StopWaiting(number));
        }
    }

    /// A call that was taken back and got no final answer is over all the same (RFC 3261 9.1).
    pub(super) fn stop_waiting(&mut self, now: Time, number: u64) {
        if self.leg_mut(number).is_some_and(|leg| leg.state == State::Inviting) {
            self.invite_unanswered(now, number);
        }
    }

    pub(super) fn invite_unanswered(&mut self, now: Time, number: u64) {
        let Some(leg) = self.leg_mut(number) else { return };
        if leg.state == State::Inviting {
            self.call_final(number, 0);
            self.forget_invites(number);
            self.leg_over(number);
        } else if leg.state == State::Talking {
            let call = leg.call;
            self.facts.push(Fact::Refused { call, method: "INVITE", status: 408 });
            self.hang_up(now, number);
        }
    }
}
