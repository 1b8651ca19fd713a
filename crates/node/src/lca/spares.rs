//! The spares of a host: applications that run only while their pair lacks a member, as the coordinator says.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use management::spare::Spare;
use model::Time;
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

use crate::client::Event;
use crate::coordinator::{Coordinator, EmbeddedCoordinator};
use crate::folder::Folder;

/// One of them.
#[derive(Debug)]
struct Watched {
    /// Its place among the descriptions.
    which: usize,
    spare: Spare,
    /// How the pair stands, as the coordinator said last.
    entry: Option<PairEntry>,
    coordinator: EmbeddedCoordinator,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Spares(Vec<Watched>);

/// What is to be done about one, by its place among the descriptions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) which: usize,
    pub(super) is_wanted: bool,
    /// It is to hand over to the usual member that is its backup.
    pub(super) goes_home: bool,
}

impl Spares {
    /// Watches the pair of each of them: its place among the descriptions, its name, the name of its pair, its place among the
    /// spares of that.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(super) fn new<'a>(
        folder: &Folder,
        spares: impl Iterator<Item = (usize, &'a str, &'a str, u32)>,
    ) -> io::Result<Self> {
        let watched = |(which, name, pair, place): (usize, &str, &str, u32)| {
            let coordinator = EmbeddedCoordinator::new(folder.socket("coordinator"), pair)?;
            Ok(Watched { which, spare: Spare::new(name, place), entry: None, coordinator })
        };
        spares.map(watched).collect::<io::Result<_>>().map(Self)
    }

    /// Its descriptors, in order: readable when [`hear`](Self::hear) has something to hear from that one.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(|one| one.coordinator.as_fd())
    }

    /// An earlier agent has left its process.
    pub(super) fn found(&mut self, which: usize) {
        self.0.iter_mut().filter(|one| one.which == which).for_each(|one| one.spare.found());
    }

    /// Takes in what the coordinator says of the pair of the one with this number.
    pub(super) fn hear(&mut self, number: usize) {
        let Some(Watched { entry: known, coordinator, .. }) = self.0.get_mut(number) else { return };
        while let Some(event) = coordinator.poll() {
            match event {
                Event::Connected => drop(coordinator.send(Request::Watch)),
                Event::Message(Reply::Entry(Some(Versioned { entry, .. }))) => *known = Some(entry),
                Event::Message(Reply::Entry(None) | Reply::Swapped { .. }) | Event::Disconnected => {}
            }
        }
    }

    /// What is to be done now; `is_reached` says whether the host of an application is.
    pub(super) fn verdicts(&mut self, now: Time, is_reached: impl Fn(&str) -> bool) -> Vec<Verdict> {
        let verdict = |Watched { which, spare, entry, .. }: &mut Watched| {
            if let Some(entry) = entry {
                let in_sync = entry.in_sync.iter().map(|one| one.application.as_str());
                spare.stands(now, &entry.primary.application, in_sync.map(|name| (name, is_reached(name))));
            }
            Verdict { which: *which, is_wanted: spare.is_wanted(now), goes_home: spare.goes_home(now) }
        };
        self.0.iter_mut().map(verdict).collect()
    }

    /// When something is due by itself.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.0.iter().filter_map(|one| one.spare.deadline()).min()
    }
}
