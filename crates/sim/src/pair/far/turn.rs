//! What a shell does with the link to the other host, each time that its poll returns.

use model::Time;
use redundancy::bundle::Effect;

use super::cable::Item;
use super::{CONNECT_PATIENCE, Path, RETRY, Remote};
use crate::checkers::link;
use crate::hosts::NETWORKS;
use crate::kernel::Core;
use crate::pair::{Pair, PairEvent, Service, Side, other};

impl<S: Service> Pair<S> {
    pub(super) fn remote_mut(&mut self, side: Side) -> Option<&mut Remote> {
        self.applications[side].process.as_mut()?.far.remote.as_mut()
    }

    /// Dials the other side over every network.
    pub(in crate::pair) fn dial_far<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let sabotage = self.plan.sabotage;
        if let Some(process) = &mut self.applications[side].process {
            process.far.dialled += 1;
            let link = (side, process.me.run, process.far.dialled);
            process.far.remote = Some(Remote::new(link, true, sabotage));
            process.far.dials = true;
        }
        self.connect_far(core, side);
    }

    /// Says something to the other side.
    pub(in crate::pair) fn tell_far<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, message: &[u8]) {
        let local = self.local(core.now, side);
        let Some(remote) = self.remote_mut(side) else { return };
        let link = remote.link;
        if remote.bundle.send(local, message).is_err() {
            self.hang_up_far(core, side);
            if let Some(process) = &mut self.applications[side].process {
                process.replica.link_down(local);
            }
            return;
        }
        self.ledger.says(link, side, message);
        self.carry_out_far(core, side);
    }

    /// Ends the link for both sides.
    pub(in crate::pair) fn hang_up_far<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let Some(process) = &mut self.applications[side].process else { return };
        process.far.dials = false;
        process.far.door.leaves();
        if let Some(remote) = process.far.remote.take() {
            for cable in remote.paths.into_iter().filter_map(Path::cable) {
                self.close_cable(core, side, cable, true);
            }
        }
    }

    /// The replica learns that the link is gone.
    pub(super) fn far_is_down<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let local = self.local(core.now, side);
        let process = self.applications[side].process.as_mut()?;
        process.note_kept();
        process.replica.link_down(local);
        self.carry(core, side)
    }

    /// Reads and writes everything that joins this side to the other host.
    pub(in crate::pair) fn hear_far<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        self.hear_guests(core, side)?;
        let local = self.local(core.now, side);
        for number in 0..NETWORKS {
            self.work(core, side, number, local);
        }
        let Some(remote) = self.remote_mut(side) else { return Some(()) };
        if remote.bundle.deadline() <= local {
            remote.bundle.tick(local);
        }
        remote.bundle.flush();
        self.carry_out_far(core, side);
        self.connect_far(core, side);
        let far = &mut self.applications[side].process.as_mut()?.far;
        if far.dials && far.remote.as_ref().is_some_and(|remote| !remote.bundle.is_down()) {
            far.dials = false;
            self.applications[side].process.as_mut()?.replica.link_up();
            self.carry(core, side)?;
        }
        while let Some(message) = self.remote_mut(side).and_then(|remote| remote.came.pop_front()) {
            let process = self.applications[side].process.as_mut()?;
            process.note_kept();
            process.replica.link_frame(local, &message);
            self.carry(core, side)?;
        }
        self.applications[side].process.as_mut()?.note_kept();
        if self.remote_mut(side).is_some_and(|remote| remote.is_over(local)) {
            let link = self.remote_mut(side).map(|remote| remote.link);
            // If the other side has left it, it is over by right.
            if self.remote_mut(other(side)).map(|remote| remote.link) == link {
                self.check_link_is_needed(core, side, "no network carries it");
            }
            self.hang_up_far(core, side);
            self.far_is_down(core, side)?;
        }
        Some(())
    }

    /// Reads one connection.
    fn work<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: usize, local: Time) {
        loop {
            let Some(path) = self.remote_mut(side).map(|remote| remote.paths[number]) else { return };
            let Some(cable) = path.cable() else { return };
            if matches!(path, Path::Opening { until, .. } if until <= local) {
                return self.path_fails(core, side, number);
            }
            let Some(item) = self.cables.read(cable, side, core.now) else { return };
            match (path, item) {
                (Path::Opening { .. }, Item::Answer) => {
                    self.put_on_cable(core, side, cable, Item::Opening);
                    let Some(remote) = self.remote_mut(side) else { return };
                    remote.paths[number] = Path::Stands(cable);
                    remote.has_stood = true;
                    remote.bundle.connected(local, number);
                }
                (Path::Stands(_), Item::Packet(packet)) => {
                    let Some(remote) = self.remote_mut(side) else { return };
                    if remote.bundle.receive(local, number, &packet).is_err() {
                        return self.path_fails(core, side, number);
                    }
                }
                _ => return self.path_fails(core, side, number),
            }
            self.carry_out_far(core, side);
        }
    }

    pub(super) fn carry_out_far<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        loop {
            let Some(remote) = self.remote_mut(side) else { return };
            let effects: Vec<_> = remote.bundle.take_effects().collect();
            let link = remote.link;
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Write { path, packet } => {
                        if let Some(Path::Stands(cable)) = self.remote_mut(side).map(|remote| remote.paths[path]) {
                            self.put_on_cable(core, side, cable, Item::Packet(packet));
                        }
                    }
                    Effect::Deliver(message) => {
                        if let Err(what) = self.ledger.hears(link, other(side), &message) {
                            core.fail(link::NAME, || what);
                        }
                        if let Some(remote) = self.remote_mut(side) {
                            remote.came.push_back(message);
                        }
                    }
                    Effect::Reset { path, why } => {
                        core.trace.mark(core.now, self.actor(side), 0x4e5e, || format!("network {path} is {why:?}"));
                        self.drop_path(core, side, path);
                    }
                    Effect::Chosen(path) => {
                        core.trace.mark(core.now, self.actor(side), 0xc405, || format!("link over network {path}"));
                    }
                }
            }
        }
    }

    /// Calls over each network where it is time to.
    fn connect_far<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        let local = self.local(core.now, side);
        for number in 0..NETWORKS {
            let Some(remote) = self.remote_mut(side) else { return };
            let due = matches!(remote.paths[number], Path::Down { retry } if retry <= local);
            if !remote.dialled || !due || remote.has_stood && remote.bundle.is_down() {
                continue;
            }
            let link = remote.link;
            let cable = self.call_over(core, side, link, number);
            if let Some(remote) = self.remote_mut(side) {
                remote.paths[number] = Path::Opening { cable, until: local + CONNECT_PATIENCE };
            }
        }
    }

    fn path_fails<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: usize) {
        let local = self.local(core.now, side);
        self.drop_path(core, side, number);
        if let Some(remote) = self.remote_mut(side) {
            remote.bundle.broken(local, number);
        }
        self.carry_out_far(core, side);
    }

    fn drop_path<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: usize) {
        let local = self.local(core.now, side);
        let Some(remote) = self.remote_mut(side) else { return };
        let retry = if remote.dialled { local + RETRY } else { Time::NEVER };
        let before = std::mem::replace(&mut remote.paths[number], Path::Down { retry });
        if let Some(cable) = before.cable() {
            self.close_cable(core, side, cable, true);
        }
    }
}
