//! A pledge spares a takeover the coordinator (rule 18).
//!
//! A primary that is paired pledges itself to the revision of the entry under which it is: since that revision it has asked the
//! coordinator for nothing. It withdraws the pledge before it asks. The pledge stands where it outlives the primary and where nobody
//! sees it earlier, so it is a last word. Beside the primary only its backup may change such an entry; so if the primary has certainly
//! ended by that word, and its backup knows the entry of that very revision, then whatever the coordinator hears later is the backup's,
//! and the backup serves at once and has its epoch recorded afterwards. It even serves where nobody reaches the coordinator.

use model::{Incarnation, Time};

use super::effect::Effect;
use super::engine::Engine;
use super::replica::{Replica, Role, sabotaged};
use super::standby::Standby;

impl<E: Engine> Replica<E> {
    /// The last pledge of an incarnation that has certainly ended, as it stood when it had; say so before you say that it has
    /// [`ended`](Self::ended).
    pub fn last_word(&mut self, who: Incarnation, revision: u64) {
        self.last_word = Some((who, revision));
    }

    /// The primary at the other end of the link has ended, by this last word; nothing more comes from it.
    pub fn primary_ended(&mut self, local: Time, revision: u64) {
        if let Role::Backup(backup) = &self.role {
            let who = backup.primary.clone();
            self.last_word(who.clone(), revision);
            // Only the primary of an entry can have pledged itself to it.
            if self.is_last_word(&who) {
                self.ended(local, &who);
            }
        }
        self.link_cut(local);
    }

    /// The entry says what this side wants, nothing is on its way to change that, and nothing that is given up may still do so.
    pub(super) fn give_pledge(&mut self) {
        let Role::Primary(primary) = &self.role else { return };
        let revision = self.revision();
        let is_known = !self.asking.has_forgotten;
        if is_known && matches!(primary.standby, Standby::Paired(_)) && self.asking.pledged != revision {
            self.asking.pledged = revision;
            self.effects.push(Effect::Pledge(revision));
        }
    }

    /// Something is about to be asked.
    pub(super) fn withdraw_pledge(&mut self) {
        if self.asking.pledged.take().is_some() && !sabotaged!(self, KeepPledge) {
            self.effects.push(Effect::Pledge(None));
        }
    }

    /// True if `primary`, which has ended, asked for nothing since the entry that this side knows.
    pub(super) fn is_last_word(&self, primary: &Incarnation) -> bool {
        let is_its_entry = self.entry().is_some_and(|entry| entry.primary == *primary);
        let is_of_entry = |(who, revision): &(Incarnation, u64)| who == primary && Some(*revision) == self.revision();
        is_its_entry && !self.asking.has_forgotten && self.last_word.as_ref().is_some_and(is_of_entry)
    }
}
