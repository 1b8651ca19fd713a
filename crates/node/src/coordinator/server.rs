//! The embedded coordinator: serves the pairs of one host from a journal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use model::Epoch;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

use super::store::{Refusal, Store};
use crate::channel::{Channel, ChannelError};
use crate::journal::{Contents, Entry, Journal, Opened, Settings, Stamp};
use crate::local;
use crate::wire::{CoordinatorReply, CoordinatorRequest, Trouble};

/// Connections that are served at most; one more is closed at once.
const MOST_CONNECTIONS: usize = 256;
/// A compare-and-swap is synced at once; this much room keeps thousands of them going on a full disk.
const SETTINGS: Settings = Settings { sync_every: Duration::ZERO, reserve: 1 << 20 };
/// Revisions that are left out when the journal was not whole.
const SKIPPED: u64 = 1_000_000;
/// The epoll's name for the listener; connections count from one.
const LISTENER: u64 = 0;
/// Events that are taken at a time.
const BATCH: usize = 64;

/// Answers requests over a local socket. Its descriptor is readable when [`serve`](Self::serve) has something to do.
#[derive(Debug)]
pub struct CoordinatorServer {
    kept: Kept,
    listener: UnixListener,
    epoll: Epoll,
    connections: BTreeMap<u64, Connection>,
    accepted: u64,
}

/// The entries, in memory and on the disk.
#[derive(Debug)]
struct Kept {
    store: Store,
    journal: Journal,
}

#[derive(Debug)]
struct Connection {
    channel: Channel,
    watched: BTreeSet<String>,
    writing: bool,
}

/// Why a connection is closed.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("an entry of pair {0} is too large")]
    TooLarge(String),
    #[error("a role cannot be changed: {0}")]
    Unwritten(Trouble),
}

impl CoordinatorServer {
    /// Opens the journal and listens; gives warnings about the journal for people.
    ///
    /// # Errors
    /// If the journal cannot be opened or the socket cannot be made.
    pub fn open(journal: &Path, socket: &Path) -> Result<(Self, Vec<String>), Trouble> {
        let Opened { journal, contents, mut warnings } = Journal::open(journal, SETTINGS)?;
        let mut store = load(&contents, &mut warnings);
        if !warnings.is_empty() {
            store.skip(SKIPPED);
        }
        let listening = || -> io::Result<_> {
            let listener = local::listen(socket)?;
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
            Ok((listener, epoll))
        };
        let (listener, epoll) = listening().map_err(|error| Trouble::of_file("listen at", socket, &error))?;
        let connections = BTreeMap::new();
        Ok((Self { kept: Kept { store, journal }, listener, epoll, connections, accepted: 0 }, warnings))
    }

    /// Answers what has been asked, without waiting.
    pub fn serve(&mut self) {
        let mut events = [EpollEvent::empty(); BATCH];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or_default();
        for event in events.iter().take(count) {
            match event.data() {
                LISTENER => self.accept(),
                number => self.attend(number),
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((socket, _)) = self.listener.accept() {
            let number = self.accepted + 1;
            let registered = || self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, number));
            if self.connections.len() < MOST_CONNECTIONS && registered().is_ok() {
                self.accepted = number;
                let connection = Connection { channel: Channel::new(socket), watched: BTreeSet::new(), writing: false };
                self.connections.insert(number, connection);
            }
        }
    }

    /// Answers one connection, and closes it if it is of no more use.
    fn attend(&mut self, number: u64) {
        if let Err(closed) = self.answer(number) {
            match closed {
                Closed::Channel(ChannelError::Ended) => {}
                error => tracing::warn!("the coordinator closes connection {number}: {error}"),
            }
            self.connections.remove(&number);
        }
    }

    fn answer(&mut self, number: u64) -> Result<(), Closed> {
        while let Some(connection) = self.connections.get_mut(&number) {
            connection.channel.flush()?;
            let Some((CoordinatorRequest { pair, request }, _)) = connection.channel.receive()? else {
                return Ok(connection.watch(&self.epoll, number).map_err(ChannelError::from)?);
            };
            match request {
                Request::Watch => {
                    let reply = Reply::Entry(self.kept.store.entry(&pair).cloned());
                    connection.watched.insert(pair.clone());
                    connection.channel.send(&CoordinatorReply { pair, reply })?;
                }
                Request::CompareAndSwap { expected, new } => {
                    let done = self.kept.swap(&pair, expected, new)?;
                    let reply = Reply::Swapped { done, now: self.kept.store.entry(&pair).cloned() };
                    connection.channel.send(&CoordinatorReply { pair: pair.clone(), reply })?;
                    if done {
                        self.announce(&pair);
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells everyone who watches a pair how its entry stands now.
    fn announce(&mut self, pair: &str) {
        let reply =
            CoordinatorReply { pair: pair.to_owned(), reply: Reply::Entry(self.kept.store.entry(pair).cloned()) };
        for (number, connection) in self.connections.iter_mut().filter(|(_, one)| one.watched.contains(pair)) {
            let told = connection.channel.send(&reply).is_ok() && connection.watch(&self.epoll, *number).is_ok();
            if !told {
                // Makes the epoll call for this connection, which is closed then.
                let _ = connection.channel.socket().shutdown(Shutdown::Both);
            }
        }
    }
}

impl AsFd for CoordinatorServer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

impl Kept {
    /// Does a compare-and-swap; it is in the journal before anybody learns of it.
    fn swap(&mut self, pair: &str, expected: Option<u64>, new: PairEntry) -> Result<bool, Closed> {
        let versioned = match self.store.swapped(pair, expected, new) {
            Ok(versioned) => versioned,
            Err(Refusal::Moved) => return Ok(false),
            Err(Refusal::TooLarge) => return Err(Closed::TooLarge(pair.to_owned())),
        };
        let value = postcard::to_allocvec(&versioned.entry).map_err(|_| Closed::TooLarge(pair.to_owned()))?;
        let stamp = Stamp { epoch: Epoch(0), sequence: versioned.revision };
        self.journal.append([Entry { key: pair.as_bytes(), stamp, value: Some(&value) }]).map_err(Closed::Unwritten)?;
        self.store.keep(pair, versioned);
        Ok(true)
    }
}

impl Connection {
    /// Has the epoll tell when the socket takes more, if something waits for that.
    fn watch(&mut self, epoll: &Epoll, number: u64) -> io::Result<()> {
        let writing = self.channel.is_waiting();
        if writing != self.writing {
            let out = if writing { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
            epoll.modify(&self.channel, &mut EpollEvent::new(EpollFlags::EPOLLIN | out, number))?;
            self.writing = writing;
        }
        Ok(())
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
