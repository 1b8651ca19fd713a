//! A pair without its protocol: an engine, and a second one that has absorbed every record the first wrote down.

use model::{Epoch, RecordKey, Time};
use redundancy::change::Changes;
use redundancy::hot_standby::{Engine as _, Output as _};
use routing::{Engine, Input, Output, Settings};

pub(crate) struct Pair {
    pub(crate) engine: Engine,
    settings: Settings,
    backup: Engine,
    epoch: Epoch,
}

impl Pair {
    /// The first primary, from nothing.
    pub(crate) fn new(settings: Settings, now: Time) -> Self {
        let mut pair = Self {
            engine: Engine::new(settings.clone()),
            backup: Engine::new(settings.clone()),
            settings,
            epoch: Epoch(0),
        };
        pair.begin(now);
        pair
    }

    fn begin(&mut self, now: Time) {
        self.epoch = self.epoch.next();
        self.engine.begin(now, self.epoch, 0);
        self.checkpoint();
    }

    pub(crate) fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        self.engine.handle(now, input);
        self.checkpoint();
        self.release()
    }

    /// An input whose checkpoint and outputs die with the primary.
    pub(crate) fn handle_in_vain(&mut self, now: Time, input: Input) {
        self.engine.handle(now, input);
    }

    pub(crate) fn expire(&mut self, now: Time) -> Vec<Output> {
        self.engine.expire(now);
        self.checkpoint();
        self.release()
    }

    pub(crate) fn deadline(&self) -> Time {
        self.engine.store().deadline()
    }

    /// What left; each output survives its encoded form.
    fn release(&mut self) -> Vec<Output> {
        let written = self.engine.outputs().drain(..).inspect(|output| {
            let mut bytes = Vec::new();
            output.encode(&mut bytes);
            assert_eq!(Output::decode(&bytes).as_ref(), Some(output), "an output is read as it was written");
        });
        written.collect()
    }

    fn checkpoint(&mut self) {
        let mut bytes = Vec::new();
        self.engine.store_mut().drain(&mut bytes, |_, _| ());
        for change in Changes::new(&bytes) {
            self.backup.store_mut().absorb(&change.expect("a checkpoint is undamaged"));
        }
        assert_eq!(self.engine.store().state_hash(), self.backup.store().state_hash(), "both sides hold the same");
    }

    /// The backup goes on in the primary's place and gets a new backup.
    pub(crate) fn take_over(&mut self, now: Time) -> Vec<Output> {
        self.succeed(now, |_| true)
    }

    /// Both sides end; what the disk holds goes on.
    pub(crate) fn cold_start(&mut self, now: Time) -> Vec<Output> {
        self.succeed(now, |key| Engine::durable(key.kind))
    }

    fn succeed(&mut self, now: Time, survives: impl Fn(RecordKey) -> bool) -> Vec<Output> {
        let mut bytes = Vec::new();
        let mut next = self.backup.store().next_key(RecordKey::new(model::Kind(0), 0));
        while let Some(key) = next {
            if survives(key) {
                self.backup.store().write_snapshot(key, &mut bytes);
            }
            next = key.id.checked_add(1).and_then(|id| self.backup.store().next_key(RecordKey::new(key.kind, id)));
        }
        self.engine = Engine::new(self.settings.clone());
        self.backup = Engine::new(self.settings.clone());
        for change in Changes::new(&bytes) {
            let change = change.expect("a snapshot is undamaged");
            self.engine.store_mut().absorb(&change);
            self.backup.store_mut().absorb(&change);
        }
        self.begin(now);
        self.release()
    }

    /// From now on the settings are these: as when a pair of two versions of a configuration changes sides.
    pub(crate) fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }
}
