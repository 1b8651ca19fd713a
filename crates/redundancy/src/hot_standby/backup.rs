//! The side that keeps: it absorbs checkpoints, confirms them, and takes over when its primary is gone.

use std::collections::VecDeque;

use model::{Epoch, Incarnation, Time};

use super::effect::{Effect, Predecessor, Remark, Retirement};
use super::engine::{Engine, Output};
use super::gate::Stamp;
use super::message::{Checkpoint, Message, outputs};
use super::primary::{Primary, Standby};
use super::refused::REFUSED;
use super::replica::{Commit, Replica, Role, Settings, decode_output, sabotaged};
use crate::change::Changes;
use crate::coordinator::PairEntry;
use crate::store::Record;

/// The backup's share of a replica.
#[derive(Debug)]
pub(super) struct Backup<O> {
    pub(super) epoch: Epoch,
    sequence: u64,
    primary: Incarnation,
    /// It holds every record; before that it cannot take over.
    level: bool,
    /// It was seen in the entry.
    admitted: bool,
    /// The last input that the kept checkpoints cover.
    mark: u64,
    /// Outputs that may not have left, with the number of their checkpoint.
    retained: VecDeque<(u64, O)>,
    /// Since when there is no link.
    lost: Option<Time>,
    heard: Time,
    said: Time,
    /// A checkpoint was kept and not confirmed yet.
    unconfirmed: bool,
    /// The primary asked for a planned switchover.
    handed_over: bool,
}

impl<O> Backup<O> {
    const fn joining(epoch: Epoch, sequence: u64, primary: Incarnation, local: Time) -> Self {
        Self {
            epoch,
            sequence,
            primary,
            level: false,
            admitted: false,
            mark: 0,
            retained: VecDeque::new(),
            lost: None,
            heard: local,
            said: local,
            unconfirmed: false,
            handed_over: false,
        }
    }

    /// The old primary after a planned switchover: it holds every record already.
    pub(super) fn after_switchover(epoch: Epoch, primary: Incarnation, linked: bool, local: Time) -> Self {
        let lost = (!linked).then_some(local);
        Self { level: true, admitted: true, lost, ..Self::joining(epoch, 0, primary, local) }
    }

    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let confirm = if self.lost.is_none() { self.said + settings.heartbeat } else { Time::NEVER };
        let suspect = match settings.commit {
            Commit::Acknowledged => self.lost.unwrap_or(self.heard) + settings.silence,
            Commit::Published => Time::NEVER,
        };
        confirm.min(suspect)
    }

    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) const fn is_ready(&self) -> bool {
        self.level && self.admitted
    }

    fn is_silent(&self, settings: &Settings, local: Time) -> bool {
        settings.commit == Commit::Acknowledged && self.lost.unwrap_or(self.heard) + settings.silence <= local
    }
}

impl<E: Engine> Replica<E> {
    pub(super) fn backup_hears(&mut self, local: Time, message: Message<'_>) {
        if let Message::Welcome { epoch, sequence, now } = message {
            let Some(primary) = self.dialled().cloned() else { return };
            self.engine.store_mut().clear();
            self.set_pair_time(local, now);
            self.role = Role::Backup(Backup::joining(epoch, sequence, primary, local));
            return;
        }
        let Role::Backup(backup) = &mut self.role else { return };
        backup.heard = local;
        let epoch = backup.epoch;
        match message {
            Message::Piece { epoch: of, number, changes } if of == epoch => self.keep_piece(number, changes),
            Message::Complete { epoch: of, sequence, records, state_hash } if of == epoch => {
                self.compare(sequence, records, state_hash);
            }
            Message::Checkpoint(step) => self.keep(local, &step),
            Message::Heartbeat { epoch: of, sequence, now, state_hash } if of == epoch => {
                self.set_pair_time(local, now);
                self.check_divergence(sequence, state_hash);
            }
            Message::HandOver { epoch: of, sequence, now } if of == epoch => {
                self.set_pair_time(local, now);
                self.asked_to_take_over(local, sequence);
            }
            Message::TakenOver { epoch: of, now } if of == epoch => self.set_pair_time(local, now),
            Message::Heartbeat { epoch: of, .. } | Message::Piece { epoch: of, .. } if of < epoch => {
                self.send(&Message::Superseded { epoch });
            }
            Message::Superseded { epoch: of } if of > epoch => self.outdated(local),
            _ => {}
        }
    }

