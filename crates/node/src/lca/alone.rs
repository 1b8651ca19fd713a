//! Whether this host reaches anybody.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use management::isolation::Isolation;
use model::{Span, Time};

use crate::client::Event;
use crate::coordinator::{Coordinator, EmbeddedCoordinator};
use crate::folder::Folder;

/// Watches the coordinator, whose socket listens only while a majority can be asked.
#[derive(Debug)]
pub(super) struct Alone {
    isolation: Isolation,
    coordinator: EmbeddedCoordinator,
    is_reached: bool,
}

impl Alone {
    /// For a host that may be alone for so long.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(super) fn new(folder: &Folder, patience: Span) -> io::Result<Self> {
        // No pair is asked for: what counts is that somebody listens.
        let coordinator = EmbeddedCoordinator::new(folder.socket("coordinator"), "")?;
        Ok(Self { isolation: Isolation::new(Some(patience)), coordinator, is_reached: false })
    }

    /// Readable when [`hear`](Self::hear) has something to hear.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.coordinator.as_fd()
    }

    /// Takes in whether the coordinator can be asked.
    pub(super) fn hear(&mut self) {
        while let Some(event) = self.coordinator.poll() {
            match event {
                Event::Connected => self.is_reached = true,
                Event::Disconnected => self.is_reached = false,
                Event::Message(_) => {}
            }
        }
    }

    /// Whether the servers are to be stopped; `others` says whether another host is reached.
    pub(super) fn is_stopped(&mut self, now: Time, others: bool) -> bool {
        self.isolation.stands(now, self.is_reached, others);
        self.isolation.is_stopped(now)
    }

    /// When something is due by itself.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.isolation.deadline()
    }
}
