//! A client of the toy server: one thing at a time, and it counts along.

use std::collections::BTreeSet;

use model::{Chance, Span, Time};

use super::wire::{Answer, Reply, Request};
use crate::checkers::{Verdict, exactly_once, nothing_lost};

/// First and longest pause before a request is repeated.
const FIRST_PAUSE: Span = Span::from_millis(60);
const LONGEST_PAUSE: Span = Span::from_millis(500);
/// How long an answer that was announced may fail to come before the client asks again.
const TRUST: Span = Span::from_millis(1_500);

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: u8,
    chance: Chance,
    /// Repeats nothing.
    patient: bool,
    sessions: u64,
    number: u32,
    total: u64,
    entered: u32,
    /// What it entered of late may be gone by right.
    excused: bool,
    asks_left: u32,
    /// Announcements that must come, because nothing may be lost: session and request.
    announcements: BTreeSet<(u64, u32)>,
    doing: Doing,
    /// When it acts next.
    pub(super) deadline: Time,
    pause: Span,
}

/// What the client does at the moment.
#[derive(Clone, Copy, Debug)]
enum Doing {
    /// Thinking about the next request.
    Nothing,
    /// Waiting for the answer to this request; `heard`: it was announced.
    Waiting { request: Request, heard: bool },
}

/// What a client does when it is its turn or an answer comes.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) sends: Vec<Request>,
    pub(super) broken: Option<(&'static str, String)>,
}

impl Step {
    const fn nothing() -> Self {
        Self { sends: Vec::new(), broken: None }
    }

    fn check(&mut self, checker: &'static str, verdict: Verdict) {
        self.broken = self.broken.take().or(verdict.err().map(|what| (checker, what)));
    }
}

impl Client {
    pub(super) fn new(name: u8, seed: u64, patient: bool) -> Self {
        let mut chance = Chance::new(seed ^ (u64::from(name) + 1).wrapping_mul(0x51_7cc1_b727_220a));
        let deadline = Time::from_micros(20_000 + chance.below(50_000));
        Self {
            name,
            chance,
            patient,
            sessions: 0,
            number: 0,
            total: 0,
            entered: 0,
            excused: false,
            asks_left: 0,
            announcements: BTreeSet::new(),
            doing: Doing::Nothing,
            deadline,
            pause: FIRST_PAUSE,
        }
    }

    pub(super) const fn session(&self) -> u64 {
        ((self.name as u64 + 1) << 32) | self.sessions
    }

    /// The pair began from cold: the session is gone with it, by right, and so may be what was on its way.
    pub(super) fn cold_start(&mut self, now: Time) {
        self.patient = false;
        self.announcements.clear();
        self.give_up_session(now);
    }

    /// Durable records that changed of late may be gone too, by right: those of another host cannot be read.
    pub(super) const fn excuse_entries(&mut self) {
        self.excused = true;
    }

    /// Goes on with another session, as after a crash of its own. What it enters, it enters.
    pub(super) fn give_up_session(&mut self, now: Time) {
        self.sessions += 1;
        (self.number, self.total, self.asks_left) = (0, 0, 0);
        match self.doing {
            Doing::Waiting { request: Request::Enter { .. }, .. } if self.patient => {}
            Doing::Waiting { request: Request::Enter { .. }, .. } => self.deadline = now,
            _ => self.done(now),
        }
    }

    fn think(&mut self) -> Span {
        Span::from_micros(500 + self.chance.below(30_000))
    }

    /// It is its turn. `calm`: nothing new is begun any more.
    pub(super) fn turn(&mut self, now: Time, calm: bool) -> Step {
        let mut step = Step::nothing();
        match self.doing {
            Doing::Nothing => self.begin(now, calm, &mut step),
            Doing::Waiting { request, .. } if !self.patient => self.ask(now, request, &mut step),
            Doing::Waiting { .. } => self.deadline = Time::NEVER,
        }
        step
    }

