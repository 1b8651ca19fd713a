//! What a call does when a connection with one of its parties has ended: what was not answered goes again, until it is or
//! its time is over; and a party that may have said goodbye on that connection is asked whether it is still there.

use model::{Span, Time};

use super::desk::Desk;
use super::outgoing::Purpose;
use super::pair::{End, Pair};
use super::{Call, Stage};
use crate::hop::LostFlows;
use crate::limits::{ASK_AFTER, ASK_AGAIN};

/// The questions of many calls are spread over so many milliseconds.
const SPREAD: u64 = 2_048;

impl Call {
    /// True if something of this call was on one of these connections.
    pub(crate) fn is_on(&self, lost: &LostFlows) -> bool {
        self.invites_in.iter().any(|invite| invite.is_busy() && lost.carried(invite.hop()))
            || self.invites_out.iter().any(|invite| invite.is_busy() && lost.carried(&invite.hop))
            || self.requests_out.iter().any(|request| request.tx.is_open() && lost.carried(&request.hop))
            || self.talks_on(lost)
    }

    fn talks_on(&self, lost: &LostFlows) -> bool {
        let on = |pair: &Pair, end| pair.side(end).is_some_and(|side| lost.carried(&side.hop));
        self.stage == Stage::Talking && self.pairs.iter().any(|pair| on(pair, End::Caller) || on(pair, End::Callee))
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
        if self.talks_on(lost) {
            let spread = Span::from_millis(self.number % SPREAD);
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
        if self.stage == Stage::Talking && !asks {
            self.ask(desk, |pair, side| side.hop.is_reliable().then_some(Purpose::Probe { pair }));
        }
    }

    /// A party does not answer, so it has not come back yet. It may talk all the same: what it says goes other ways.
    pub(super) fn ask_later(&mut self, desk: &Desk<'_>) {
        self.ask_at = desk.after(ASK_AGAIN);
    }
}
