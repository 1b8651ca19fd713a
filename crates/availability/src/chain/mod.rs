//! Continuous-time Markov chains, and every measure that availability asks of them.
//!
//! | question | where | how |
//! |---|---|---|
//! | long run, mean until a first passage, which cause first | [`Measure`], [`Chain::evaluate`], [`Chain::certain`] | elimination without subtraction (`elimination`) |
//! | derivatives of these by all rates | [`Chain::gradient`] | the same elimination backwards; on [`crate::Dual`] a column of the Hessian |
//! | at a time, until a time, within a time | [`Chain::probability_at`], [`Chain::collected_until`], [`Chain::reached_within`] | uniformisation (`transient`) |
//! | distribution of the downtime within a time | [`Chain::more_downtime_than`] | uniformisation with two clocks |
//! | chains written as rules | [`generator`] | breadth-first exploration of packed states |
//! | what the elimination of a large chain would take | the crate itself | fronts of the states in breadth-first order (`front`) |
//! | millions of states | [`Steady`], [`Sparse::mean_time_to`] | sweeps, GMRES and multigrid, with an enclosure that is proven (`large`) |
//! | symmetric models | [`Chain::lump`], for one measure [`Chain::lumped_for`] | partition refinement |
//! | large models with two halves that are alike | [`generator::Space::explore_alike`] | an automorphism of the rules |
//!
//! Start reading at `model`, then `measure`, then `elimination`, which is the engine below both.

mod elimination;
mod evaluate;
mod front;
pub mod generator;
mod graph;
mod large;
mod lumping;
mod measure;
mod model;
mod network;
mod room;
mod sparse;
mod symmetric;
mod transient;

pub use evaluate::Gradient;
pub use large::{Steady, Wrong};
pub use lumping::Lumped;
pub use measure::{Measure, Quantity};
pub use model::{Arc, Chain, Rewards, States};
pub use sparse::Sparse;
pub use transient::Timed;
