//! Planned switchover: the primary lets everything leave, then asks its backup to take over.

use model::{Epoch, Span, Time};

use super::backup::Backup;
use super::effect::{Effect, Retirement};
use super::engine::Engine;
use super::message::Message;
use super::replica::{Replica, Role};
use super::standby::{HandingOver, Standby};

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
    /// Hands the role to the backup; [`Replica::deadline`] says when everything that waits has left.
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
        let over = HandingOver { peer, since: local, asked: false, lost: false, called_off: None };
        primary.standby = Standby::HandingOver(over);
        self.flush(local);
        Ok(())
    }

    pub(super) fn switchover_tick(&mut self, local: Time) {
        let now = self.pair_time(local);
        let Role::Primary(primary) = &mut self.role else { return };
        let has_let_all_leave = primary.has_let_all_leave();
        let Standby::HandingOver(over) = &mut primary.standby else { return };
        if over.called_off.is_some() {
            return;
        }
        let (epoch, sequence) = (primary.epoch, primary.sequence);
        if !over.asked && has_let_all_leave {
            over.asked = true;
            primary.gate.close();
            primary.said = local;
            self.send(&Message::HandOver { epoch, sequence, now });
        } else if over.since + SWITCHOVER_PATIENCE <= local {
            over.called_off = Some(local.since(over.since));
            // The backup may have done its compare-and-swap: only a later revision of ours tells.
            self.asking.unsure = true;
            self.pursue();
        }
    }

    /// The backup has taken over as it was asked to: this side is its backup now, and in sync.
    pub(super) fn step_down(&mut self, local: Time, epoch: Epoch, now: Option<Time>) {
        let Role::Primary(primary) = &self.role else { return };
        let Standby::HandingOver(over) = &primary.standby else {
            return self.retire(Retirement::Superseded(epoch));
        };
        let backup = Backup::after_switchover(epoch, over.peer.clone(), primary.mark, !over.lost, local);
        if let Some(now) = now {
            self.set_pair_time(local, now);
        }
        self.role = Role::Backup(backup);
        self.effects.push(Effect::StandBy);
        self.backup_entry_changed(local);
    }
}
