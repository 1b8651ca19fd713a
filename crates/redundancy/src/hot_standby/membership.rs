//! Who stands in sync: the primary keeps the entry true about its backup, and opens the gate when it is.

use model::{Incarnation, Time};

use super::effect::{Effect, Remark, Retirement};
use super::engine::Engine;
use super::replica::{Commit, Replica, Role, sabotaged};
use super::snapshot::Snapshot;
use super::standby::Standby;
use crate::coordinator::PairEntry;

impl<E: Engine> Replica<E> {
    /// Lets a backup that is level go, so that another one can be taken on: as nothing of it is lost, outputs go on leaving by its
    /// word until the entry has room, and only then is the link left. A backup whose link ended before would take over.
    /// False if there is none that is level, or about to be: its link can be left at once.
    pub fn dismiss(&mut self, local: Time) -> bool {
        self.flush(local);
        let Role::Primary(primary) = &mut self.role else { return false };
        if let Standby::Paired(peer) = &primary.standby {
            primary.standby = Standby::Dismissing(peer.clone());
            self.pursue();
        }
        matches!(&self.role, Role::Primary(primary) if matches!(primary.standby, Standby::Dismissing(_) | Standby::Admitting(_)))
    }

    pub(super) fn primary_lost_link(&mut self, local: Time) {
        let unasked = sabotaged!(self, SoloUnasked);
        let Role::Primary(primary) = &mut self.role else { return };
        primary.release(&mut self.effects);
        match &mut primary.standby {
            Standby::Solo | Standby::Dropping(_) => return,
            Standby::Joining(_) => primary.standby = Standby::Solo,
            Standby::Admitting(Snapshot { peer, .. }) | Standby::Paired(peer) | Standby::Dismissing(peer) => {
                primary.gate.close();
                primary.standby = Standby::Dropping(peer.clone());
            }
            Standby::HandingOver(over) => {
                over.lost = true;
                over.called_off.get_or_insert(local.since(over.since));
                primary.gate.close();
                if over.granted {
                    let epoch = primary.epoch.next();
                    return self.step_down(local, epoch);
                }
            }
        }
        if unasked && matches!(primary.standby, Standby::Dropping(_)) {
            self.go_solo();
        }
        self.pursue();
    }

    pub(super) fn primary_peer_ended(&mut self, local: Time) {
        let Role::Primary(primary) = &self.role else { return };
        if primary.standby.peer().is_some_and(|peer| self.has_ended(peer)) {
            self.effects.push(Effect::HangUp);
            self.primary_lost_link(local);
        } else {
            self.pursue();
        }
    }

    pub(super) fn primary_entry_changed(&mut self, local: Time) {
        let Role::Primary(primary) = &self.role else { return };
        let Some(entry) = self.entry() else { return };
        let epoch = entry.epoch;
        // Who serves by a last word has the epoch before it is recorded; an operator may have given it to somebody else.
        let is_mine = epoch < primary.epoch || epoch == primary.epoch && entry.primary == self.settings.me;
        if is_mine || sabotaged!(self, UncheckedEpoch) {
            self.admit(local);
            return self.pursue();
        }
        let names_me = entry.in_sync.contains(&self.settings.me);
        let names = entry.primary.clone();
        let Role::Primary(primary) = &mut self.role else { return };
        match &mut primary.standby {
            Standby::HandingOver(over) if epoch == primary.epoch.next() && names == over.peer && names_me => {
                if over.lost {
                    return self.step_down(local, epoch);
                }
                over.granted = true;
                self.switchover_tick(local);
            }
            _ => self.retire(Retirement::Superseded(epoch)),
        }
    }

    /// Makes the entry say what is so, and opens the gate when it does.
    pub(super) fn pursue(&mut self) {
        let Role::Primary(primary) = &self.role else { return };
        let me = &self.settings.me;
        match &primary.standby {
            Standby::Admitting(_) if !primary.gate.is_covered() => return,
            Standby::HandingOver(over) if over.granted => return,
            Standby::HandingOver(over) if over.called_off.is_none() => {
                let in_sync = vec![over.peer.clone(), me.clone()];
                return self.swap(PairEntry { epoch: primary.epoch.next(), primary: over.peer.clone(), in_sync });
            }
            _ => {}
        }
        let in_sync: Vec<Incarnation> = std::iter::once(me).chain(primary.standby.wanted()).cloned().collect();
        let epoch = primary.epoch;
        let agreed = self.entry().is_some_and(|entry| entry.epoch == epoch && entry.in_sync == in_sync);
        if agreed && !self.asking.unsure && self.asking.in_flight.is_none() {
            self.agreed();
        } else {
            self.swap(PairEntry { epoch, primary: self.settings.me.clone(), in_sync });
            self.go_solo_if_all_others_ended();
        }
    }

    /// The entry says what this side wants it to say.
    fn agreed(&mut self) {
        let Role::Primary(primary) = &mut self.role else { return };
        match &primary.standby {
            Standby::Admitting(Snapshot { peer, .. }) => {
                self.effects.push(Effect::Tell(Remark::Level(peer.clone())));
                primary.standby = Standby::Paired(peer.clone());
                primary.gate.open_for_committed();
                if sabotaged!(self, ReleaseEarly) {
                    let Role::Primary(primary) = &mut self.role else { return };
                    primary.gate.open_solo();
                }
            }
            Standby::Dropping(_) => self.go_solo(),
            Standby::Dismissing(_) => {
                self.effects.push(Effect::HangUp);
                self.go_solo();
            }
            Standby::HandingOver(over) => {
                let (taken, lost) = (over.called_off.unwrap_or_default(), over.lost);
                self.effects.push(Effect::Tell(Remark::SwitchoverFailed(taken)));
                if lost {
                    self.go_solo();
                } else {
                    primary.standby = Standby::Paired(over.peer.clone());
                }
            }
            Standby::Solo | Standby::Joining(_) | Standby::Paired(_) => {}
        }
        let Role::Primary(primary) = &mut self.role else { return };
        primary.release(&mut self.effects);
        self.give_pledge();
    }

    fn go_solo(&mut self) {
        let Role::Primary(primary) = &mut self.role else { return };
        primary.standby = Standby::Solo;
        primary.gate.open_solo();
        primary.release(&mut self.effects);
        self.effects.push(Effect::Tell(Remark::Solo));
    }

    /// Rule 14: where every other incarnation that could take over has certainly ended, nobody can, whatever the
    /// coordinator says later. The one that was lost counts even if the entry does not name it: its admission may still
    /// be on its way. Not where a backup takes over on suspicion: it may have been primary before it ended.
    fn go_solo_if_all_others_ended(&mut self) {
        let Role::Primary(primary) = &self.role else { return };
        let (Some(entry), Standby::Dropping(lost)) = (self.entry(), &primary.standby) else { return };
        let certain = self.settings.commit == Commit::Published && entry.epoch == primary.epoch;
        let alone = entry.in_sync.iter().chain([lost]).all(|one| *one == self.settings.me || self.has_ended(one));
        if certain && alone {
            self.go_solo();
        }
    }
}
