//! Carries out what a replica asks for, one effect after the other; between any two the process may be struck.

use model::{Epoch, Incarnation, Span};
use redundancy::change::Changes;
use redundancy::coordinator::Request;
use redundancy::hot_standby::{Effect, Message, Released, Remark, Stamp};

use super::link::OnLink;
use super::process::OutputOf;
use super::{End, Event, News, Pair, PairEvent, Process, Service, Side, other};
use crate::kernel::Core;
use crate::plan::{Layout, Moment, Point};

/// How long it takes to read the journals.
const JOURNAL_READING: u64 = 20_000;

impl<S: Service> Pair<S> {
    /// Carries out everything; `None` if the process ended or was stopped.
    pub(super) fn carry<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        loop {
            let process = self.applications[side].process.as_mut()?;
            if process.stopped {
                return None;
            }
            process.todo.extend(process.replica.take_effects());
            let Some(effect) = process.todo.pop_front() else { return Some(()) };
            let point = point_of(&effect);
            if self.is_trapped(core, side, Moment::Before, point) {
                if let Some(process) = &mut self.applications[side].process {
                    process.todo.push_front(effect);
                }
                return self.spring(core, side);
            }
            self.perform(core, side, effect)?;
            if self.is_trapped(core, side, Moment::After, point) {
                return self.spring(core, side);
            }
        }
    }

    fn perform<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        effect: Effect<OutputOf<S>>,
    ) -> Option<()> {
        match effect {
            Effect::Frame { bytes, checkpoint } => {
                core.trace.arrow(core.now, self.actor(side), self.actor(other(side)), bytes.len() as u64, || {
                    describe_frame(&bytes)
                });
                if self.plan.layout == Layout::ThreeHosts {
                    self.tell_far(core, side, &bytes);
                } else {
                    self.write_frame(core, side, OnLink::Protocol(bytes), checkpoint);
                }
            }
            Effect::Release(released) => self.release(core, side, released),
            Effect::Shadow(output) => self.shadow(side, &output),
            Effect::Pledge(revision) => self.applications[side].process.as_mut()?.pledge = revision,
            Effect::Ask(request) => self.ask(core, side, request),
            Effect::Dial(_) if self.plan.layout == Layout::ThreeHosts => self.dial_far(core, side),
            Effect::Dial(to) => self.dial(core, side, to),
            Effect::HangUp if self.plan.layout == Layout::ThreeHosts => self.hang_up_far(core, side),
            Effect::HangUp => self.hang_up(core, side),
            Effect::Journal { stamp: (epoch, sequence), key, change } => {
                self.applications[side].journal.insert(key, (Stamp { epoch, sequence }, change));
            }
            Effect::ReadJournals => {
                let run = self.applications[side].process.as_ref()?.me.run;
                let after = Span::from_micros(core.chances.hosts.below(JOURNAL_READING));
                self.plan_event(core, core.now + after, Event::JournalsRead(side, run));
            }
            Effect::Serve(serve) => return self.serves(core, side, &serve),
            Effect::StandBy => {
                core.trace.mark(core.now, self.actor(side), 0x57b, || "stands by".to_owned());
                let process = self.applications[side].process.as_mut()?;
                process.is_open = false;
                // It holds what it wrote itself, and may serve again in the same turn.
                process.kept = Stamp { epoch: process.serves.next(), sequence: 0 };
                // It closes its connections to the other pair, with what it has not read of them.
                process.asides.clear();
                self.news.push(News::Leaves(side));
                self.close_doors(side);
                self.release_address(side);
            }
            Effect::Retire(why) => {
                core.trace.mark(core.now, self.actor(side), 0x4e7, || format!("retires: {why:?}"));
                self.ends(core, side, End::Retired);
                return None;
            }
            Effect::Tell(remark) => self.remark(core, side, &remark),
        }
        Some(())
    }

    fn remark<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, remark: &Remark) {
        core.trace.mark(core.now, self.actor(side), 0x7e11, || format!("{remark:?}"));
        match remark {
            Remark::Suspects(primary) => {
                let serves = |process: &Process<S>| process.is_open && !process.stopped;
                if self.process_of(primary).is_some_and(serves)
                    && self.process(side).is_some_and(|process| process.far.is_linked())
                {
                    self.check_link_is_needed(core, side, "the primary is suspected");
                }
            }
            Remark::ColdStart { .. } => {
                let status = self.applications[side].process.as_ref().map(|process| process.replica.status());
                self.news.push(News::ColdStart(status.map_or(Epoch::default(), |status| status.epoch)));
            }
            // Only what left behind the last checkpoint that it holds is excused, and what was on its way on connections, as
            // they are ended; without that it is a takeover like others.
            Remark::BeganWithHeld(held) => {
                self.check_held(core, side, *held);
                let lost = self.checkers.one_primary.excuses(*held);
                if lost || self.process(side).is_some_and(|process| !process.streams.is_empty()) {
                    self.news.push(News::Loss(held.epoch.next()));
                }
            }
            _ => {}
        }
    }

    fn release<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, released: Released<OutputOf<S>>) {
        let stamp = released.stamp();
        self.check_release(core, side, stamp);
        if let Some(output) = self.act_on_stream(core, side, released.into_inner()) {
            self.news.push(News::Sent(side, stamp, output));
        }
    }

    fn dial<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, to: Incarnation) {
        let after = self.plan.link.draw(&mut core.chances.link);
        let Some(process) = &mut self.applications[side].process else { return };
        process.dialling = Some(to.clone());
        let run = process.me.run;
        self.plan_event(core, core.now + after, Event::Dialled(side, run, to));
    }

    fn hang_up<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let Some(process) = &mut self.applications[side].process else { return };
        process.unaccepted.clear();
        process.answered = false;
        process.dialling = None;
        if let Some(id) = process.link.take() {
            core.trace.arrow(core.now, self.actor(side), self.actor(other(side)), 0x4a9, || "hangs up".to_owned());
            self.close_link(core, side, id);
        }
    }

    pub(super) fn journals_read<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64) {
        if let Some(process) = self.run_mut(side, run) {
            process.journals_read = true;
            self.wake(core, side, core.now);
        }
    }

    /// Starts from cold with what both journals hold, of each record the later one; on several hosts with what the own one holds.
    pub(super) fn take_in_journals<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let process = self.applications[side].process.as_mut()?;
        if !std::mem::take(&mut process.journals_read) {
            return Some(());
        }
        let mut merged = self.applications[side].journal.clone();
        let within_reach = self.plan.layout != Layout::ThreeHosts;
        for (key, theirs) in self.applications[other(side)].journal.iter().filter(|_| within_reach) {
            let ours = merged.entry(*key).or_insert_with(|| theirs.clone());
            if theirs.0 > ours.0 {
                *ours = theirs.clone();
            }
        }
        let clock = self.hosts[self.host_of(side)].clock;
        let process = self.applications[side].process.as_mut()?;
        let records =
            merged.values().flat_map(|(stamp, change)| Changes::new(change).flatten().map(|change| (*stamp, change)));
        let newest = merged.values().map(|(stamp, _)| stamp.epoch).max().unwrap_or_default();
        process.replica.cold_start(clock.local(core.now), clock.wall(core.now), newest, records);
        self.carry(core, side)
    }
}

