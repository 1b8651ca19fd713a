//! A connection to a local socket that comes back by itself.

use std::io;
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use serde::{Serialize, de::DeserializeOwned};

use crate::channel::Channel;
use crate::local;

/// First pause between two attempts to connect: short, because a takeover may wait for it. It doubles while nothing
/// is heard, so that who is refused again and again does not keep everybody busy.
const RETRY: Duration = Duration::from_millis(5);
/// The longest pause.
const LONGEST_RETRY: Duration = Duration::from_millis(80);

/// What happens on the connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<In> {
    /// It stands (again): nothing that was sent before will be answered on it.
    Connected,
    /// It is gone: whether the last requests were done is unknown.
    Disconnected,
    /// A message came.
    Message(In),
}

/// Sends `Out` and receives `In` over the socket at one path, and connects again whenever the connection is lost.
///
/// The descriptor is the same for as long as the client lives: register it once for reading, and call
/// [`poll`](Self::poll) until it gives nothing whenever it is readable (level-triggered).
#[derive(Debug)]
pub struct Client<Out, In> {
    path: PathBuf,
    epoll: Epoll,
    retry: TimerFd,
    pause: Duration,
    channel: Option<Channel>,
    messages: PhantomData<fn(Out) -> In>,
}

impl<Out: Serialize, In: DeserializeOwned> Client<Out, In> {
    /// A client of the socket at `path`; it connects in [`poll`](Self::poll).
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let retry = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        epoll.add(&retry, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        retry.set(Expiration::OneShot(Duration::from_nanos(1).into()), TimerSetTimeFlags::empty())?;
        Ok(Self { path: path.into(), epoll, retry, pause: RETRY, channel: None, messages: PhantomData })
    }

    /// Sends a message; false if there is no connection, so that certainly nothing was sent.
    pub fn send(&mut self, message: &Out) -> bool {
        self.send_with(message, Vec::new())
    }

    /// The same with descriptors.
    pub fn send_with(&mut self, message: &Out, descriptors: Vec<Arc<OwnedFd>>) -> bool {
        let Some(channel) = &mut self.channel else { return false };
        if channel.send_with(message, descriptors).is_err() {
            // `poll` meets the end of the stream and tells it, behind what came before.
            self.disconnect();
        }
        self.watch();
        true
    }

    /// Breaks the connection; [`poll`](Self::poll) tells it, and connects again.
    pub fn disconnect(&mut self) {
        if let Some(channel) = &self.channel {
            let _ = channel.socket().shutdown(Shutdown::Both);
        }
    }

    /// What happens next, if anything does now.
    pub fn poll(&mut self) -> Option<Event<In>> {
        let Some(channel) = &mut self.channel else { return self.connect().then_some(Event::Connected) };
        match channel.flush().and_then(|()| channel.receive()) {
            Ok(Some((message, _))) => {
                self.pause = RETRY;
                Some(Event::Message(message))
            }
            Ok(None) => {
                self.watch();
                None
            }
            Err(_) => {
                self.channel = None;
                self.try_again_later();
                Some(Event::Disconnected)
            }
        }
    }

    /// Whether the connection stands.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.channel.is_some()
    }

    /// Tries to connect, if it is time to.
    fn connect(&mut self) -> bool {
        if self.retry.wait().is_err() {
            return false;
        }
        let connected = local::connect(&self.path).and_then(|socket| {
            self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
            Ok(Channel::new(socket))
        });
        self.channel = connected.ok();
        if self.channel.is_none() {
            self.try_again_later();
        }
        self.channel.is_some()
    }

    /// Wakes the owner after a pause.
    fn try_again_later(&mut self) {
        // Fails only for a time that the kernel does not accept.
        let _ = self.retry.set(Expiration::OneShot(self.pause.into()), TimerSetTimeFlags::empty());
        self.pause = (self.pause * 2).min(LONGEST_RETRY);
    }

    /// Wakes the owner when the socket takes more, if something waits for that.
    fn watch(&self) {
        let Some(channel) = &self.channel else { return };
        let out = if channel.is_waiting() { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
        let _ = self.epoll.modify(channel, &mut EpollEvent::new(EpollFlags::EPOLLIN | out, 0));
    }
}

impl<Out, In> AsFd for Client<Out, In> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use nix::poll::{self, PollFd, PollFlags, PollTimeout};

    use super::*;

    /// Waits for the descriptor, as a server's loop does, until something happens.
    fn event(client: &mut Client<String, String>) -> Event<String> {
        loop {
            if let Some(event) = client.poll() {
                return event;
            }
            poll::poll(&mut [PollFd::new(client.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
        }
    }

    fn accept(path: &std::path::Path) -> Channel {
        let listener = local::listen(path).unwrap();
        listener.set_nonblocking(false).unwrap();
        Channel::new(listener.accept().unwrap().0)
    }

    #[test]
    fn it_connects_when_somebody_listens_and_again_after_a_loss() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let mut client = Client::new(&path).unwrap();
        assert_eq!(client.poll(), None);
        assert!(!client.send(&"nobody is there".into()));
        for round in ["first", "second"] {
            let there = path.clone();
            let server = std::thread::spawn(move || accept(&there));
            assert_eq!(event(&mut client), Event::Connected);
            let mut channel = server.join().unwrap();
            channel.send(&round).unwrap();
            channel.send(&"last").unwrap();
            assert_eq!(event(&mut client), Event::Message(round.into()));
            assert!(client.send(&"received".into()));
            assert_eq!(channel.receive::<String>().unwrap().unwrap().0, "received");
            drop(channel);
            assert_eq!(event(&mut client), Event::Message("last".into()));
            assert_eq!(event(&mut client), Event::Disconnected);
        }
    }

    #[test]
    fn a_server_that_talks_nonsense_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let mut client = Client::<String, String>::new(&path).unwrap();
        let server = std::thread::spawn(move || accept(&path));
        assert_eq!(event(&mut client), Event::Connected);
        server.join().unwrap().send(&42u64).unwrap();
        assert_eq!(event(&mut client), Event::Disconnected);
    }
}
