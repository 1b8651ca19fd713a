//! What namespaces share with the machine and a host may have for itself: its disk, its time of day.

use std::path::{Path, PathBuf};

use model::Trouble;

use super::names::Place;
use super::store::{self, Store};
use super::{Rehearsal, clock, disk, known};

impl Rehearsal {
    /// Gives a host a disk of its own, of a gibibyte of memory at most, where its folder is; what lies in the folder lies on the
    /// disk. It goes with the net.
    ///
    /// # Errors
    /// There is no such host, or a right is missing.
    pub fn give_disk(&self, host: u8, folder: &Path) -> Result<(), Trouble> {
        self.check(Place::Host(host))?;
        let store = Store::lock()?;
        let mut known = known(&store, &self.id)?;
        // Known before it is there, so that whoever comes after a kill finds it.
        known.disks.insert(host, folder.to_owned());
        store.write(&self.id, &known)?;
        disk::give(folder)
    }

    /// Leaves no room on the disk of a host.
    ///
    /// # Errors
    /// The host has no disk of its own, or a right is missing.
    pub fn fill_disk(&self, host: u8) -> Result<(), Trouble> {
        disk::fill(&self.disk(host)?)
    }

    /// Makes room on the disk of a host again.
    ///
    /// # Errors
    /// As [`fill_disk`](Self::fill_disk).
    pub fn free_disk(&self, host: u8) -> Result<(), Trouble> {
        disk::free(&self.disk(host)?)
    }

    /// Makes room on every disk: whoever has filled one may have been killed before it was freed.
    ///
    /// # Errors
    /// A right is missing.
    pub fn free_disks(&self) -> Result<(), Trouble> {
        let disks = known(&Store::lock()?, &self.id)?.disks;
        disks.values().try_for_each(|folder| disk::free(folder))
    }

    fn disk(&self, host: u8) -> Result<PathBuf, Trouble> {
        self.check(Place::Host(host))?;
        let disk = known(&Store::lock()?, &self.id)?.disks.remove(&host);
        disk.ok_or_else(|| {
            let what = format!("{} has no disk of its own: all hosts share that of this machine", Place::Host(host));
            Trouble::new(what, "start the rehearsal with `everline up --hosts 3 --disks`")
        })
    }

    /// Gives every host a time of day of its own, which programs go by that are started from now on.
    ///
    /// # Errors
    /// The library that does it is missing, or its files cannot be written.
    pub fn give_clocks(&mut self) -> Result<(), Trouble> {
        let library = clock::library()?;
        let store = Store::lock()?;
        let mut known = known(&store, &self.id)?;
        (1..=self.hosts).try_for_each(|host| clock::set(&store::clock(&self.id, host), 0))?;
        known.clocks = Some(library.clone());
        store.write(&self.id, &known)?;
        self.clocks = Some(library);
        Ok(())
    }

    /// Lets the clock of a host be so many seconds ahead of the machine's, or behind it; its programs notice within a second.
    ///
    /// # Errors
    /// The host has no clock of its own.
    pub fn set_clock(&self, host: u8, ahead: i64) -> Result<(), Trouble> {
        self.check(Place::Host(host))?;
        if self.clocks.is_none() {
            let what = format!("{} has no clock of its own: all hosts share that of this machine", Place::Host(host));
            return Err(Trouble::new(what, "start the rehearsal with `everline up --hosts 3 --clocks`"));
        }
        clock::set(&store::clock(&self.id, host), ahead)
    }
}
