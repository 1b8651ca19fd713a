//! A start without anybody who stood in sync: from the journals, or with what a side was sent and nobody admitted (rule 15).

use std::collections::BTreeSet;

use model::{Epoch, Time};

use super::effect::{Effect, Remark};
use super::engine::Engine;
use super::gate::Stamp;
use super::primary::Primary;
use super::replica::{Replica, Role};
use super::standby::Standby;
use crate::change::Change;
use crate::coordinator::PairEntry;

impl<E: Engine> Replica<E> {
    /// Begins without a predecessor, with the durable records that the journals held, each with the checkpoint that wrote
    /// it, and with what this side holds already; `newest` is the highest epoch that wrote one of them. Without anything
    /// held, pair time starts at `begin`, the time of day in microseconds since 1970 or later, so that deadlines in durable
    /// records keep their meaning.
    pub fn cold_start<'a>(
        &mut self,
        local: Time,
        begin: Time,
        newest: Epoch,
        records: impl Iterator<Item = (Stamp, Change<'a>)>,
    ) {
        let Some(entry) = self.entry().filter(|entry| entry.primary == self.settings.me).cloned() else { return };
        let Role::Start(start) = &mut self.role else { return self.take_over_from_cold(local, &entry, records) };
        let epoch = entry.epoch;
        if epoch <= newest {
            // The coordinator has lost the entry, or got an old one back. What an epoch writes counts for more than what
            // all before it wrote, so this one must be beyond them, and beyond one that was not recorded (rule 18).
            start.read_again();
            let me = self.settings.me.clone();
            return self.swap(PairEntry { epoch: newest.next().next(), primary: me.clone(), in_sync: vec![me] });
        }
        let is_behind = start.is_behind;
        if start.dialled().is_some() {
            self.effects.push(Effect::HangUp);
        }
        self.set_pair_time(local, begin);
        let mut count = 0;
        for (_, change) in records {
            count += usize::from(change.state.is_some());
            self.engine.store_mut().absorb(&change);
        }
        self.effects.push(Effect::Tell(Remark::ColdStart { records: count, is_behind }));
        self.serve(local, Primary::new(epoch, Standby::Solo, 0, local), None);
    }

    /// Takes over without having been admitted, with what this side holds and the durable records that are newer.
    fn take_over_from_cold<'a>(
        &mut self,
        local: Time,
        entry: &PairEntry,
        records: impl Iterator<Item = (Stamp, Change<'a>)>,
    ) {
        let Role::Backup(backup) = &mut self.role else { return };
        if !backup.reads_journals_for(entry.epoch) {
            return;
        }
        let held = backup.held();
        let mut newer = BTreeSet::new();
        for (_, change) in records.filter(|(stamp, _)| *stamp > held) {
            newer.insert(change.key);
            self.engine.store_mut().absorb(&change);
        }
        backup.forget_outputs_of(&newer);
        self.engine.lose_track();
        self.effects.push(Effect::Tell(Remark::BeganWithHeld(held)));
        self.take_over(local, entry);
    }
}
