//! The coordinator on several hosts: etcd, whose members keep one store by majority, as a server sees it through the
//! coordinator of its own host (`node::coordinator::etcd`).
//!
//! What etcd promises is taken as it is promised: compare-and-swaps are done one after the other, and watches bring every
//! change in order. What is simulated is what it does not promise: members are lost, cut off and elect another leader; then
//! nothing is answered, answers are lost while what was asked is done, and changes are told late.

use model::{Span, Time};
use redundancy::coordinator::Reply;
use redundancy::hot_standby::Sabotage;

use super::{Event, Pair, PairEvent, Service, Side};
use crate::hosts::HOSTS;
use crate::kernel::{Actor, Core};

/// How often a member is asked whether it lives.
const BEAT: Span = Span::from_millis(300);
/// A member that is silent for this long is given up.
const SILENCE: Span = Span::from_millis(700);
/// A request is answered within this time, or it is unknown what has become of it.
const REQUEST: Span = Span::from_secs(1);
/// While there is no answer all members are asked again after this time.
const AGAIN: Span = Span::from_millis(20);
/// Answers that take longer than that although nothing is wrong, of a thousand.
const SLOW: u64 = 20;
/// Pause between two looks for a member that can be asked.
const PAUSE: Span = Span::from_millis(40);
/// If no member could be asked for this long, the servers are told.
const LONGEST_SEARCH: Span = Span::from_secs(1);
/// Pause between two looks whether something that waits in a member can go on.
pub(super) const LOOK: Span = Span::from_millis(10);
/// How long it takes to elect a leader: the least, and by how much it varies, in microseconds (`node::coordinator::member`).
const ELECTION: (u64, u64) = (80_000, 120_000);

/// The members.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Until when each is away: down, frozen, or without power.
    away_until: [Time; HOSTS],
    leader: usize,
    /// When the leader begins to lead.
    leads_at: Time,
}

/// What the coordinator of a host knows of the members, for one connection of a server.
#[derive(Debug, Default)]
pub(super) struct Membership {
    /// At least one member tells it of changes; else one is looked for.
    watches: bool,
    /// When a member was heard last, or since when one is looked for.
    heard: Time,
    /// When each request was answered, as far as they were.
    answered: Vec<Time>,
    asked: usize,
    /// There is something to tell that could not be told.
    is_behind: bool,
}

impl Membership {
    pub(super) const fn since(now: Time) -> Self {
        Self { watches: true, heard: now, answered: Vec::new(), asked: 0, is_behind: false }
    }

    fn owes(&self, now: Time) -> bool {
        self.answered.iter().filter(|at| **at <= now).count() < self.asked
    }

    /// A request is answered; the answer arrives then.
    pub(super) fn is_answered(&mut self, at: Time) {
        self.answered.push(at);
    }
}

impl<S: Service> Pair<S> {
    fn is_up(&self, member: usize, now: Time) -> bool {
        let dark = self.hosts.get(member).is_some_and(|host| host.is_dark);
        !dark && self.control.members.away_until[member] <= now
    }

    fn leads(&self, leader: usize, now: Time) -> bool {
        let follows = |one: usize| one != leader && self.is_up(one, now) && self.networks.joins(leader, one, now);
        self.is_up(leader, now) && (0..HOSTS).any(follows)
    }

    /// The members look whether they have a leader whom a majority reaches, and begin to elect another one.
    pub(super) fn elect<E>(&mut self, core: &mut Core<E>) {
        if !self.several() || self.leads(self.control.members.leader, core.now) {
            return;
        }
        if let Some(leader) = (0..HOSTS).find(|one| self.leads(*one, core.now)) {
            let after = Span::from_micros(ELECTION.0 + core.chances.control.below(ELECTION.1));
            core.trace.mark(core.now, Actor::Control, 0x1ead, || format!("h{} will lead in {after}", leader + 1));
            self.control.members.leader = leader;
            self.control.members.leads_at = core.now + after;
        }
    }

    /// True if a member can carry out requests: a majority follows its leader, and it is one of them.
    fn serves_requests<E>(&mut self, core: &mut Core<E>, member: usize) -> bool {
        self.elect(core);
        let Members { leader, leads_at, .. } = self.control.members;
        let joined = member == leader || self.networks.joins(member, leader, core.now);
        leads_at <= core.now && self.leads(leader, core.now) && self.is_up(member, core.now) && joined
    }

    /// A member that the host of a side can ask, its own first; `hears`: it must hear the answer too.
    pub(super) fn find_member<E>(&mut self, core: &mut Core<E>, side: Side, hears: bool) -> Option<usize> {
        let others = (0..HOSTS).filter(|member| *member != side);
        std::iter::once(side).chain(others).find(|member| {
            let asks = self.networks.passes(side, *member, core.now) == core.now;
            asks && (!hears || self.hears_member(side, *member, core.now)) && self.serves_requests(core, *member)
        })
    }

    fn hears_member(&self, side: Side, member: usize, now: Time) -> bool {
        self.networks.passes(member, side, now) == now
    }

    /// A member goes for so long; its store is durable.
    pub(super) fn member_goes<E: From<PairEvent>>(&mut self, core: &mut Core<E>, member: usize, span: Span) {
        if !self.several() {
            return;
        }
        core.trace
            .mark(core.now, Actor::Control, 0x6057, || format!("the member on h{} is away for {span}", member + 1));
        let until = &mut self.control.members.away_until[member];
        *until = (core.now + span).max(*until);
        self.elect(core);
    }

