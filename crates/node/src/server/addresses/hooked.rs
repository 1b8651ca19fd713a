//! An address that a program of the operator moves.

use std::io;

use model::Time;
use network::address::{Deed, Mover, VirtualAddress};

use super::RETRY;
use crate::pulse::threads;
use crate::wire::Trouble;

/// The address, and what calls its hook.
#[derive(Debug)]
pub(super) struct Hooked {
    address: VirtualAddress,
    mover: Mover,
    /// When it is tried again to put it at its interface; never while it is there, or is not to be.
    retry: Time,
    /// Why it is not at its interface.
    lacks: Option<Trouble>,
    /// What the hook says.
    moves: Option<Trouble>,
}

impl Hooked {
    /// `None` if it has no hook.
    pub(super) fn new(address: VirtualAddress) -> Option<io::Result<Self>> {
        let hook = address.hook.clone()?;
        let (retry, lacks, moves) = (Time::NEVER, None, None);
        let mover = Mover::watched(hook, address.clone(), || threads::outside("hook"));
        Some(mover.map(|mover| Self { address, mover, retry, lacks, moves }))
    }

    /// Takes it: the kernel lets it be used at once, the network follows.
    pub(super) fn claim(&mut self, now: Time) {
        self.moves = None;
        self.put(now);
        self.mover.order(Deed::Claim);
    }

    fn put(&mut self, now: Time) {
        self.lacks = self.address.put().err().map(|Trouble { what, remedy }| {
            Trouble::new(format!("cannot take the address {}: {what}", self.address), remedy)
        });
        self.retry = if self.lacks.is_some() { now + RETRY } else { Time::NEVER };
    }

    /// Gives it up.
    pub(super) fn release(&mut self) {
        (self.retry, self.lacks, self.moves) = (Time::NEVER, None, None);
        self.take_away();
        self.mover.order(Deed::Release);
    }

    fn take_away(&self) {
        if let Err(trouble) = self.address.release() {
            tracing::error!("cannot give the address {} up: {trouble}", self.address);
        }
    }

    /// This process ends: no program of its own is to outlive it.
    pub(super) fn leave(self) {
        self.take_away();
        self.mover.end();
    }

    pub(super) fn deadline(&self) -> Time {
        self.retry
    }

    /// Hears how the hook has ended, and tries again what failed.
    pub(super) fn look_after(&mut self, now: Time) {
        if self.retry <= now {
            self.put(now);
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
        self.lacks.iter().chain(&self.moves).cloned()
    }
}
