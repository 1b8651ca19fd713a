//! The way of one offer: made when a caller and an agent are free at the same time, until it is answered or not.

use std::collections::BTreeSet;

use model::Time;
use model::route::{CallNumber, Offer, OfferNumber, Order, Unanswered};

use super::{Engine, OFFER_GRACE};
use crate::index::{DeskAt, LineAt};
use crate::output::Event;
use crate::record::{Agent, CALLER, Caller, Chosen, Extension, Standing, caller_key};

impl Engine {
    /// Gives callers to agents, in the stirred queues, while there are both: the caller who waits longest first, to the
    /// agent who is idle longest.
    pub(super) fn serve(&mut self, now: Time) {
        let stirred = std::mem::take(&mut self.stirred);
        let mut next: BTreeSet<_> = stirred.into_iter().filter_map(|line| self.first_waiting(line)).collect();
        while let Some((since, call, line)) = next.pop_first() {
            let Some((_, desk)) = self.index.lines[line].ready.first().copied() else { continue };
            self.index.lines[line].waiting.remove(&(since, call));
            self.offer(now, line, call, desk);
            next.extend(self.first_waiting(line));
        }
    }

    fn first_waiting(&self, line: LineAt) -> Option<(Time, CallNumber, LineAt)> {
        self.index.lines[line].waiting.first().map(|(since, call)| (*since, *call, line))
    }

    fn offer(&mut self, now: Time, line: LineAt, call: CallNumber, desk: DeskAt) {
        let number = OfferNumber(self.draw(CALLER));
        let settings = &self.settings.agents[desk];
        let offer = Offer { number, agent: settings.id.clone(), extension: settings.extension.clone() };
        let patience = self.settings.queues[line].no_answer;
        self.tell(Event::Offered { call, offer: number, agent: offer.agent.clone() });
        let mail = self.send(Order::Ring { call, offer: offer.clone(), patience });
        let due = now + patience + OFFER_GRACE;
        if let Some(caller) = self.get_mut::<Caller>(caller_key(call)) {
            caller.offer = Some(Standing { offer, at: now, due, mail, chased: None, withdrawn: false, orphan: false });
        }
        self.ring(now, desk, call);
    }

    /// The agent rings for this caller from now on.
    pub(super) fn ring(&mut self, now: Time, desk: DeskAt, call: CallNumber) {
        let key = self.index.desks[desk].extension;
        if let Some(extension) = self.get_mut::<Extension>(key) {
            extension.rung = Some(call);
        }
        self.index.desks[desk].offer = Some(call);
        self.refresh(now, desk);
    }

    /// True if our offer stands although the SIP Server names `theirs`: it is the same, or the SIP Server had not heard
    /// of it when it began its story.
    pub(super) fn stands(&mut self, ours: &Standing, theirs: Option<&Offer>) -> bool {
        let post = self.post();
        theirs.is_some_and(|theirs| theirs.number == ours.offer.number) || (!post.owes && ours.mail > post.told_after)
    }

    /// Takes in an offer that the SIP Server knows and this side does not; one that cannot stand is withdrawn.
    pub(super) fn adopt(&mut self, now: Time, call: CallNumber, line: LineAt, offer: Offer) -> Standing {
        let desk = self.index.desk_of(&offer.agent).filter(|desk| self.index.desks[*desk].offer.is_none());
        let key = desk.map(|desk| self.index.desks[desk].agent);
        let wanted =
            key.and_then(|key| self.get::<Agent>(key)).is_some_and(|agent| matches!(agent.chosen, Chosen::Ready));
        if !wanted {
            self.send(Order::Withdraw { call, offer: offer.number });
        }
        let due = now + self.settings.queues[line].no_answer + OFFER_GRACE;
        Standing { offer, at: now, due, mail: 0, chased: None, withdrawn: !wanted, orphan: desk.is_none() }
    }

    /// The agent who rings because of this offer.
    pub(super) fn desk_for(&self, standing: &Standing) -> Option<DeskAt> {
        if standing.orphan { None } else { self.index.desk_of(&standing.offer.agent) }
    }

    pub(super) fn offer_of(&mut self, call: CallNumber) -> Option<&mut Standing> {
        self.get_mut::<Caller>(caller_key(call))?.offer.as_mut()
    }

    /// The offer came to nothing: the caller waits again in the old place, the agent bears what follows.
    pub(super) fn not_answered(&mut self, now: Time, call: CallNumber, offer: OfferNumber, why: Unanswered) {
        if self.offer_of(call).is_none_or(|standing| standing.offer.number != offer) {
            return;
        }
        let Some((standing, desk)) = self.take_offer(call) else { return };
        self.tell(Event::Unanswered { call, offer, why });
        let Some(desk) = desk else { return };
        if !standing.withdrawn {
            self.bear(now, desk, call, why);
        }
        self.refresh(now, desk);
    }

    /// Takes the offer off the caller, who waits again from now on. The state of the agent who rang is for whoever
    /// calls this to refresh.
    pub(super) fn take_offer(&mut self, call: CallNumber) -> Option<(Standing, Option<DeskAt>)> {
        self.leave_line(call);
        let caller = self.get_mut::<Caller>(caller_key(call))?;
        let standing = caller.offer.take();
        caller.queued = false;
        let caller = caller.clone();
        if let Some(line) = self.index.line_of(&caller.queue) {
            self.join_line(line, call, &caller);
        }
        let standing = standing?;
        let desk = self.desk_for(&standing);
        if let Some(desk) = desk {
            self.index.desks[desk].offer = None;
        }
        Some((standing, desk))
    }

    /// Takes back the offer that rings at this desk.
    pub(super) fn withdraw(&mut self, desk: DeskAt) {
        let Some(call) = self.index.desks[desk].offer else { return };
        if let Some(standing) = self.offer_of(call).filter(|standing| !standing.withdrawn) {
            standing.withdrawn = true;
            let offer = standing.offer.number;
            self.send(Order::Withdraw { call, offer });
        }
    }
}
