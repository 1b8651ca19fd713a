//! Planned switchover: the entry names the backup as the next primary while this side goes on serving; then everything leaves, and
//! the backup has the word. So nobody waits for the coordinator.

use model::{Epoch, Incarnation, Span, Time};

use super::backup::Backup;
use super::effect::{Effect, Retirement};
use super::engine::Engine;
use super::message::Message;
use super::replica::{Replica, Role};
use super::standby::{HandingOver, Standby};
use crate::coordinator::{PairEntry, Versioned};

/// How long a planned switchover may take before it is called off.
pub(super) const SWITCHOVER_PATIENCE: Span = Span::from_millis(1_000);

/// Why a planned switchover is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchoverRefused {
    /// This side is not the primary.
    #[error("this side does not serve, ask the primary")]
    NotPrimary,
    /// There is no backup that holds every record.
    #[error("the backup is not level")]
    NotLevel,
    /// Roles cannot be changed without the coordinator.
    #[error("the coordinator cannot be reached")]
    NoCoordinator,
}

impl<E: Engine> Replica<E> {
    /// Hands the role to the backup, as soon as the coordinator has agreed.
    ///
    /// # Errors
    /// If this side is not the primary, or the backup or the coordinator is not there for it.
    pub fn switch_over(&mut self, local: Time) -> Result<(), SwitchoverRefused> {
        let connected = self.asking.connected && !self.asking.unsure;
        let Role::Primary(primary) = &mut self.role else { return Err(SwitchoverRefused::NotPrimary) };
        let Standby::Paired(peer) = &primary.standby else { return Err(SwitchoverRefused::NotLevel) };
        if !connected {
            return Err(SwitchoverRefused::NoCoordinator);
        }
        let peer = peer.clone();
        let over = HandingOver { peer, since: local, granted: false, lost: false, called_off: None };
        primary.standby = Standby::HandingOver(over);
        self.flush(local);
        self.pursue();
        Ok(())
    }

    pub(super) fn switchover_tick(&mut self, local: Time) {
        self.flush(local);
        let now = self.pair_time(local);
        let Role::Primary(primary) = &mut self.role else { return };
        let has_let_all_leave = primary.has_let_all_leave();
        let Standby::HandingOver(over) = &mut primary.standby else { return };
        let (epoch, sequence) = (primary.epoch, primary.sequence);
        if over.granted && has_let_all_leave {
            let Some(revision) = self.entry.as_ref().map(|versioned| versioned.revision) else { return };
            self.send(&Message::HandOver { epoch, revision, sequence, now });
            self.step_down(local, epoch.next());
        } else if !over.granted && over.called_off.is_none() && over.since + SWITCHOVER_PATIENCE <= local {
            over.called_off = Some(local.since(over.since));
            // The swap may still be done: only a later revision of ours tells.
            self.asking.unsure = true;
            self.pursue();
        }
    }

    /// The backup has the role: this side is its backup now, and in sync. What has not left, because the link is gone, it keeps as
    /// if it had it from a primary: the other side may never serve.
    pub(super) fn step_down(&mut self, local: Time, epoch: Epoch) {
        self.flush(local);
        let role = std::mem::replace(&mut self.role, Role::Retired);
        let Role::Primary(primary) = role else {
            self.role = role;
            return;
        };
        let Standby::HandingOver(over) = primary.standby else { return self.retire(Retirement::Superseded(epoch)) };
        let mut backup = Backup::after_switchover(epoch, over.peer, primary.mark, !over.lost, local);
        backup.keep_unsent(primary.gate.into_waiting());
        self.role = Role::Backup(backup);
        self.effects.push(Effect::StandBy);
        self.backup_entry_changed(local);
    }

    /// True if the primary has ended, or is not heard where that is enough.
    pub(super) fn is_left_alone(&self, local: Time) -> bool {
        let Role::Backup(backup) = &self.role else { return false };
        self.has_ended(&backup.primary) || backup.is_silent(&self.settings, local)
    }

    /// Somebody wants to be the backup. If that is who offers its role, it does not serve any more.
    pub(super) fn called_by(&mut self, local: Time, incarnation: &Incarnation) {
        if let Role::Backup(backup) = &mut self.role
            && backup.primary == *incarnation
            && self.entry.as_ref().is_some_and(|known| backup.is_offered(&known.entry, &self.settings.me))
        {
            backup.handed_over = true;
            self.backup_entry_changed(local);
        }
    }

    /// The primary has left its role to this side, by an entry that may not have come here yet.
    pub(super) fn handed_over(&mut self, local: Time, revision: u64, sequence: u64) {
        let me = self.settings.me.clone();
        let Role::Backup(backup) = &mut self.role else { return };
        if !backup.level || backup.sequence() != sequence {
            return;
        }
        backup.handed_over = true;
        backup.retained.clear();
        let in_sync = vec![me.clone(), backup.primary.clone()];
        let entry = PairEntry { epoch: backup.epoch.next(), primary: me, in_sync };
        self.learn_entry(Some(Versioned { revision, entry }));
        self.backup_entry_changed(local);
    }
}
