//! A backup comes: it is sent the records, and stands in sync when the coordinator agrees (rule 8).

use model::{Incarnation, Time};

use super::effect::{Effect, Remark};
use super::engine::Engine;
use super::message::{FORMAT, Message};
use super::replica::{Replica, Role, sabotaged};
use super::snapshot::Snapshot;
use super::standby::Standby;

impl<E: Engine> Replica<E> {
    /// Takes on a backup that dialled.
    pub(super) fn take_on(&mut self, local: Time, peer: Incarnation, format: u32) {
        let expected = self.settings.peers.contains(&peer.application);
        self.flush(local);
        let now = self.pair_time(local);
        let recorded = self.entry().map(|entry| entry.epoch);
        let Role::Primary(primary) = &mut self.role else { return };
        // Nobody can be admitted to an epoch that is not recorded yet (rule 18), and whoever joined could not go on from it.
        let is_recorded = recorded == Some(primary.epoch);
        if !matches!(primary.standby, Standby::Solo) || !is_recorded || !expected || format < FORMAT {
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
    }

    /// Sends the next piece, if one may be sent, and says so when all are kept. One at a time, so that whoever has something to say
    /// meanwhile waits for the writing of one piece only.
    pub(super) fn send_snapshot(&mut self, local: Time) {
        let lose_record = sabotaged!(self, LoseSnapshotRecord);
        let Role::Primary(primary) = &mut self.role else { return };
        let Standby::Joining(snapshot) = &mut primary.standby else { return };
        let store = self.engine.store();
        if let Some((number, mut changes)) = snapshot.next_piece(store, &self.refused) {
            if lose_record {
                super::snapshot::lose_first(&mut changes);
            }
            primary.said = local;
            let piece = Message::Piece { epoch: primary.epoch, number, changes: &changes };
            self.effects.push(Effect::Frame { bytes: piece.encode(), checkpoint: None });
        }
        if snapshot.completes(primary.sequence) {
            primary.said = local;
            let complete = Message::Complete {
                epoch: primary.epoch,
                sequence: primary.sequence,
                records: store.len() as u64,
                state_hash: store.state_hash(),
            };
            self.effects.push(Effect::Frame { bytes: complete.encode(), checkpoint: None });
        }
    }

    /// The backup holds every record: outputs leave only when it has their checkpoint from now on, and as soon as that
    /// is so for all that have left, this side asks that the backup may take over (rule 8). Not before the request can be
    /// sent: there is no need to wait for a backup that nobody can admit. The next word from the coordinator admits then.
    pub(super) fn admit(&mut self, local: Time) {
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
            primary.gate.open_for_committed();
        }
        self.pursue();
    }

    /// The coordinator is away. A request to admit that is on its way may still be done at any later time, so outputs go
    /// on waiting for the backup while the answer is unknown (rule 8). Where none was sent, nobody can have admitted the
    /// backup: it joins as before, and outputs leave at once.
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
}
