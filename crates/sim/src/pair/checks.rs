//! Tells the checkers what happens to a pair.

use model::{Epoch, Incarnation, RecordKey};
use redundancy::coordinator::PairEntry;
use redundancy::hot_standby::{Commit, Engine as _, RoleName, Serve, Stamp, Status};

use super::{End, News, Pair, Process, Service, Side, other};
use crate::checkers::{Verdict, explained, nothing_lost, one_primary, quiet, same_state, watch};
use crate::kernel::Core;
use crate::plan::Layout;

/// Within how many microseconds a prompt coordinator answers.
const PROMPT: u64 = 10_000;

fn report<E>(core: &mut Core<E>, checker: &'static str, verdict: Verdict) {
    if let Err(what) = verdict {
        core.fail(checker, || what);
    }
}

impl<S: Service> Pair<S> {
    fn entry(&self) -> Option<&PairEntry> {
        self.control.entry.as_ref().map(|versioned| &versioned.entry)
    }

    /// Up to which checkpoint of `epoch` a living incarnation holds the records.
    fn holds(&self, who: &Incarnation, epoch: Epoch) -> Option<u64> {
        let process = self.process_of(who)?;
        let status = process.replica.status();
        let kept = match status.role {
            RoleName::Backup => Stamp { epoch: status.epoch, sequence: status.sequence },
            _ => process.kept,
        };
        let links = process.link.iter().chain(&process.incoming).filter_map(|id| self.links.get(*id));
        let published = links.map(|link| link.accepted).filter(|_| self.plan.layout.commit() == Commit::Published);
        Some(
            std::iter::once(kept)
                .chain(published)
                .filter(|one| one.epoch == epoch)
                .map(|one| one.sequence)
                .max()
                .unwrap_or(0),
        )
    }

    pub(super) fn entry_changes<E>(&mut self, core: &mut Core<E>, new: &PairEntry) {
        let released = self.checkers.one_primary.released(new.epoch);
        let verdict = self.checkers.explained.entry_changes(new, released, |who, epoch| self.holds(who, epoch));
        report(core, explained::NAME, verdict);
        self.check_appointed(core, new);
        self.look_for_behind(new);
        let mut one_primary = std::mem::take(&mut self.checkers.one_primary);
        let verdict = one_primary.entry_changes(self.entry(), new, |who| self.process_of(who).is_some());
        self.checkers.one_primary = one_primary;
        report(core, one_primary::NAME, verdict);
    }

    fn look_for_behind(&mut self, new: &PairEntry) {
        let holds = |one: &Process<S>| one.replica.status().role != RoleName::Starting;
        let was_in_sync = |old: &PairEntry| old.in_sync.iter().any(|one| one.application == new.primary.application);
        let is_behind = self.entry().is_some_and(|old| new.epoch > old.epoch && !was_in_sync(old))
            && self.process_of(&new.primary).is_none_or(holds);
        if is_behind && self.plan.layout == Layout::ThreeHosts {
            self.news.push(News::Behind);
        }
    }

    /// Whoever is appointed to begin from cold does so with the durable records only; nobody may hold more, unless it is out of
    /// reach, or cannot ask the coordinator in time. Later would be too late to look: a holder that hears of the new epoch
    /// throws away what it holds.
    fn check_appointed<E>(&self, core: &mut Core<E>, new: &PairEntry) {
        let Some(old) = self.entry().filter(|old| new.epoch > old.epoch) else { return };
        let starts = |one: &Process<S>| one.replica.status().role == RoleName::Starting;
        let in_time = self.plan.layout == Layout::OneHost && self.plan.control.most <= PROMPT;
        if !in_time || old.in_sync.contains(&new.primary) || !self.process_of(&new.primary).is_some_and(starts) {
            return;
        }
        let released = self.checkers.one_primary.released(old.epoch);
        let now = core.now;
        let may_ask = |side: &Side| !self.control.was_cut_off(*side, now);
        let others = [0, 1].into_iter().filter(may_ask).filter_map(|side| self.process(side));
        for holder in others.filter(|one| one.me != new.primary && !one.stopped) {
            let status = holder.replica.status();
            let held = Stamp { epoch: status.epoch, sequence: status.sequence };
            let holds = status.role == RoleName::Backup && status.complete && held.epoch == old.epoch;
            if holds && held.sequence >= released {
                report(core, nothing_lost::NAME, nothing_lost::begins_cold(&new.primary, &holder.me));
            }
        }
    }

