//! Decision diagrams: how a function of many events is held, so that its probability takes one step for each node.

mod combine;
mod difference;
mod store;

pub(crate) use difference::{BYTES_PER_PAIR, Difference, Differences};
pub(crate) use store::{BYTES_PER_NODE, Diagram, Edge, Full, Store, place};
