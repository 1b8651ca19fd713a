//! An operator takes it on himself that those have ended who could still serve (rule 15).

use model::{Incarnation, Time};

use super::engine::Engine;
use super::replica::{Replica, Role};

/// Why a promotion is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromotionRefused {
    /// This side serves.
    #[error("it serves already")]
    Serves,
    /// The link to the primary stands.
    #[error("its primary lives")]
    PrimaryLives,
    /// Roles cannot be changed without the coordinator.
    #[error("the coordinator cannot be reached")]
    NoCoordinator,
    /// It begins, or takes over, by itself.
    #[error("it needs no promotion: it is not in doubt whether anybody else could serve")]
    NothingInDoubt,
}

impl<E: Engine> Replica<E> {
    /// Those who could still serve for all that this side knows, and keep it from beginning.
    ///
    /// # Errors
    /// If this side is not kept from anything by them.
    pub fn in_doubt(&self) -> Result<Vec<Incarnation>, PromotionRefused> {
        let is_linked = match &self.role {
            Role::Primary(_) => return Err(PromotionRefused::Serves),
            Role::Start(_) => false,
            Role::Backup(backup) => backup.is_linked(),
            Role::Retired => return Err(PromotionRefused::NothingInDoubt),
        };
        if is_linked {
            return Err(PromotionRefused::PrimaryLives);
        }
        if !self.asking.connected {
            return Err(PromotionRefused::NoCoordinator);
        }
        let Some(entry) = self.entry() else { return Err(PromotionRefused::NothingInDoubt) };
        let me = &self.settings.me;
        let others: Vec<_> = entry.in_sync.iter().filter(|one| *one != me && !self.has_ended(one)).cloned().collect();
        // Whoever is in sync takes over by itself.
        if others.is_empty() || entry.in_sync.contains(me) && matches!(self.role, Role::Backup(_)) {
            return Err(PromotionRefused::NothingInDoubt);
        }
        Ok(others)
    }

    /// Goes on as if they had certainly ended. If one of them lives and serves, in a corner of the network, there are two primaries
    /// until it hears of this one, and what it did meanwhile is lost.
    ///
    /// # Errors
    /// As [`in_doubt`](Self::in_doubt).
    pub fn promote(&mut self, local: Time) -> Result<Vec<Incarnation>, PromotionRefused> {
        let doubted = self.in_doubt()?;
        doubted.iter().for_each(|one| self.ended(local, one));
        Ok(doubted)
    }
}
