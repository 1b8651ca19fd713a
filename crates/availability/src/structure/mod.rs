//! Fault trees, block diagrams and reliability graphs: the probability of a whole from those of its parts.

mod bounded;
mod diagram;
mod function;
mod importance;
mod probability;
mod tree;

pub use bounded::Bounded;
pub use function::{Limits, Order, Repairable, Sensitivity, StructureFunction};
pub use importance::Importance;
pub use probability::Probability;
pub use tree::{FaultTree, FaultTreeBuilder, Gate, GateKind, Input};
