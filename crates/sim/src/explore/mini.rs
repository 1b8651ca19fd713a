//! The smallest engine that shows whether a record is lost: one record that counts, and says so.

use model::{Epoch, Kind, RecordKey, Time};
use redundancy::change::Aliases;
use redundancy::hot_standby::{Engine, Output};
use redundancy::store::{Record, Store};

const COUNT: RecordKey = RecordKey::new(Kind(1), 1);

/// The record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count(u8);

/// The output: how far it has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said(u8);

/// The engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Mini {
    store: Store<Count>,
    outputs: Vec<Said>,
}

#[cfg(test)]
impl Mini {
    /// How far it has counted.
    pub(super) fn counted(&mut self) -> u8 {
        self.store.get(COUNT).map_or(0, |count| count.0)
    }
}

impl Record for Count {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    fn decode(_: Kind, bytes: &[u8]) -> Option<(Self, usize)> {
        bytes.first().map(|count| (Self(*count), 1))
    }

    fn understands(_: Kind, bytes: &[u8]) -> bool {
        !bytes.is_empty()
    }

    fn deadline(&self) -> Time {
        Time::NEVER
    }

    fn aliases(&self) -> Aliases {
        Aliases::new()
    }
}

impl Output for Said {
    fn record(&self) -> Option<RecordKey> {
        Some(COUNT)
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn may_repeat(&self) -> bool {
        true
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.first().map(|count| Self(*count))
    }
}

impl Engine for Mini {
    type Value = Count;
    type Input<'a> = ();
    type Output = Said;

    fn handle(&mut self, _: Time, (): ()) {
        let count = self.store.get(COUNT).map_or(0, |count| count.0).wrapping_add(1);
        self.store.insert(COUNT, Count(count));
        self.outputs.push(Said(count));
        self.store.settle();
    }

    fn expire(&mut self, _: Time) {}

    fn begin(&mut self, _: Time, _: Epoch, _: u64) {}

    fn store(&self) -> &Store<Count> {
        &self.store
    }

    fn store_mut(&mut self) -> &mut Store<Count> {
        &mut self.store
    }

    fn outputs(&mut self) -> &mut Vec<Said> {
        &mut self.outputs
    }

    fn abandon(&mut self, _: Time, _: &[RecordKey]) {}

    fn durable(_: Kind) -> bool {
        false
    }
}
