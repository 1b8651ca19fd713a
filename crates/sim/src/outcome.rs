//! How a run ended, whatever world it ran in.

use crate::kernel::Violation;
use crate::plan::{Plan, World};

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The broken promise, if one was.
    pub violation: Option<Violation>,
    /// Hash of everything that happened.
    pub hash: u64,
    /// The ladder; empty if it was not asked for.
    pub ladder: String,
    /// How many events happened.
    pub events: u64,
    /// How often a pair began from cold.
    pub cold_starts: u32,
    /// How often a side began to serve.
    pub takeovers: u32,
    /// Everything that the plan says for a signal has struck.
    pub signalled: bool,
}

/// Runs a plan in the world that it is for.
#[must_use]
pub fn run(plan: &Plan, with_ladder: bool) -> Outcome {
    match plan.world {
        World::Toy | World::ToyHosts => crate::toy::run(plan, with_ladder),
        World::Calls | World::Hosts | World::OwnAddresses => crate::calls::run(plan, with_ladder),
    }
}