    /// A side begins with what it holds although nobody had admitted it (rule 15): with everything that the link had taken
    /// for it, if the link lasted as long as its writer (rule 16).
    pub(super) fn check_held<E>(&self, core: &mut Core<E>, side: Side, held: Stamp) {
        let Some(process) = &self.applications[side].process else { return };
        if self.plan.layout.commit() == Commit::Published {
            report(core, nothing_lost::NAME, nothing_lost::begins_with_held(&process.me, held, process.promised));
        }
    }

    pub(super) fn check_release<E>(&mut self, core: &mut Core<E>, side: Side, stamp: Stamp) {
        let Some(process) = &self.applications[side].process else { return };
        let (who, epoch) = (process.me.clone(), process.serves);
        let code = stamp.epoch.0 << 32 ^ stamp.sequence;
        core.trace.mark(core.now, self.actor(side), code, || format!("releases e{} s{}", stamp.epoch, stamp.sequence));
        if let Some(entry) = self.entry() {
            let verdict = self.checkers.explained.releases(&who, stamp, entry, |who, epoch| self.holds(who, epoch));
            report(core, explained::NAME, verdict);
        }
        report(core, one_primary::NAME, self.checkers.one_primary.releases(&who, epoch, stamp));
    }

    pub(super) fn check_serve<E>(&mut self, core: &mut Core<E>, side: Side, serve: &Serve) {
        let Some(process) = &mut self.applications[side].process else { return };
        process.serves = serve.epoch;
        let kept = serve.after.as_ref().map(|_| process.kept);
        let last_word = serve.after.as_ref().and_then(|before| self.agents.last_words.get(&before.incarnation));
        if let Some(entry) = self.control.entry.as_ref().filter(|entry| last_word == Some(&entry.revision)) {
            self.checkers.one_primary.inherits(&process.me, &entry.entry);
        }
        let verdict = self.checkers.one_primary.serves(&process.me, serve.epoch, kept);
        report(core, one_primary::NAME, verdict);
    }

    /// The successor needs every input behind `mark`. Its predecessor did not keep them for a side that was not admitted.
    pub(super) fn check_inputs_are_kept<E>(&mut self, core: &mut Core<E>, serve: &Serve, mark: u64) {
        let verdict = nothing_lost::inherits_inputs(mark, self.hosts[0].ring.freed());
        if verdict.is_err() && self.checkers.one_primary.began_with_held(serve.epoch) {
            return self.news.push(News::Loss(serve.epoch));
        }
        report(core, nothing_lost::NAME, verdict);
    }

    pub(super) fn check_end<E>(&self, core: &mut Core<E>, process: &Process<S>, how: End) {
        if how == End::Retired {
            let verdict = nothing_lost::retires(&process.me, self.entry(), |who| self.process_of(who).is_some());
            report(core, nothing_lost::NAME, verdict);
        }
    }

    /// Connections were closed because a process of `side` has ended; nobody may lose one while a backup that is in
    /// sync lives.
    pub(super) fn check_streams<E>(&self, core: &mut Core<E>, side: Side, lost: &[u64]) {
        let backup = self.process(other(side));
        let in_sync = |process: &Process<S>| {
            let counted_on = self.entry().is_some_and(|entry| entry.in_sync.contains(&process.me));
            counted_on && process.replica.status().role == RoleName::Backup
        };
        if backup.is_some_and(in_sync) {
            report(core, nothing_lost::NAME, nothing_lost::closes(lost));
        }
    }

