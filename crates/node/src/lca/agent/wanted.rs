//! Which servers of the host are to run at all.

use super::{Agent, Guest};
use crate::clock;
use crate::lca::spares::Verdict;
use crate::wire::{FromLca, Trouble};

impl Agent {
    /// Stops the servers of a host that has reached nobody for too long, until it reaches the coordinator.
    pub(super) fn heed_isolation(&mut self) {
        let Some(alone) = &mut self.alone else { return };
        let now = clock::now();
        let is_stopped = alone.is_stopped(now, self.elsewhere.is_anybody_reached());
        if is_stopped != self.is_stopped {
            self.is_stopped = is_stopped;
            self.changed = true;
            if is_stopped {
                tracing::error!("{}: its servers are stopped", isolated());
            } else {
                tracing::warn!("this host reaches the coordinator again: its servers are started");
            }
        }
        let servers = self.applications.iter_mut().enumerate().filter(|(_, one)| one.pair.is_some() && !one.is_spare);
        for (which, server) in servers {
            if is_stopped && server.process.is_some() {
                server.ending.get_or_insert_with(isolated);
            }
            self.host.want(which, now, !is_stopped);
        }
    }

    /// Starts and ends the spares, and has one that serves hand over.
    pub(super) fn heed_spares(&mut self) {
        let now = clock::now();
        for Verdict { which, is_wanted, goes_home } in self.spares.verdicts(now, |name| self.elsewhere.is_reached(name))
        {
            self.host.want(which, now, is_wanted && !self.is_stopped);
            if goes_home {
                let guests = self.hub.whose(|guest| *guest == Guest::Application(which));
                guests.iter().for_each(|guest| self.hub.send(*guest, &FromLca::HandOver));
            }
        }
    }
}

fn isolated() -> Trouble {
    Trouble::new(
        "this host has reached neither a majority of the coordinator nor another host for the time that [fence] isolated says",
        "repair its networks: its servers start again as soon as it reaches the coordinator",
    )
}
