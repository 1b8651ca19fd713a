//! An address that a program of the operator moves.

use std::io;

use model::Time;
use network::address::{Deed, Mover, VirtualAddress};

use super::{RETRY, cannot_take};
use crate::pulse::threads;
use crate::wire::Trouble;

/// The address, and what calls its hook.
#[derive(Debug)]
pub(super) struct Hooked {
    address: VirtualAddress,
    mover: Mover,
    /// It is to be at its interface.
    is_wanted: bool,
    /// When it is tried again to put it there or to take it away; never once that is done.
    retry: Time,
    /// Why it is not there, or still is.
    misplaced: Option<Trouble>,
    /// What the hook says.
    moves: Option<Trouble>,
}

impl Hooked {
    /// `None` if it has no hook.
    pub(super) fn new(address: VirtualAddress) -> Option<io::Result<Self>> {
        let hook = address.hook.clone()?;
        let (is_wanted, retry, misplaced, moves) = (false, Time::NEVER, None, None);
        let mover = Mover::watched(hook, address.clone(), || threads::outside("hook"));
        Some(mover.map(|mover| Self { address, mover, is_wanted, retry, misplaced, moves }))
    }

    /// Takes it: the kernel lets it be used at once, the network follows.
    pub(super) fn claim(&mut self, now: Time) {
        (self.is_wanted, self.moves) = (true, None);
        self.place(now);
        self.mover.order(Deed::Claim);
    }

    /// Gives it up.
    pub(super) fn release(&mut self, now: Time) {
        (self.is_wanted, self.moves) = (false, None);
        self.place(now);
        self.mover.order(Deed::Release);
    }

    /// Puts it at its interface, or takes it away from there.
    fn place(&mut self, now: Time) {
        let placed = if self.is_wanted {
            self.address.put().map_err(|trouble| cannot_take(&self.address, trouble))
        } else {
            self.address.release()
        };
        self.misplaced = placed.err();
        self.retry = if self.misplaced.is_some() { now + RETRY } else { Time::NEVER };
    }

    /// This process ends: no program of its own is to outlive it. Gives why it is still at its interface, if it is.
    pub(super) fn leave(self) -> Option<Trouble> {
        let kept = self.address.release().err();
        self.mover.end();
        kept
    }

    pub(super) fn deadline(&self) -> Time {
        self.retry
    }

    /// Hears how the hook has ended, and tries again what failed.
    pub(super) fn look_after(&mut self, now: Time) {
        if self.retry <= now {
            self.place(now);
        }
        while let Some(outcome) = self.mover.outcome() {
            self.moves = outcome.err().map(|Trouble { what, remedy }| {
                let what = format!("the address {} may lead to another host: {what}", self.address.address);
                Trouble::new(what, remedy)
            });
        }
    }

    /// What is wrong with it.
    pub(super) fn troubles(&self) -> impl Iterator<Item = Trouble> + '_ {
        self.misplaced.iter().chain(&self.moves).cloned()
    }
}
