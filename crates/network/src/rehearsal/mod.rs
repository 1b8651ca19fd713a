//! Rehearsals: namespaces of this machine that play the hosts of a solution, and links that can be played with.
//!
//! ```text
//!   phones   carriers   stranger   h1 ... hN       each a network namespace
//!      |        |          |       /  |  \
//!      +--------+----------+----access a  b        three bridges in one more, `switch`
//! ```
//!
//! Everybody is in the network `access`, with the virtual addresses; the hosts are in `a` and `b` too. An interface is called like
//! its network ([`Place::ipv4`] says the addresses). Nothing leads out of it, so two rehearsals may use the same addresses.
//!
//! Everything is made by the programs `ip` and `nft`, and not by netlink as the virtual addresses are: here nobody waits for
//! a call, and whoever doubts a rehearsal can look at it with the same two programs. All conditions are rules of the one
//! bridge namespace ([`Conditions`]), replaced as a whole in one step; what is delayed goes through a [`DelayLine`].
//!
//! Namespaces share the machine's disk and its time of day. Hosts get disks and clocks of their own where that is asked for
//! ([`Rehearsal::give_disk`], [`Rehearsal::give_clocks`]), so that one of them can be full, or off.

mod clock;
mod conditions;
mod delay;
mod disk;
mod enter;
mod layout;
mod names;
mod own;
mod private;
mod programs;
mod remains;
mod ruleset;
mod store;

use std::path::PathBuf;
use std::process::Command;

use model::Trouble;

pub use conditions::{Change, Condition, Conditions, Link, Stretch};
pub use delay::DelayLine;
pub use names::{Id, MOST_HOSTS, Network, Place, virtual_addresses};
pub use private::{join, private, typed};

use store::{Known, Store};

/// A net that stands. Dropping this changes nothing: it stands until [`Rehearsal::tear_down`], or until the machine restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    id: Id,
    hosts: u8,
    /// The library by which hosts have clocks of their own.
    clocks: Option<PathBuf>,
}

impl Rehearsal {
    /// Makes a net with this many hosts (at most [`MOST_HOSTS`]), all links whole, after tearing down what a predecessor of the same
    /// name has left.
    ///
    /// # Errors
    /// A program or a right is missing, or the kernel refuses; then nothing is left behind.
    pub fn make(id: &Id, hosts: u8) -> Result<Self, Trouble> {
        if !(1..=MOST_HOSTS).contains(&hosts) {
            let what = format!("a rehearsal of {hosts} hosts cannot be made");
            return Err(Trouble::new(what, format!("take 1 to {MOST_HOSTS} hosts")));
        }
        programs::check()?;
        let store = Store::lock()?;
        clean(&store, id)?;
        let made = layout::make(id, hosts).and_then(|()| store.write(id, &Known { hosts, ..Known::default() }));
        // The first error is the one to be told; if cleaning up fails too, the next rehearsal cleans up.
        made.inspect_err(|_| drop(clean(&store, id)))?;
        Ok(Self { id: id.clone(), hosts, clocks: None })
    }

    /// The net of that name, made by this process or by another.
    ///
    /// # Errors
    /// There is none.
    pub fn find(id: &Id) -> Result<Self, Trouble> {
        let known = known(&Store::lock()?, id)?;
        Ok(Self { id: id.clone(), hosts: known.hosts, clocks: known.clocks })
    }

    /// Removes the net of that name and kills whatever still runs in it, this process excepted; what lay on the disks of its
    /// hosts is left in their folders. If there is none, nothing is done. Let go of its [`DelayLine`] first.
    ///
    /// # Errors
    /// A right is missing, a process does not end, or there is no room for what lay on a disk; then that stays where it is.
    pub fn tear_down(id: &Id) -> Result<(), Trouble> {
        clean(&Store::lock()?, id)
    }

