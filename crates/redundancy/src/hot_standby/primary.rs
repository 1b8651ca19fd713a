//! The side that serves: it writes checkpoints, holds outputs, and keeps the entry true about its backup.

use std::collections::{BTreeSet, VecDeque};

use model::{Epoch, Incarnation, RecordKey, Time};

use super::effect::{Effect, Remark, Retirement};
use super::engine::{Engine, Output};
use super::gate::{Gate, Stamp};
use super::message::{Checkpoint, FORMAT, Message, write_output};
use super::replica::{Commit, Replica, Role, Settings, sabotaged};
use super::snapshot::Snapshot;
use super::standby::Standby;
use super::switchover::SWITCHOVER_PATIENCE;
use crate::coordinator::PairEntry;

/// Outputs that may wait at the gate before no more inputs are taken in.
const MOST_HELD: usize = 65_536;
/// Octets that a step of the state usually takes at most; a longer one takes longer to write.
const STEP: usize = 4_096;

/// The primary's share of a replica.
#[derive(Clone, Debug)]
pub(super) struct Primary<O> {
    pub(super) epoch: Epoch,
    pub(super) sequence: u64,
    /// The last input that was handed to the engine.
    pub(super) mark: u64,
    /// The last input that a checkpoint covers.
    pub(super) covered: u64,
    pub(super) gate: Gate<O>,
    pub(super) standby: Standby,
    /// False while the inputs that the predecessor had read are taken in.
    pub(super) serving: bool,
    /// Outputs of the predecessor that may not have left, with their records.
    pub(super) again: VecDeque<(Stamp, O)>,
    /// Records that moved since the takeover.
    pub(super) moved: BTreeSet<RecordKey>,
    pub(super) heard: Time,
    pub(super) said: Time,
    pub(super) kept: u64,
}

impl<O> Primary<O> {
    /// `mark` is the last input that the predecessor has covered.
    pub(super) const fn new(epoch: Epoch, standby: Standby, mark: u64, local: Time) -> Self {
        let mut gate = Gate::shut(epoch, mark);
        match standby {
            Standby::Solo | Standby::Joining(_) => gate.open_solo(),
            Standby::Paired(_) => gate.open_for_committed(),
            Standby::Admitting(_) | Standby::Dropping(_) | Standby::HandingOver(_) => {}
        }
        Self {
            epoch,
            sequence: 0,
            mark,
            covered: mark,
            gate,
            standby,
            serving: true,
            again: VecDeque::new(),
            moved: BTreeSet::new(),
            heard: local,
            said: local,
            kept: 0,
        }
    }

    /// Keeps what a predecessor may not have sent.
    pub(super) fn inherit(&mut self, again: impl Iterator<Item = (Stamp, O)>) {
        self.again = again.collect();
        self.serving = false;
    }

    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let heartbeat = if self.standby.is_linked() { self.said + settings.heartbeat } else { Time::NEVER };
        let silence = match settings.commit {
            Commit::Acknowledged if self.standby.is_linked() => self.heard + settings.silence,
            Commit::Acknowledged | Commit::Published => Time::NEVER,
        };
        let switchover = match &self.standby {
            Standby::HandingOver(over) if over.called_off.is_some() => Time::NEVER,
            Standby::HandingOver(over) if !over.asked && self.has_let_all_leave() => over.since,
            Standby::HandingOver(over) => over.since + SWITCHOVER_PATIENCE,
            _ => Time::NEVER,
        };
        heartbeat.min(silence).min(switchover)
    }

    /// True if nothing waits at the gate, and every input that was taken in is covered by a checkpoint.
    pub(super) fn has_let_all_leave(&self) -> bool {
        self.gate.is_empty() && self.mark == self.covered
    }

    /// True while the backup may take over at any moment because it was asked to: the records must stay as they are.
    pub(super) const fn is_frozen(&self) -> bool {
        matches!(&self.standby, Standby::HandingOver(over) if over.asked)
    }

    /// True if the engine may be told what is due.
    pub(super) const fn keeps_time(&self) -> bool {
        self.serving && !self.is_frozen()
    }

    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Checkpoints that the backup has not confirmed.
    pub(super) const fn lag(&self) -> u64 {
        if self.standby.is_linked() { self.sequence.saturating_sub(self.kept) } else { 0 }
    }

    pub(super) const fn is_paired(&self) -> bool {
        matches!(self.standby, Standby::Paired(_))
    }

    /// Releases what may leave.
    fn release(&mut self, effects: &mut Vec<Effect<O>>) {
        self.gate.release(|output| effects.push(Effect::Release(output)));
    }
}

