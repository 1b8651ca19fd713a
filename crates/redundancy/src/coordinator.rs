//! What a pair asks of its coordinator: one entry, changed by compare-and-swap only, and a watch on it.
//!
//! The coordinator is a small strongly consistent store outside the pair. It is asked only when roles change,
//! so calls go on while it is down. Every successful change gives the entry a new revision; a compare-and-swap
//! names the revision that it expects, never the value, so that a request that was delayed and arrives after its
//! sender gave it up can no longer succeed once the sender has changed the entry again.

use model::{Epoch, Incarnation};
use serde::{Deserialize, Serialize};

/// Who serves, and who could take over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairEntry {
    /// Counts the changes of primary.
    pub epoch: Epoch,
    /// The incarnation that may release outputs in this epoch.
    pub primary: Incarnation,
    /// The incarnations that hold every record whose outputs have left; the primary is one of them.
    pub in_sync: Vec<Incarnation>,
}

/// The entry together with the revision that the coordinator gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// Grows with every change of this entry, never repeats.
    pub revision: u64,
    /// The entry as it stood at that revision.
    pub entry: PairEntry,
}

/// What a member of a pair sends to the coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Tell me the entry now, and again whenever it changes.
    Watch,
    /// Replace the entry if its revision is still `expected` (`None`: if there is no entry).
    CompareAndSwap {
        /// The revision that the sender believes to be current.
        expected: Option<u64>,
        /// What the entry becomes.
        new: PairEntry,
    },
}

/// What the coordinator answers, in the order in which it received the requests of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The entry as it stands: the answer to `Watch`, and sent unasked after each change.
    Entry(Option<Versioned>),
    /// The answer to `CompareAndSwap`: whether it was done, and the entry as it stands now.
    Swapped {
        /// True if this request changed the entry.
        done: bool,
        /// The entry after the request.
        now: Option<Versioned>,
    },
}
