//! Taking a call down, from whichever side.

use model::Time;
use sip::transaction::timer::TIMER_B;
use sip::{Answer, HeaderName, Message};

use super::desk::Desk;
use super::incoming::{Arrival, Origin, RequestIn, key_of, plain};
use super::outgoing::RequestOut;
use super::pair::End;
use super::{Call, Stage, reply, stable_tag};
use crate::output::Event;

impl Call {
    /// A CANCEL came: it is answered at once, and so is the INVITE if it is the caller's first one (RFC 3261 9.2).
    pub(super) fn cancel(&mut self, desk: &mut Desk<'_>, cancel: &Message<'_>, arrival: &Arrival) {
        let key = key_of(cancel);
        if let Some(known) = self.requests_in.iter_mut().find(|known| *known.key() == *key) {
            return known.again(desk, arrival);
        }
        let Some(invite) = self.invites_in.iter().find(|invite| *invite.key() == *key) else {
            return reply(desk, cancel, arrival, 481);
        };
        let (part, first, open) = (invite.part, invite.origin.is_none(), invite.tx.is_open());
        // RFC 3261 9.2: the tag of the answers to the INVITE; of a call that is over only its last answer still knows it.
        let dialog = || Some(self.pairs.first()?.caller.dialog.local_tag().to_owned());
        let tag = invite.reply_tag().or_else(dialog).unwrap_or_else(|| stable_tag(desk, &key));
        self.confirm_request(desk, None, cancel, arrival, &tag);
        if !open {
            return;
        }
        if first {
            let reason = cancel.value(HeaderName::Reason).and_then(|reason| str::from_utf8(reason).ok());
            self.cancel_forks(desk, reason.unwrap_or_default());
            self.refuse(desk, 487, None);
        } else if let Some(out) = self.invites_out.iter_mut().find(|out| out.is_for(part)) {
            // Whether it was in time is for the other end to say: 487, or a 2xx all the same.
            out.cancel(desk, "");
        }
    }

    /// Answers a request with 200, in its own transaction; with this To tag if it has none.
    fn confirm_request(
        &mut self,
        desk: &mut Desk<'_>,
        origin: Option<Origin>,
        request: &Message<'_>,
        arrival: &Arrival,
        tag: &str,
    ) {
        let mut known = RequestIn::new(self.part(), origin, request, arrival);
        known.answer(desk, Answer::new(200).tag(tag), plain);
        self.requests_in.push(known);
    }

    /// A BYE came: it is answered at once and passed on, so that it is never lost.
    pub(super) fn bye(&mut self, desk: &mut Desk<'_>, origin: Origin, bye: &Message<'_>, arrival: &Arrival) {
        // It is within the dialog, so its To has the tag.
        self.confirm_request(desk, Some(origin), bye, arrival, "");
        match self.stage {
            Stage::Setup => self.refuse(desk, 487, None),
            Stage::Talking => self.hang_up(desk, Some(origin.end), Some(bye)),
            Stage::Ended => self.needs_no_goodbye(),
        }
    }

    /// Ends the conversation: says goodbye to both ends, or to the one that is not `from`.
    pub(super) fn hang_up(&mut self, desk: &mut Desk<'_>, from: Option<End>, said: Option<&Message<'_>>) {
        self.refuse_pending(desk);
        self.acknowledge_pending(desk);
        // The BYE ends what is open on the other side too; whoever does not say so is not waited for.
        self.invites_out.iter_mut().for_each(|invite| invite.tx.end_at(desk.after(TIMER_B)));
        let wait = self.awaits_ack();
        let mut pairs = std::mem::take(&mut self.pairs);
        for pair in &mut pairs {
            for end in [End::Caller, End::Callee].into_iter().filter(|end| Some(*end) != from) {
                // RFC 3261 15: no BYE before the ACK of our answer came, or is given up.
                if end == End::Caller && wait {
                    continue;
                }
                if let Some(side) = pair.side_mut(end) {
                    self.say_bye(desk, side, Some(end), said);
                }
            }
        }
        if wait && from != Some(End::Caller) {
            self.pairs = pairs;
        } else {
            self.needs_no_goodbye();
        }
        self.end(desk, None);
    }

