//! What a replica says of itself.

use model::Epoch;

use super::engine::Engine;
use super::replica::{Replica, Role};

/// The role of one side of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleName {
    /// On its way into the pair.
    #[default]
    Starting,
    /// Keeps the records of its primary.
    Backup,
    /// Serves.
    Primary,
    /// Its process is about to end.
    Retired,
}

/// Role and readiness, as `everline status` shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What it is.
    pub role: RoleName,
    /// In which epoch.
    pub epoch: Epoch,
    /// A primary that serves, or a backup that could take over.
    pub ready: bool,
    /// A primary whose backup is in sync, or a backup that is in sync.
    pub level: bool,
    /// It holds every record: a primary, or a backup that was sent them all, whether it was admitted or not.
    pub complete: bool,
    /// A primary that has lost its backup and may let nothing out before the coordinator says who serves (rules 5 and 14).
    pub undecided: bool,
    /// The coordinator knows less of the pair than this side has seen: it was emptied, or replaced by an older copy of itself, so
    /// nobody can take over.
    pub forgotten: bool,
    /// Checkpoints that the backup has not confirmed.
    pub lag: u64,
    /// The last checkpoint written or kept.
    pub sequence: u64,
    /// How many records it holds.
    pub records: u64,
    /// Hash of all of them: equal on both sides of a pair that is level and at rest.
    pub state_hash: u64,
}

impl<E: Engine> Replica<E> {
    /// How it stands with this side.
    #[must_use]
    pub fn status(&self) -> Status {
        let store = self.engine.store();
        let blank = Status {
            forgotten: self.asking.has_forgotten,
            records: store.len() as u64,
            state_hash: store.state_hash(),
            ..Status::default()
        };
        match &self.role {
            Role::Start(_) => blank,
            Role::Backup(backup) => Status {
                role: RoleName::Backup,
                epoch: backup.epoch,
                ready: backup.is_ready(),
                level: backup.is_ready(),
                complete: backup.is_complete(),
                sequence: backup.sequence(),
                ..blank
            },
            Role::Primary(primary) => Status {
                role: RoleName::Primary,
                epoch: primary.epoch,
                ready: primary.serving,
                level: primary.is_paired(),
                complete: true,
                undecided: primary.is_undecided(),
                lag: primary.lag(),
                sequence: primary.sequence(),
                ..blank
            },
            Role::Retired => Status { role: RoleName::Retired, ..blank },
        }
    }
}
