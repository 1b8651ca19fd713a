//! The virtual addresses of a server: whoever serves has them.

use model::Time;
use network::address::{Announcer, Claim, VirtualAddress};

/// The addresses, and what announces them while they are here.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    ours: Vec<VirtualAddress>,
    claims: Vec<(Claim, Announcer)>,
}

impl Addresses {
    /// None of them is here: an earlier run of this process that was killed may have left them.
    pub(super) fn new(ours: Vec<VirtualAddress>) -> Self {
        let mut addresses = Self { ours, claims: Vec::new() };
        addresses.release();
        addresses
    }

    /// Takes them, and tells the network.
    pub(super) fn claim(&mut self, now: Time) {
        self.claims.clear();
        for address in &self.ours {
            match address.claim() {
                Ok(claim) => self.claims.push((claim, Announcer::claimed(now))),
                // Phones that reach this host in another way are served all the same.
                Err(trouble) => tracing::error!("cannot take the address {address}: {trouble}"),
            }
        }
    }

    /// Gives them up.
    pub(super) fn release(&mut self) {
        self.claims.clear();
        for address in &self.ours {
            if let Err(trouble) = address.release() {
                tracing::error!("cannot give the address {address} up: {trouble}");
            }
        }
    }

    /// When [`announce`](Self::announce) has something to do.
    pub(super) fn deadline(&self) -> Time {
        self.claims.iter().map(|(_, announcer)| announcer.deadline()).min().unwrap_or(Time::NEVER)
    }

    /// Tells the network again, where it is time to.
    pub(super) fn announce(&mut self, now: Time) {
        for (claim, announcer) in &mut self.claims {
            if announcer.due(now)
                && let Err(trouble) = claim.announce()
            {
                tracing::warn!("cannot announce an address: {trouble}");
            }
        }
    }
}
