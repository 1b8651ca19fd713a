//! The coordinator in the control server: one durable entry, connections that break with requests still on their way,
//! and requests that are carried out long after their sender gave them up.

use std::collections::{BTreeMap, VecDeque};

use model::{Span, Time};
use redundancy::coordinator::{Reply, Request, Versioned};

use super::members::{LOOK, Members, Membership};
use super::process::FromControl;
use super::{Event, Pair, PairEvent, Service, Side};
use crate::kernel::{Actor, Core};
use crate::plan::{Direction, Layout};

/// Pause before a broken connection is tried again.
const RECONNECT: Span = Span::from_millis(30);
/// A side that holds nothing leaves the other one the first word for so long.
const FIRST_WORD: Span = Span::from_millis(200);

/// The coordinator.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) entry: Option<Versioned>,
    pub(super) is_down: bool,
    revision: u64,
    next: u64,
    sessions: BTreeMap<u64, Session>,
    /// Until when nothing passes: from each side, and to each side.
    cut_until: [[Time; 2]; 2],
    /// On several hosts.
    pub(super) members: Members,
    /// When the entry changed last.
    pub(super) changed: Time,
}

impl Control {
    pub(super) fn session(&self, id: u64) -> Option<&Session> {
        self.sessions.get(&id)
    }

    pub(super) fn session_mut(&mut self, id: u64) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    /// True if `side` was cut off until so lately that it could not speak before one who left it the first word.
    pub(super) fn was_cut_off(&self, side: Side, now: Time) -> bool {
        self.cut_until[side].iter().any(|until| *until + FIRST_WORD > now)
    }

    /// The connections that stand.
    pub(super) fn standing(&self) -> Vec<u64> {
        self.sessions.iter().filter(|(_, session)| session.stands).map(|(id, _)| *id).collect()
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) side: Side,
    run: u64,
    /// Both ends still hold it.
    pub(super) stands: bool,
    /// On several hosts: the member that is asked.
    pub(super) membership: Membership,
    /// Since when it stands.
    pub(super) since: Time,
    watches: bool,
    requests: VecDeque<Request>,
    /// Nothing arrives before then: the connection is slow, or it broke and the network holds what was sent.
    held_until: Time,
    last_request: Time,
    last_reply: Time,
}

