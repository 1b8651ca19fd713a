//! A set of descriptors that is waited for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use model::Span;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// The most events of one wait.
const MOST: usize = 128;

/// What a descriptor is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) token: u64,
    /// Bytes, a connection, or the end can be read.
    pub(super) readable: bool,
    /// The kernel takes bytes again.
    pub(super) writable: bool,
}

/// A poll set (`epoll(7)`, level-triggered).
#[derive(Debug)]
pub(super) struct Poll {
    epoll: Epoll,
}

impl Poll {
    /// An empty set.
    ///
    /// # Errors
    /// If the process has too many open files.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)? })
    }

    /// Waits for `descriptor` to become readable, and writable if `write`.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub(super) fn add(&self, descriptor: impl AsFd, token: impl Into<u64>, write: bool) -> io::Result<()> {
        Ok(self.epoll.add(descriptor, event(token.into(), write))?)
    }

    /// Changes what `descriptor` is waited for.
    pub(super) fn modify(&self, descriptor: impl AsFd, token: impl Into<u64>, write: bool) {
        // Fails only for a descriptor that is not in the set, which then needs no change.
        let _ = self.epoll.modify(descriptor, &mut event(token.into(), write));
    }

    /// Waits for `descriptor` no more.
    pub(super) fn remove(&self, descriptor: impl AsFd) {
        // Fails only for a descriptor that is not in the set.
        let _ = self.epoll.delete(descriptor);
    }

    /// What is ready, after waiting for `most` at the longest.
    pub(super) fn wait(&self, most: Span, ready: &mut Vec<Ready>) {
        let mut events = [EpollEvent::empty(); MOST];
        let millis = u16::try_from(most.as_micros().div_ceil(1_000)).unwrap_or(u16::MAX);
        // An interrupted wait is a wait that found nothing.
        let count = self.epoll.wait(&mut events, EpollTimeout::from(millis)).unwrap_or(0);
        ready.clear();
        ready.extend(events[..count].iter().map(|event| {
            let flags = event.events();
            let broken = EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP | EpollFlags::EPOLLRDHUP;
            Ready {
                token: event.data(),
                readable: flags.intersects(EpollFlags::EPOLLIN | broken),
                writable: flags.intersects(EpollFlags::EPOLLOUT | EpollFlags::EPOLLERR),
            }
        }));
    }
}

fn event(token: u64, write: bool) -> EpollEvent {
    let out = if write { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
    EpollEvent::new(EpollFlags::EPOLLIN | out, token)
}

impl AsFd for Poll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}
