//! How a backup becomes primary (rules 6, 15, 17 and 18).

use model::{Incarnation, Time};

use super::STALE;
use crate::coordinator::PairEntry;
use crate::hot_standby::effect::{Effect, Predecessor, Remark};
use crate::hot_standby::engine::Engine;
use crate::hot_standby::message::Message;
use crate::hot_standby::primary::Primary;
use crate::hot_standby::replica::{Replica, Role, sabotaged};
use crate::hot_standby::standby::Standby;

impl<E: Engine> Replica<E> {
    /// Takes over if the primary is gone, or asked for it (rule 6). A side that holds every record but was not seen in
    /// the entry may do so only when everybody there has certainly ended, and begins with what it holds (rule 15): what
    /// left last may be missing, but the only other way would be to begin from cold.
    pub(in crate::hot_standby) fn consider_takeover(&mut self, local: Time) {
        let unasked = sabotaged!(self, TakeOverUnasked);
        let Role::Backup(backup) = &self.role else { return };
        let Some(entry) = self.entry() else { return };
        let me = &self.settings.me;
        if backup.is_offered(entry, me) {
            return self.backup_entry_changed(local);
        }
        if !backup.level || entry.epoch != backup.epoch {
            return;
        }
        let ended = self.has_ended(&backup.primary);
        let may = if entry.in_sync.contains(me) {
            ended || backup.is_silent(&self.settings, local)
        } else {
            entry.in_sync.iter().all(|one| self.has_ended(one))
        };
        let is_stale = backup.lost.is_some_and(|since| since + STALE <= backup.ended.unwrap_or(local));
        // Another one may have gone on by the last word of this side's primary, for as long as it lived (rule 18).
        let may_have_gone_on = |one: &Incarnation| *one != backup.primary && !self.has_been(one);
        if may && !entry.in_sync.contains(me) && (is_stale || entry.in_sync.iter().any(may_have_gone_on)) {
            return self.outdated(local);
        }
        if !may {
            return;
        }
        let asks = self.asking.in_flight.is_none() && self.asking.connected;
        let suspected = asks.then(|| backup.primary.clone());
        let new = PairEntry { epoch: backup.epoch.next(), primary: me.clone(), in_sync: vec![me.clone()] };
        if entry.in_sync.contains(me) && ended && self.is_last_word(&backup.primary) {
            self.effects.push(Effect::Tell(Remark::Inherits(backup.primary.clone())));
            return self.take_over(local, &new);
        }
        if unasked {
            return self.take_over(local, &new);
        }
        self.swap(new);
        self.effects.extend(suspected.map(|primary| Effect::Tell(Remark::Suspects(primary))));
    }

    pub(in crate::hot_standby) fn backup_entry_changed(&mut self, local: Time) {
        let was_in_sync = self.was_in_sync;
        let Role::Backup(backup) = &mut self.role else { return };
        let Some(entry) = self.entry.as_ref().map(|versioned| &versioned.entry) else { return };
        let me = &self.settings.me;
        if entry.epoch == backup.epoch.next() && entry.primary == *me {
            let entry = entry.clone();
            if !backup.level {
                self.start_again(local);
                return self.consider_start(local);
            }
            // Who offers its role has this side in sync, even if that was not seen, and serves until it says so, or is gone.
            let offered = backup.is_offered(&entry, &self.settings.me);
            let hasty = sabotaged!(self, ServeOffered);
            let Role::Backup(backup) = &self.role else { return };
            if offered && !hasty && !backup.handed_over && !self.is_left_alone(local) {
                return;
            }
            if was_in_sync || offered {
                return self.take_over(local, &entry);
            }
            let Role::Backup(backup) = &mut self.role else { return };
            // What left last may not have come here, but what is durable is in the journals.
            if !std::mem::replace(&mut backup.reading_journals, true) {
                self.effects.push(Effect::ReadJournals);
            }
            return;
        }
        // One that is not listed any more keeps what it holds: the news may be older than the link that it joined by.
        backup.admitted = entry.epoch == backup.epoch && entry.in_sync.contains(me);
        if entry.epoch > backup.epoch {
            return self.outdated(local);
        }
        self.consider_takeover(local);
    }

    pub(in crate::hot_standby) fn take_over(&mut self, local: Time, entry: &PairEntry) {
        let role = std::mem::replace(&mut self.role, Role::Retired);
        let Role::Backup(backup) = role else {
            self.role = role;
            return;
        };
        let epoch = entry.epoch;
        let paired = entry.in_sync.contains(&backup.primary);
        let standby = if paired { Standby::Paired(backup.primary.clone()) } else { Standby::Solo };
        if paired {
            let now = self.pair_time(local);
            self.send(&Message::TakenOver { epoch, now });
        } else if !sabotaged!(self, AcceptOldEpoch) {
            self.send(&Message::Superseded { epoch });
            self.effects.push(Effect::HangUp);
        }
        let mark = if sabotaged!(self, ForgetInputs) { u64::MAX } else { backup.mark };
        let complete = !backup.reading_journals;
        let predecessor = Predecessor { incarnation: backup.primary, mark, complete };
        let mut primary = Primary::new(epoch, standby, backup.mark, local);
        primary.inherit(backup.retained.into_iter());
        self.serve(local, primary, Some(predecessor));
        if paired && backup.lost.is_some() {
            self.primary_lost_link(local);
        }
        self.primary_peer_ended(local);
    }
}
