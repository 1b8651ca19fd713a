//! The control agents: they start what has ended, tell who has ended, and kill what hangs.

use std::collections::BTreeMap;

use model::{Incarnation, Span, Time};
use redundancy::hot_standby::{Commit, Replica, Settings};

use super::streams::unsent;
use super::{End, Event, News, Pair, PairEvent, Process, Service, Side, other};
use crate::kernel::Core;
use crate::plan::Layout;

/// A process that is silent for this long is killed (hot-standby protocol, detection).
const HANG: Span = Span::from_millis(150);

/// What the agents know.
#[derive(Debug, Default)]
pub(super) struct Agents {
    /// Every incarnation that has ended, and how.
    pub(super) ended: BTreeMap<Incarnation, End>,
    /// The pledges that were found with some of them (rule 18).
    pub(super) last_words: BTreeMap<Incarnation, u64>,
    /// Those that ended with the power of their host: nobody can be sure of it before the host is back.
    lost: Vec<Incarnation>,
    pub(super) down_until: Time,
}

impl<S: Service> Pair<S> {
    /// Starts the application of a side, if it does not run.
    pub(super) fn starts<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        if self.agents.down_until > core.now {
            return self.plan_event(core, self.agents.down_until, Event::Start(side));
        }
        let dark = self.hosts[self.host_of(side)].is_dark;
        let application = &mut self.applications[side];
        if dark || application.process.is_some() {
            application.starting = false;
            return;
        }
        application.starting = false;
        application.run += 1;
        let me = Incarnation::new(application.name.clone(), application.run);
        let peer = Some(self.applications[other(side)].name.clone());
        let mut settings = Settings::new(me.clone(), peer, self.plan.layout.commit(), self.plan.seed);
        settings.sabotage = self.plan.sabotage;
        core.trace.mark(core.now, self.actor(side), 0x57a7 ^ me.run, || format!("{me} starts"));
        let replica = Replica::new(self.service.engine(side), settings);
        let mut process = Process::new(me.clone(), replica);
        // An earlier run that was killed may have left it.
        self.release_address(side);
        self.untroubled = core.now;
        process.facts.extend(self.agents.ended.keys().cloned());
        self.applications[side].process = Some(process);
        let soon = core.now + self.plan.scheduler.draw(&mut core.chances.hosts);
        self.plan_event(core, soon, Event::Connect(side, me.run));
        self.wake(core, side, core.now);
    }

    /// A process is no more: the kernel closes what it held, the agents notice.
    pub(super) fn ends<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, how: End) {
        let Some(process) = self.applications[side].process.take() else { return };
        core.trace.mark(core.now, self.actor(side), 0xe4d ^ process.me.run, || format!("{} ends: {how:?}", process.me));
        self.check_end(core, &process, how);
        self.untroubled = core.now;
        self.news.push(News::Leaves(side));
        if how == End::Retired {
            self.release_address(side);
        }
        for cable in process.far.cables() {
            self.close_cable(core, side, cable, how != End::PowerLost);
        }
        let lost = self.drop_streams(side, &unsent(&process));
        self.check_streams(core, side, &lost);
        self.close_doors(side);
        for id in process.incoming.iter().copied().chain(process.link) {
            if how == End::PowerLost {
                continue;
            }
            self.close_link(core, side, id);
        }
        if let Some(session) = process.session {
            let hold = Span::from_micros(core.chances.control.below(50_000));
            self.leave_session(core, session, hold);
        }
        if how == End::PowerLost {
            return self.agents.lost.push(process.me);
        }
        self.agents.ended.insert(process.me.clone(), how);
        // An agent that is not there does not find it.
        if let Some(pledge) = process.pledge.filter(|_| self.agents.down_until <= core.now) {
            self.agents.last_words.insert(process.me.clone(), pledge);
        }
        self.tell_of_end(core, side, process.me);
        self.restart(core, side);
    }

    /// Plans the next start of an application.
    pub(super) fn restart<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let after = self.plan.restart.draw(&mut core.chances.hosts);
        let application = &mut self.applications[side];
        if !std::mem::replace(&mut application.starting, true) {
            self.plan_event(core, core.now + after, Event::Start(side));
        }
    }

    pub(super) fn tell_of_end<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, who: Incarnation) {
        let after = self.plan.telling.draw(&mut core.chances.hosts);
        self.plan_event(core, core.now + after, Event::Told(other(side), who));
    }

    /// A side is told that an incarnation has ended, unless the word cannot come through now.
    pub(super) fn told<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, who: Incarnation) {
        let apart = match self.plan.layout {
            Layout::OneHost => Time::ZERO,
            Layout::TwoHosts => self.hosts.iter().map(|host| host.isolated_until).max().unwrap_or_default(),
            Layout::ThreeHosts => self.networks.passes(other(side), side, core.now),
        };
        let late = apart.max(self.agents.down_until);
        if late > core.now {
            return self.plan_event(core, late, Event::Told(side, who));
        }
        if let Some(process) = &mut self.applications[side].process {
            process.facts.push_back(who);
            self.wake(core, side, core.now);
        }
    }

    /// A process was stopped: after a while its agent kills it, where the pair relies on that.
    pub(super) fn watch_for_hang<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, stop: Span) {
        let Some(process) = &self.applications[side].process else { return };
        let run = process.me.run;
        if self.plan.layout.commit() == Commit::Published && stop >= HANG {
            self.plan_event(core, core.now + HANG, Event::Hang(side, run));
        }
        self.plan_event(core, core.now + stop, Event::Resume(side, run));
    }

    pub(super) fn hangs<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64) {
        if self.run_mut(side, run).is_some_and(|process| process.stopped) {
            if self.agents.down_until > core.now {
                return self.plan_event(core, self.agents.down_until, Event::Hang(side, run));
            }
            self.ends(core, side, End::Killed);
        }
    }

    /// The host of a side has power again: its agent starts what ran there, and can tell what has ended.
    pub(super) fn host_up<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        self.hosts[self.host_of(side)].is_dark = false;
        self.untroubled = core.now;
        self.links.reset(side, core.now);
        self.wake(core, other(side), core.now);
        for who in std::mem::take(&mut self.agents.lost) {
            self.agents.ended.insert(who.clone(), End::PowerLost);
            self.tell_of_end(core, self.side_of(&who).unwrap_or(side), who);
        }
        self.restart(core, side);
    }
}
