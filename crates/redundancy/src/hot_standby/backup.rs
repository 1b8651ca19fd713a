//! The side that keeps: it absorbs checkpoints, confirms them, and takes over when its primary is gone.

mod takeover;

use std::collections::{BTreeSet, VecDeque};

use model::{Epoch, Incarnation, RecordKey, Span, Time};

use super::effect::{Effect, Retirement};
use super::engine::{Engine, Output};
use super::gate::Stamp;
use super::message::{Checkpoint, Message, outputs};
use super::refused::REFUSED;
use super::replica::{Commit, Replica, Role, Settings, decode_output, sabotaged};
use super::start::REDIAL;
use crate::change::{Change, Changes};
use crate::coordinator::PairEntry;
use crate::store::Record;

/// If its primary may have gone on for so long after the link was lost, what a side holds is no start for a pair any more:
/// too much in it has ended since, and been said to have ended.
const STALE: Span = Span::from_secs(1);

/// The backup's share of a replica.
#[derive(Clone, Debug)]
pub(super) struct Backup<O> {
    pub(super) epoch: Epoch,
    sequence: u64,
    pub(super) primary: Incarnation,
    /// It holds every record; before that it cannot take over.
    pub(super) level: bool,
    /// It was seen in the entry.
    admitted: bool,
    /// The last input that the kept checkpoints cover.
    mark: u64,
    /// Outputs that may not have left, with their checkpoint.
    pub(super) retained: VecDeque<(Stamp, O)>,
    /// Since when there is no link.
    lost: Option<Time>,
    /// It has ended as a process does that is killed.
    cut: bool,
    /// When the primary was first known to have ended.
    ended: Option<Time>,
    /// When the primary is dialled again, if there is no link and the entry does not count on this side.
    redial: Time,
    /// The primary was dialled.
    dialling: bool,
    /// When the silence of the primary was last acted upon.
    suspected: Time,
    heard: Time,
    said: Time,
    /// A checkpoint was kept and not confirmed yet.
    unconfirmed: bool,
    /// The primary has let everything leave, and left its role to this side.
    pub(super) handed_over: bool,
    /// It was appointed without having been admitted, and waits for the journals.
    reading_journals: bool,
}

impl<O> Backup<O> {
    const fn joining(epoch: Epoch, sequence: u64, mark: u64, primary: Incarnation, local: Time) -> Self {
        Self {
            epoch,
            sequence,
            primary,
            level: false,
            admitted: false,
            mark,
            retained: VecDeque::new(),
            lost: None,
            cut: false,
            ended: None,
            redial: Time::NEVER,
            dialling: false,
            suspected: Time::ZERO,
            heard: local,
            said: local,
            unconfirmed: false,
            handed_over: false,
            reading_journals: false,
        }
    }

    /// The old primary after a planned switchover: it holds every record already.
    pub(super) fn after_switchover(epoch: Epoch, primary: Incarnation, mark: u64, linked: bool, local: Time) -> Self {
        let lost = (!linked).then_some(local);
        let redial = lost.map_or(Time::NEVER, |since| since + REDIAL);
        Self { level: true, admitted: true, lost, redial, ..Self::joining(epoch, 0, mark, primary, local) }
    }

    /// Outputs of its own that have not left.
    pub(super) fn keep_unsent(&mut self, outputs: impl Iterator<Item = (Stamp, O)>) {
        self.retained = outputs.collect();
    }

    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let confirm = if self.lost.is_none() { self.said + settings.heartbeat } else { Time::NEVER };
        confirm.min(self.suspects_at(settings)).min(self.redial)
    }

    /// When the silence of the primary is to be acted upon: where this side may take over on suspicion, and again after
    /// a while if nothing came of it.
    fn suspects_at(&self, settings: &Settings) -> Time {
        match settings.commit {
            Commit::Acknowledged => self.silence_ends(settings).max(self.suspected + settings.heartbeat),
            Commit::Published => Time::NEVER,
        }
    }

    /// The link to the primary stands.
    pub(super) const fn is_linked(&self) -> bool {
        self.lost.is_none()
    }

    /// The primary that it dials to join anew.
    pub(super) fn dialled(&self) -> Option<&Incarnation> {
        self.dialling.then_some(&self.primary)
    }

    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) const fn is_ready(&self) -> bool {
        self.level && self.admitted
    }

    /// The last checkpoint that it kept.
    pub(super) const fn held(&self) -> Stamp {
        Stamp { epoch: self.epoch, sequence: self.sequence }
    }

    /// True if it was appointed for this epoch without having been admitted, and waits for the journals.
    pub(super) fn reads_journals_for(&self, epoch: Epoch) -> bool {
        self.reading_journals && epoch == self.epoch.next()
    }

    /// These records have moved since: what they wanted to say is out of date (rule 6).
    pub(super) fn forget_outputs_of(&mut self, records: &BTreeSet<RecordKey>)
    where
        O: Output,
    {
        self.retained.retain(|(_, output)| output.record().is_none_or(|record| !records.contains(&record)));
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.level
    }

    /// The link ends without a word.
    pub(super) const fn is_cut(&mut self) {
        self.cut = true;
    }

    /// True if the primary offers its role to `me` by this entry: whoever takes over by itself does not name the old primary.
    pub(super) fn is_offered(&self, entry: &PairEntry, me: &Incarnation) -> bool {
        self.level && entry.epoch == self.epoch.next() && entry.primary == *me && entry.in_sync.contains(&self.primary)
    }

    /// When its primary is suspected, unless it is heard.
    fn silence_ends(&self, settings: &Settings) -> Time {
        let since = self.lost.unwrap_or(self.heard);
        if self.cut { since } else { since + settings.silence }
    }

    pub(super) fn is_silent(&self, settings: &Settings, local: Time) -> bool {
        settings.commit == Commit::Acknowledged && self.silence_ends(settings) <= local
    }
}

