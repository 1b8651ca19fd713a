//! Fault trees, block diagrams and reliability graphs: the probability of a whole from those of its parts.
//!
//! A model is a value: a [`FaultTree`], a [`Block`] or a [`ReliabilityGraph`]. From it a [`StructureFunction`] is made once,
//! a binary decision diagram, and that answers all questions:
//!
//! | wanted | asked by |
//! |---|---|
//! | unavailability or unreliability, and its complement | [`StructureFunction::probability`], with a bound: [`StructureFunction::certain`] |
//! | derivatives by all events; second ones with [`crate::Dual`] | [`StructureFunction::sensitivity`] |
//! | failures per unit of time, MTBF, mean down time, equivalent rates | [`StructureFunction::frequency`] |
//! | mean time to failure without repair | [`StructureFunction::mean_time_to_failure`] |
//! | Birnbaum, criticality, diagnosis, risk worths, structural importance | [`StructureFunction::importance`] |
//! | Fussell and Vesely's importance | [`SetFamily::fussell_vesely`] |
//! | minimal cut sets and path sets | [`StructureFunction::cut_sets`], [`StructureFunction::path_sets`] |
//! | how much of a capacity is up | [`CapacityDistribution`] |
//!
//! The events of a model are independent of each other; what is common to several parts (a host, a switch, a common cause)
//! is an event of its own that they share. A probability is always a pair of numbers, that it occurs and that it does not
//! ([`Probability`]), and nothing here forms the one from the other.

mod block;
mod bounded;
mod capacity;
mod diagram;
mod function;
mod graph;
mod importance;
mod law;
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
pub use law::{Law, QuantifiedTree};
pub use probability::Probability;
pub use sets::{MinimalSet, SetFamily, SetKind};
pub use tree::{FaultTree, FaultTreeBuilder, Gate, GateKind, Input};