    /// Everybody in it.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        layout::places(self.hosts)
    }

    /// A command that runs in the namespace of a place, by the clock of that place; its process is the program's.
    #[must_use]
    pub fn command(&self, place: Place, program: &str) -> Command {
        let mut command = programs::inside(&self.id.namespace(place), program);
        if let (Place::Host(host), Some(library)) = (place, &self.clocks) {
            clock::follow(&mut command, library, &store::clock(&self.id, host));
        }
        command
    }

    /// Does something in the namespace of a place, on a thread of its own, and waits for what it gives. Sockets that are made
    /// there stay there.
    ///
    /// # Errors
    /// The place is not in the rehearsal, or a right is missing.
    pub fn inside<T: Send>(&self, place: Place, work: impl FnOnce() -> T + Send) -> Result<T, Trouble> {
        enter::run(&self.id.namespace(place), work)
    }

    /// Starts what delays frames. A link can be delayed only while somebody has one, and once it is gone a delayed link is cut.
    ///
    /// # Errors
    /// Another process has one already, a right is missing, or the kernel cannot log frames.
    pub fn delay_line(&self) -> Result<DelayLine, Trouble> {
        DelayLine::start(&self.id.switch())
    }

    /// Changes the links of a stretch.
    ///
    /// # Errors
    /// There is no such link, the figure is out of range, or nobody runs a delay line.
    pub fn change(&self, stretch: &Stretch, change: Change) -> Result<(), Trouble> {
        for place in [stretch.from, stretch.to] {
            self.check(place)?;
        }
        self.update(|conditions| conditions.change(stretch, change))
    }

    /// Makes every link whole; hosts that have failed stay so.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub fn repair_links(&self) -> Result<(), Trouble> {
        self.update(|conditions| {
            conditions.repair_links();
            Ok(())
        })
    }

    /// Lets all links of a host go dark at once, as a power cut looks from outside; inside, everything runs on and waits. What
    /// runs there is the caller's to [kill](Self::kill).
    ///
    /// # Errors
    /// There is no such host.
    pub fn fail(&self, host: u8) -> Result<(), Trouble> {
        self.set_failed(host, true)
    }

    /// Kills whatever runs in a place, this process excepted, as the loss of its power does.
    ///
    /// # Errors
    /// There is no such place, a right is missing, or a process does not end.
    pub fn kill(&self, place: Place) -> Result<(), Trouble> {
        self.check(place)?;
        remains::kill_residents(&[self.id.namespace(place)])
    }

    /// Undoes [`fail`](Self::fail); the conditions that its links had stay.
    ///
    /// # Errors
    /// There is no such host.
    pub fn repair(&self, host: u8) -> Result<(), Trouble> {
        self.set_failed(host, false)
    }

    /// How the links are.
    ///
    /// # Errors
    /// The rehearsal is gone.
    pub fn conditions(&self) -> Result<Conditions, Trouble> {
        known(&Store::lock()?, &self.id).map(|known| known.conditions)
    }

    fn set_failed(&self, host: u8, is_failed: bool) -> Result<(), Trouble> {
        self.check(Place::Host(host))?;
        self.update(|conditions| {
            conditions.set_failed(host, is_failed);
            Ok(())
        })
    }

    fn check(&self, place: Place) -> Result<(), Trouble> {
        if self.places().any(|one| one == place) {
            return Ok(());
        }
        let places = self.places().map(String::from).collect::<Vec<_>>().join(", ");
        Err(Trouble::new(format!("there is no {place} in this rehearsal"), format!("name one of {places}")))
    }

    /// Changes the conditions, in the kernel first.
    fn update(&self, change: impl FnOnce(&mut Conditions) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let store = Store::lock()?;
        let mut known = known(&store, &self.id)?;
        change(&mut known.conditions)?;
        let switch = self.id.switch();
        if known.conditions.delays() && !enter::run(&switch, delay::is_running)? {
            let what = "a link is to be delayed, and nobody delays anything";
            return Err(Trouble::new(what, "let `everline up --hosts` run, or repair the links that are delayed"));
        }
        programs::nft(&switch, &ruleset::ruleset(&known.conditions))?;
        store.write(&self.id, &known)
    }
}

fn known(store: &Store, id: &Id) -> Result<Known, Trouble> {
    let nothing = || Trouble::new(format!("there is no rehearsal `{id}`"), "start one: `everline up --hosts 2`");
    store.read(id)?.ok_or_else(nothing)
}

fn clean(store: &Store, id: &Id) -> Result<(), Trouble> {
    let namespaces = remains::namespaces(id)?;
    remains::kill_residents(&namespaces)?;
    // A damaged file is no reason to leave the rest.
    let known = store.read(id).ok().flatten().unwrap_or_default();
    known.disks.values().try_for_each(|folder| disk::put_away(folder))?;
    if !namespaces.is_empty() {
        programs::ip(None, &layout::removal(&namespaces))?;
    }
    store.forget(id, known.hosts)
}
