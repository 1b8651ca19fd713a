//! What every simulated world stands on: virtual time, an ordered queue of events, seeded chance, and a trace.

mod clock;
mod delay;
mod queue;
mod trace;

pub use clock::Clock;
pub use delay::Delay;
pub use queue::Queue;
pub use trace::{Actor, Trace};

use std::fmt;

use model::{Chance, Time};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The checker that noticed.
    pub checker: &'static str,
    /// When.
    pub at: Time,
    /// What happened, for people.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.checker, self.at, self.what)
    }
}

/// Streams of chance that do not disturb each other, so that a case stays itself while it shrinks.
#[derive(Clone, Debug)]
pub struct Chances {
    /// Delays and stalls of the link between the pair.
    pub link: Chance,
    /// Delays of the coordinator.
    pub control: Chance,
    /// Delays of the control agents, restarts and the scheduler.
    pub hosts: Chance,
    /// Loss, duplicates and delays between clients and servers.
    pub network: Chance,
}

/// The heart of a world whose own events are `E`.
#[derive(Debug)]
pub struct Core<E> {
    /// Virtual time, which no part of the system can see.
    pub now: Time,
    /// What will happen.
    pub queue: Queue<E>,
    /// What has happened.
    pub trace: Trace,
    /// Chance.
    pub chances: Chances,
    /// The first broken promise.
    pub violation: Option<Violation>,
}

impl<E> Core<E> {
    /// A world in which nothing has happened yet.
    #[must_use]
    pub fn new(seed: u64, with_ladder: bool) -> Self {
        let mut chance = Chance::new(seed ^ 0x5eed_0f5e_ed0f_5eed);
        let chances =
            Chances { link: chance.fork(), control: chance.fork(), hosts: chance.fork(), network: chance.fork() };
        Self { now: Time::ZERO, queue: Queue::new(), trace: Trace::new(with_ladder), chances, violation: None }
    }

    /// Lets `event` happen at `at`, or now if that is past.
    pub fn at(&mut self, at: Time, event: E) {
        self.queue.push(at.max(self.now), event);
    }

    /// The next event; time moves to it.
    pub fn step(&mut self) -> Option<E> {
        let (at, event) = self.queue.pop()?;
        self.now = at;
        Some(event)
    }

    /// A promise was broken; only the first one counts, the rest follows from it.
    pub fn fail(&mut self, checker: &'static str, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            let violation = Violation { checker, at: self.now, what: what() };
            self.trace.mark(self.now, Actor::World, 0xdead, || format!("VIOLATION {violation}"));
            self.violation = Some(violation);
        }
    }
}
