//! Keeps what a journal could not take, and tries again.

use std::collections::BTreeMap;

use super::{Entry, Journal, Stamp};
use crate::wire::Trouble;

/// A journal for a server that goes on when the disk does not: what could not be written waits in memory, the newest
/// entry of each key only, so it needs no more room than the records themselves.
#[derive(Debug)]
pub struct Recorder {
    journal: Journal,
    waiting: BTreeMap<Vec<u8>, (Stamp, Option<Vec<u8>>)>,
}

impl Recorder {
    /// Records to this journal.
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal, waiting: BTreeMap::new() }
    }

    /// Writes the entries, behind those that wait.
    ///
    /// # Errors
    /// If they could not be written; they wait then, and nothing is lost while the process lives.
    pub fn record<'a>(&mut self, entries: impl IntoIterator<Item = Entry<'a>> + Clone) -> Result<(), Trouble> {
        let written = self.retry().and_then(|()| self.journal.append(entries.clone()));
        if written.is_err() {
            let owned = |entry: Entry<'_>| (entry.key.to_vec(), (entry.stamp, entry.value.map(<[u8]>::to_vec)));
            self.waiting.extend(entries.into_iter().map(owned));
        }
        written
    }

    /// Writes what waits, if anything does; to be called about once a second.
    ///
    /// # Errors
    /// If it could not be written.
    pub fn retry(&mut self) -> Result<(), Trouble> {
        let entries = self.waiting.iter();
        let entries = entries.map(|(key, (stamp, value))| Entry { key, stamp: *stamp, value: value.as_deref() });
        self.journal.append(entries)?;
        self.waiting.clear();
        Ok(())
    }

    /// How many keys wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What is wrong with the journal's disk, if anything is.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.journal.trouble()
    }
}
