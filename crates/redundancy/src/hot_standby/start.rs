//! The way into the pair: as the first primary, as a backup, or from cold (rules 8 and 15).

use std::fmt;

use model::{Epoch, Incarnation, Span, Time};

use super::effect::{Effect, Retirement};
use super::engine::Engine;
use super::message::{FORMAT, Message};
use super::replica::{Commit, Replica, Role, Settings, sabotaged};
use crate::coordinator::PairEntry;

/// Pause before a primary that could not be reached is dialled again.
pub(super) const REDIAL: Span = Span::from_millis(50);
/// So often in a row it is dialled in vain at that pace, which is a second: a primary may need that to see that it has lost its
/// backup. One that has another backup takes nobody on for hours, so the pause doubles from then on.
const EAGER: u32 = 20;
/// The longest pause: what changes in the pair changes the entry, and whoever waits is told of that at once.
const LONGEST_REDIAL: Span = Span::from_secs(1);
/// How long a side that holds nothing leaves a cold start to the other side, which may hold what it was sent: time in which
/// both could ask, if they looked for the coordinator again at least every 80 ms.
const DEFERENCE: Span = Span::from_millis(200);
/// How long a side leaves a cold start to those on other hosts whose journals may hold what its own lacks: one that was not in sync to those
/// that were, and the last primary to the other one that was. That they have ended their host has said, which starts them again; or it is off for certain, and the pair goes on without.
const BEHIND: Span = Span::from_secs(5);

/// A side that has no role yet.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The primary that is being dialled or that the link leads to, and since when.
    dialled: Option<(Incarnation, Time)>,
    redial: Time,
    vain: Vain,
    reading_journals: bool,
    claim: Claim,
    /// It begins although those that were in sync at the end have newer journals.
    pub(super) is_behind: bool,
}

/// How often a primary was dialled in vain since the entry changed. It sets the pace and nothing else, so it is not shown: whoever
/// explores states by how they are shown takes two that differ in it for one.
#[derive(Clone, Copy, Default)]
struct Vain(u32);

impl fmt::Debug for Vain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vain")
    }
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
        Self {
            dialled: None,
            redial: Time::NEVER,
            vain: Vain::default(),
            reading_journals: false,
            claim: Claim::Unsettled,
            is_behind: false,
        }
    }
}

impl Start {
    /// The primary that is being dialled or that took this side on.
    pub(super) fn dialled(&self) -> Option<&Incarnation> {
        self.dialled.as_ref().map(|(primary, _)| primary)
    }

    /// It was dialled in vain: when it is dialled again.
    fn dial_later(&mut self, local: Time) {
        self.dialled = None;
        self.vain.0 = self.vain.0.saturating_add(1);
        let doublings = self.vain.0.saturating_sub(EAGER).min(16);
        self.redial = local + REDIAL.times(1 << doublings).min(LONGEST_REDIAL);
    }

    /// The pair has changed: whoever took nobody on may do so now.
    pub(super) fn dial_soon(&mut self, local: Time) {
        self.vain = Vain::default();
        if self.redial != Time::NEVER {
            self.redial = self.redial.min(local + REDIAL);
        }
    }

    /// The journals are to be read anew, for a later epoch.
    pub(super) const fn read_again(&mut self) {
        self.reading_journals = false;
    }

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
        // Another one may have been made primary while this side waited for them. If it is its turn again, they are read anew.
        if let Role::Start(start) = &mut self.role {
            start.read_again();
        }
        // A side that has to start holds nothing, even if the entry still counts on it.
        if entry.in_sync.iter().all(|one| *one == me || self.has_ended(one)) {
            if self.defers(local, &entry) {
                return;
            }
            // One of them may have served in the next epoch by a last word, and ended before that was recorded (rule 18).
            let epoch = entry.epoch.next().next();
            return self.swap(PairEntry { epoch, primary: me.clone(), in_sync: vec![me] });
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

    /// True while the other side should have the first word (rule 15).
    fn defers(&mut self, local: Time, entry: &PairEntry) -> bool {
        let (deference, is_behind) = (self.deference(entry), self.is_behind(entry));
        let connected = self.asking.connected;
        let Role::Start(start) = &mut self.role else { return false };
        if !connected {
            return true;
        }
        if matches!(start.claim, Claim::Unsettled) {
            start.claim = deference.map_or(Claim::Open, |pause| Claim::Deferred(local + pause));
        }
        start.is_behind = is_behind;
        matches!(start.claim, Claim::Deferred(_))
    }

    /// How long the other side has the first word. It may hold every record of the primary that has ended, and only not have been
    /// admitted yet; if it was primary itself, it holds no more than this side. Or its journal may be the newer one.
    fn deference(&self, entry: &PairEntry) -> Option<Span> {
        if self.is_behind(entry) && !sabotaged!(self, BeginBehind) {
            return Some(BEHIND);
        }
        let may_be_held = !self.settings.peers.is_empty() && self.has_been(&entry.primary);
        // Another one that was in sync may have gone on without that being recorded (rule 18), and its journal is on its host.
        let may_be_newer = self.settings.commit == Commit::Acknowledged && entry.in_sync.len() > 1;
        let pause = if may_be_newer { BEHIND } else { DEFERENCE };
        (may_be_held && !sabotaged!(self, BeginUnasked)).then_some(pause)
    }

    /// True if this side was not in sync at the end, and cannot read the journals of those that were, as they are on other hosts.
    fn is_behind(&self, entry: &PairEntry) -> bool {
        self.settings.commit == Commit::Acknowledged && !entry.in_sync.iter().any(|one| self.has_been(one))
    }

    /// True if this is an earlier run of this side, where it is now: its journal is here.
    pub(super) fn has_been(&self, who: &Incarnation) -> bool {
        let me = &self.settings.me;
        who.application == me.application && who.move_number() == me.move_number()
    }

    /// The coordinator is away, so nobody can speak, or the pair has changed: whoever has the first word has it anew.
    pub(super) fn claim_again(&mut self) {
        if let Role::Start(start) = &mut self.role {
            start.claim = Claim::Unsettled;
        }
    }

    /// True while this side is to begin by [`cold_start`](Self::cold_start) and has no role yet. Its shell may have something to
    /// settle before: the entry keeps its place for it, unless it ends or another side is promoted.
    #[must_use]
    pub const fn awaits_journals(&self) -> bool {
        matches!(&self.role, Role::Start(start) if start.reading_journals)
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
        let mut start = match &self.role {
            Role::Start(start) => start.clone(),
            _ => Start::default(),
        };
        start.dial_later(local);
        self.role = Role::Start(start);
    }

    /// The primary that took this side on.
    pub(super) fn dialled(&self) -> Option<&Incarnation> {
        match &self.role {
            Role::Start(start) => start.dialled(),
            Role::Backup(backup) => backup.dialled(),
            Role::Primary(_) | Role::Retired => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_that_takes_nobody_on_is_dialled_less_and_less_often_until_the_pair_changes() {
        let mut start = Start::default();
        let mut pauses = Vec::new();
        let mut now = Time::ZERO;
        for _ in 0..28 {
            start.dial_later(now);
            pauses.push(start.redial.since(now).as_millis());
            now = start.redial;
        }
        assert!(pauses[..20].iter().all(|pause| *pause == 50), "{pauses:?}");
        assert_eq!(pauses[20..], [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
        start.dial_later(now);
        start.dial_soon(now);
        assert_eq!(start.redial, now + REDIAL);
        start.redial = Time::NEVER;
        start.dial_soon(now);
        assert_eq!(start.redial, Time::NEVER, "it is being dialled now");
    }
}
