//! What a call does when a connection with one of its parties has ended: what was not answered goes again, until it is or
//! its time is over; and a party that may have said goodbye on that connection is asked whether it is still there.

use model::{Span, Time};

use super::desk::Desk;
use super::outgoing::Purpose;
use super::pair::{End, Pair};
use super::{Call, Stage};
use crate::hop::LostFlows;
use crate::limits::{ASK_AFTER, ASK_AGAIN};

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
        for invite in self.invites_out.iter_mut().filter(|invite| lost.carried(&invite.hop)) {
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
                self.ask(desk, |pair, to, side| side.hop.is_reliable().then_some(Purpose::Probe { pair, to }));
            }
            Stage::Ended => {}
        }
    }

    /// A caller whose connection has ended may have given the call up (RFC 3261 17.1.4), and would wait in a queue for ever. He
    /// is told once more how it stands, so that he knows the dialog in which he is asked.
    fn ask_caller(&mut self, desk: &mut Desk<'_>) {
        let Some(invite) = self.first_invite() else { return };
        let Some(tag) = invite.reply_tag() else { return self.ask_later(desk) };
        invite.again(desk);
        let of = self.pairs.iter().find(|pair| pair.caller.dialog.local_tag() == tag).map(|pair| pair.number);
        self.ask(desk, |pair, to, _| (to == End::Caller && Some(pair) == of).then_some(Purpose::Probe { pair, to }));
    }

    /// A party has said whether it is still there. Of a caller who does not know the dialog it is believed the second time: what
    /// he was told first may have been lost.
    pub(super) fn party_answers(&mut self, desk: &mut Desk<'_>, pair: u32, of: End, status: u16) {
        if self.stage != Stage::Setup {
            return self.lost_dialog(desk, pair, of, status);
        }
        let is_gone = status == 481;
        if is_gone && self.is_missed {
            self.cancel_forks(desk, "");
            return self.refuse(desk, 487, None);
        }
        self.is_missed = is_gone;
        if is_gone {
            self.ask_at = desk.after(ASK_AFTER);
        }
    }

    /// A party does not answer, so it has not come back yet. It may talk all the same: what it says goes other ways.
    pub(super) fn ask_later(&mut self, desk: &Desk<'_>) {
        self.ask_at = desk.after(ASK_AGAIN);
    }
}
