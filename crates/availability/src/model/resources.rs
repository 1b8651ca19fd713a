//! What the reading of a model may use.

use crate::Memory;
use crate::chain::generator::{self, NOBODY};
use crate::structure;

/// How large the state spaces and the diagrams of a model may become when it is read, and who hears how far that is.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    /// The limits of all its state spaces together.
    pub spaces: generator::Limits,
    /// The limits of each of its decision diagrams.
    pub structures: structure::Limits,
    /// Hears now and then, while a state space is explored, how many of its states were.
    pub explored: &'a dyn Fn(usize),
}

impl Default for Resources<'_> {
    /// The default limits, which are the same on every machine; nobody hears anything.
    fn default() -> Self {
        Self { spaces: generator::Limits::default(), structures: structure::Limits::default(), explored: NOBODY }
    }
}

impl Resources<'_> {
    /// The limits that this memory allows; nobody hears anything.
    #[must_use]
    pub fn within(memory: Memory) -> Self {
        let (spaces, structures) = (generator::Limits::within(memory), structure::Limits::within(memory));
        Self { spaces, structures, explored: NOBODY }
    }
}