const fn point_of<O>(effect: &Effect<O>) -> Option<Point> {
    match effect {
        Effect::Frame { checkpoint: Some(_), .. } => Some(Point::Checkpoint),
        Effect::Frame { checkpoint: None, .. } => Some(Point::Frame),
        Effect::Release(_) => Some(Point::Release),
        Effect::Ask(Request::CompareAndSwap { .. }) => Some(Point::Ask),
        Effect::Journal { .. } => Some(Point::Journal),
        Effect::Serve(_) => Some(Point::Serve),
        _ => None,
    }
}

fn describe_frame(bytes: &[u8]) -> String {
    match Message::decode(bytes) {
        Some(Message::Checkpoint(step)) => format!("e{} s{}", step.epoch, step.sequence),
        Some(Message::Kept { epoch, sequence }) => format!("kept e{epoch} s{sequence}"),
        Some(Message::Heartbeat { epoch, sequence, .. }) => format!("beat e{epoch} s{sequence}"),
        Some(Message::Piece { number, .. }) => format!("piece {number}"),
        Some(Message::Hello { incarnation, .. }) => format!("hello {incarnation}"),
        Some(message) => format!("{message:?}").split(" now").next().unwrap_or_default().to_lowercase(),
        None => "?".to_owned(),
    }
}