    /// Keeps a checkpoint if it is the next one of this epoch (rule 3).
    fn keep(&mut self, local: Time, step: &Checkpoint<'_>) {
        let Role::Backup(backup) = &mut self.role else { return };
        if step.epoch < backup.epoch {
            let epoch = backup.epoch;
            return self.send(&Message::Superseded { epoch });
        }
        if step.epoch != backup.epoch || step.sequence != backup.sequence + 1 {
            return self.outdated(local);
        }
        if !self.absorb(step.changes) {
            return;
        }
        self.set_pair_time(local, step.now);
        let Role::Backup(backup) = &mut self.role else { return };
        backup.sequence = step.sequence;
        backup.mark = step.mark;
        backup.unconfirmed = true;
        while backup.retained.front().is_some_and(|(sequence, _)| *sequence <= step.left) {
            backup.retained.pop_front();
        }
        for bytes in outputs(step.outputs) {
            let Some(output) = decode_output::<E::Output>(bytes) else {
                return self.retire(Retirement::CannotKeep);
            };
            if output.is_stream() {
                self.effects.push(Effect::Shadow(output));
            } else {
                backup.retained.push_back((step.sequence, output));
            }
        }
    }

    fn keep_piece(&mut self, number: u64, changes: &[u8]) {
        if self.absorb(changes) {
            self.send(&Message::PieceKept { number });
        }
    }

    /// Takes in changes; ends this incarnation and says false if it cannot keep them (rule 13).
    fn absorb(&mut self, changes: &[u8]) -> bool {
        let forget_timer = sabotaged!(self, ForgetTimer);
        for change in Changes::new(changes) {
            let understood = change.as_ref().is_ok_and(|change| {
                change.key.kind == REFUSED
                    || change.state.as_ref().is_none_or(|state| E::Value::understands(change.key.kind, state.value))
            });
            let Some(mut change) = change.ok().filter(|_| understood) else {
                self.retire(Retirement::CannotKeep);
                return false;
            };
            if change.key.kind == REFUSED {
                self.refused.absorb(change.key);
                continue;
            }
            if forget_timer && let Some(state) = &mut change.state {
                state.deadline = Time::NEVER;
            }
            self.engine.store_mut().absorb(&change);
            self.journal(&change);
        }
        true
    }

    /// A backup writes durable records down as well: either side's journal can start the pair from cold.
    fn journal(&mut self, change: &crate::change::Change<'_>) {
        if let Role::Backup(backup) = &self.role
            && E::durable(change.key.kind)
        {
            let mut bytes = Vec::new();
            change.write(&mut bytes);
            let stamp = (backup.epoch, backup.sequence + 1);
            self.effects.push(Effect::Journal { stamp, key: change.key, change: bytes });
        }
    }

    fn compare(&mut self, sequence: u64, records: u64, state_hash: u64) {
        let trusts_blindly = sabotaged!(self, LoseSnapshotRecord);
        let store = self.engine.store();
        let same = store.len() as u64 == records && store.state_hash() == state_hash;
        let Role::Backup(backup) = &mut self.role else { return };
        if !trusts_blindly && (sequence != backup.sequence || !same) {
            return self.retire(Retirement::Diverged);
        }
        backup.level = true;
        let epoch = backup.epoch;
        self.send(&Message::Level { epoch });
    }

    fn check_divergence(&mut self, sequence: u64, state_hash: u64) {
        let trusts_blindly = sabotaged!(self, LoseSnapshotRecord);
        let Role::Backup(backup) = &self.role else { return };
        let comparable = backup.level && backup.sequence == sequence && !trusts_blindly;
        if comparable && self.engine.store().state_hash() != state_hash {
            self.retire(Retirement::Diverged);
        }
    }

