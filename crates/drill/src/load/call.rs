//! One call: both its ends, what they do next, and what has become of it.

use model::{Span, Time};
use serde::{Deserialize, Serialize};

use super::leg::{Effects, Happening, LINGERS, Leg};
use super::script::{End, Kind, Script};
use super::wording::Who;

/// In which state a call is, as its phones know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The INVITE is sent, and no phone rings yet.
    Setup,
    /// A phone rings.
    Ringing,
    /// It waits in a queue.
    Queued,
    /// Both ends talk.
    Talking,
    /// One end has hung up or given up, and the other does not know yet.
    Ending,
}

impl Stage {
    /// All of them, in the order of a call.
    pub const ALL: [Self; 5] = [Self::Setup, Self::Ringing, Self::Queued, Self::Talking, Self::Ending];

    /// As results write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Ringing => "ringing",
            Self::Queued => "queued",
            Self::Talking => "talking",
            Self::Ending => "ending",
        }
    }
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All went as it was meant to.
    Done,
    /// It is lost: in this state, for this reason.
    Lost(Stage, String),
}

/// The end of a call must be known to both its ends by then: longer than every repetition of a BYE (RFC 3261 17.1.2.2).
const END_LIMIT: Span = Span::from_secs(40);

/// A change that was refused for the moment is tried again after so long (RFC 3261 14.1), so often at most.
const RETRY: Span = Span::from_millis(2_500);
const MOST_RETRIES: u32 = 3;

/// When all calls are to end, no more than so many do in a second.
const ENDS_PER_SECOND: u64 = 500;

/// What comes next by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GiveUp,
    Answer(usize),
    Hold,
    TakeBack,
    HangUp,
    Missed,
}

/// A call.
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) script: Script,
    /// The number that was dialled.
    pub(super) to: String,
    pub(super) begun: Time,
    pub(super) caller: Leg,
    pub(super) callees: Vec<Leg>,
    pub(super) stage: Stage,
    pub(super) outcome: Option<Outcome>,
    /// That it is over was counted.
    pub(super) is_counted: bool,
    /// The deadline that is noted for it.
    pub(super) scheduled: Time,
    /// From when on nothing of it is needed.
    pub(super) forget_at: Time,
    /// The runs that it lived in.
    pub(super) runs: Vec<u32>,
    due: Vec<(Time, Next)>,
    /// Which of the callees has answered.
    answered: Option<usize>,
    gave_up: bool,
    hung_up: Option<End>,
    /// How often a change had to be tried again.
    retries: u32,
    /// The BYE or CANCEL of one end was answered; the other end knows.
    confirmed: bool,
    told: bool,
}

/// Where a message belongs: to the caller's leg, or to that of one callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Callee(usize),
}

impl Call {
    pub(super) fn new(now: Time, number: u64, script: Script, to: String, caller: Leg) -> Self {
        Self {
            number,
            script,
            to,
            begun: now,
            caller,
            callees: Vec::new(),
            stage: Stage::Setup,
            outcome: None,
            is_counted: false,
            scheduled: Time::NEVER,
            forget_at: Time::NEVER,
            runs: Vec::new(),
            due: vec![(now + script.patience, Next::GiveUp)],
            answered: None,
            gave_up: false,
            hung_up: None,
            retries: 0,
            confirmed: false,
            told: false,
        }
    }

