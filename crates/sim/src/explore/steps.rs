//! What can happen next, and what comes of it.

use std::collections::VecDeque;
use std::fmt;

use model::{Epoch, Incarnation, Span, Time};
use redundancy::coordinator::{Reply, Request, Versioned};
use redundancy::hot_standby::{Commit, Effect, Remark, RoleName, Stamp};

use super::mini::Said;
use super::model::{Server, State};
use crate::checkers::Verdict;
use crate::checkers::explained::Explained;

/// One thing that can happen; sides are 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Frame(usize),
    LinkEnd(usize),
    Connect(usize),
    Coordinate(usize),
    CoordinateLoose(usize),
    Answer(usize),
    Told(usize),
    Start(usize),
    Input(usize),
    /// What is due at this moment.
    Due(usize),
    Tick(usize),
    SwitchOver(usize),
    /// The backup is sent away; of the same budget.
    Dismiss(usize),
    LinkBreak,
    LoseCoordinator(usize),
    Kill(usize),
}

/// A step, and after how many of its effects the process is killed, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) step: Step,
    pub(super) killed_after: Option<usize>,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.step)?;
        match self.killed_after {
            Some(effects) => write!(f, ", killed after {effects} effects"),
            None => Ok(()),
        }
    }
}

/// How far the clock of a server jumps at a tick: beyond every deadline of the protocol.
const TICK: Span = Span::from_secs(2);