    /// The caller has left by himself, or was told.
    fn needs_no_goodbye(&mut self) {
        self.pairs.clear();
        let owed = self.invites_in.iter_mut().filter(|invite| invite.awaits_ack());
        owed.for_each(super::InviteIn::repeat_no_more);
    }

    /// Cuts the call off, as this server ends. True if it was in progress.
    ///
    /// There is no later for a BYE that waits for its ACK (RFC 3261 15): the caller has our answer, so it knows the dialog.
    pub(crate) fn close(&mut self, desk: &mut Desk<'_>) -> bool {
        let was = self.stage;
        match was {
            Stage::Setup => self.refuse(desk, 503, None),
            Stage::Talking => self.hang_up(desk, None, None),
            Stage::Ended => {}
        }
        self.late_bye(desk);
        self.invites_in.iter_mut().filter(|invite| invite.awaits_ack()).for_each(super::InviteIn::settle);
        self.tidy(desk);
        was != Stage::Ended
    }

    /// Says the goodbye to the caller that had to wait for his ACK.
    pub(super) fn late_bye(&mut self, desk: &mut Desk<'_>) {
        for mut pair in std::mem::take(&mut self.pairs) {
            self.say_bye(desk, &mut pair.caller, Some(End::Caller), None);
        }
    }

    /// Answers what is still open: 487 (RFC 3261 15.1.2).
    fn refuse_pending(&mut self, desk: &mut Desk<'_>) {
        for invite in self.invites_in.iter_mut().filter(|invite| invite.tx.is_open()) {
            invite.answer(desk, Answer::new(487), plain);
        }
        for request in self.requests_in.iter_mut().filter(|request| request.tx.is_open()) {
            request.answer(desk, Answer::new(487), plain);
        }
    }

    /// Acknowledges answers that the other party will not acknowledge any more (RFC 3261 13.2.2.4).
    pub(super) fn acknowledge_pending(&mut self, desk: &mut Desk<'_>) {
        let Some(pair) = self.pairs.first().cloned() else { return };
        for at in 0..self.invites_out.len() {
            let Some(invite) = self.invites_out.get(at).filter(|invite| invite.is_accepted()) else { continue };
            let end = if invite.goes_to(End::Caller) { End::Caller } else { End::Callee };
            let of_pair = !invite.is_fork() || pair.callee.as_ref().is_some_and(|callee| invite.is_leg(callee.leg));
            let Some(side) = pair.side(end).filter(|_| of_pair) else { continue };
            if !invite.has_acknowledged(side.dialog.remote_tag()) {
                self.acknowledge(desk, at, side, None);
            }
        }
    }

    /// The call is over; what lingers is small.
    pub(super) fn end(&mut self, desk: &mut Desk<'_>, status: Option<u16>) {
        if self.stage == Stage::Ended {
            return;
        }
        if self.stage == Stage::Setup {
            let pairs = std::mem::take(&mut self.pairs);
            self.part_with(pairs);
        }
        self.leave_queue(desk);
        // What has not reached a party yet would follow its goodbye or ours, and nobody waits for the answer any more.
        self.requests_out.retain(RequestOut::is_bye);
        self.invites_out.iter_mut().filter(|invite| !invite.is_fork()).for_each(|invite| invite.tx.repeat_no_more());
        self.refuse_pending(desk);
        (self.stage, self.until) = (Stage::Ended, Time::NEVER);
        (self.from, self.to) = Default::default();
        // Agents are in it until they have confirmed that it is over.
        let agent = |number: Option<Box<str>>| number.filter(|number| desk.settings.agents.contains_key(&**number));
        (self.caller, self.callee) = (agent(self.caller.take()), agent(self.callee.take()));
        (self.queue, self.agent) = Default::default();
        (self.invite, self.best) = (Box::default(), None);
        (self.parties, self.refreshes) = Default::default();
        desk.event(Event::CallEnded { call: self.number, status });
    }
}
