//! Continuous-time Markov chains, and every measure that availability asks of them.
//!
//! - [`Chain`]: states, arcs, labels and rewards as values; [`Measure`]: what is asked in the long run or until a first
//!   passage; [`Chain::evaluate`] gives the number, [`Chain::certain`] its proven digits, [`Chain::gradient`] its derivatives
//!   by all rates in one pass.
//!
//! Start reading at `model`, then `measure`, then `elimination`, which is the engine below both.

mod elimination;
mod evaluate;
pub mod generator;
mod graph;
mod large;
mod lumping;
mod measure;
mod model;
mod network;
mod sparse;
mod transient;

pub use evaluate::Gradient;
pub use large::Steady;
pub use lumping::Lumped;
pub use measure::{Measure, Quantity};
pub use model::{Arc, Chain, Rewards, States};
pub use sparse::Sparse;
pub use transient::Timed;
