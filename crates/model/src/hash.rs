//! Hashing that gives the same answer in every process, version and run.

use std::collections::HashMap;

/// A stable 64-bit hash of some bytes (XXH3): the same on both sides of a pair and in every version.
#[must_use]
pub fn hash64(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// A map without a random seed, so that an engine behaves the same on every run.
///
/// Its order is never looked at: engines sort what they list.
pub type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;
