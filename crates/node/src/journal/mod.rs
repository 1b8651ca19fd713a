//! Durable records: a file to which each change is appended, and from which the newest value of each key is read.
//!
//! What [`Journal::append`] has taken survives `kill -9` of the process, because the kernel has it; a thread beside
//! makes it survive the loss of power a moment later. A server appends through a [`Recorder`], so that calls never wait
//! for the disk: what it recorded last is lost if both sides are killed within the moment until it is written. The
//! coordinator appends by itself, since nobody may learn of a compare-and-swap that could be lost. The file is:
//!
//! ```text
//! | "everline journal 1\n" | marker: 4 bytes | frame: see crate::frames | marker | frame | ...
//! ```
//! The first frame names the owner, by which a file that belongs to somebody else is known. Each further one holds an
//! [`Entry`]. Of the entries of one key the one with the highest stamp counts, so two files (those of
//! both sides of a pair) are merged by reading both. An entry without a value stays in the file for ever, because the
//! other file may hold an older value: keys must come from a bounded set, such as the extensions.
//!
//! The marker lets a reader find the next entry behind damaged bytes. Reading needs no lock, and is right while
//! another process appends: it sees everything that was appended before it began.

mod file;
mod keeper;
mod reading;
mod recorder;
mod scan;

use std::collections::BTreeMap;

use model::Epoch;
use serde::{Deserialize, Serialize};

pub use file::{Journal, Opened, Settings};
pub use reading::{parse, read};
pub use recorder::Recorder;

/// When an entry was written: by which epoch, and as which in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// The epoch of the writer.
    pub epoch: Epoch,
    /// The place in that epoch.
    pub sequence: u64,
}

/// The value of a key at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// Whose value it is.
    #[serde(borrow, with = "serde_bytes")]
    pub key: &'a [u8],
    /// When it became the value.
    pub stamp: Stamp,
    /// The value; none if it has been removed.
    #[serde(borrow, with = "serde_bytes")]
    pub value: Option<&'a [u8]>,
}

/// The newest entry of each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents(BTreeMap<Vec<u8>, (Stamp, Option<Vec<u8>>)>);

impl Contents {
    /// Takes in an entry, unless a newer one of the same key is known.
    pub fn take(&mut self, entry: Entry<'_>) {
        let value = || (entry.stamp, entry.value.map(<[u8]>::to_vec));
        match self.0.get_mut(entry.key) {
            Some(known) if known.0 > entry.stamp => {}
            Some(known) => *known = value(),
            None => drop(self.0.insert(entry.key.to_vec(), value())),
        }
    }

    /// Takes in what another journal holds.
    pub fn merge(&mut self, other: &Self) {
        other.entries().for_each(|entry| self.take(entry));
    }

    /// The newest entries in the order of their keys, those of removed values among them.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.0.iter().map(|(key, (stamp, value))| Entry { key, stamp: *stamp, value: value.as_deref() })
    }

    /// How many keys there are.
    fn count(&self) -> usize {
        self.0.len()
    }

    /// The highest stamp of all.
    #[must_use]
    pub fn newest(&self) -> Stamp {
        self.0.values().map(|(stamp, _)| *stamp).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &'static str, epoch: u64, sequence: u64, value: Option<&'static str>) -> Entry<'static> {
        Entry { key: key.as_bytes(), stamp: Stamp { epoch: Epoch(epoch), sequence }, value: value.map(str::as_bytes) }
    }

    #[test]
    fn of_two_journals_the_highest_stamp_of_each_key_counts() {
        let (mut one, mut other) = (Contents::default(), Contents::default());
        one.take(entry("anna", 1, 9, Some("ready")));
        one.take(entry("ben", 2, 1, None));
        other.take(entry("anna", 2, 1, Some("busy")));
        other.take(entry("ben", 1, 7, Some("ready")));
        other.take(entry("carl", 1, 1, Some("ready")));
        let mut merged = one.clone();
        merged.merge(&other);
        other.merge(&one);
        assert_eq!(merged, other);
        let expected =
            [entry("anna", 2, 1, Some("busy")), entry("ben", 2, 1, None), entry("carl", 1, 1, Some("ready"))];
        assert_eq!(merged.entries().collect::<Vec<_>>(), expected);
        assert_eq!(merged.newest(), Stamp { epoch: Epoch(2), sequence: 1 });
    }
}
