//! What a call does when a connection with one of its parties has ended: what was not answered goes again, until it is or
//! its time is over; and a party that may have said goodbye on that connection is asked whether it is still there.

use model::{Span, Time};

use super::desk::Desk;
use super::outgoing::{InviteOut, Purpose};
use super::pair::{End, Pair, Side};
use super::{Call, Stage};
use crate::hop::LostFlows;
use crate::limits::{ASK_AFTER, ASK_AGAIN, ASK_MOVED};

/// The questions of many calls are spread over this time.
const SPREAD: Span = Span::from_secs(2);

impl Call {
    /// True if something of this call was on one of these connections.
    pub(crate) fn is_on(&self, lost: &LostFlows) -> bool {
        self.invites_in.iter().any(|invite| invite.is_busy() && lost.carried(invite.hop()))
            || self.invites_out.iter().any(|invite| invite.is_busy() && lost.carried(&invite.hop))
            || self.requests_out.iter().any(|request| request.tx.is_open() && lost.carried(&request.hop))
            || self.is_with(lost)
    }

    /// True if a party that talks, or a caller who waits for an answer, was there.
    fn is_with(&self, lost: &LostFlows) -> bool {
        let on = |pair: &Pair, end| pair.side(end).is_some_and(|side| lost.carried(&side.hop));
        match self.stage {
            Stage::Setup => self.pairs.iter().any(|pair| on(pair, End::Caller)),
            Stage::Talking => self.pairs.iter().any(|pair| on(pair, End::Caller) || on(pair, End::Callee)),
            Stage::Ended => false,
        }
    }

    /// Connections have ended that carried something of this call.
    pub(crate) fn flows_lost(&mut self, desk: &mut Desk<'_>, lost: &LostFlows) {
        for invite in self.invites_in.iter_mut().filter(|invite| lost.carried(invite.hop())) {
            invite.flow_lost(desk);
        }
        let is_wanted = |invite: &InviteOut| invite.is_fork() || self.stage != Stage::Ended;
        for invite in self.invites_out.iter_mut().filter(|invite| lost.carried(&invite.hop) && is_wanted(invite)) {
            invite.flow_lost(desk);
        }
        for request in self.requests_out.iter_mut().filter(|request| lost.carried(&request.hop)) {
            request.flow_lost(desk);
        }
        if self.is_with(lost) {
            let spread = Span::from_micros(self.since.as_micros() % SPREAD.as_micros());
            self.ask_at = self.ask_at.min(desk.after(ASK_AFTER + spread));
        }
        self.tidy(desk);
    }

    /// Asks the parties that speak over connections, if it is time to.
    pub(super) fn ask_about_flows(&mut self, desk: &mut Desk<'_>) {
        if self.ask_at > desk.now {
            return;
        }
        self.ask_at = Time::NEVER;
        let asks = self.requests_out.iter().any(|known| known.tx.is_open() && known.is_question());
        match self.stage {
            _ if asks => {}
            Stage::Setup => self.ask_caller(desk),
            Stage::Talking => {
                let waits = self.awaits_ack();
                if waits {
                    self.ask_caller(desk);
                }
                let busy = [End::Caller, End::Callee].map(|to| self.is_told_something(to));
                if busy.contains(&true) {
                    self.ask_later(desk);
                }
                let is_busy = |to| busy[usize::from(to == End::Callee)];
                let is_asked =
                    |to, side: &Side| side.hop.is_reliable() && !is_busy(to) && !(waits && to == End::Caller);
                self.ask(desk, |pair, to, side| is_asked(to, side).then_some(Purpose::Probe { pair, to }));
            }
            Stage::Ended => {}
        }
    }

    /// True if a request to this party is open: it is repeated as a question would be, and its answer says the same. What is
    /// repeated behind a later question would come with too low a number (RFC 3261 12.2.2).
    pub(super) fn is_told_something(&self, to: End) -> bool {
        self.invites_out.iter().any(|out| !out.is_fork() && out.goes_to(to) && out.tx.is_open())
            || self.requests_out.iter().any(|out| out.tx.is_open() && out.tells(to))
    }

    /// A request goes to this party of a pair. A question that is open is not repeated behind it.
    pub(super) fn ask_no_more(&mut self, desk: &Desk<'_>, pair: u32, to: End) {
        let known = self.requests_out.len();
        self.requests_out.retain(|out| !(out.tx.is_open() && out.is_question_to(pair, to)));
        if self.requests_out.len() < known {
            self.ask_later(desk);
        }
    }

    /// A caller whose connection has ended may have given the call up (RFC 3261 17.1.4): he would wait in a queue for ever, or keep
    /// an agent who has answered until his ACK is given up. He is told once more how it stands, so that he knows the dialog in
    /// which he is asked.
    fn ask_caller(&mut self, desk: &mut Desk<'_>) {
        let mut invites = self.invites_in.iter_mut();
        let Some(invite) = invites.find(|invite| invite.origin.is_none() && invite.is_busy()) else { return };
        if !invite.hop().is_reliable() && !self.is_moved {
            return;
        }
        let Some(tag) = invite.reply_tag() else { return self.ask_later(desk) };
        invite.flow_lost(desk);
        let of = self.pairs.iter().find(|pair| pair.caller.dialog.local_tag() == tag).map(|pair| pair.number);
        self.ask(desk, |pair, to, _| (to == End::Caller && Some(pair) == of).then_some(Purpose::Probe { pair, to }));
    }

    /// Whether this party may not know its dialog yet: a caller who waits, or has not acknowledged the answer.
    fn is_new_to(&self, of: End) -> bool {
        of == End::Caller && (self.stage == Stage::Setup || self.awaits_ack())
    }

    /// A party has said whether it is still there. Of a caller who does not know the dialog it is believed the second time: what
    /// he was told first may have been lost.
    pub(super) fn party_answers(&mut self, desk: &mut Desk<'_>, pair: u32, of: End, status: u16) {
        if !self.is_new_to(of) {
            return self.lost_dialog(desk, pair, of, status);
        }
        if status == 481 {
            return self.misses_caller(desk, ASK_AFTER);
        }
        self.is_missed = false;
        if self.stage == Stage::Setup {
            // His CANCEL may have been lost with the connection. Then he is there for 64 * T1 more, and says so (RFC 3261 9.1).
            self.ask_later(desk);
        }
    }

    /// A party does not answer, so it has not come back yet. Who talks may do so all the same: what he says goes other ways. A
    /// caller who waits is given up the second time (RFC 3261 12.2.1.2).
    pub(super) fn party_is_silent(&mut self, desk: &mut Desk<'_>, of: End) {
        if self.is_new_to(of) {
            self.misses_caller(desk, if self.is_called_elsewhere() { ASK_MOVED } else { ASK_AGAIN });
        } else {
            self.ask_later(desk);
        }
    }

    /// The caller was asked in vain; he is asked once more after so long.
    fn misses_caller(&mut self, desk: &mut Desk<'_>, pause: Span) {
        if !std::mem::replace(&mut self.is_missed, true) {
            self.ask_at = desk.after(pause);
        } else if self.stage == Stage::Setup {
            self.cancel_forks(desk, "");
            self.refuse(desk, 487, None);
        } else {
            self.hang_up(desk, Some(End::Caller), None);
        }
    }

    fn ask_later(&mut self, desk: &Desk<'_>) {
        self.ask_at = desk.after(if self.is_called_elsewhere() { ASK_MOVED } else { ASK_AGAIN });
    }
}