impl<S: Service> Pair<S> {
    /// The process tries to connect.
    pub(super) fn connects<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64) {
        let cut = self.control.cut_until[side].iter().any(|until| *until > core.now);
        let reachable = !self.control.is_down && !cut && self.hosts[self.host_of(side)].isolated_until <= core.now;
        let several = self.plan.layout == Layout::ThreeHosts;
        if !reachable || several && self.find_member(core, side, true).is_none() {
            return self.plan_event(core, core.now + RECONNECT, Event::Connect(side, run));
        }
        let id = self.control.next + 1;
        let Some(process) = self.run_mut(side, run).filter(|process| process.session.is_none()) else { return };
        process.session = Some(id);
        process.from_control.push_back((core.now, FromControl::Up));
        self.control.next = id;
        let session = Session {
            side,
            run,
            stands: true,
            membership: Membership::since(core.now),
            since: core.now,
            watches: false,
            requests: VecDeque::new(),
            held_until: Time::ZERO,
            last_request: core.now,
            last_reply: core.now,
        };
        self.control.sessions.insert(id, session);
        self.begins_to_beat(core, id);
        self.wake(core, side, core.now);
    }

    /// The process asks.
    pub(super) fn ask<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, request: Request) {
        let delay = self.plan.control.draw(&mut core.chances.control);
        let id = self.applications[side].process.as_ref().and_then(|process| process.session);
        let passes = core.now.max(self.control.cut_until[side][0]);
        let Some((id, session)) = id.and_then(|id| self.control.sessions.get_mut(&id).map(|session| (id, session)))
        else {
            return;
        };
        core.trace.arrow(core.now, Actor::Server(self.id, side as u8), Actor::Control, 0xa5, || describe(&request));
        session.requests.push_back(request);
        session.last_request = session.last_request.max(passes + delay);
        let at = session.last_request;
        self.plan_event(core, at, Event::Request(id));
        self.counts_request(core, id);
    }

    /// A request reaches the coordinator.
    pub(super) fn coordinate<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let is_down = self.control.is_down;
        let carried_out = self.is_carried_out(core, id);
        let Some(session) = self.control.sessions.get_mut(&id) else { return };
        if session.held_until > core.now {
            let at = session.held_until;
            return self.plan_event(core, at, Event::Request(id));
        }
        if !carried_out && session.stands {
            // A member that finds no majority keeps it; without a member it is sent when there is one.
            let at = core.now + LOOK;
            return self.plan_event(core, at, Event::Request(id));
        }
        let Some(request) = session.requests.pop_front() else { return };
        if is_down || !carried_out {
            return;
        }
        session.watches |= request == Request::Watch;
        let (done, reply) = self.carry_out_request(core, request.clone());
        if self.is_asked_again(core, id) {
            // The answer does not come in time; the next one says how the entry stands then.
            if let Some(session) = self.control.sessions.get_mut(&id) {
                session.requests.push_front(request);
            }
        } else {
            self.answer(core, id, reply);
        }
        if done {
            self.tell_watchers(core);
        }
        self.control.sessions.retain(|_, session| session.stands || !session.requests.is_empty());
    }

    /// Carries a request out: whether it changed the entry, and the answer.
    fn carry_out_request<E>(&mut self, core: &mut Core<E>, request: Request) -> (bool, Reply) {
        match request {
            Request::Watch => (false, Reply::Entry(self.control.entry.clone())),
            Request::CompareAndSwap { expected, new } => {
                let done = expected == self.control.entry.as_ref().map(|versioned| versioned.revision);
                if done {
                    self.control.revision += 1;
                    let revision = self.control.revision;
                    core.trace.mark(core.now, Actor::Control, 0xca5 ^ revision, || {
                        format!("r{revision} {}", describe_entry(&new))
                    });
                    self.entry_changes(core, &new);
                    self.control.entry = Some(Versioned { revision, entry: new });
                    self.control.changed = core.now;
                }
                (done, Reply::Swapped { done, now: self.control.entry.clone() })
            }
        }
    }

    fn tell_watchers<E: From<PairEvent>>(&mut self, core: &mut Core<E>) {
        let watchers: Vec<u64> =
            self.control.sessions.iter().filter(|(_, session)| session.watches).map(|(id, _)| *id).collect();
        for id in watchers {
            if self.can_tell(core, id) {
                self.reply(core, id, Reply::Entry(self.control.entry.clone()));
            }
        }
    }

    /// Answers a request.
    fn answer<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64, reply: Reply) {
        self.reply(core, id, reply);
        if let Some(session) = self.control.sessions.get_mut(&id) {
            let at = session.last_reply;
            session.membership.is_answered(at);
        }
    }

    pub(super) fn reply<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64, reply: Reply) {
        let delay = self.plan.control.draw(&mut core.chances.control);
        let Some(session) = self.control.sessions.get_mut(&id).filter(|session| session.stands) else { return };
        let passes = core.now.max(self.control.cut_until[session.side][1]);
        session.last_reply = session.last_reply.max(passes + delay);
        let (side, run, at) = (session.side, session.run, session.last_reply);
        if let Some(process) = self.run_mut(side, run) {
            process.from_control.push_back((at, FromControl::Says(reply)));
        }
        self.plan_event(core, at, Event::News(side, run));
    }

    /// The connection of a side breaks: answers on their way are lost; requests on their way may still be carried out,
    /// up to `hold` later.
    pub(super) fn break_control<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, hold: Span) {
        let Some(process) = &mut self.applications[side].process else { return };
        let Some(id) = process.session.take() else { return };
        process.from_control.retain(|(at, _)| *at <= core.now);
        process.from_control.push_back((core.now, FromControl::Down));
        let run = process.me.run;
        self.leave_session(core, id, hold);
        self.plan_event(core, core.now + RECONNECT, Event::Connect(side, run));
        self.wake(core, side, core.now);
    }

    /// Cuts the way between a side and the coordinator; what is on its way gets through, what is sent later waits.
    pub(super) fn cut_control(&mut self, side: Side, way: Direction, until: Time) {
        for from in [0, 1] {
            if way.covers(from) {
                let cut = &mut self.control.cut_until[side][from];
                *cut = until.max(*cut);
            }
        }
    }

    /// Nobody reads the answers of this connection any more.
    pub(super) fn leave_session<E>(&mut self, core: &mut Core<E>, id: u64, hold: Span) {
        if let Some(session) = self.control.sessions.get_mut(&id) {
            session.stands = false;
            session.watches = false;
            session.held_until = core.now + hold;
            if session.requests.is_empty() {
                self.control.sessions.remove(&id);
            }
        }
    }

    /// The control server ends; its store is durable.
    pub(super) fn control_crashes<E: From<PairEvent>>(&mut self, core: &mut Core<E>, down: Span) {
        core.trace.mark(core.now, Actor::Control, 0xc4a5, || format!("crashes for {down}"));
        self.control.is_down = true;
        for side in [0, 1] {
            let hold = Span::from_micros(core.chances.control.below(2 * down.as_micros() + 1));
            self.break_control(core, side, hold);
        }
        self.plan_event(core, core.now + down, Event::ControlUp);
    }

    /// The process reads what the coordinator said by now.
    pub(super) fn next_from_control(&mut self, now: Time, side: Side) -> Option<FromControl> {
        let process = self.applications[side].process.as_mut()?;
        let due = process.from_control.front().is_some_and(|(at, _)| *at <= now);
        let news = if due { process.from_control.pop_front().map(|(_, news)| news) } else { None };
        if let Some(FromControl::Says(Reply::Entry(Some(now)) | Reply::Swapped { now: Some(now), .. })) = &news {
            process.told = process.told.max(now.revision);
        }
        news
    }
}

fn describe(request: &Request) -> String {
    match request {
        Request::Watch => "watch".to_owned(),
        Request::CompareAndSwap { expected, new } => format!("r{} -> {}", expected.unwrap_or(0), describe_entry(new)),
    }
}

fn describe_entry(entry: &redundancy::coordinator::PairEntry) -> String {
    let in_sync: Vec<String> = entry.in_sync.iter().map(ToString::to_string).collect();
    format!("e{} {} [{}]", entry.epoch, entry.primary, in_sync.join(" "))
}
