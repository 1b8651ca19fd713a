//! The address of the pair on several hosts: whoever serves claims and announces it, and gives it up in order or when it
//! starts again; what was killed leaves it with its host until then (`node::server::addresses`).

use model::Time;
use network::address::Announcer;
use redundancy::hot_standby::Sabotage;

use super::{News, Pair, Service, Side};
use crate::kernel::Core;
use crate::plan::Layout;

impl<S: Service> Pair<S> {
    pub(super) const fn several(&self) -> bool {
        matches!(self.plan.layout, Layout::ThreeHosts)
    }

    /// Whether there is somebody on the host of a side who receives datagrams; elsewhere than on several hosts the sockets
    /// outlive the processes.
    pub fn has_doors(&self, side: Side) -> bool {
        !self.several() || self.hosts[side].has_address && self.open_run(side).is_some()
    }

    /// Whether the host of a side knows a connection.
    #[must_use]
    pub fn has_stream(&self, side: Side, socket: u64) -> bool {
        self.hosts[side].sockets.contains_key(&socket)
    }

    /// What waits in the sockets of a process is gone with them; its connections are closed.
    pub(super) fn close_doors(&mut self, side: Side) {
        if self.several() {
            self.hosts[side].socket.clear();
            self.hosts[side].ring.clear();
            let closed = std::mem::take(&mut self.hosts[side].sockets);
            self.news.extend(closed.into_keys().map(News::StreamClosed));
            if let Some(process) = &mut self.applications[side].process {
                process.streams.clear();
            }
        }
    }

    /// Takes the address, and tells the network.
    pub(super) fn claim_address<E>(&mut self, core: &Core<E>, side: Side) {
        if !self.several() {
            return;
        }
        let local = self.local(core.now, side);
        self.hosts[side].has_address = true;
        if let Some(process) = &mut self.applications[side].process {
            process.announcer = Some(Announcer::claimed(local));
        }
        self.news.push(News::Announces(side));
    }

    /// Gives the address up.
    pub(super) fn release_address(&mut self, side: Side) {
        if self.several() && self.plan.sabotage != Sabotage::KeepAddress {
            self.hosts[side].has_address = false;
        }
        if let Some(process) = &mut self.applications[side].process {
            process.announcer = None;
        }
    }

    /// Tells the network again, where it is time to.
    pub(super) fn announce_address<E>(&mut self, core: &Core<E>, side: Side) {
        let local = self.local(core.now, side);
        let announcer = self.applications[side].process.as_mut().and_then(|process| process.announcer.as_mut());
        if announcer.is_some_and(|announcer| announcer.due(local)) {
            self.news.push(News::Announces(side));
        }
    }

    /// Which hosts have the address and power, so that they answer for it unless they stand still.
    #[must_use]
    pub fn holders(&self) -> [bool; 2] {
        [0, 1].map(|side| self.hosts[side].has_address && !self.hosts[side].is_dark)
    }

    /// Which of them answer for it now.
    #[must_use]
    pub fn answers(&self, now: Time) -> [bool; 2] {
        [0, 1].map(|side| self.hosts[side].has_address && self.is_reachable(now, side))
    }
}
