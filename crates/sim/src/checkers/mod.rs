//! What must never happen, whatever the faults: each promise in a file of its own.
//!
//! A checker is a value that is told what happened, and answers with the broken promise if it is one. It looks at
//! the simulated world from outside, so it knows what no part of the system can know.

pub mod address;
pub mod agents;
pub mod calls_kept;
pub mod exactly_once;
pub mod explained;
pub mod legal;
pub mod link;
pub mod nothing_lost;
pub mod one_charge;
pub mod one_primary;
pub mod progress;
pub mod queue_order;
pub mod quiet;
pub mod same_state;
pub mod taken_twice;
pub mod watch;
pub mod words;

/// The answer of a checker: what was broken, for people.
pub type Verdict = Result<(), String>;

/// The checkers that watch one pair.
#[derive(Debug, Default)]
pub struct PairCheckers {
    /// One primary releases.
    pub one_primary: one_primary::OnePrimary,
    /// Every output is explained by records that every possible successor holds.
    pub explained: explained::Explained,
}
