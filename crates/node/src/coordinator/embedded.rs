//! A pair's connection to the coordinator that the control server of the same host serves, from its journal or from etcd.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use redundancy::coordinator::{Reply, Request};

use super::Coordinator;
use crate::client::{Client, Event};
use crate::wire::{CoordinatorReply, CoordinatorRequest};

/// The coordinator behind `run/coordinator.sock`, as one pair sees it.
#[derive(Debug)]
pub struct EmbeddedCoordinator {
    client: Client<CoordinatorRequest, CoordinatorReply>,
    pair: String,
}

impl EmbeddedCoordinator {
    /// The way of `pair` to the coordinator that listens at `path`.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub fn new(path: impl Into<PathBuf>, pair: impl Into<String>) -> io::Result<Self> {
        Ok(Self { client: Client::new(path)?, pair: pair.into() })
    }

    /// Whether the coordinator can be asked.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.is_connected()
    }
}

impl Coordinator for EmbeddedCoordinator {
    fn send(&mut self, request: Request) -> bool {
        self.client.send(&CoordinatorRequest { pair: self.pair.clone(), request })
    }

    fn poll(&mut self) -> Option<Event<Reply>> {
        loop {
            match self.client.poll()? {
                Event::Connected => return Some(Event::Connected),
                Event::Disconnected => return Some(Event::Disconnected),
                Event::Message(CoordinatorReply { pair, reply }) if pair == self.pair => {
                    return Some(Event::Message(reply));
                }
                Event::Message(_) => {}
            }
        }
    }
}

impl AsFd for EmbeddedCoordinator {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }
}
