//! How faults hit a pair.

use model::Span;
use redundancy::hot_standby::SwitchoverRefused;

use super::{End, Event, News, Pair, PairEvent, Service, Side, other};
use crate::kernel::{Actor, Core};
use crate::plan::{Act, Kind, Layout, Moment, Point, Target, Who};

/// Strikes that wait for a process to come to a step.
#[derive(Debug, Default)]
pub(super) struct Traps {
    set: Vec<Trap>,
    sprung: Option<Act>,
}

#[derive(Debug)]
struct Trap {
    side: Side,
    moment: Moment,
    point: Point,
    left: u32,
    act: Act,
}

impl<S: Service> Pair<S> {
    /// Which side is meant at the moment.
    pub fn resolve(&self, who: Who) -> Side {
        let primary = self.control.entry.as_ref().and_then(|versioned| self.side_of(&versioned.entry.primary));
        match who {
            Who::A => 0,
            Who::B => 1,
            Who::Primary => primary.unwrap_or(0),
            Who::Backup => other(primary.unwrap_or(0)),
        }
    }

    /// Suffers a fault, if it is one of those that hit pairs.
    pub fn suffer<E: From<PairEvent>>(&mut self, core: &mut Core<E>, kind: &Kind) {
        match *kind {
            Kind::Strike(target, act) => self.strike(core, self.resolve(target.who), act),
            Kind::Trap(Target { who, .. }, moment, point, left, act) => {
                let side = self.resolve(who);
                self.traps.set.push(Trap { side, moment, point, left, act });
            }
            Kind::ControlCrash(down) => self.control_crashes(core, down),
            Kind::ControlBreak(target, hold) => {
                let side = self.resolve(target.who);
                core.trace.mark(core.now, self.actor(side), 0xcb, || "loses its coordinator".to_owned());
                self.break_control(core, side, hold);
            }
            Kind::Net(reach, ill, span) => {
                core.trace.mark(core.now, Actor::World, 0x4e7, || format!("network {reach} {ill} for {span}"));
                self.networks.suffer(reach, ill, core.now + span);
                self.elect(core);
            }
            Kind::Power(host, down) => {
                self.member_goes(core, usize::from(host), down);
                if usize::from(host) < self.hosts.len() {
                    self.host_crashes(core, usize::from(host), down);
                }
            }
            Kind::Freeze(host, span) => self.freeze(core, usize::from(host), span),
            Kind::MemberDown(host, span) => self.member_goes(core, usize::from(host), span),
            Kind::Compaction => self.compacts(core),
            Kind::LinkBreak(_) => {
                core.trace.mark(core.now, Actor::World, 0x1b, || "link breaks".to_owned());
                let after = self.plan.link.draw(&mut core.chances.link);
                self.links.break_all(core.now + after);
                self.wake_both(core, core.now + after);
            }
            Kind::LinkCut(_, way, span) => {
                core.trace.mark(core.now, Actor::World, 0x1c, || format!("link cut {way:?} for {span}"));
                self.links.cut(way, core.now + span);
            }
            Kind::HostCrash(target, down) => self.host_crashes(core, self.resolve(target.who), down),
            Kind::Isolate(target, span) => self.isolate(core, self.resolve(target.who), span),
            Kind::AgentsDown(span) => {
                core.trace.mark(core.now, Actor::World, 0xad, || format!("agents down for {span}"));
                self.agents.down_until = core.now + span;
            }
            Kind::ClockJump(target, span) => {
                self.untroubled = core.now;
                let host = self.host_of(self.resolve(target.who));
                self.hosts[host].clock.offset += span.as_micros();
                self.wake_both(core, core.now);
            }
            Kind::WallForward(target, span) => {
                let host = self.host_of(self.resolve(target.who));
                self.hosts[host].clock.wall += span.as_micros();
            }
            Kind::WallBack(target, span) => {
                let host = self.host_of(self.resolve(target.who));
                let wall = &mut self.hosts[host].clock.wall;
                *wall = wall.saturating_sub(span.as_micros());
            }
            Kind::Switchover(_) => self.switch_over(core),
            Kind::Dismissal(_) => self.dismiss(core),
            Kind::ControlCut(target, way, span) => {
                let side = self.resolve(target.who);
                core.trace.mark(core.now, self.actor(side), 0xcc, || format!("coordinator cut {way:?} for {span}"));
                self.cut_control(side, way, core.now + span);
            }
            Kind::Poison(_)
            | Kind::Abort(_)
            | Kind::Storm(..)
            | Kind::PhoneCut(..)
            | Kind::MailBreak
            | Kind::MailCut(..)
            | Kind::AccessCut(..) => {}
        }
    }

    fn wake_both<E: From<PairEvent>>(&mut self, core: &mut Core<E>, at: model::Time) {
        self.wake(core, 0, at);
        self.wake(core, 1, at);
    }

