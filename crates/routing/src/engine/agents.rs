//! What an agent is doing: derived from what the agent chose, from the offer that stands, and from the extension's legs.

use model::Time;
use model::route::{CallNumber, Unanswered};

use super::{AUDIT_EVERY, CALLS_MAX, Engine};
use crate::index::DeskAt;
use crate::output::Event;
use crate::record::{Agent, Chosen, Extension, Reason};
use crate::request::State;

impl Engine {
    /// How the extension stands, as the SIP Server tells it.
    pub(super) fn extension_stands(&mut self, now: Time, desk: DeskAt, reachable: bool, mut calls: Vec<CallNumber>) {
        calls.truncate(CALLS_MAX);
        self.undo_lost_offer(desk, &calls);
        let stream = self.post().mailbox.heard.stream;
        let (agent, key) = (self.index.desks[desk].agent, self.index.desks[desk].extension);
        let Some(extension) = self.get_mut::<Extension>(key) else { return };
        // The first word after a cold start is not a return: the idle keep their order.
        let returned = reachable && !extension.reachable && extension.told != 0;
        let retried = reachable && extension.failed.is_some_and(|failed| now >= failed + AUDIT_EVERY);
        let worked = extension.calls.iter().any(|call| !calls.contains(call) && Some(*call) != extension.rung);
        if retried || !reachable {
            extension.failed = None;
        }
        extension.reachable = reachable;
        extension.calls = calls;
        extension.told = stream;
        if (returned || retried || worked)
            && let Some(agent) = self.get_mut::<Agent>(agent)
        {
            agent.idle_since = now;
        }
        if returned {
            self.forgive(desk);
        }
        self.refresh(now, desk);
        self.put_off_audit(now, desk);
    }

    /// A telephone that comes back makes its agent ready, unless the agent chose otherwise.
    fn forgive(&mut self, desk: DeskAt) {
        let key = self.index.desks[desk].agent;
        let auto_ready = self.settings.agents[desk].auto_ready;
        if let Some(agent) = self.get_mut::<Agent>(key).filter(|agent| auto_ready && agent.chosen.is_imposed()) {
            agent.chosen = Chosen::Ready;
        }
    }

    /// Takes back an offer that should have been answered long ago, if the SIP Server knows that it was asked about it
    /// and names no leg of it.
    fn undo_lost_offer(&mut self, desk: DeskAt, calls: &[CallNumber]) {
        let Some(call) = self.index.desks[desk].offer.filter(|call| !calls.contains(call)) else { return };
        let confirmed = self.post().mailbox.confirmed;
        let Some(standing) = self.offer_of(call) else { return };
        if standing.chased.is_some_and(|chased| chased <= confirmed) {
            let offer = standing.offer.number;
            self.take_offer(call);
            self.tell(Event::OfferLost { call, offer });
        }
    }

    /// What an offer that came to nothing means for its agent.
    pub(super) fn bear(&mut self, now: Time, desk: DeskAt, call: CallNumber, why: Unanswered) {
        let (agent, key) = (self.index.desks[desk].agent, self.index.desks[desk].extension);
        let Some(extension) = self.get_mut::<Extension>(key) else { return };
        let reason = match why {
            Unanswered::NoAnswer => Reason::NoAnswer,
            // Busy with a call of their own: nobody declined.
            Unanswered::Declined if extension.calls.iter().any(|other| *other != call) => return,
            Unanswered::Declined => Reason::Declined,
            Unanswered::Unreachable => {
                extension.failed = Some(now);
                return;
            }
        };
        if let Some(agent) = self.get_mut::<Agent>(agent) {
            agent.chosen = Chosen::NotReady(reason);
        }
    }

    /// What the records say about the agent, and since when the agent is idle.
    fn state_of(&mut self, desk: DeskAt) -> Option<(State, Time)> {
        let desk = &self.index.desks[desk];
        let (agent, extension, rings) = (desk.agent, desk.extension, desk.offer.is_some());
        let extension = self.get::<Extension>(extension)?;
        let talks = !extension.calls.is_empty();
        let reachable = extension.reachable && extension.failed.is_none();
        let agent = self.get::<Agent>(agent)?;
        let state = match agent.chosen {
            _ if rings => State::Ringing,
            _ if talks => State::Busy,
            _ if !reachable => State::Unreachable,
            Chosen::Ready => State::Ready,
            Chosen::NotReady(_) => State::NotReady,
        };
        Some((state, agent.idle_since))
    }

    /// Derives the agent's state and place among the ready from the records, and stirs the queues that the agent can
    /// serve from now on. Returns true if the state is another one than before.
    pub(super) fn derive(&mut self, desk: DeskAt) -> bool {
        let Some((state, idle_since)) = self.state_of(desk) else { return false };
        let lines = self.index.set_ready(desk, (state == State::Ready).then_some(idle_since));
        self.stirred.extend(lines);
        std::mem::replace(&mut self.index.desks[desk].state, state) != state
    }

    /// Brings what is derived about the agent up to date, and notes a change.
    pub(super) fn refresh(&mut self, now: Time, desk: DeskAt) {
        if !self.derive(desk) {
            return;
        }
        let (state, key) = (self.index.desks[desk].state, self.index.desks[desk].extension);
        if let Some(extension) = self.get_mut::<Extension>(key) {
            extension.since = now;
        }
        self.put_off_audit(now, desk);
        self.tell(Event::Agent { agent: self.settings.agents[desk].id.clone(), state });
    }
}
