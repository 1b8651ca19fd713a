//! Connections of the other host that have not said yet what they are for.

use model::Incarnation;
use redundancy::bundle::Purpose;
use redundancy::hot_standby::{RoleName, Sabotage};

use super::cable::Item;
use super::{Path, Remote};
use crate::hosts::NETWORKS;
use crate::kernel::Core;
use crate::pair::{Pair, PairEvent, Service, Side};

impl<S: Service> Pair<S> {
    /// Answers who has called, and takes those who have said what for.
    pub(super) fn hear_guests<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let guests = self.process(side)?.far.guests.clone();
        for (cable, answered) in guests {
            if !answered {
                self.put_on_cable(core, side, cable, Item::Answer);
                self.applications[side].process.as_mut()?.far.guests.insert(cable, true);
            }
            let item = self.cables.read(cable, side, core.now);
            if item.is_some() {
                self.applications[side].process.as_mut()?.far.guests.remove(&cable);
            }
            match item {
                None => {}
                Some(Item::Opening) => self.greeting(core, side, cable)?,
                Some(_) => self.close_cable(core, side, cable, true),
            }
        }
        Some(())
    }

    /// Attaches what belongs to the link; only a primary takes somebody on anew.
    fn greeting<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, cable: u64) -> Option<()> {
        let (link, network) = self.cables.purpose(cable)?;
        let (dialler, run, number) = link;
        let from = Incarnation::new(self.applications[dialler].name.clone(), run);
        let process = self.process(side)?;
        let purpose = match process.far.door.judge(&from, number) {
            Purpose::Past if self.plan.sabotage == Sabotage::MixLinks => Purpose::Next,
            purpose => purpose,
        };
        let is_primary = process.replica.status().role == RoleName::Primary;
        if purpose == Purpose::Present {
            self.attach(core, side, network, cable);
        } else if purpose == Purpose::Next && is_primary {
            if process.far.remote.is_some() {
                self.hang_up_far(core, side);
                self.far_is_down(core, side)?;
            }
            let sabotage = self.plan.sabotage;
            let far = &mut self.applications[side].process.as_mut()?.far;
            (far.remote, far.dials) = (Some(Remote::new(link, false, sabotage)), false);
            far.door.takes(&from, number);
            self.attach(core, side, network, cable);
        } else {
            self.close_cable(core, side, cable, true);
        }
        Some(())
    }

    fn attach<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, network: usize, cable: u64) {
        debug_assert!(network < NETWORKS);
        let local = self.local(core.now, side);
        let Some(remote) = self.remote_mut(side) else { return };
        let before = std::mem::replace(&mut remote.paths[network], Path::Stands(cable));
        if matches!(before, Path::Stands(_)) {
            remote.bundle.broken(local, network);
        }
        remote.has_stood = true;
        remote.bundle.connected(local, network);
        if let Some(before) = before.cable() {
            self.close_cable(core, side, before, true);
        }
        self.carry_out_far(core, side);
    }
}