impl<E: Engine> Replica<E> {
    /// True if inputs may be read from the sockets.
    #[must_use]
    pub fn accepts_inputs(&self) -> bool {
        match &self.role {
            Role::Primary(primary) => {
                primary.gate.held() < MOST_HELD && !matches!(primary.standby, Standby::HandingOver(_))
            }
            Role::Start(_) | Role::Backup(_) | Role::Retired => false,
        }
    }

    /// True if outputs wait to be released.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        matches!(&self.role, Role::Primary(primary) if primary.gate.held() > 0)
    }

    /// Inputs up to this number need not be kept in the input ring any more.
    #[must_use]
    pub const fn mark(&self) -> u64 {
        match &self.role {
            Role::Primary(primary) => primary.gate.mark(),
            Role::Start(_) | Role::Backup(_) | Role::Retired => 0,
        }
    }

    /// Ends a batch of inputs: writes one checkpoint if anything changed, and releases what may leave.
    pub fn flush(&mut self, local: Time) {
        match &self.role {
            Role::Primary(_) => self.write_checkpoint(local),
            Role::Backup(_) => self.confirm_kept(local),
            Role::Start(_) | Role::Retired => {}
        }
    }

    fn write_checkpoint(&mut self, local: Time) {
        let now = self.pair_time(local);
        let Role::Primary(primary) = &mut self.role else { return };
        let outputs = std::mem::take(self.engine.outputs());
        let dirty = self.engine.store().is_dirty() || self.refused.has_news();
        if !dirty && outputs.is_empty() && primary.mark == primary.covered {
            return;
        }
        primary.sequence += 1;
        primary.covered = primary.mark;
        let (epoch, sequence) = (primary.epoch, primary.sequence);
        let mut changes = Vec::with_capacity(STEP);
        self.refused.write_news(&mut changes);
        let effects = &mut self.effects;
        self.engine.store_mut().drain(&mut changes, |key, change| {
            if E::durable(key.kind) {
                effects.push(Effect::Journal { stamp: (epoch, sequence), key, change: change.to_vec() });
            }
            if !primary.serving {
                primary.moved.insert(key);
            }
        });
        if primary.standby.is_linked() {
            let mut encoded = Vec::with_capacity(STEP);
            for output in &outputs {
                write_output(&mut encoded, |out| output.encode(out));
            }
            let step = Checkpoint {
                epoch,
                sequence,
                now,
                mark: primary.mark,
                left: primary.gate.released(),
                changes: &changes,
                outputs: &encoded,
            };
            primary.said = local;
            effects.push(Effect::Frame {
                bytes: Message::Checkpoint(step).encode(),
                checkpoint: Some(Stamp { epoch, sequence }),
            });
        }
        primary.gate.hold(sequence, primary.mark, outputs);
        primary.release(effects);
    }

    /// The link has accepted the whole of this checkpoint, and of every one before it. One of an earlier epoch says
    /// nothing: a link lasts longer than an epoch, and every epoch counts from 1.
    pub fn published(&mut self, checkpoint: Stamp) {
        if let Role::Primary(primary) = &mut self.role
            && self.settings.commit == Commit::Published
            && primary.epoch == checkpoint.epoch
        {
            primary.gate.commit(checkpoint.sequence);
            primary.release(&mut self.effects);
            self.pursue_admission();
        }
    }

    /// The inputs that the predecessor had read, and those that waited in the sockets, are taken in: what may not have
    /// left is sent again, unless the record behind it has moved meanwhile (rule 6).
    pub fn inputs_taken(&mut self, local: Time) {
        self.flush(local);
        let forget = sabotaged!(self, ForgetOutputs);
        let Role::Primary(primary) = &mut self.role else { return };
        primary.serving = true;
        let moved = std::mem::take(&mut primary.moved);
        for (stamp, output) in std::mem::take(&mut primary.again) {
            let stands = output.record().is_none_or(|record| !moved.contains(&record));
            if stands && output.may_repeat() && !forget {
                self.effects.push(Effect::Release(Gate::release_again(stamp, output)));
            }
        }
        self.tick(local);
    }

    pub(super) fn primary_tick(&mut self, local: Time) {
        let now = self.pair_time(local);
        let Role::Primary(primary) = &self.role else { return };
        if primary.keeps_time() && self.engine.store().deadline() <= now {
            self.guarded(now, None, |engine| engine.expire(now));
        }
        self.flush(local);
        let Role::Primary(primary) = &mut self.role else { return };
        let impatient = primary.standby.is_linked() && self.settings.commit == Commit::Acknowledged;
        if impatient && primary.heard + self.settings.silence <= local {
            self.effects.push(Effect::HangUp);
            return self.primary_lost_link(local);
        }
        if primary.standby.is_linked() && primary.said + self.settings.heartbeat <= local {
            primary.said = local;
            let (epoch, sequence) = (primary.epoch, primary.sequence);
            let state_hash = self.engine.store().state_hash();
            self.send(&Message::Heartbeat { epoch, sequence, now, state_hash });
        }
        self.switchover_tick(local);
    }

    pub(super) fn primary_hears(&mut self, local: Time, message: Message<'_>) {
        let Role::Primary(primary) = &mut self.role else { return };
        primary.heard = local;
        let epoch = primary.epoch;
        match message {
            Message::Hello { incarnation, format } => self.take_on(local, incarnation, format),
            Message::PieceKept { number } => self.send_snapshot(local, Some(number)),
            Message::Level { epoch: of } if of == epoch => {
                if let Standby::Joining(snapshot) = &mut primary.standby {
                    snapshot.level = true;
                }
                self.admit(local);
            }
            Message::Kept { epoch: of, sequence } if of == epoch && sequence <= primary.sequence => {
                primary.kept = primary.kept.max(sequence);
                if self.settings.commit == Commit::Acknowledged {
                    primary.gate.commit(sequence);
                    primary.release(&mut self.effects);
                    self.pursue_admission();
                }
            }
            Message::TakenOver { epoch: of, now } if of == epoch.next() => self.step_down(local, of, Some(now)),
            Message::Superseded { epoch: of } if of > epoch => self.retire(Retirement::Superseded(of)),
            Message::Checkpoint(Checkpoint { epoch: of, sequence, .. }) if of < epoch => {
                if sabotaged!(self, AcceptOldEpoch) {
                    return self.send(&Message::Kept { epoch: of, sequence });
                }
                self.send(&Message::Superseded { epoch });
            }
            Message::Heartbeat { epoch: of, .. } | Message::Piece { epoch: of, .. } if of < epoch => {
                self.send(&Message::Superseded { epoch });
            }
            _ => {}
        }
    }

    /// Takes on a backup that dialled.
    fn take_on(&mut self, local: Time, peer: Incarnation, format: u32) {
        let expected = self.settings.peer.as_ref() == Some(&peer.application);
        self.flush(local);
        let now = self.pair_time(local);
        let Role::Primary(primary) = &mut self.role else { return };
        if !matches!(primary.standby, Standby::Solo) || !expected || format < FORMAT {
            self.effects.push(Effect::HangUp);
            if primary.standby.is_linked() {
                self.primary_lost_link(local);
            }
            return;
        }
        primary.kept = primary.sequence;
        primary.standby = Standby::Joining(Snapshot::new(peer.clone()));
        let (epoch, sequence, mark) = (primary.epoch, primary.sequence, primary.covered);
        self.effects.push(Effect::Tell(Remark::Joining(peer)));
        self.send(&Message::Welcome { epoch, sequence, mark, now });
        self.send_snapshot(local, None);
    }

    fn send_snapshot(&mut self, local: Time, kept: Option<u64>) {
        self.flush(local);
        let lose_record = sabotaged!(self, LoseSnapshotRecord);
        let Role::Primary(primary) = &mut self.role else { return };
        let Standby::Joining(snapshot) = &mut primary.standby else { return };
        primary.said = local;
        if let Some(number) = kept {
            snapshot.kept(number);
        }
        let store = self.engine.store();
        while let Some((number, mut changes)) = snapshot.next_piece(store, &self.refused) {
            if lose_record {
                super::snapshot::lose_first(&mut changes);
            }
            let piece = Message::Piece { epoch: primary.epoch, number, changes: &changes };
            self.effects.push(Effect::Frame { bytes: piece.encode(), checkpoint: None });
        }
        if snapshot.completes(primary.sequence) {
            let complete = Message::Complete {
                epoch: primary.epoch,
                sequence: primary.sequence,
                records: store.len() as u64,
                state_hash: store.state_hash(),
            };
            self.effects.push(Effect::Frame { bytes: complete.encode(), checkpoint: None });
        }
    }

    /// The backup holds every record: closes the gate, and asks that it may take over (rule 8) as soon as it has kept
    /// the checkpoints that were released while they were on their way. Not before the request can be sent: a gate that
    /// is shut without one stays shut for as long as the coordinator is away. The next word from it admits then.
    fn admit(&mut self, local: Time) {
        self.flush(local);
        let stays_open = sabotaged!(self, AdmitOpen);
        let may_ask = self.asking.connected && self.asking.in_flight.is_none();
        let Role::Primary(primary) = &mut self.role else { return };
        let Standby::Joining(snapshot) = &primary.standby else { return };
        if !snapshot.level || !may_ask {
            return;
        }
        primary.gate.commit(primary.kept.max(snapshot.complete.unwrap_or_default()));
        primary.standby = Standby::Admitting(snapshot.clone());
        if !stays_open {
            primary.gate.close();
        }
        self.pursue();
    }

    /// The coordinator is away. A request to admit that is on its way may still be done at any later time, so the gate
    /// stays closed while the answer is unknown (rule 8), unless the backup has certainly ended (rule 14). Where none was
    /// sent, nobody can have admitted the backup: it joins as before, and outputs leave.
    pub(super) fn put_admission_off(&mut self) {
        if self.asking.unsure {
            return;
        }
        let Role::Primary(primary) = &mut self.role else { return };
        if let Standby::Admitting(snapshot) = &primary.standby {
            primary.standby = Standby::Joining(snapshot.clone());
            primary.gate.open_solo();
            primary.release(&mut self.effects);
        }
    }

    pub(super) fn pursue_admission(&mut self) {
        if matches!(&self.role, Role::Primary(primary) if matches!(primary.standby, Standby::Admitting(_))) {
            self.pursue();
        }
    }

    pub(super) fn primary_lost_link(&mut self, local: Time) {
        let unasked = sabotaged!(self, SoloUnasked);
        let Role::Primary(primary) = &mut self.role else { return };
        primary.release(&mut self.effects);
        match &mut primary.standby {
            Standby::Solo | Standby::Dropping(_) => return,
            Standby::Joining(_) => primary.standby = Standby::Solo,
            Standby::Admitting(Snapshot { peer, .. }) | Standby::Paired(peer) => {
                primary.gate.close();
                primary.standby = Standby::Dropping(peer.clone());
            }
            Standby::HandingOver(over) => {
                over.lost = true;
                over.called_off.get_or_insert(local.since(over.since));
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
        if entry.epoch <= primary.epoch {
            self.admit(local);
            return self.pursue();
        }
        let epoch = entry.epoch;
        match &primary.standby {
            Standby::HandingOver(over) if entry.primary == over.peer && entry.in_sync.contains(&self.settings.me) => {
                self.step_down(local, epoch, None);
            }
            _ => self.retire(Retirement::Superseded(epoch)),
        }
    }

    /// Makes the entry say what is so, and opens the gate when it does.
    pub(super) fn pursue(&mut self) {
        let Role::Primary(primary) = &self.role else { return };
        let waits = match &primary.standby {
            Standby::HandingOver(over) => over.called_off.is_none(),
            Standby::Admitting(_) => !primary.gate.is_covered(),
            _ => false,
        };
        if waits {
            return;
        }
        let me = &self.settings.me;
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
            Standby::HandingOver(over) => {
                let taken = over.called_off.unwrap_or_default();
                self.effects.push(Effect::Tell(Remark::SwitchoverFailed(taken)));
                self.effects.push(Effect::HangUp);
                self.go_solo();
            }
            Standby::Solo | Standby::Joining(_) | Standby::Paired(_) => {}
        }
        let Role::Primary(primary) = &mut self.role else { return };
        primary.release(&mut self.effects);
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
