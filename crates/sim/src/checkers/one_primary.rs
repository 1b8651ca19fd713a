//! One primary releases: each epoch belongs to one incarnation, and who was superseded releases nothing that its
//! successor does not know (rules 5, 6, 7 of the protocol).

use std::collections::{BTreeMap, BTreeSet};

use model::{Epoch, Incarnation};
use redundancy::coordinator::PairEntry;
use redundancy::hot_standby::Stamp;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "one primary";

/// Who owns which epoch, and with which checkpoint of the epoch before it began.
#[derive(Clone, Debug, Default)]
pub struct OnePrimary {
    owners: BTreeMap<Epoch, Incarnation>,
    bases: BTreeMap<Epoch, u64>,
    released: BTreeMap<Epoch, u64>,
    /// Epochs whose owners had not been admitted.
    unadmitted: BTreeSet<Epoch>,
}

impl OnePrimary {
    /// The entry changes from `old` to `new`; `lives` says which incarnations really run.
    ///
    /// # Errors
    /// If the epoch goes back or jumps, an epoch changes hands, or an outsider takes over from the living.
    pub fn entry_changes(
        &mut self,
        old: Option<&PairEntry>,
        new: &PairEntry,
        lives: impl Fn(&Incarnation) -> bool,
    ) -> Verdict {
        if let Some(old) = old {
            if new.epoch == old.epoch && new.primary != old.primary {
                return Err(format!("epoch {} goes from {} to {}", new.epoch, old.primary, new.primary));
            }
            let outsider = new.epoch != old.epoch && !old.in_sync.contains(&new.primary);
            // Who begins from cold leaves one out: the epoch of whoever may have served unrecorded.
            let is_cold = old.in_sync.iter().all(|one| *one == new.primary || !lives(one));
            let last = if is_cold { old.epoch.next().next() } else { old.epoch.next() };
            if new.epoch < old.epoch || new.epoch > last {
                return Err(format!("epoch {} follows {}", new.epoch, old.epoch));
            }
            if let Some(owner) = self.owners.get(&new.epoch.next()) {
                return Err(format!(
                    "{owner} serves in the epoch behind {}, in which the entry changes still",
                    new.epoch
                ));
            }
            if let Some(owner) = self.owners.get(&new.epoch).filter(|owner| **owner != new.primary) {
                return Err(format!("epoch {} is given to {}, but {owner} serves in it", new.epoch, new.primary));
            }
            if let Some(alive) = old.in_sync.iter().find(|one| outsider && lives(one)) {
                return Err(format!("{} starts from cold although {alive} lives and is in sync", new.primary));
            }
        }
        self.owners.insert(new.epoch, new.primary.clone());
        Ok(())
    }

    /// `who` begins to serve by the last word of the primary of `entry`, which really was one for this entry as it stands (rule 18).
    /// It has the next epoch, and the entry may say nothing else any more.
    pub fn inherits(&mut self, who: &Incarnation, entry: &PairEntry) {
        if entry.in_sync.contains(who) {
            self.owners.entry(entry.epoch.next()).or_insert_with(|| who.clone());
        }
    }

    /// `who` begins to serve in `epoch`, with everything up to `kept` of the epoch before; `None` from cold.
    ///
    /// # Errors
    /// If the epoch is not its own, or its predecessor has released more than it holds.
    pub fn serves(&mut self, who: &Incarnation, epoch: Epoch, kept: Option<Stamp>) -> Verdict {
        if self.owners.get(&epoch) != Some(who) {
            return Err(format!("{who} serves in epoch {epoch}, which was not given to it"));
        }
        let Some(kept) = kept else { return Ok(()) };
        if kept.epoch.next() != epoch {
            return Err(format!("{who} serves in epoch {epoch} with the records of epoch {}", kept.epoch));
        }
        self.bases.insert(kept.epoch, kept.sequence);
        let released = self.released.get(&kept.epoch).copied().unwrap_or_default();
        if released > kept.sequence {
            let has = kept.sequence;
            return Err(format!("{who} takes over with checkpoint {has}, but outputs of {released} have left"));
        }
        Ok(())
    }

    /// A side that was not admitted begins with everything up to `held`, after everybody in sync has ended (rule 15).
    /// True if more than that has left: that is lost, and by right.
    pub fn excuses(&mut self, held: Stamp) -> bool {
        self.unadmitted.insert(held.epoch.next());
        let lost = self.released(held.epoch) > held.sequence;
        if lost {
            self.released.remove(&held.epoch);
        }
        lost
    }

    /// True if this epoch began that way.
    #[must_use]
    pub fn began_with_held(&self, epoch: Epoch) -> bool {
        self.unadmitted.contains(&epoch)
    }