    /// Whether nobody has ended it, and it is not lost.
    pub(super) const fn is_live(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether this callee rings or talks.
    pub(super) fn occupies(&self, callee: usize) -> bool {
        let Some(leg) = self.callees.get(callee) else { return false };
        self.is_live() && !leg.ends && (leg.waits_for_answer() || self.answered == Some(callee))
    }

    /// Its people come to an end soon: they hang up within a second or two, or later where very many do.
    pub(super) fn hurry(&mut self, now: Time, live: usize) {
        let spread = (live as u64 * 1_000 / ENDS_PER_SECOND).max(1_000);
        let soon = now + Span::from_millis(500 + self.number * 7 % spread);
        for due in self.due.iter_mut().filter(|due| due.1 == Next::HangUp) {
            due.0 = due.0.min(soon);
        }
    }

    /// A phone is offered the call.
    pub(super) fn offered(&mut self, now: Time, leg: Leg) {
        let at = self.callees.len();
        self.callees.push(leg);
        if self.script.kind != Kind::GiveUp {
            self.due.push((now + self.script.ring, Next::Answer(at)));
        }
    }

    /// The next moment when something is due.
    pub(super) fn deadline(&self) -> Time {
        let own = self.due.iter().map(|(at, _)| *at).min().unwrap_or(Time::NEVER);
        let legs = self.callees.iter().map(Leg::deadline).min().unwrap_or(Time::NEVER);
        own.min(legs).min(self.caller.deadline()).min(self.forget_at)
    }

    /// Does what its people do at `now`: unless `quiet`, when they wait with it.
    pub(super) fn act(
        &mut self,
        now: Time,
        quiet: bool,
        who: &dyn Fn(usize) -> Who,
        send: &mut dyn FnMut(usize, Effects),
    ) {
        if quiet {
            for due in self.due.iter_mut().filter(|due| due.0 <= now) {
                due.0 = now + Span::from_millis(20);
            }
            return;
        }
        let mut ready: Vec<(Time, Next)> = Vec::new();
        self.due.retain(|due| {
            let is_due = due.0 <= now;
            if is_due {
                ready.push(*due);
            }
            !is_due
        });
        ready.sort_by_key(|(at, _)| *at);
        for (_, next) in ready {
            if self.is_live() {
                self.step(now, next, who, send);
            }
        }
    }

    fn step(&mut self, now: Time, next: Next, who: &dyn Fn(usize) -> Who, send: &mut dyn FnMut(usize, Effects)) {
        let mut fx = Effects::default();
        let own = who(self.caller.phone);
        match next {
            Next::GiveUp if self.stage < Stage::Talking && self.hung_up.is_none() => {
                if !self.script.may_give_up() {
                    self.lose(now, format!("nobody answered for {} s", self.script.patience.as_secs()));
                }
                self.gave_up = true;
                self.caller.cancel(now, &own, &mut fx);
                self.stage = Stage::Ending;
                self.due.push((now + END_LIMIT, Next::Missed));
            }
            Next::Answer(at) => {
                if let Some(leg) = self.callees.get_mut(at).filter(|leg| leg.waits_for_answer()) {
                    let phone = leg.phone;
                    leg.answer(now, &who(phone), 200, &mut fx);
                    self.answered = Some(at);
                    send(phone, std::mem::take(&mut fx));
                }
            }
            Next::Hold if self.hung_up.is_none() => self.caller.change(now, &own, "sendonly", &mut fx),
            Next::TakeBack if self.hung_up.is_none() => self.caller.change(now, &own, "sendrecv", &mut fx),
            Next::HangUp if self.hung_up.is_none() => return self.hang_up(now, self.script.end, who, send),
            Next::Missed => self.lose(now, "the other end never heard of the end".to_owned()),
            _ => {}
        }
        send(self.caller.phone, fx);
    }

    fn hang_up(&mut self, now: Time, end: End, who: &dyn Fn(usize) -> Who, send: &mut dyn FnMut(usize, Effects)) {
        let mut fx = Effects::default();
        let callee = self.answered.and_then(|at| self.callees.get_mut(at));
        let phone = match (end, callee) {
            (End::Callee, Some(leg)) => {
                leg.bye(now, &who(leg.phone), &mut fx);
                self.hung_up = Some(End::Callee);
                leg.phone
            }
            _ => {
                self.caller.bye(now, &who(self.caller.phone), &mut fx);
                self.hung_up = Some(End::Caller);
                self.caller.phone
            }
        };
        self.stage = Stage::Ending;
        self.due.push((now + END_LIMIT, Next::Missed));
        send(phone, fx);
    }

    /// Takes what has happened at one end.
    pub(super) fn happened(
        &mut self,
        now: Time,
        side: Side,
        happening: Happening,
        who: &dyn Fn(usize) -> Who,
        send: &mut dyn FnMut(usize, Effects),
    ) {
        if !self.is_live() {
            return;
        }
        match (side, happening) {
            (_, Happening::Silence(method)) => self.lose(now, format!("no answer to {method}")),
            (_, Happening::NeverAcknowledged) => self.lose(now, "an answer was never acknowledged".to_owned()),
            (_, Happening::ByeDone(200..300, _)) => self.confirmed = true,
            // Both ends may hang up at once; and a BYE that was repeated may have ended the call at the first time. For its sender
            // it is over in either case (RFC 3261 15.1.1); whether the other end knows is watched.
            (_, Happening::ByeDone(status, is_repeated))
                if self.told || (is_repeated && matches!(status, 408 | 481)) =>
            {
                self.confirmed = true;
            }
            (_, Happening::ByeDone(status, _)) => self.lose(now, format!("BYE was answered by {status}")),
            (_, Happening::ChangeDone(200..300)) => {}
            (_, Happening::ChangeDone(_)) if self.hung_up.is_some() => {}
            // The other side is not ready for it yet: the session goes on as it was, and the change is tried again (RFC 3261
            // 14.1, 14.2).
            (_, Happening::ChangeDone(491 | 500)) if self.retries < MOST_RETRIES => {
                self.retries += 1;
                self.due.push((now + RETRY, Next::TakeBack));
            }
            (_, Happening::ChangeDone(status)) => self.lose(now, format!("a change was answered by {status}")),
            (side, Happening::Bye) => self.bye(now, side),
            (Side::Caller, happening) => self.at_caller(now, happening, who, send),
            (Side::Callee(_), _) => {}
        }
        if self.hung_up.is_some() && self.confirmed && self.told {
            self.end(now, Outcome::Done);
        }
    }

    fn at_caller(
        &mut self,
        now: Time,
        happening: Happening,
        who: &dyn Fn(usize) -> Who,
        send: &mut dyn FnMut(usize, Effects),
    ) {
        match happening {
            Happening::Provisional(182) if self.stage < Stage::Talking => self.stage = Stage::Queued,
            Happening::Provisional(180..=183) if self.stage < Stage::Talking => self.stage = Stage::Ringing,
            Happening::Answered if self.gave_up => self.hang_up(now, End::Caller, who, send),
            Happening::Answered => {
                self.stage = Stage::Talking;
                let talk = self.script.talk.as_micros();
                self.due.push((now + self.script.talk, Next::HangUp));
                if matches!(self.script.kind, Kind::Hold | Kind::Long) {
                    self.due.push((now + Span::from_micros(talk / 4), Next::Hold));
                    self.due.push((now + Span::from_micros(talk / 2), Next::TakeBack));
                }
            }
            Happening::Refused(_) if self.gave_up => self.end(now, Outcome::Done),
            Happening::Refused(status) => self.lose(now, format!("refused by {status}")),
            _ => {}
        }
    }

    fn bye(&mut self, now: Time, side: Side) {
        let by_other = match side {
            Side::Caller => self.hung_up == Some(End::Callee),
            // A callee may be told the end of a call that the caller gave up while it was answered.
            Side::Callee(at) => self.hung_up == Some(End::Caller) || self.gave_up || self.answered != Some(at),
        };
        if by_other || self.hung_up.is_some() {
            self.told = true;
        } else {
            self.lose(now, "it was ended by neither of its ends".to_owned());
        }
    }

    fn lose(&mut self, now: Time, why: String) {
        self.end(now, Outcome::Lost(self.stage, why));
    }

    fn end(&mut self, now: Time, outcome: Outcome) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            self.due.clear();
            self.forget_at = now + LINGERS;
        }
    }

    /// The leg of one side.
    pub(super) fn leg(&mut self, side: Side) -> Option<&mut Leg> {
        match side {
            Side::Caller => Some(&mut self.caller),
            Side::Callee(at) => self.callees.get_mut(at),
        }
    }

    /// All sides.
    pub(super) fn sides(&self) -> impl Iterator<Item = Side> + use<> {
        std::iter::once(Side::Caller).chain((0..self.callees.len()).map(Side::Callee))
    }
}
