//! The connections that one local socket has accepted.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use serde::{Serialize, de::DeserializeOwned};

use crate::channel::{Channel, ChannelError};
use crate::local;
use crate::open_files::{self, Spare};

/// Connections that are kept at most; one more is closed at once.
pub const MOST_GUESTS: usize = 256;
/// The epoll's name for the listener; connections count from one.
const LISTENER: u64 = 0;
/// Events that are taken at a time.
const BATCH: usize = 64;

/// Accepts connections and keeps them, each with a note of its owner about it. Its descriptor is readable when
/// [`ready`](Self::ready) has something to tell.
#[derive(Debug)]
pub struct Hub<Note> {
    listener: UnixListener,
    epoll: Epoll,
    guests: BTreeMap<u64, Guest<Note>>,
    accepted: u64,
    spare: Spare,
}

#[derive(Debug)]
struct Guest<Note> {
    channel: Channel,
    writing: bool,
    note: Note,
}

impl<Note: Default> Hub<Note> {
    /// Listens at `path`; the caller is the only owner of that place.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn listen(path: &Path) -> io::Result<Self> {
        let listener = local::listen(path)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        Ok(Self { listener, epoll, guests: BTreeMap::new(), accepted: 0, spare: Spare::new()? })
    }

    /// Accepts who waits, and names the connections on which something has happened, without waiting. Of each of them
    /// everything is to be [received](Self::receive).
    pub fn ready(&mut self) -> Vec<u64> {
        let mut numbers = self.look();
        if numbers.contains(&LISTENER) {
            self.accept();
            // Who has just come may have said everything already, and be gone.
            numbers = self.look();
        }
        numbers.retain(|number| *number != LISTENER);
        numbers
    }

    fn look(&self) -> Vec<u64> {
        let mut events = [EpollEvent::empty(); BATCH];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or_default();
        events.iter().take(count).map(EpollEvent::data).collect()
    }

    /// The next message of a connection, with its descriptors; `None` if there is none now, or the connection is gone.
    pub fn receive<T: DeserializeOwned>(&mut self, number: u64) -> Option<(T, Vec<OwnedFd>)> {
        let guest = self.guests.get_mut(&number)?;
        let received = unless_gone(guest.channel.flush()).and_then(|()| guest.channel.receive());
        let outcome = received.and_then(|received| {
            guest.watch(&self.epoll, number)?;
            Ok(received)
        });
        self.keep(number, outcome).flatten()
    }

    /// Sends a message, if the connection still stands.
    pub fn send<T: Serialize>(&mut self, number: u64, message: &T) {
        let Some(guest) = self.guests.get_mut(&number) else { return };
        let sent = unless_gone(guest.channel.send(message)).and_then(|()| Ok(guest.watch(&self.epoll, number)?));
        self.keep(number, sent);
    }

    /// The connection's note.
    pub fn note(&mut self, number: u64) -> Option<&mut Note> {
        self.guests.get_mut(&number).map(|guest| &mut guest.note)
    }

    /// The process at the other end of a connection.
    #[must_use]
    pub fn peer(&self, number: u64) -> Option<u32> {
        local::peer(self.guests.get(&number)?.channel.socket()).ok()
    }

    /// The connections whose note is such a one.
    pub fn whose(&self, is_such: impl Fn(&Note) -> bool) -> Vec<u64> {
        self.guests.iter().filter(|(_, guest)| is_such(&guest.note)).map(|(number, _)| *number).collect()
    }

    /// Ends a connection that is of no use.
    pub fn close(&mut self, number: u64, why: &str) {
        tracing::warn!("a connection is closed: {why}");
        self.forget(number);
    }

    /// Ends a connection.
    pub fn forget(&mut self, number: u64) {
        self.guests.remove(&number);
    }

    fn accept(&mut self) {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if open_files::is_exhausted(&error) => {
                    tracing::warn!("a connection is closed: this process has too many open files (`ulimit -n`)");
                    return self.spare.lend(|| drop(self.listener.accept()));
                }
                Err(_) => return,
            };
            let number = self.accepted + 1;
            let registered = || self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, number));
            if self.guests.len() < MOST_GUESTS && registered().is_ok() {
                self.accepted = number;
                let guest = Guest { channel: Channel::new(socket), writing: false, note: Note::default() };
                self.guests.insert(number, guest);
            }
        }
    }

    /// Ends a connection that is broken.
    fn keep<T>(&mut self, number: u64, outcome: Result<T, ChannelError>) -> Option<T> {
        match &outcome {
            Ok(_) => {}
            Err(error) if error.is_end() => self.forget(number),
            Err(error) => self.close(number, &error.to_string()),
        }
        outcome.ok()
    }
}

/// Whoever has gone cannot be told anything, but may have said something before: that is read first, and then the end.
fn unless_gone(outcome: Result<(), ChannelError>) -> Result<(), ChannelError> {
    outcome.or_else(|error| if error.is_end() { Ok(()) } else { Err(error) })
}

impl<Note> Guest<Note> {
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

impl<Note> AsFd for Hub<Note> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_who_has_gone_are_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.sock");
        let mut hub = Hub::<()>::listen(&path).unwrap();
        let mut caller = Channel::new(local::connect(&path).unwrap());
        caller.send(&"first").unwrap();
        caller.send(&"last").unwrap();
        drop(caller);
        let [guest] = hub.ready()[..] else { panic!("one has called") };
        assert_eq!(hub.receive::<String>(guest).unwrap().0, "first");
        hub.send(guest, &"an answer that comes too late");
        assert_eq!(hub.receive::<String>(guest).unwrap().0, "last");
        assert!(hub.receive::<String>(guest).is_none());
        assert!(hub.note(guest).is_none(), "it is forgotten then");
    }
}