    /// Whoever watches the entry has been told how it stands, or there was no time yet; says who was not.
    pub fn check_watches<E>(&self, core: &mut Core<E>) -> Option<String> {
        let entry = self.control.entry.as_ref()?;
        let mut untold = None;
        for process in [0, 1].into_iter().filter_map(|side| self.process(side)).filter(|process| !process.stopped) {
            let Some(session) = process.session.and_then(|id| self.control.session(id)) else { continue };
            let changed = (entry.revision, self.control.changed);
            let who = process.me.to_string();
            report(core, watch::NAME, watch::knows(&who, core.now, process.told, session.since, changed));
            if process.told < entry.revision {
                untold = Some(format!("{who} was not told of revision {}", entry.revision));
            }
        }
        untold
    }

    pub(super) fn check_after_turn<E>(&self, core: &mut Core<E>) {
        let [Some(one), Some(two)] = [0, 1].map(|side| self.applications[side].process.as_ref()) else { return };
        // Whoever has left the link keeps what it holds, for the case that the other side ends (rule 17).
        let is_joined = |process: &Process<S>| match self.plan.layout {
            Layout::ThreeHosts => process.far.is_linked(),
            _ => process.link.is_some(),
        };
        let joined = [one, two].into_iter().all(is_joined);
        if joined && one.is_at_rest() && two.is_at_rest() {
            report(core, same_state::NAME, same_state::compare(&one.replica.status(), &two.replica.status()));
        }
    }

    /// Both sides as they say they are; `None` if one of them does not run.
    #[must_use]
    pub fn statuses(&self) -> Option<[Status; 2]> {
        let [Some(one), Some(two)] = [0, 1].map(|side| self.process(side)) else { return None };
        Some([one.replica.status(), two.replica.status()])
    }

    /// The side that serves, if one does and runs.
    #[must_use]
    pub fn serving(&self) -> Option<Side> {
        [0, 1].into_iter().find(|side| {
            self.process(*side).is_some_and(|one| !one.stopped && one.replica.status().role == RoleName::Primary)
        })
    }

    /// True if one side serves and the other one could take over at once.
    #[must_use]
    pub fn is_level(&self) -> bool {
        let at_rest = [0, 1].iter().all(|side| self.process(*side).is_some_and(Process::is_at_rest));
        at_rest
            && self.statuses().is_some_and(|both| {
                let primary = both.iter().find(|status| status.role == RoleName::Primary);
                let backup = both.iter().find(|status| status.role == RoleName::Backup);
                primary.zip(backup).is_some_and(|(primary, backup)| {
                    let same = primary.epoch == backup.epoch && primary.sequence == backup.sequence;
                    primary.level && primary.lag == 0 && backup.level && same
                })
            })
    }

    /// Looks at a level pair whose clients are all done: both sides must agree to the last octet, and of what `look`
    /// finds in the engine, and of everything else that passes, nothing may be left.
    ///
    /// # Errors
    /// If something is left; it may still be on its way out.
    pub fn rest<E>(&mut self, core: &mut Core<E>, look: impl Fn(&mut S::Engine) -> quiet::Left) -> Verdict {
        let mut found = Vec::new();
        let mut quiet = Ok(());
        for side in [0, 1] {
            let inputs = !self.hosts[self.host_of(side)].ring.is_empty();
            let Some(process) = &mut self.applications[side].process else { return Ok(()) };
            let status = process.replica.status();
            let engine = process.replica.engine_mut();
            let deadline = engine.store().deadline();
            let left = look(engine);
            found.push((content::<S>(engine), deadline));
            if status.role == RoleName::Primary {
                quiet = quiet::looks(&status, left, inputs);
            }
        }
        if let [one, two] = &found[..] {
            report(core, same_state::NAME, same_state::compare_at_rest((&one.0, one.1), (&two.0, two.1)));
        }
        quiet
    }
}

/// Every record in its encoded form.
fn content<S: Service>(engine: &S::Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut cursor = Some(RecordKey::new(model::Kind(0), 0));
    while let Some(key) = cursor.and_then(|from| engine.store().next_key(from)) {
        engine.store().write_snapshot(key, &mut bytes);
        cursor = key.id.checked_add(1).map(|id| RecordKey::new(key.kind, id));
    }
    bytes
}