    /// `who`, which serves in `epoch`, releases an output of the checkpoint `stamp`. If it wrote that itself, in an earlier epoch, and has
    /// superseded its successor since, that one need not have it, even if it begins to serve only now: it changes nothing.
    ///
    /// # Errors
    /// If the epoch is not its own, or a successor serves that does not have the checkpoint.
    pub fn releases(&mut self, who: &Incarnation, epoch: Epoch, stamp: Stamp) -> Verdict {
        if self.owners.get(&epoch) != Some(who) {
            return Err(format!("{who} releases in epoch {epoch}, which was not given to it"));
        }
        let is_back = epoch > stamp.epoch.next() && self.owners.get(&stamp.epoch) == Some(who);
        if is_back {
            return Ok(());
        }
        let base = self.bases.get(&stamp.epoch).copied();
        if let Some(base) = base.filter(|base| stamp.sequence > *base) {
            let Stamp { epoch, sequence } = stamp;
            return Err(format!(
                "{who} releases checkpoint {sequence} of epoch {epoch}; its successor began with {base}"
            ));
        }
        let most = self.released.entry(stamp.epoch).or_default();
        *most = stamp.sequence.max(*most);
        Ok(())
    }

    /// The last checkpoint of `epoch` of which something has left.
    #[must_use]
    pub fn released(&self, epoch: Epoch) -> u64 {
        self.released.get(&epoch).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(epoch: u64, primary: &str, in_sync: &[&str]) -> PairEntry {
        let run = |name: &str| Incarnation::new(name, 1);
        PairEntry {
            epoch: Epoch(epoch),
            primary: run(primary),
            in_sync: in_sync.iter().map(|name| run(name)).collect(),
        }
    }

    #[test]
    fn it_notices_a_release_that_the_successor_does_not_know() {
        let (a, b) = (Incarnation::new("a", 1), Incarnation::new("b", 1));
        let stamp = |sequence| Stamp { epoch: Epoch(1), sequence };
        let mut checker = OnePrimary::default();
        let first = entry(1, "a", &["a", "b"]);
        checker.entry_changes(None, &first, |_| true).unwrap();
        checker.releases(&a, Epoch(1), stamp(3)).unwrap();
        checker.entry_changes(Some(&first), &entry(2, "b", &["b"]), |_| true).unwrap();
        checker.serves(&b, Epoch(2), Some(stamp(5))).unwrap();
        checker.releases(&a, Epoch(1), stamp(5)).unwrap();
        checker.releases(&a, Epoch(1), stamp(6)).unwrap_err();
        // It was its backup, and serves again: the other one is superseded, and still releases no more of the first epoch.
        checker.entry_changes(Some(&entry(2, "b", &["b", "a"])), &entry(3, "a", &["a"]), |_| true).unwrap();
        checker.serves(&a, Epoch(3), Some(Stamp { epoch: Epoch(2), sequence: 0 })).unwrap();
        checker.releases(&a, Epoch(3), stamp(6)).unwrap();
        checker.releases(&b, Epoch(2), stamp(6)).unwrap_err();
        checker.releases(&b, Epoch(2), Stamp { epoch: Epoch(2), sequence: 1 }).unwrap_err();
        checker.serves(&b, Epoch(2), Some(stamp(5))).unwrap();
    }

    #[test]
    fn it_notices_that_a_last_word_was_none() {
        let first = entry(1, "a", &["a", "b"]);
        let begun = |who: &str| {
            let mut checker = OnePrimary::default();
            checker.entry_changes(None, &first, |_| true).unwrap();
            checker.inherits(&Incarnation::new(who, 1), &first);
            checker
        };
        let kept = Some(Stamp { epoch: Epoch(1), sequence: 4 });
        begun("b").serves(&Incarnation::new("b", 1), Epoch(2), kept).unwrap();
        begun("c").serves(&Incarnation::new("c", 1), Epoch(2), kept).unwrap_err();
        let change = |new| begun("b").entry_changes(Some(&first), &new, |_| false);
        change(entry(2, "b", &["b"])).unwrap();
        change(entry(2, "c", &["c"])).unwrap_err();
        change(entry(1, "a", &["a"])).unwrap_err();
    }

    #[test]
    fn it_notices_a_server_that_nobody_appointed_and_one_that_starts_from_cold_too_early() {
        let mut checker = OnePrimary::default();
        let first = entry(1, "a", &["a", "b"]);
        checker.entry_changes(None, &first, |_| true).unwrap();
        checker.serves(&Incarnation::new("b", 1), Epoch(2), None).unwrap_err();
        checker.entry_changes(Some(&first), &entry(2, "c", &["c"]), |who| who.application == "b").unwrap_err();
    }
}