impl State {
    /// Everything that can happen next.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = (0..self.loose.len()).map(Step::CoordinateLoose).collect();
        for side in [0, 1] {
            match &self.servers[side] {
                None => steps.push(Step::Start(side)),
                Some(server) => self.steps_of(side, server, &mut steps),
            }
        }
        if self.budget.breaks > 0 && self.servers.iter().flatten().all(|server| server.linked) {
            steps.push(Step::LinkBreak);
        }
        steps
    }

    fn steps_of(&self, side: usize, server: &Server, steps: &mut Vec<Step>) {
        let budget = &self.budget;
        let mut may = |allowed: bool, step: Step| {
            if allowed {
                steps.push(step);
            }
        };
        may(!self.pipes[side].is_empty(), Step::Frame(side));
        may(self.pipes[side].is_empty() && self.ends[side], Step::LinkEnd(side));
        may(server.dialling.is_some(), Step::Connect(side));
        may(!server.requests.is_empty(), Step::Coordinate(side));
        may(!server.replies.is_empty(), Step::Answer(side));
        may(!server.facts.is_empty(), Step::Told(side));
        may(budget.inputs > 0 && server.replica.accepts_inputs(), Step::Input(side));
        let deadline = server.replica.deadline();
        may(deadline <= server.clock, Step::Due(side));
        may(budget.ticks > 0 && deadline <= server.clock + TICK, Step::Tick(side));
        let may_change = budget.switchovers > 0 && server.replica.status().level && server.replica.accepts_inputs();
        may(may_change, Step::SwitchOver(side));
        may(may_change, Step::Dismiss(side));
        may(budget.losses > 0 && !server.requests.is_empty(), Step::LoseCoordinator(side));
        may(budget.kills > 0, Step::Kill(side));
    }

    /// Does one step. Effects are carried out at once; with `killed_after`, only so many of them. Says how many there
    /// were.
    pub(super) fn take(&mut self, Move { step, killed_after }: Move) -> usize {
        match step {
            Step::Coordinate(side) => {
                let request = self.servers[side].as_mut().and_then(|server| server.requests.pop_front());
                self.coordinate(Some(side), request);
                return 0;
            }
            Step::CoordinateLoose(index) => {
                let request = self.loose.remove(index);
                self.coordinate(None, Some(request));
                return 0;
            }
            Step::Start(side) => self.start(side),
            Step::LinkBreak => {
                self.budget.breaks -= 1;
                self.pipes = [VecDeque::new(), VecDeque::new()];
                self.ends = [true; 2];
                return 0;
            }
            Step::Kill(side) => {
                self.budget.kills -= 1;
                self.kill(side);
                return 0;
            }
            Step::Connect(side) => self.connect(side),
            Step::LoseCoordinator(side) => self.lose_coordinator(side),
            step => self.drive(step),
        }
        let side = step.side();
        let count = self.carry_out(side, killed_after);
        if killed_after.is_some() {
            self.budget.kills -= 1;
            self.kill(side);
        }
        count
    }

    /// Steps that call the replica once.
    fn drive(&mut self, step: Step) {
        let side = step.side();
        match step {
            Step::Input(_) => self.budget.inputs -= 1,
            Step::Tick(_) => self.budget.ticks -= 1,
            Step::SwitchOver(_) | Step::Dismiss(_) => self.budget.switchovers -= 1,
            _ => {}
        }
        let frame = if matches!(step, Step::Frame(_)) { self.pipes[side].pop_front() } else { None };
        let published = self.budget.commit == Commit::Published;
        if matches!(step, Step::Told(_)) && published {
            self.drain_link(side);
        }
        if matches!(step, Step::LinkEnd(_)) {
            self.ends[side] = false;
        }
        let Some(server) = &mut self.servers[side] else { return };
        server.note_kept();
        let local = server.clock;
        match step {
            Step::Frame(_) => server.replica.link_frame(local, &frame.unwrap_or_default()),
            Step::LinkEnd(_) => {
                server.linked = false;
                server.replica.link_down(local);
            }
            Step::Answer(_) => {
                if let Some(reply) = server.replies.pop_front() {
                    server.replica.coordinator_says(local, reply);
                }
            }
            Step::Told(_) => {
                if let Some((who, pledge)) = server.facts.pop_front() {
                    if let Some(revision) = pledge {
                        server.replica.last_word(who.clone(), revision);
                    }
                    server.replica.ended(local, &who);
                }
            }
            Step::Input(_) => {
                server.replica.input(local, 0, None, ());
            }
            Step::Due(_) => server.replica.tick(local),
            Step::Tick(_) => {
                server.clock += TICK;
                server.replica.tick(server.clock);
            }
            Step::Dismiss(_) => {
                server.replica.dismiss(local);
            }
            Step::SwitchOver(_) => {
                let _ = server.replica.switch_over(local);
            }
            _ => {}
        }
        server.replica.flush(server.clock);
    }

    /// On one host the end of a writer is told after everything that it wrote.
    fn drain_link(&mut self, side: usize) {
        while let Some(frame) = self.pipes[side].pop_front() {
            if let Some(server) = &mut self.servers[side] {
                server.note_kept();
                server.replica.link_frame(server.clock, &frame);
                self.carry_out(side, None);
            }
        }
        if std::mem::take(&mut self.ends[side])
            && let Some(server) = &mut self.servers[side]
        {
            server.linked = false;
            server.note_kept();
            server.replica.link_down(server.clock);
            self.carry_out(side, None);
        }
    }

    fn start(&mut self, side: usize) {
        self.runs[side] += 1;
        let mut server = Server::new(side, self.runs[side], &self.budget);
        let ended = |side: usize, alive: bool| {
            let last = if alive { self.runs[side] - 1 } else { self.runs[side] };
            (last > 0).then(|| (Incarnation::new(super::model::NAMES[side], last), None))
        };
        server.facts.extend(ended(side, true));
        server.facts.extend(ended(1 - side, self.servers[1 - side].is_some()));
        server.replica.coordinator_up();
        self.servers[side] = Some(server);
    }

    fn connect(&mut self, side: usize) {
        let to = self.servers[side].as_mut().and_then(|server| server.dialling.take());
        let answers = to.is_some_and(|to| self.server_of(&to).is_some_and(|server| !server.linked));
        let free = self.pipes.iter().all(VecDeque::is_empty) && !self.ends.contains(&true);
        if answers && free {
            // Whoever holds the records from before it let go of the link may still begin with them.
            let keeps = |server: &Server| server.replica.status().role == RoleName::Backup;
            self.parted = self.servers.iter().flatten().any(keeps);
            self.servers.iter_mut().flatten().for_each(|server| server.linked = true);
        }
        if let Some(server) = &mut self.servers[side] {
            if answers && free {
                server.replica.link_up();
            } else {
                server.replica.link_down(server.clock);
            }
        }
    }

    /// The connection breaks and is made again; requests on their way may still be carried out.
    fn lose_coordinator(&mut self, side: usize) {
        self.budget.losses -= 1;
        if let Some(server) = &mut self.servers[side] {
            self.loose.extend(server.requests.drain(..).filter(|request| *request != Request::Watch));
            server.replies.clear();
            server.watches = false;
            server.replica.coordinator_down();
            server.replica.coordinator_up();
        }
    }

    fn kill(&mut self, side: usize) {
        let Some(server) = self.servers[side].take() else { return };
        self.loose.extend(server.requests.into_iter().filter(|request| *request != Request::Watch));
        self.pipes[side].clear();
        self.ends[side] = false;
        if let Some(other) = &mut self.servers[1 - side] {
            self.ends[1 - side] = self.ends[1 - side] || (server.linked && other.linked);
            other.facts.push_back((server.me.clone(), server.pledge));
        }
        self.last_words.extend(server.pledge.map(|revision| (server.me, revision)));
    }

    fn coordinate(&mut self, side: Option<usize>, request: Option<Request>) {
        match request {
            None => {}
            Some(Request::Watch) => {
                let entry = self.entry.clone();
                if let Some(server) = side.and_then(|side| self.servers[side].as_mut()) {
                    server.watches = true;
                    server.replies.push_back(Reply::Entry(entry));
                }
            }
            Some(Request::CompareAndSwap { expected, new }) => {
                let done = expected == self.entry.as_ref().map(|versioned| versioned.revision);
                if done {
                    self.revision += 1;
                    let released = self.one_primary.released(new.epoch);
                    let verdict = Explained.entry_changes(&new, released, |who, epoch| self.holds(who, epoch));
                    self.note(verdict);
                    let mut one_primary = std::mem::take(&mut self.one_primary);
                    let verdict = one_primary.entry_changes(self.entry(), &new, |who| self.server_of(who).is_some());
                    self.one_primary = one_primary;
                    self.note(verdict);
                    self.entry = Some(Versioned { revision: self.revision, entry: new });
                }
                let now = self.entry.clone();
                if let Some(server) = side.and_then(|side| self.servers[side].as_mut()) {
                    server.replies.push_back(Reply::Swapped { done, now: now.clone() });
                }
                for server in self.servers.iter_mut().flatten().filter(|server| done && server.watches) {
                    server.replies.push_back(Reply::Entry(now.clone()));
                }
            }
        }
    }

    pub(super) fn note(&mut self, verdict: Verdict) {
        self.broken = self.broken.take().or(verdict.err());
    }

    /// Carries out the effects of a replica, at most `most` of them; says how many it carried out.
    fn carry_out(&mut self, side: usize, most: Option<usize>) -> usize {
        let mut count = 0;
        loop {
            let Some(server) = &mut self.servers[side] else { return count };
            let effects: Vec<Effect<Said>> = server.replica.take_effects().collect();
            if effects.is_empty() {
                return count;
            }
            for effect in effects {
                if most.is_some_and(|most| count >= most) {
                    return count;
                }
                count += 1;
                self.perform(side, effect);
            }
        }
    }

    fn perform(&mut self, side: usize, effect: Effect<Said>) {
        let other = 1 - side;
        let other_linked = self.servers[other].as_ref().is_some_and(|server| server.linked);
        let Some(server) = &mut self.servers[side] else { return };
        match effect {
            Effect::Frame { bytes, checkpoint } => {
                if !server.linked || !other_linked || self.ends[side] {
                    return;
                }
                if let Some(checkpoint) = checkpoint {
                    self.accepted = checkpoint;
                    server.replica.published(checkpoint);
                }
                self.pipes[other].push_back(bytes);
            }
            Effect::Release(released) => {
                let (me, epoch) = (server.me.clone(), server.serves);
                let stamp = released.stamp();
                if let Some(entry) = self.entry() {
                    let verdict = Explained.releases(&me, stamp, entry, |who, epoch| self.holds(who, epoch));
                    self.note(verdict);
                }
                let verdict = self.one_primary.releases(&me, epoch, stamp);
                self.note(verdict);
            }
            Effect::Pledge(revision) => server.pledge = revision,
            Effect::Ask(request) => server.requests.push_back(request),
            Effect::Dial(to) => server.dialling = Some(to),
            Effect::HangUp => self.hang_up(side),
            Effect::ReadJournals => {
                server.replica.cold_start(server.clock, Time::ZERO, Epoch(0), std::iter::empty());
            }
            Effect::Serve(serve) => {
                server.serves = serve.epoch;
                let kept = serve.after.as_ref().map(|_| server.kept);
                let (me, clock) = (server.me.clone(), server.clock);
                if serve.after.is_some() {
                    server.replica.inputs_taken(clock);
                }
                let last_word = serve.after.as_ref().and_then(|before| self.last_words.get(&before.incarnation));
                if let Some(entry) = self.entry.as_ref().filter(|entry| last_word == Some(&entry.revision)) {
                    self.one_primary.inherits(&me, &entry.entry);
                }
                let verdict = self.one_primary.serves(&me, serve.epoch, kept);
                self.note(verdict);
            }
            Effect::Retire(_) => self.kill(side),
            // It holds what it wrote itself, and may serve again before it does anything else.
            Effect::StandBy => server.kept = Stamp { epoch: server.serves.next(), sequence: 0 },
            // On one host nothing can be lost that way as long as nobody has let go of the link.
            Effect::Tell(Remark::BeganWithHeld(held)) if self.parted || self.budget.commit == Commit::Acknowledged => {
                self.one_primary.excuses(held);
            }
            Effect::Shadow(_) | Effect::Journal { .. } | Effect::Tell(_) => {}
        }
    }

    fn hang_up(&mut self, side: usize) {
        let other_linked = self.servers[1 - side].as_ref().is_some_and(|server| server.linked);
        let Some(server) = &mut self.servers[side] else { return };
        server.dialling = None;
        if std::mem::take(&mut server.linked) && other_linked {
            self.ends[1 - side] = true;
            self.parted = true;
        }
        self.pipes[side].clear();
        self.ends[side] = false;
    }
}

impl Step {
    const fn side(self) -> usize {
        match self {
            Self::Frame(side)
            | Self::LinkEnd(side)
            | Self::Connect(side)
            | Self::Coordinate(side)
            | Self::Answer(side)
            | Self::Told(side)
            | Self::Start(side)
            | Self::Input(side)
            | Self::Due(side)
            | Self::Tick(side)
            | Self::SwitchOver(side)
            | Self::Dismiss(side)
            | Self::LoseCoordinator(side)
            | Self::Kill(side) => side,
            Self::CoordinateLoose(_) | Self::LinkBreak => 0,
        }
    }
}
