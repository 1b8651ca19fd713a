//! The checkers bite: each rule of the protocol, broken on purpose, is noticed within a stated number of seeds.

use std::fmt::{self, Display};

use redundancy::hot_standby::Sabotage;

use crate::budget;
use crate::kernel::Violation;
use crate::plan::{World, name_of, name_of_world};

/// A broken rule, and how soon it must be noticed in one of the worlds.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    /// The rule.
    pub rule: Sabotage,
    /// Where.
    pub world: World,
    /// Within how many seeds, from seed 0 on.
    pub bound: u64,
    /// Which checker is the first one to notice.
    pub checker: &'static str,
}

/// What looking for a broken rule has come to.
#[derive(Clone, Debug)]
pub struct Look {
    /// What was looked for.
    pub broken: Broken,
    /// The first seed at which a checker noticed, and what it said.
    pub found: Option<(u64, Violation)>,
}

const fn toy(rule: Sabotage, bound: u64, checker: &'static str) -> Broken {
    Broken { rule, world: World::Toy, bound, checker }
}

const fn calls(rule: Sabotage, bound: u64, checker: &'static str) -> Broken {
    Broken { rule, world: World::Calls, bound, checker }
}

const fn hosts(rule: Sabotage, bound: u64, checker: &'static str) -> Broken {
    Broken { rule, world: World::ToyHosts, bound, checker }
}

/// Every broken rule in the worlds where it is looked for.
pub const ALL: [Broken; 36] = [
    toy(Sabotage::ReleaseEarly, 20, "explained"),
    toy(Sabotage::SoloUnasked, 50, "explained"),
    toy(Sabotage::TakeOverUnasked, 20, "one primary"),
    toy(Sabotage::AcceptOldEpoch, 1_500, "explained"),
    toy(Sabotage::AdmitOpen, 50, "explained"),
    toy(Sabotage::ForgetTimer, 20, "progress"),
    toy(Sabotage::LoseSnapshotRecord, 20, "same state"),
    toy(Sabotage::ForgetInputs, 500, "progress"),
    toy(Sabotage::ForgetOutputs, 500, "progress"),
    // The coordinator must be away just then: seldom met by chance.
    toy(Sabotage::BeginUnasked, 10_000, "nothing lost"),
    toy(Sabotage::ServeOffered, 500, "one primary"),
    toy(Sabotage::KeepPledge, 5_000, "one primary"),
    calls(Sabotage::ReleaseEarly, 20, "explained"),
    calls(Sabotage::SoloUnasked, 50, "explained"),
    calls(Sabotage::TakeOverUnasked, 20, "one primary"),
    calls(Sabotage::AcceptOldEpoch, 1_500, "explained"),
    calls(Sabotage::AdmitOpen, 50, "explained"),
    calls(Sabotage::ForgetTimer, 20, "same state"),
    calls(Sabotage::LoseSnapshotRecord, 20, "same state"),
    // Phones repeat what goes by UDP: only a request that was read from a TCP connection shows it.
    calls(Sabotage::ForgetInputs, 5_000, "calls kept"),
    calls(Sabotage::ForgetOutputs, 500, "one charge"),
    calls(Sabotage::BeginUnasked, 3_000, "nothing lost"),
    calls(Sabotage::ServeOffered, 2_000, "one primary"),
    calls(Sabotage::KeepPledge, 5_000, "one primary"),
    hosts(Sabotage::ReleaseEarly, 20, "explained"),
    hosts(Sabotage::SoloUnasked, 50, "explained"),
    hosts(Sabotage::TakeOverUnasked, 20, "one primary"),
    hosts(Sabotage::AcceptOldEpoch, 5_000, "explained"),
    hosts(Sabotage::KeepPledge, 5_000, "one primary"),
    hosts(Sabotage::UncheckedEpoch, 100, "one primary"),
    hosts(Sabotage::TrustBeats, 1_500, "link"),
    hosts(Sabotage::DeliverTwice, 50, "link"),
    hosts(Sabotage::KeepAddress, 50, "address"),
    hosts(Sabotage::WatchGap, 5_000, "watch"),
    hosts(Sabotage::MixLinks, 2_500, "link"),
    hosts(Sabotage::BeginBehind, 500, "nothing lost"),
];

/// What is done wrong where a rule is broken, in a few words.
#[must_use]
pub const fn meaning(rule: Sabotage) -> &'static str {
    match rule {
        Sabotage::None => "nothing",
        Sabotage::ReleaseEarly => "outputs leave before their checkpoint is acknowledged",
        Sabotage::SoloUnasked => "solo mode without the swap",
        Sabotage::TakeOverUnasked => "takeover without the swap",
        Sabotage::AcceptOldEpoch => "checkpoints of an old epoch are taken",
        Sabotage::AdmitOpen => "outputs leave while a backup is being admitted",
        Sabotage::ForgetTimer => "a deadline is forgotten at a takeover",
        Sabotage::LoseSnapshotRecord => "a record is left out of a snapshot",
        Sabotage::ForgetInputs => "inputs that were read are forgotten at a takeover",
        Sabotage::ForgetOutputs => "outputs that may not have left are not sent again",
        Sabotage::BeginUnasked => "a start from cold although the other side may hold every record",
        Sabotage::ServeOffered => "a role that is offered is taken before the word of the old primary",
        Sabotage::UncheckedEpoch => "epoch not checked on one path",
        Sabotage::KeepPledge => "a pledge is kept while the coordinator is asked",
        Sabotage::TrustBeats => "heartbeat without data taken for health",
        Sabotage::DeliverTwice => "what is sent again over another network is delivered twice",
        Sabotage::KeepAddress => "address kept by the old holder",
        Sabotage::WatchGap => "a gap in the watch of the coordinator",
        Sabotage::MixLinks => "a link is taken again that was left",
        Sabotage::BeginBehind => "a start from cold with the older of two journals",
    }
}

/// Seeds that are run before anybody looks whether one of them was the first.
const AT_ONCE: u64 = 50;

impl Broken {
    /// Looks for the first seed at which a checker notices, on `jobs` threads.
    #[must_use]
    pub fn look(self, jobs: usize) -> Look {
        let starts = (0..self.bound).step_by(AT_ONCE as usize);
        let mut broken = starts.map(|from| {
            let count = AT_ONCE.min(self.bound - from);
            budget::run(self.world, from, count, jobs, self.rule).broken
        });
        let found = broken.find_map(|some| some.into_iter().next());
        Look { broken: self, found }
    }
}

impl Look {
    /// True if the expected checker noticed within the bound.
    #[must_use]
    pub fn is_as_stated(&self) -> bool {
        self.found.as_ref().is_some_and(|(_, violation)| violation.checker == self.broken.checker)
    }
}

impl Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken { rule, world, bound, .. } = self.broken;
        write!(f, "{:<22} {:<9} within {bound:>5}: ", name_of(rule), name_of_world(world))?;
        match &self.found {
            Some((seed, violation)) => write!(f, "seed {seed:>5} by `{}`: {}", violation.checker, violation.what),
            None => write!(f, "NOT NOTICED"),
        }
    }
}