    fn strike<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, act: Act) {
        match act {
            Act::Kill => self.ends(core, side, End::Killed),
            Act::Signal => self.interrupt(core, side),
            Act::Pause(span) => {
                let Some(process) = &mut self.applications[side].process else { return };
                if !std::mem::replace(&mut process.stopped, true) {
                    self.untroubled = core.now + span;
                    core.trace.mark(core.now, self.actor(side), 0x570b, || format!("stopped for {span}"));
                    self.watch_for_hang(core, side, span);
                }
            }
        }
    }

    /// Stops the process for an instant, in which the world strikes.
    fn interrupt<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        self.news.push(News::Signal);
        if let Some(process) = &mut self.applications[side].process {
            process.stopped = true;
            let run = process.me.run;
            self.plan_event(core, core.now + Span::from_micros(1), Event::Resume(side, run));
        }
    }

    /// True if a trap of the process springs at this step.
    pub(super) fn is_trapped<E>(&mut self, _core: &Core<E>, side: Side, moment: Moment, point: Option<Point>) -> bool {
        if self.traps.set.is_empty() {
            return false;
        }
        for trap in &mut self.traps.set {
            if trap.side == side && trap.moment == moment && Some(trap.point) == point {
                trap.left = trap.left.saturating_sub(1);
                if trap.left == 0 {
                    self.traps.sprung = Some(trap.act);
                }
            }
        }
        self.traps.set.retain(|trap| trap.left > 0);
        self.traps.sprung.is_some()
    }

    /// Lets the trap do its work; the turn of the process ends there.
    pub(super) fn spring<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let act = self.traps.sprung.take()?;
        self.strike(core, side, act);
        None
    }

    fn host_crashes<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, down: Span) {
        let host = self.host_of(side);
        if self.plan.layout == Layout::OneHost || self.hosts[host].is_dark {
            return;
        }
        core.trace.mark(core.now, self.actor(side), 0xda4c, || format!("host without power for {down}"));
        self.close_doors(side);
        self.hosts[host].goes_dark();
        self.untroubled = core.now + down;
        self.links.silence(side, core.now);
        if let Some(process) = &self.applications[side].process {
            if let Some(session) = process.session {
                let hold = Span::from_micros(core.chances.control.below(50_000));
                self.leave_session(core, session, hold);
            }
            self.ends(core, side, End::PowerLost);
        }
        self.plan_event(core, core.now + down, Event::HostUp(side));
    }

    fn isolate<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, span: Span) {
        let host = self.host_of(side);
        if self.plan.layout == Layout::OneHost {
            return;
        }
        core.trace.mark(core.now, self.actor(side), 0x150, || format!("isolated for {span}"));
        let until = core.now + span;
        self.hosts[host].isolated_until = self.hosts[host].isolated_until.max(until);
        if self.plan.layout == Layout::ThreeHosts {
            self.networks.isolate(host, until);
            return self.elect(core);
        }
        self.links.cut(crate::plan::Direction::Both, until);
        self.break_control(core, side, span);
    }

    /// A host stands still with everything on it.
    fn freeze<E: From<PairEvent>>(&mut self, core: &mut Core<E>, host: usize, span: Span) {
        self.member_goes(core, host, span);
        if host >= self.hosts.len() {
            return;
        }
        core.trace.mark(core.now, self.actor(host), 0xf4e, || format!("host stands still for {span}"));
        let frozen = &mut self.hosts[host];
        frozen.frozen_until = frozen.frozen_until.max(core.now + span);
        self.strike(core, host, Act::Pause(span));
    }

    fn dismiss<E: From<PairEvent>>(&mut self, core: &mut Core<E>) {
        let side = self.resolve(Who::Primary);
        self.untroubled = core.now;
        let clock = self.hosts[self.host_of(side)].clock;
        let Some(process) = self.applications[side].process.as_mut().filter(|process| !process.stopped) else { return };
        process.replica.dismiss(clock.local(core.now));
        core.trace.mark(core.now, Actor::Server(self.id, side as u8), 0x51, || "sends its backup away".to_owned());
        self.wake(core, side, core.now);
    }

    fn switch_over<E: From<PairEvent>>(&mut self, core: &mut Core<E>) {
        let side = self.resolve(Who::Primary);
        self.untroubled = core.now;
        let clock = self.hosts[self.host_of(side)].clock;
        let Some(process) = self.applications[side].process.as_mut().filter(|process| !process.stopped) else { return };
        let answer = process.replica.switch_over(clock.local(core.now));
        core.trace.mark(core.now, Actor::Server(self.id, side as u8), 0x50, || match answer {
            Ok(()) => "switches over".to_owned(),
            Err(SwitchoverRefused::NotPrimary) => "no switchover: not primary".to_owned(),
            Err(why) => format!("no switchover: {why}"),
        });
        self.wake(core, side, core.now);
    }
}
