//! Parameters of models from what was observed: rates, coverage and availabilities with exact intervals, tests of the
//! assumptions behind them, fits where those do not hold, and how much more has to be observed for a claim.
//!
//! | question | begin with |
//! |---|---|
//! | a failure or repair rate, an MTBF | [`Exposure`] |
//! | the share of faults that are covered | [`Injections`] |
//! | an availability from times up and down | [`availability`] |
//! | knowledge from before, and new observations | [`RateBelief`], [`CoverageBelief`] |
//! | is the rate constant, are times exponential | [`laplace_trend`], [`power_law_trend`], [`exponential_test`], [`total_time_on_test`] |
//! | times that are not, as phases of a chain | [`HyperErlang`] |
//! | coverage and times from a drill | [`drill`] |
//! | all of the above from a log of failures and repairs | [`log`] |
//! | the failure rate of hardware from its parts | [`parts`] |
//! | how much has to be observed | [`injections_needed`], [`time_needed`], [`SequentialTest`] |
//!
//! An interval is *exact* if it holds the true value just as often as its confidence says, and *conservative* if at least as
//! often: counts are discrete, so intervals from counts are conservative by their nature. Each function says which it is, and
//! the tests check it by simulation.

mod availability;
mod bayes;
mod confidence;
mod coverage;
pub mod drill;
mod exponential;
pub mod log;
pub mod parts;
mod phase_type;
mod plan;
mod rate;
mod sequential;
pub mod special;
mod trend;

pub use availability::{Availability, availability};
pub use bayes::{CoverageBelief, RateBelief};
pub use confidence::{Confidence, Interval, Sides};
pub use coverage::{Coverage, Injections};
pub use exponential::{ExponentialTest, exponential_test, total_time_curve, total_time_on_test};
pub use phase_type::{Branch, HyperErlang, Lifetime};
pub use plan::{injections_needed, time_needed};
pub use rate::{Ending, Exposure};
pub use sequential::{Operation, SequentialTest, Verdict};
pub use trend::{FailureTimes, TestResult, laplace_trend, power_law_trend};
