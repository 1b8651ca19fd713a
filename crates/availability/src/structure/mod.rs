//! Fault trees, block diagrams and reliability graphs: the probability of a whole from those of its parts.

mod block;
mod bounded;
mod capacity;
mod diagram;
mod function;
mod graph;
mod importance;
mod mean_time;
mod probability;
mod sets;
mod tree;

pub use block::Block;
pub use bounded::Bounded;
pub use capacity::CapacityDistribution;
pub use function::{Limits, Order, Repairable, Sensitivity, StructureFunction};
pub use graph::ReliabilityGraph;
pub use importance::Importance;
pub use probability::Probability;
pub use sets::{MinimalSet, SetFamily, SetKind};
pub use tree::{FaultTree, FaultTreeBuilder, Gate, GateKind, Input};
