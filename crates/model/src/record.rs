//! Keys of replicated records.

use serde::{Deserialize, Serialize};

/// What sort of record it is; each engine numbers its own kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u8);

/// Names one record of a server: its kind and its number within that kind.
///
/// Numbers that an engine draws carry the epoch in their upper bits (see [`RecordKey::drawn`]), so that no
/// takeover can draw one twice. Numbers of things with a name (an extension, an agent) are
/// [`hash64`](crate::hash64) of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The sort of record.
    pub kind: Kind,
    /// Its number within the kind.
    pub id: u64,
}

/// Bits of a drawn number that count within one epoch: a million million calls.
const COUNT_BITS: u32 = 40;

impl RecordKey {
    /// The key with this kind and number.
    #[must_use]
    pub const fn new(kind: Kind, id: u64) -> Self {
        Self { kind, id }
    }

    /// The `count`-th number that is drawn in `epoch`.
    ///
    /// # Panics
    /// If `count` needs more than 40 bits or the epoch more than 24: both are beyond the life of a solution.
    #[must_use]
    pub fn drawn(kind: Kind, epoch: crate::Epoch, count: u64) -> Self {
        assert!(count < 1 << COUNT_BITS, "more than 2^40 records drawn in one epoch");
        assert!(epoch.0 < 1 << (64 - COUNT_BITS), "more than 2^24 epochs");
        Self { kind, id: epoch.0 << COUNT_BITS | count }
    }
}

/// A second way to find a record: the hash of something that a message carries, a Via branch for example.
///
/// Two things may share a hash, so whoever looks a record up by alias compares the whole thing afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias(pub u64);