impl<E: Engine> Replica<E> {
    pub(super) fn backup_hears(&mut self, local: Time, message: Message<'_>) {
        match message {
            Message::Welcome { epoch, sequence, mark, now } => {
                // What this side holds may be all that is left of one that has ended, and more than it can send now.
                let Some(primary) = self.dialled().cloned() else { return };
                if self.has_ended(&primary) {
                    self.effects.push(Effect::HangUp);
                    return self.link_down(local);
                }
                self.engine.store_mut().clear();
                self.set_pair_time(local, now);
                self.role = Role::Backup(Backup::joining(epoch, sequence, mark, primary, local));
                return;
            }
            // Only a primary takes somebody on; who dialled will find out who that is.
            Message::Hello { incarnation, .. } => {
                self.effects.push(Effect::HangUp);
                self.link_down(local);
                return self.called_by(local, &incarnation);
            }
            _ => {}
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
            Message::HandOver { epoch: of, revision, sequence, now } if of == epoch => {
                self.set_pair_time(local, now);
                self.handed_over(local, revision, sequence);
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
        if !self.absorb(step.sequence, step.changes) {
            return;
        }
        self.set_pair_time(local, step.now);
        let Role::Backup(backup) = &mut self.role else { return };
        backup.sequence = step.sequence;
        backup.mark = step.mark;
        backup.unconfirmed = true;
        let stamp = |sequence| Stamp { epoch: step.epoch, sequence };
        while backup.retained.front().is_some_and(|(kept, _)| *kept <= stamp(step.left)) {
            backup.retained.pop_front();
        }
        for bytes in outputs(step.outputs) {
            let Some(output) = decode_output::<E::Output>(bytes) else {
                return self.retire(Retirement::CannotKeep);
            };
            if output.is_stream() {
                self.effects.push(Effect::Shadow(output));
            } else {
                backup.retained.push_back((stamp(step.sequence), output));
            }
        }
    }

    fn keep_piece(&mut self, number: u64, changes: &[u8]) {
        let Role::Backup(backup) = &self.role else { return };
        if self.absorb(backup.sequence, changes) {
            self.send(&Message::PieceKept { number });
        }
    }

    /// Takes in changes as they stood at checkpoint `sequence`; ends this incarnation and says false if it cannot keep
    /// them (rule 13).
    fn absorb(&mut self, sequence: u64, changes: &[u8]) -> bool {
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
            self.journal(sequence, &change);
        }
        true
    }

    /// A backup writes durable records down as well: either side's journal can start the pair from cold.
    fn journal(&mut self, sequence: u64, change: &Change<'_>) {
        if let Role::Backup(backup) = &self.role
            && E::durable(change.key.kind)
        {
            let mut bytes = Vec::new();
            change.write(&mut bytes);
            let stamp = (backup.epoch, sequence);
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
        let counted_on = self.is_counted_on();
        let Role::Backup(backup) = &mut self.role else { return };
        if backup.suspects_at(&self.settings) <= local {
            backup.suspected = local;
            if !counted_on && backup.lost.is_none() {
                self.effects.push(Effect::HangUp);
                return self.backup_lost_link(local);
            }
        }
        self.consider_takeover(local);
        self.dial_again(local);
    }

    /// The link is gone. What a level side holds it keeps until it is taken on anew: its admission may be on the way.
    pub(super) fn backup_lost_link(&mut self, local: Time) {
        let Role::Backup(backup) = &mut self.role else { return };
        if !backup.level {
            return self.start_again(local);
        }
        backup.lost.get_or_insert(local);
        backup.dialling = false;
        backup.redial = local + REDIAL;
        self.consider_takeover(local);
    }

    /// Dials the primary that does not count on this side.
    fn dial_again(&mut self, local: Time) {
        let counted_on = self.is_counted_on();
        let Role::Backup(backup) = &self.role else { return };
        let gone = self.has_ended(&backup.primary);
        let Role::Backup(backup) = &mut self.role else { return };
        if backup.redial > local {
            return;
        }
        if std::mem::take(&mut backup.dialling) {
            self.effects.push(Effect::HangUp);
        }
        backup.redial = local + REDIAL;
        if !counted_on && !gone {
            backup.dialling = true;
            backup.redial = local + self.settings.welcome();
            self.effects.push(Effect::Dial(backup.primary.clone()));
        }
    }

    /// True if the entry, as far as it is known, says that this side may take over.
    fn is_counted_on(&self) -> bool {
        let Role::Backup(backup) = &self.role else { return false };
        self.entry().is_some_and(|entry| entry.epoch == backup.epoch && entry.in_sync.contains(&self.settings.me))
    }

    /// This side has fallen out of the pair: forgets what it holds and joins anew.
    fn outdated(&mut self, local: Time) {
        self.effects.push(Effect::HangUp);
        self.start_again(local);
    }

    pub(super) fn backup_peer_ended(&mut self, local: Time) {
        let Role::Backup(backup) = &self.role else { return };
        let has_ended = self.has_ended(&backup.primary);
        if let Role::Backup(backup) = &mut self.role
            && has_ended
        {
            backup.ended.get_or_insert(local);
        }
        self.consider_takeover(local);
    }
}