    fn begin(&mut self, now: Time, calm: bool, step: &mut Step) {
        let in_session = self.number > 0;
        if calm && !in_session {
            self.deadline = Time::NEVER;
            return;
        }
        let (client, session) = (self.name, self.session());
        self.pause = FIRST_PAUSE;
        if in_session && (self.asks_left == 0 || calm) {
            return self.ask(now, Request::Bye { client, session }, step);
        }
        if !in_session && self.chance.happens(1, 3) {
            return self.ask(now, Request::Enter { client, number: self.entered + 1 }, step);
        }
        if !in_session {
            self.asks_left = 1 + self.chance.below(6) as u32;
        }
        self.asks_left -= 1;
        self.number += 1;
        let amount = self.chance.below(1_000) as u32;
        self.total = exactly_once::add(self.total, amount);
        let wait =
            if self.chance.happens(1, 2) { Span::ZERO } else { Span::from_micros(1 + self.chance.below(300_000)) };
        if self.patient && wait > Span::ZERO {
            self.announcements.insert((session, self.number));
        }
        self.ask(now, Request::Ask { client, session, number: self.number, amount, wait }, step);
    }

    fn ask(&mut self, now: Time, request: Request, step: &mut Step) {
        self.doing = Doing::Waiting { request, heard: false };
        self.deadline = if self.patient { Time::NEVER } else { now + self.pause };
        self.pause = self.pause.times(2).min(LONGEST_PAUSE);
        step.sends.push(request);
    }

    /// An answer comes.
    pub(super) fn hears(&mut self, now: Time, reply: Reply) -> Step {
        let mut step = Step::nothing();
        let session = reply.session;
        if let Answer::Done { number, repeats: true, .. } = reply.answer {
            step.sends.push(Request::Ack { session, number });
        }
        if let Answer::Heard(number) = reply.answer {
            self.announcements.remove(&(session, number));
        }
        let Doing::Waiting { request, .. } = self.doing else { return step };
        match (request, reply.answer) {
            (Request::Ask { session: of, number, .. }, Answer::Heard(told)) if of == session && told == number => {
                self.doing = Doing::Waiting { request, heard: true };
                self.deadline = if self.patient { Time::NEVER } else { now + TRUST };
            }
            (Request::Ask { session: of, number, .. }, Answer::Done { number: told, total, .. })
                if of == session && told == number =>
            {
                step.check(exactly_once::NAME, exactly_once::hears(self.name, number, self.total, total));
                self.done(now);
            }
            (Request::Bye { session: of, .. }, Answer::Gone) if of == session => {
                self.give_up_session(now);
            }
            (Request::Enter { number, .. }, Answer::Entered(told)) if told == number => {
                self.entered = number;
                self.done(now);
            }
            (Request::Ask { session: of, number: asked, .. }, Answer::Missing { number, known })
                if of == session && asked == number =>
            {
                step.check(nothing_lost::NAME, Err(nothing_lost::forgotten(self.name, session, number, known)));
            }
            (Request::Enter { number, .. }, Answer::Missing { known, .. }) if self.excused && known < number => {
                self.entered = known;
                self.done(now);
            }
            (Request::Enter { client, number: asked }, Answer::Missing { number, known })
                if session == u64::from(client) && asked == number =>
            {
                step.check(nothing_lost::NAME, Err(nothing_lost::forgotten(self.name, session, number, known)));
            }
            _ => {}
        }
        step
    }

    fn done(&mut self, now: Time) {
        self.doing = Doing::Nothing;
        self.deadline = now + self.think();
    }

    /// What it waits for; `None` if it is done.
    pub(super) fn waits_for(&self) -> Option<String> {
        match self.doing {
            Doing::Nothing if !self.announcements.is_empty() => {
                let what = format!("announcements {:x?}", self.announcements);
                Some(nothing_lost::unanswered(self.name, &what))
            }
            Doing::Nothing => (self.deadline < Time::NEVER).then(|| format!("client {} is not done", self.name)),
            Doing::Waiting { request, heard } => {
                Some(format!("client {} waits for {request:?}{}", self.name, if heard { ", heard" } else { "" }))
            }
        }
    }

    /// True if a request of it is on its way.
    pub(super) const fn waits(&self) -> bool {
        matches!(self.doing, Doing::Waiting { .. })
    }

    /// What its durable count must be.
    pub(super) const fn entered(&self) -> u32 {
        self.entered
    }

    /// True if that may not be held.
    pub(super) const fn is_excused(&self) -> bool {
        self.excused
    }

    /// True if it repeats nothing.
    pub(super) const fn is_patient(&self) -> bool {
        self.patient
    }
}
