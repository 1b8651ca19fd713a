//! The side that serves: it writes checkpoints, holds outputs, and keeps the entry true about its backup.

use std::collections::{BTreeSet, VecDeque};

use model::{Epoch, RecordKey, Time};

use super::effect::{Effect, Retirement};
use super::engine::{Engine, Output};
use super::gate::{Gate, Stamp};
use super::message::{Checkpoint, Message, write_output};
use super::replica::{Commit, Replica, Role, Settings, sabotaged};
use super::standby::Standby;
use super::switchover::SWITCHOVER_PATIENCE;

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
            Standby::Admitting(_) | Standby::Dismissing(_) | Standby::Dropping(_) | Standby::HandingOver(_) => {}
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
            Standby::HandingOver(over) if over.granted && self.has_let_all_leave() => over.since,
            Standby::HandingOver(over) if over.granted || over.called_off.is_some() => Time::NEVER,
            Standby::HandingOver(over) => over.since + SWITCHOVER_PATIENCE,
            _ => Time::NEVER,
        };
        let snapshot = match &self.standby {
            Standby::Joining(snapshot) if snapshot.is_due() => Time::ZERO,
            _ => Time::NEVER,
        };
        heartbeat.min(silence).min(switchover).min(snapshot)
    }

    /// True if nothing waits at the gate, and every input that was taken in is covered by a checkpoint.
    pub(super) fn has_let_all_leave(&self) -> bool {
        self.gate.is_empty() && self.mark == self.covered
    }

    /// True while the backup is about to take over: the records must stay as they are.
    pub(super) const fn is_frozen(&self) -> bool {
        matches!(&self.standby, Standby::HandingOver(over) if over.granted)
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

    /// True if nothing may leave before the coordinator has said that this side still serves.
    pub(super) const fn is_undecided(&self) -> bool {
        match &self.standby {
            Standby::Dropping(_) => true,
            Standby::HandingOver(over) => over.lost,
            Standby::Solo
            | Standby::Joining(_)
            | Standby::Admitting(_)
            | Standby::Paired(_)
            | Standby::Dismissing(_) => false,
        }
    }

    /// Releases what may leave.
    pub(super) fn release(&mut self, effects: &mut Vec<Effect<O>>) {
        self.gate.release(|output| effects.push(Effect::Release(output)));
    }
}

impl<E: Engine> Replica<E> {
    /// True if inputs may be read from the sockets.
    #[must_use]
    pub fn accepts_inputs(&self) -> bool {
        match &self.role {
            Role::Primary(primary) => primary.gate.held() < MOST_HELD && !primary.is_frozen(),
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
        self.send_snapshot(local);
        self.switchover_tick(local);
    }

    pub(super) fn primary_hears(&mut self, local: Time, message: Message<'_>) {
        let Role::Primary(primary) = &mut self.role else { return };
        primary.heard = local;
        let epoch = primary.epoch;
        match message {
            Message::Hello { incarnation, format } => self.take_on(local, incarnation, format),
            Message::PieceKept { number } => {
                if let Standby::Joining(snapshot) = &mut primary.standby {
                    snapshot.kept(number);
                }
            }
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
            // It has not waited for the word of this side, so it may not have all that this side has. But it lets nothing leave before
            // this side has it as well, while the entry counts on both: as long as that is so, what is held here is not given up.
            Message::TakenOver { epoch: of, .. }
                if of > epoch && matches!(primary.standby, Standby::HandingOver(_)) =>
            {
                self.effects.push(Effect::HangUp);
                self.primary_lost_link(local);
            }
            Message::TakenOver { epoch: of, .. } | Message::Superseded { epoch: of } if of > epoch => {
                self.retire(Retirement::Superseded(of));
            }
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
}
