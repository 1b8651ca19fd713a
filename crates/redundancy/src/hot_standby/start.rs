//! The way into the pair: as the first primary, as a backup, or from cold (rules 8 and 15).

use model::{Epoch, Incarnation, Span, Time};

use super::effect::{Effect, Remark, Retirement};
use super::engine::Engine;
use super::message::{FORMAT, Message};
use super::primary::Primary;
use super::replica::{Replica, Role, Settings};
use super::standby::Standby;
use crate::change::Change;
use crate::coordinator::PairEntry;

/// Pause before a primary that could not be reached is dialled again.
pub(super) const REDIAL: Span = Span::from_millis(50);

/// A side that has no role yet.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The primary that is being dialled or that the link leads to, and since when.
    dialled: Option<(Incarnation, Time)>,
    redial: Time,
    reading_journals: bool,
}

impl Default for Start {
    fn default() -> Self {
        Self { dialled: None, redial: Time::NEVER, reading_journals: false }
    }
}

impl Start {
    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let patience = self.dialled.as_ref().map_or(Time::NEVER, |(_, since)| *since + settings.welcome());
        self.redial.min(patience)
    }
}

impl<E: Engine> Replica<E> {
    pub(super) fn start_tick(&mut self, local: Time) {
        let welcome = self.settings.welcome();
        let Role::Start(start) = &mut self.role else { return };
        if start.dialled.as_ref().is_some_and(|(_, since)| *since + welcome <= local) {
            self.effects.push(Effect::HangUp);
            self.start_again(local);
        } else if start.redial <= local {
            start.redial = Time::NEVER;
            start.dialled = None;
            self.consider_start(local);
        }
    }

    /// Finds the way in that the entry leaves open.
    pub(super) fn consider_start(&mut self, local: Time) {
        let me = self.settings.me.clone();
        let Some(entry) = self.entry().cloned() else {
            return self.swap(PairEntry { epoch: Epoch(1), primary: me.clone(), in_sync: vec![me] });
        };
        if entry.primary == me && entry.in_sync == [me.clone()] {
            return self.read_journals();
        }
        // A side that has to start holds nothing, even if the entry still counts on it.
        if entry.in_sync.iter().all(|one| *one == me || self.has_ended(one)) {
            return self.swap(PairEntry { epoch: entry.epoch.next(), primary: me.clone(), in_sync: vec![me] });
        }
        if entry.primary == me {
            // It was made primary after it had fallen out of the pair. The other side holds the records, and takes
            // over when this incarnation has ended.
            return self.retire(Retirement::Outdated);
        }
        if !self.has_ended(&entry.primary) {
            self.dial(local, entry.primary);
        }
    }

    /// The entry names this side although it holds nothing that it could go on with.
    pub(super) fn start_from_cold(&mut self, local: Time) {
        self.start_again(local);
        self.consider_start(local);
    }

    fn read_journals(&mut self) {
        if let Role::Start(start) = &mut self.role
            && !start.reading_journals
        {
            start.reading_journals = true;
            self.effects.push(Effect::ReadJournals);
        }
    }

    fn dial(&mut self, local: Time, primary: Incarnation) {
        let Role::Start(start) = &mut self.role else { return };
        match &start.dialled {
            Some((dialled, _)) if *dialled == primary => {}
            Some(_) => {
                start.dialled = None;
                start.redial = local + REDIAL;
                self.effects.push(Effect::HangUp);
            }
            None if start.redial == Time::NEVER => {
                start.dialled = Some((primary.clone(), local));
                self.effects.push(Effect::Dial(primary));
            }
            None => {}
        }
    }

    pub(super) fn introduce_myself(&mut self) {
        let hello = Message::Hello { incarnation: self.settings.me.clone(), format: FORMAT };
        self.send(&hello);
    }

    /// The link to the primary broke, or could not be made, before this side had a role.
    pub(super) fn start_again(&mut self, local: Time) {
        self.engine.store_mut().clear();
        let reading_journals = matches!(&self.role, Role::Start(start) if start.reading_journals);
        self.role = Role::Start(Start { dialled: None, redial: local + REDIAL, reading_journals });
    }

    /// Begins without a predecessor, with the durable records that the journals held; `newest` is the highest epoch
    /// that wrote one of them. Pair time starts at `begin`, the time of day in microseconds since 1970 or later, so that
    /// deadlines in durable records keep their meaning.
    pub fn cold_start<'a>(
        &mut self,
        local: Time,
        begin: Time,
        newest: Epoch,
        records: impl Iterator<Item = Change<'a>>,
    ) {
        let Some(epoch) = self.entry().filter(|entry| entry.primary == self.settings.me).map(|entry| entry.epoch)
        else {
            return;
        };
        let Role::Start(start) = &mut self.role else { return };
        if epoch <= newest {
            // The coordinator has lost the entry, or got an old one back. What an epoch writes counts for more than what
            // all before it wrote, so this one must be beyond them.
            start.reading_journals = false;
            let me = self.settings.me.clone();
            return self.swap(PairEntry { epoch: newest.next(), primary: me.clone(), in_sync: vec![me] });
        }
        self.set_pair_time(local, begin);
        let mut count = 0;
        for change in records {
            self.engine.store_mut().absorb(&change);
            count += 1;
        }
        self.effects.push(Effect::Tell(Remark::ColdStart { records: count }));
        self.serve(local, Primary::new(epoch, Standby::Solo, 0, local), None);
    }

    /// The primary that took this side on.
    pub(super) fn dialled(&self) -> Option<&Incarnation> {
        match &self.role {
            Role::Start(start) => start.dialled.as_ref().map(|(primary, _)| primary),
            Role::Backup(backup) => backup.dialled(),
            Role::Primary(_) | Role::Retired => None,
        }
    }
}