    /// Confirms what was kept: at once where the primary waits for it, with the next heartbeat where it does not.
    pub(super) fn confirm_kept(&mut self, local: Time) {
        let Role::Backup(backup) = &mut self.role else { return };
        let due = backup.said + self.settings.heartbeat <= local;
        let wanted = backup.unconfirmed && self.settings.commit == Commit::Acknowledged;
        if backup.lost.is_none() && (due || wanted) {
            backup.unconfirmed = false;
            backup.said = local;
            let (epoch, sequence) = (backup.epoch, backup.sequence);
            self.send(&Message::Kept { epoch, sequence });
        }
    }

    pub(super) fn backup_tick(&mut self, local: Time) {
        self.confirm_kept(local);
        self.consider_takeover(local);
    }

    pub(super) fn backup_lost_link(&mut self, local: Time) {
        let Role::Backup(backup) = &mut self.role else { return };
        if !backup.level {
            return self.start_again(local);
        }
        backup.lost.get_or_insert(local);
        self.consider_takeover(local);
    }

    /// This side has fallen out of the pair: forgets what it holds and joins anew.
    fn outdated(&mut self, local: Time) {
        self.effects.push(Effect::HangUp);
        self.start_again(local);
    }

    fn asked_to_take_over(&mut self, local: Time, sequence: u64) {
        let Role::Backup(backup) = &mut self.role else { return };
        if backup.is_ready() && backup.sequence == sequence {
            backup.handed_over = true;
            backup.retained.clear();
            self.consider_takeover(local);
        }
    }

    /// Takes over if the primary is gone, or asked for it (rule 6).
    pub(super) fn consider_takeover(&mut self, local: Time) {
        let unasked = sabotaged!(self, TakeOverUnasked);
        let Role::Backup(backup) = &self.role else { return };
        let Some(entry) = self.entry() else { return };
        let me = &self.settings.me;
        if !backup.level || entry.epoch != backup.epoch || !entry.in_sync.contains(me) {
            return;
        }
        let ended = self.has_ended(&backup.primary);
        if !(ended || backup.handed_over || backup.is_silent(&self.settings, local)) {
            return;
        }
        let mut in_sync = vec![me.clone()];
        if backup.handed_over && !ended && backup.lost.is_none() {
            in_sync.push(backup.primary.clone());
        } else if self.asking.in_flight.is_none() && self.asking.connected {
            self.effects.push(Effect::Tell(Remark::Suspects(backup.primary.clone())));
        }
        let new = PairEntry { epoch: backup.epoch.next(), primary: me.clone(), in_sync };
        if unasked {
            return self.take_over(local, &new);
        }
        self.swap(new);
    }

    pub(super) fn backup_entry_changed(&mut self, local: Time) {
        let Role::Backup(backup) = &mut self.role else { return };
        let Some(entry) = self.entry.as_ref().map(|versioned| &versioned.entry) else { return };
        let me = &self.settings.me;
        if entry.epoch == backup.epoch.next() && entry.primary == *me {
            let entry = entry.clone();
            return self.take_over(local, &entry);
        }
        let listed = entry.in_sync.contains(me);
        backup.admitted |= listed && entry.epoch == backup.epoch;
        if entry.epoch > backup.epoch || (entry.epoch == backup.epoch && backup.admitted && !listed) {
            return self.outdated(local);
        }
        self.consider_takeover(local);
    }

    fn take_over(&mut self, local: Time, entry: &PairEntry) {
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
        } else {
            self.effects.push(Effect::HangUp);
        }
        let mark = if sabotaged!(self, ForgetInputs) { u64::MAX } else { backup.mark };
        let predecessor = Predecessor { incarnation: backup.primary, mark };
        let mut primary = Primary::new(epoch, standby, local);
        let stamp = |sequence| Stamp { epoch: backup.epoch, sequence };
        primary.inherit(backup.retained.into_iter().map(|(sequence, output)| (stamp(sequence), output)));
        self.serve(local, primary, Some(predecessor));
        if paired && backup.lost.is_some() {
            self.primary_lost_link(local);
        }
    }
}
