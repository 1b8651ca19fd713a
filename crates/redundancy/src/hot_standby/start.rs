//! The way into the pair: as the first primary, as a backup, or from cold (rules 8 and 15).

use model::{Epoch, Incarnation, Span, Time};

use super::effect::{Effect, Remark, Retirement};
use super::engine::Engine;
use super::gate::Stamp;
use super::message::{FORMAT, Message};
use super::primary::Primary;
use super::replica::{Replica, Role, Settings};
use super::standby::Standby;
use crate::change::Change;
use crate::coordinator::PairEntry;

/// Pause before a primary that could not be reached is dialled again.
pub(super) const REDIAL: Span = Span::from_millis(50);
/// How long a side that holds nothing leaves a cold start to the other side, which may hold what it was sent.
const DEFERENCE: Span = Span::from_millis(100);

/// A side that has no role yet.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The primary that is being dialled or that the link leads to, and since when.
    dialled: Option<(Incarnation, Time)>,
    redial: Time,
    reading_journals: bool,
    claim: Claim,
}

/// Whether this side may begin from cold, where the entry allows it.
#[derive(Clone, Copy, Debug, Default)]
enum Claim {
    #[default]
    Unsettled,
    /// The other side has the first word until then.
    Deferred(Time),
    Open,
}

impl Default for Start {
    fn default() -> Self {
        Self { dialled: None, redial: Time::NEVER, reading_journals: false, claim: Claim::Unsettled }
    }
}

impl Start {
    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let patience = self.dialled.as_ref().map_or(Time::NEVER, |(_, since)| *since + settings.welcome());
        let claim = if let Claim::Deferred(until) = self.claim { until } else { Time::NEVER };
        self.redial.min(patience).min(claim)
    }
}

impl<E: Engine> Replica<E> {
    pub(super) fn start_tick(&mut self, local: Time) {
        let welcome = self.settings.welcome();
        let Role::Start(start) = &mut self.role else { return };
        if start.dialled.as_ref().is_some_and(|(_, since)| *since + welcome <= local) {
            self.effects.push(Effect::HangUp);
            self.start_again(local);
        } else if start.deadline(&self.settings) <= local {
            if start.redial <= local {
                start.redial = Time::NEVER;
                start.dialled = None;
            }
            if matches!(start.claim, Claim::Deferred(until) if until <= local) {
                start.claim = Claim::Open;
            }
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
            if self.defers(local, &entry) {
                return;
            }
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

    /// True while the other side should have the first word: it may hold every record of the primary that has ended,
    /// and only not have been admitted yet (rule 15). If it was primary itself, it holds no more than this side.
    fn defers(&mut self, local: Time, entry: &PairEntry) -> bool {
        let may_be_held = self.settings.peer.is_some() && entry.primary.application == self.settings.me.application;
        let Role::Start(start) = &mut self.role else { return false };
        if matches!(start.claim, Claim::Unsettled) {
            start.claim = if may_be_held { Claim::Deferred(local + DEFERENCE) } else { Claim::Open };
        }
        matches!(start.claim, Claim::Deferred(_))
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
        let (reading_journals, claim) = match &self.role {
            Role::Start(start) => (start.reading_journals, start.claim),
            _ => (false, Claim::Unsettled),
        };
        self.role = Role::Start(Start { dialled: None, redial: local + REDIAL, reading_journals, claim });
    }

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
            // all before it wrote, so this one must be beyond them.
            start.reading_journals = false;
            let me = self.settings.me.clone();
            return self.swap(PairEntry { epoch: newest.next(), primary: me.clone(), in_sync: vec![me] });
        }
        if start.dialled.is_some() {
            self.effects.push(Effect::HangUp);
        }
        self.set_pair_time(local, begin);
        let mut count = 0;
        for (_, change) in records {
            count += usize::from(change.state.is_some());
            self.engine.store_mut().absorb(&change);
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
