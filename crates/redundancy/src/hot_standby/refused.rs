//! Inputs that made an engine die, so that they kill no successor (rule 12).

use std::collections::BTreeSet;

use model::{Kind, RecordKey, Time};

use crate::change::{Aliases, Change, State};

/// The kind of these records; no engine may use it.
pub(super) const REFUSED: Kind = Kind(u8::MAX);

/// The most that are remembered: an attacker who finds more ways to make an engine panic is a bug to mend.
const MOST: usize = 1024;

/// Fingerprints of refused inputs; on both sides of the pair.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused {
    all: BTreeSet<u64>,
    /// Not yet told to the backup.
    new: Vec<u64>,
}

impl Refused {
    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        !self.all.is_empty() && self.all.contains(&fingerprint)
    }

    pub(super) fn insert(&mut self, fingerprint: u64) {
        if self.all.len() < MOST && self.all.insert(fingerprint) {
            self.new.push(fingerprint);
        }
    }

    pub(super) const fn has_news(&self) -> bool {
        !self.new.is_empty()
    }

    /// Writes those that the backup has not heard of.
    pub(super) fn write_news(&mut self, out: &mut Vec<u8>) {
        self.new.drain(..).for_each(|fingerprint| write(fingerprint, out));
    }

    /// Writes all of them, for a snapshot.
    pub(super) fn write_all(&self, out: &mut Vec<u8>) {
        self.all.iter().for_each(|fingerprint| write(*fingerprint, out));
    }

    pub(super) fn absorb(&mut self, key: RecordKey) {
        if self.all.len() < MOST {
            self.all.insert(key.id);
        }
    }
}

fn write(fingerprint: u64, out: &mut Vec<u8>) {
    let state = State { deadline: Time::NEVER, aliases: Aliases::new(), value: &[] };
    Change { key: RecordKey::new(REFUSED, fingerprint), state: Some(state) }.write(out);
}