    /// True if a member carries out what is asked on a connection at the moment. All of them are asked, so one is enough.
    pub(super) fn is_carried_out<E>(&mut self, core: &mut Core<E>, id: u64) -> bool {
        let Some(session) = self.control.session(id).filter(|_| self.several()) else { return true };
        let (side, watches) = (session.side, session.membership.watches);
        watches && self.find_member(core, side, false).is_some()
    }

    /// True if the answer to what was just carried out is not heard in time, so that the members are asked once more.
    pub(super) fn is_asked_again<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) -> bool {
        let Some(side) = self.control.session(id).filter(|_| self.several()).map(|session| session.side) else {
            return false;
        };
        let member = self.find_member(core, side, false);
        let heard = member.is_some_and(|member| self.hears_member(side, member, core.now));
        let again = !heard || core.chances.control.happens(SLOW, 1_000);
        if again {
            self.plan_event(core, core.now + AGAIN, Event::Request(id));
        }
        again
    }

    /// A request is on its way: it has its time.
    pub(super) fn counts_request<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let several = self.several();
        if let Some(session) = self.control.session_mut(id).filter(|_| several) {
            session.membership.asked += 1;
            let count = session.membership.asked;
            self.plan_event(core, core.now + REQUEST, Event::Patience(id, count));
        }
    }

    /// A request has had its time.
    pub(super) fn patience_ends<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64, count: usize) {
        let Some(session) = self.control.session(id).filter(|session| session.stands) else { return };
        let answered = session.membership.answered.get(count - 1);
        if answered.is_none_or(|at| *at > core.now) {
            self.lose_session(core, id);
        }
    }

    /// What has become of the requests of this connection is unknown: it breaks, and they may still be done.
    fn lose_session<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let Some(side) = self.control.session(id).map(|session| session.side) else { return };
        core.trace.mark(core.now, self.actor(side), 0x105e, || "loses its coordinator".to_owned());
        let hold = Span::from_micros(core.chances.control.below(1_000_000));
        self.break_control(core, side, hold);
    }

    /// A connection stands from now on: its member is to show that it lives.
    pub(super) fn begins_to_beat<E: From<PairEvent>>(&self, core: &mut Core<E>, id: u64) {
        if self.several() {
            self.plan_event(core, core.now + BEAT, Event::Beat(id));
        }
    }

    /// The members of a connection show that they live, or none does.
    pub(super) fn member_beats<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let Some(session) = self.control.session(id).filter(|session| session.stands) else { return };
        let (side, heard) = (session.side, session.membership.heard);
        if !session.membership.watches {
            return;
        }
        let lives = |member| self.is_up(member, core.now) && self.networks.joins(side, member, core.now);
        if (0..HOSTS).any(lives) {
            if let Some(session) = self.control.session_mut(id) {
                session.membership.heard = core.now;
            }
        } else if heard + SILENCE <= core.now {
            return self.leaves_members(core, id);
        }
        self.plan_event(core, core.now + BEAT, Event::Beat(id));
    }

    /// The coordinator has compacted its history: the watch of every host has fallen behind.
    pub(super) fn compacts<E: From<PairEvent>>(&mut self, core: &mut Core<E>) {
        core.trace.mark(core.now, Actor::Control, 0xc04a, || "compacts".to_owned());
        for id in self.control.standing() {
            self.leaves_members(core, id);
        }
    }

    /// A host gives its members up and looks for one. Who has asked something cannot know what became of it.
    fn leaves_members<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let Some(session) = self.control.session_mut(id) else { return };
        if session.membership.owes(core.now) {
            return self.lose_session(core, id);
        }
        session.membership.watches = false;
        session.membership.heard = core.now;
        let soon = Span::from_micros(core.chances.control.below(PAUSE.as_micros()));
        self.plan_event(core, core.now + soon, Event::Search(id));
    }

    /// Looks for a member that can be asked; the first thing that it is asked is how the entry stands, so that no change is lost
    /// between two watches.
    pub(super) fn search_member<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let Some(session) = self.control.session(id).filter(|session| session.stands) else { return };
        let (side, since) = (session.side, session.membership.heard);
        if session.membership.watches {
            return;
        }
        let Some(member) = self.find_member(core, side, true) else {
            if since + LONGEST_SEARCH <= core.now {
                return self.lose_session(core, id);
            }
            return self.plan_event(core, core.now + PAUSE, Event::Search(id));
        };
        let Some(session) = self.control.session_mut(id) else { return };
        (session.membership.watches, session.membership.heard) = (true, core.now);
        core.trace.mark(core.now, self.actor(side), 0x3e3b, || format!("asks the member on h{}", member + 1));
        self.begins_to_beat(core, id);
        if self.plan.sabotage != Sabotage::WatchGap {
            self.reply(core, id, Reply::Entry(self.control.entry.clone()));
        }
    }

    /// Whether a change can be told on a connection at the moment; if not, it is told as soon as it can be.
    pub(super) fn can_tell<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) -> bool {
        let Some(session) = self.control.session(id) else { return false };
        let (side, watches) = (session.side, session.membership.watches);
        if !self.several() {
            return true;
        }
        // Who finds a member again reads the entry first.
        if watches && self.find_member(core, side, true).is_some() {
            return true;
        }
        let Some(session) = self.control.session_mut(id).filter(|_| watches) else { return false };
        if !std::mem::replace(&mut session.membership.is_behind, true) {
            self.plan_event(core, core.now + LOOK, Event::CatchesUp(id));
        }
        false
    }

    /// A member that was cut off from the others may have heard of the changes since.
    pub(super) fn catches_up<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let Some(session) = self.control.session_mut(id).filter(|session| session.stands) else { return };
        session.membership.is_behind = false;
        if self.can_tell(core, id) {
            self.reply(core, id, Reply::Entry(self.control.entry.clone()));
        }
    }
}
