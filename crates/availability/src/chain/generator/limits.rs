//! How large a state space may become.

use crate::Error;
use crate::memory::{Bound, Memory};

/// How large a state space may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most states; at most 2^32 - 2.
    pub states: usize,
    /// Most bytes for states and arcs.
    pub bytes: usize,
    /// What says that it is so much, for messages.
    pub bound: Bound,
}

impl Default for Limits {
    /// A hundred million states, 4 GiB.
    fn default() -> Self {
        Self { states: 100_000_000, bytes: 4 << 30, bound: Bound::Given }
    }
}

impl Limits {
    /// A hundred million states, and a sixth of this memory for states, arcs and what finds them while they are explored: 50
    /// bytes a state or more if five arcs leave it.
    ///
    /// The rest is to solve them with. The workstation cluster of 9.47 million states, of which half are kept, takes 140 bytes
    /// for each of these in all (measured: 635 MiB), since few states carry the probability, and only they are iterated. Where
    /// all do, vectors, coarse pictures and the directions of GMRES come to about 250 bytes a state (counted, not measured).
    #[must_use]
    pub fn within(memory: Memory) -> Self {
        Self { bytes: memory.share(), bound: memory.bound, ..Self::default() }
    }

    /// What is left beside a space of so many bytes.
    #[must_use]
    pub(crate) fn without(self, bytes: usize) -> Self {
        Self { bytes: self.bytes.saturating_sub(bytes), ..self }
    }

    /// That a space does not keep to them: how many states it has found and explored, and what they take.
    pub(super) fn outgrown(&self, found: usize, explored: usize, bytes: usize, last: &str) -> Error {
        let (states, limit, from) = (self.states, self.bytes >> 20, self.bound.told());
        let what = format!(
            "the state space outgrows its limit of {states} states or {limit} MiB{from}: {found} states ({} MiB) after \
             {explored} of them were explored, the last one {last}",
            bytes >> 20
        );
        let remedy = "narrow the ranges of the variables, count units that are alike in one variable";
        Error::new(what, format!("{remedy}, or {}", self.bound.remedy()))
    }
}
