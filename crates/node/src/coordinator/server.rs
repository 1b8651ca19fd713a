//! The embedded coordinator: serves the pairs of one host from a journal.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use model::{Epoch, Incarnation};
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

use super::Served;
use super::store::{Refusal, Store};
use crate::hub::Hub;
use crate::journal::{self, Contents, Entry, Journal, Opened, Settings, Stamp};
use crate::wire::{CoordinatorReply, CoordinatorRequest, Trouble};

/// A compare-and-swap is synced at once; this much room keeps thousands of them going on a full disk.
const SETTINGS: Settings = Settings { sync_every: Duration::ZERO, reserve: 1 << 20 };
/// Revisions that are left out when the journal was not whole.
const SKIPPED: u64 = 1_000_000;

/// Answers requests over a local socket. Its descriptor is readable when [`serve`](Served::serve) has something to do.
#[derive(Debug)]
pub struct CoordinatorServer {
    store: Store,
    journal: Journal,
    /// Connections, and the pairs that each of them watches.
    hub: Hub<BTreeSet<String>>,
}

impl CoordinatorServer {
    /// Opens the journal and listens; gives warnings about the journal for people.
    ///
    /// # Errors
    /// If the journal cannot be opened or the socket cannot be made.
    pub fn open(journal: &Path, socket: &Path) -> Result<(Self, Vec<String>), Trouble> {
        let Opened { journal, contents, mut warnings, .. } = Journal::open(journal, SETTINGS)?;
        let mut store = load(&contents, &mut warnings);
        if !warnings.is_empty() {
            store.skip(SKIPPED);
        }
        let hub = Hub::listen(socket).map_err(|error| Trouble::of_file("listen at", socket, &error))?;
        Ok((Self { store, journal, hub }, warnings))
    }

    fn watch(&mut self, number: u64, pair: String) {
        if let Some(watched) = self.hub.note(number) {
            watched.insert(pair.clone());
        }
        let reply = Reply::Entry(self.store.entry(&pair).cloned());
        self.hub.send(number, &CoordinatorReply { pair, reply });
    }

    fn answer(&mut self, number: u64, pair: String, expected: Option<u64>, new: PairEntry) {
        match self.swap(&pair, expected, new) {
            Ok(done) => {
                let now = self.store.entry(&pair).cloned();
                let reply = Reply::Swapped { done, now: now.clone() };
                self.hub.send(number, &CoordinatorReply { pair: pair.clone(), reply });
                if done {
                    let reply = CoordinatorReply { pair: pair.clone(), reply: Reply::Entry(now) };
                    for watcher in self.hub.whose(|watched| watched.contains(&pair)) {
                        self.hub.send(watcher, &reply);
                    }
                }
            }
            Err(why) => self.hub.close(number, &format!("the entry of pair {pair} cannot be changed: {why}")),
        }
    }

    /// Does a compare-and-swap; it is in the journal before anybody learns of it.
    fn swap(&mut self, pair: &str, expected: Option<u64>, new: PairEntry) -> Result<bool, String> {
        let too_large = || "it would be too large".to_owned();
        let versioned = match self.store.swapped(pair, expected, new) {
            Ok(versioned) => versioned,
            Err(Refusal::Moved) => return Ok(false),
            Err(Refusal::TooLarge) => return Err(too_large()),
        };
        let value = postcard::to_allocvec(&versioned.entry).map_err(|_| too_large())?;
        let stamp = Stamp { epoch: Epoch(0), sequence: versioned.revision };
        let entry = Entry { key: pair.as_bytes(), stamp, value: Some(&value) };
        self.journal.append([entry]).map_err(|trouble| trouble.to_string())?;
        self.store.keep(pair, versioned);
        Ok(true)
    }
}

/// The incarnations that a coordinator's journal names, as far as it can be read: their runs have been, even if the file
/// that counts them is lost.
#[must_use]
pub fn named(journal: &Path) -> Vec<Incarnation> {
    let Ok((contents, _)) = journal::read(journal) else { return Vec::new() };
    let entries = contents.entries().filter_map(|entry| postcard::from_bytes::<PairEntry>(entry.value?).ok());
    entries.flat_map(|entry| std::iter::once(entry.primary).chain(entry.in_sync)).collect()
}

impl Served for CoordinatorServer {
    fn serve(&mut self) {
        for number in self.hub.ready() {
            while let Some((CoordinatorRequest { pair, request }, _)) = self.hub.receive(number) {
                match request {
                    Request::Watch => self.watch(number, pair),
                    Request::CompareAndSwap { expected, new } => self.answer(number, pair, expected, new),
                }
            }
        }
    }
}

impl AsFd for CoordinatorServer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hub.as_fd()
    }
}

/// The entries that a journal holds.
fn load(contents: &Contents, warnings: &mut Vec<String>) -> Store {
    let mut store = Store::default();
    for Entry { key, stamp, value } in contents.entries() {
        let pair = String::from_utf8_lossy(key);
        match value.map(postcard::from_bytes::<PairEntry>) {
            Some(Ok(entry)) => store.keep(&pair, Versioned { revision: stamp.sequence, entry }),
            _ => warnings.push(format!("the entry of pair {pair} cannot be read and is forgotten")),
        }
    }
    store
}
