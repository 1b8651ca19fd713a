//! Many seeds on several threads; the result does not depend on how many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use redundancy::hot_standby::Sabotage;

use crate::kernel::Violation;
use crate::outcome::{self, Outcome};
use crate::plan::{Plan, World};

/// What a range of seeds came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Seeds that were run.
    pub seeds: u64,
    /// Events that happened.
    pub events: u64,
    /// Times that a side began to serve.
    pub takeovers: u64,
    /// Times that a pair began from cold.
    pub cold_starts: u64,
    /// The seeds that broke a promise, in order.
    pub broken: Vec<(u64, Violation)>,
}

/// Runs the seeds `from` to `from + count` on `jobs` threads.
#[must_use]
pub fn run(world: World, from: u64, count: u64, jobs: usize, sabotage: Sabotage) -> Tally {
    let next = AtomicU64::new(from);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count {
                return tally;
            }
            tally.note(seed, outcome::run(&Plan::draw_world(world, seed, sabotage), false));
        }
    };
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut all = tallies.into_iter().reduce(Tally::join).unwrap_or_default();
    all.broken.sort_by_key(|(seed, _)| *seed);
    all
}

impl Tally {
    fn note(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        self.events += outcome.events;
        self.takeovers += u64::from(outcome.takeovers);
        self.cold_starts += u64::from(outcome.cold_starts);
        self.broken.extend(outcome.violation.map(|violation| (seed, violation)));
    }

    fn join(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.events += other.events;
        self.takeovers += other.takeovers;
        self.cold_starts += other.cold_starts;
        self.broken.extend(other.broken);
        self
    }
}
