//! How far a build may go, and how it orders the events.

use crate::memory::{Bound, Memory};

/// What the making of a diagram may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes, about: a node takes 72 of them while the diagram is made. Where it does not suffice the result is
    /// an error, before the machine is exhausted. A diagram can need memory that grows exponentially with the tree.
    pub memory: usize,
    /// What says that it is so much, for messages.
    pub bound: Bound,
    /// In which order the events decide.
    pub order: Order,
}

impl Default for Limits {
    /// 512 MiB (seven million nodes), and the first order that fits.
    fn default() -> Self {
        Self { memory: 512 << 20, bound: Bound::Given, order: Order::FirstThatFits }
    }
}

impl Limits {
    /// A sixth of this memory for each diagram in the making, and the first order that fits: beside it stand those that are
    /// finished (a third as large at most) and what is computed at their nodes.
    #[must_use]
    pub fn within(memory: Memory) -> Self {
        Self { memory: memory.share(), bound: memory.bound, ..Self::default() }
    }

    /// The memory for a person to read, and where the limit comes from.
    pub(crate) fn told(&self) -> String {
        format!("{}{}", size(self.memory), self.bound.told())
    }
}

/// In which order the events decide, from the root of the diagram downwards: its size depends on it, the results do not.
///
/// All orders walk through the tree depth first and take the events as they come (Minato, Ishiura and Yajima 1990); they
/// differ in which input of a gate they enter first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the order in which the inputs are written.
    AsWritten,
    /// The input with the fewest events and gates below it first.
    SmallFirst,
    /// The input that is shared by the most gates first.
    SharedFirst,
    /// The first of these three, in this order, with which the diagram fits into the memory allowed.
    FirstThatFits,
    /// The one of the three with the smallest diagram. Takes three times as long.
    Smallest,
}

impl Order {
    /// The plain orders that are to be tried.
    pub(super) fn candidates(self) -> &'static [Self] {
        match self {
            Self::AsWritten => &[Self::AsWritten],
            Self::SmallFirst => &[Self::SmallFirst],
            Self::SharedFirst => &[Self::SharedFirst],
            Self::FirstThatFits | Self::Smallest => &[Self::AsWritten, Self::SmallFirst, Self::SharedFirst],
        }
    }
}

/// Bytes for a person to read.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
