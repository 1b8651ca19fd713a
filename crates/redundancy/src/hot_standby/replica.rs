//! One side of a pair: an engine, its role, and the gate before its outputs.
//!
//! The driving contract: call one of the methods that take something in, then [`Replica::take_effects`] and carry out
//! what it returns, in order. Call [`Replica::tick`] at [`Replica::deadline`] or at any other time. All times that come
//! in are the caller's own monotonic clock; the engine sees pair time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use model::{Ended, Incarnation, Span, Time};

use super::backup::Backup;
use super::effect::{Effect, Predecessor, Remark, Retirement, Serve};
use super::engine::{Engine, Output};
use super::message::Message;
use super::primary::Primary;
use super::refused::Refused;
use super::start::Start;
use crate::coordinator::{PairEntry, Reply, Request, Versioned};

/// When a checkpoint counts as safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// When the backup has acknowledged it (rule 4).
    Acknowledged,
    /// When the link has accepted it: for a pair on one host whose link survives its writer (rule 16). The backup then
    /// takes over only after the primary has certainly ended.
    Published,
}

/// How one side of a pair behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This run of this process.
    pub me: Incarnation,
    /// The applications that may be the other side, one at a time; none for a server without a standby.
    pub peers: Vec<String>,
    /// When a checkpoint counts as safe.
    pub commit: Commit,
    /// Time between heartbeats on the link.
    pub heartbeat: Span,
    /// A peer that is silent for this long is suspected; matters with [`Commit::Acknowledged`] only.
    pub silence: Span,
    /// Seed for what must not be guessed.
    pub seed: u64,
    /// The rule to break.
    #[cfg(feature = "sabotage")]
    pub sabotage: super::Sabotage,
}

impl Settings {
    /// Heartbeats of 50 ms, three missed are a suspicion (hot-standby protocol, detection).
    #[must_use]
    pub fn new(me: Incarnation, peers: impl IntoIterator<Item = String>, commit: Commit, seed: u64) -> Self {
        Self {
            me,
            peers: peers.into_iter().collect(),
            commit,
            heartbeat: Span::from_millis(50),
            silence: Span::from_millis(150),
            seed,
            #[cfg(feature = "sabotage")]
            sabotage: super::Sabotage::None,
        }
    }

    /// How long a primary that was dialled may take to welcome a backup.
    pub(super) const fn welcome(&self) -> Span {
        self.silence.times(3)
    }
}

/// What a replica is at the moment.
#[derive(Clone, Debug)]
pub(super) enum Role<O> {
    Start(Start),
    Backup(Backup<O>),
    Primary(Primary<O>),
    Retired,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The engine has it.
    Handled,
    /// It made an engine die before and was not given to this one (rule 12).
    Refused,
    /// This side does not serve.
    NotServing,
}

/// One side of a pair.
#[derive(Debug)]
pub struct Replica<E: Engine> {
    pub(super) engine: E,
    pub(super) settings: Settings,
    pub(super) role: Role<E::Output>,
    /// The entry as last heard from the coordinator.
    pub(super) entry: Option<Versioned>,
    /// This incarnation stood in sync in the entry before the present one.
    pub(super) was_in_sync: bool,
    pub(super) asking: Asking,
    /// Who has certainly ended.
    pub(super) ended: Ended,
    /// The last word of a primary that has ended: who, and the revision of its pledge.
    pub(super) last_word: Option<(Incarnation, u64)>,
    pub(super) refused: Refused,
    /// Pair time minus own time, in microseconds.
    pub(super) clock_offset: i64,
    pub(super) effects: Vec<Effect<E::Output>>,
}

/// The one compare-and-swap that may be on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Asking {
    pub(super) connected: bool,
    pub(super) in_flight: Option<PairEntry>,
    /// The coordinator knows less of the pair than this side has seen: it was emptied, or replaced by an older copy of itself.
    /// Nothing that this side could ask for can be done.
    pub(super) has_forgotten: bool,
    /// A compare-and-swap was on its way when the connection broke: it may still be done at any later time, so the
    /// entry is not to be trusted before another one of ours has changed its revision.
    pub(super) unsure: bool,
    /// The revision that this side has pledged itself to (rule 18).
    pub(super) pledged: Option<u64>,
}

impl<E: Engine> Replica<E> {
    /// A replica that knows nothing yet; tell it when the coordinator is connected.
    #[must_use]
    pub fn new(engine: E, settings: Settings) -> Self {
        Self {
            engine,
            settings,
            role: Role::Start(Start::default()),
            entry: None,
            was_in_sync: false,
            asking: Asking::default(),
            ended: Ended::default(),
            last_word: None,
            refused: Refused::default(),
            clock_offset: 0,
            effects: Vec::new(),
        }
    }

    /// The engine, to read.
    pub const fn engine(&self) -> &E {
        &self.engine
    }

    /// The engine, to read records that are still encoded.
    pub const fn engine_mut(&mut self) -> &mut E {
        &mut self.engine
    }

    /// What the shell has to do, in order.
    pub fn take_effects(&mut self) -> std::vec::Drain<'_, Effect<E::Output>> {
        self.effects.drain(..)
    }

    /// Pair time at `local`.
    #[must_use]
    pub const fn pair_time(&self, local: Time) -> Time {
        Time::from_micros(local.as_micros().saturating_add_signed(self.clock_offset))
    }

    pub(super) const fn local_time(&self, pair: Time) -> Time {
        if pair.as_micros() == Time::NEVER.as_micros() {
            return Time::NEVER;
        }
        Time::from_micros(pair.as_micros().saturating_add_signed(-self.clock_offset))
    }

    pub(super) const fn set_pair_time(&mut self, local: Time, pair: Time) {
        self.clock_offset = pair.as_micros().wrapping_sub(local.as_micros()).cast_signed();
    }

    /// Hands an input to the engine. `fingerprint` names its content, `mark` is its number in the input ring.
    pub fn input(&mut self, local: Time, fingerprint: u64, mark: Option<u64>, input: E::Input<'_>) -> Taken {
        let now = self.pair_time(local);
        let Role::Primary(primary) = &mut self.role else { return Taken::NotServing };
        if primary.is_frozen() {
            return Taken::NotServing;
        }
        if let Some(mark) = mark {
            primary.mark = primary.mark.max(mark);
        }
        if self.refused.contains(fingerprint) {
            return Taken::Refused;
        }
        self.guarded(now, Some(fingerprint), |engine| engine.handle(now, input));
        Taken::Handled
    }

    /// Refuses an input that was in hand when a predecessor died of it (rule 12).
    pub fn refuse(&mut self, fingerprint: u64) {
        self.refused.insert(fingerprint);
    }

    /// Runs the engine; a panic costs the calls that it had in hand, not the server (rule 12).
    pub(super) fn guarded(&mut self, now: Time, fingerprint: Option<u64>, step: impl FnOnce(&mut E)) {
        let outputs = self.engine.outputs().len();
        if catch_unwind(AssertUnwindSafe(|| step(&mut self.engine))).is_err() {
            let touched = self.engine.store().in_hand().to_vec();
            self.engine.outputs().truncate(outputs);
            self.engine.abandon(now, &touched);
            if let Some(fingerprint) = fingerprint {
                self.refused.insert(fingerprint);
            }
            let fingerprint = fingerprint.unwrap_or_default();
            self.effects.push(Effect::Tell(Remark::Panicked { fingerprint, touched }));
        }
        self.engine.store_mut().settle();
    }

    /// Does what is due at `local`.
    pub fn tick(&mut self, local: Time) {
        match &self.role {
            Role::Start(_) => self.start_tick(local),
            Role::Backup(_) => self.backup_tick(local),
            Role::Primary(_) => self.primary_tick(local),
            Role::Retired => {}
        }
    }

    /// When [`Replica::tick`] is to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Time {
        match &self.role {
            Role::Start(start) => start.deadline(&self.settings),
            Role::Backup(backup) => backup.deadline(&self.settings),
            Role::Primary(primary) => {
                let engine =
                    if primary.keeps_time() { self.local_time(self.engine.store().deadline()) } else { Time::NEVER };
                engine.min(primary.deadline(&self.settings))
            }
            Role::Retired => Time::NEVER,
        }
    }

    /// A frame arrived on the link.
    pub fn link_frame(&mut self, local: Time, frame: &[u8]) {
        let Some(message) = Message::decode(frame) else {
            self.effects.push(Effect::HangUp);
            return self.link_down(local);
        };
        match &self.role {
            Role::Primary(_) => self.primary_hears(local, message),
            Role::Start(_) | Role::Backup(_) => self.backup_hears(local, message),
            Role::Retired => {}
        }
    }

    /// The link that was dialled stands.
    pub fn link_up(&mut self) {
        if self.dialled().is_some() {
            self.introduce_myself();
        } else {
            self.effects.push(Effect::HangUp);
        }
    }

    /// The link is gone, and everything that it held was delivered before.
    pub fn link_down(&mut self, local: Time) {
        match &self.role {
            Role::Start(_) => self.start_again(local),
            Role::Backup(_) => self.backup_lost_link(local),
            Role::Primary(_) => self.primary_lost_link(local),
            Role::Retired => {}
        }
    }

    /// The link has ended without a word, as it does when the process at its other end is killed. Nothing is certain by that, so
    /// it matters with [`Commit::Acknowledged`] only: a backup suspects its primary at once.
    pub fn link_cut(&mut self, local: Time) {
        if let Role::Backup(backup) = &mut self.role {
            backup.is_cut();
        }
        self.link_down(local);
    }

    /// This incarnation has certainly ended, with every thread that could send. Of a peer on this host, read what
    /// its link still holds before you say so.
    pub fn ended(&mut self, local: Time, who: &Incarnation) {
        self.ended.learn(who);
        match &self.role {
            Role::Start(_) => self.consider_start(local),
            Role::Backup(_) => self.backup_peer_ended(local),
            Role::Primary(_) => self.primary_peer_ended(local),
            Role::Retired => {}
        }
    }

    pub(super) fn has_ended(&self, who: &Incarnation) -> bool {
        self.ended.knows(who)
    }

    /// The connection to the coordinator stands.
    pub fn coordinator_up(&mut self) {
        self.asking.connected = true;
        self.asking.has_forgotten = false;
        self.effects.push(Effect::Ask(Request::Watch));
    }

    /// The connection to the coordinator is gone, and with it the answers that were on their way.
    pub fn coordinator_down(&mut self) {
        self.asking.connected = false;
        if self.asking.in_flight.take().is_some() {
            self.asking.unsure = true;
        }
        self.put_admission_off();
        self.claim_again();
    }

    /// The coordinator answered, or the entry changed.
    pub fn coordinator_says(&mut self, local: Time, reply: Reply) {
        match reply {
            Reply::Entry(now) => {
                self.asking.has_forgotten = is_older(&now, &self.entry);
                self.learn_entry(now);
            }
            Reply::Swapped { done, now } => {
                self.asking.in_flight = None;
                if done {
                    self.asking.unsure = false;
                }
                self.asking.has_forgotten = !done && is_older(&now, &self.entry);
                self.learn_entry(now);
            }
        }
        if self.asking.has_forgotten {
            // Whoever begins anew there may give the same epochs.
            self.withdraw_pledge();
        }
        match &mut self.role {
            Role::Start(start) => {
                start.dial_soon(local);
                self.consider_start(local);
            }
            Role::Backup(_) => self.backup_entry_changed(local),
            Role::Primary(_) => self.primary_entry_changed(local),
            Role::Retired => {}
        }
    }

    pub(super) fn learn_entry(&mut self, now: Option<Versioned>) {
        let newer = match (&self.entry, &now) {
            (Some(old), Some(new)) => new.revision >= old.revision,
            (_, new) => new.is_some(),
        };
        if newer {
            let before = self.entry.as_ref().filter(|old| now.as_ref().is_some_and(|new| new.revision > old.revision));
            if let Some(old) = before {
                self.was_in_sync = old.entry.in_sync.contains(&self.settings.me);
                self.claim_again();
            }
            self.entry = now;
        }
    }

    /// Asks for a change of the entry, unless one is on its way.
    pub(super) fn swap(&mut self, new: PairEntry) {
        if !self.asking.connected || self.asking.in_flight.is_some() || self.asking.has_forgotten {
            return;
        }
        let expected = self.revision();
        self.asking.in_flight = Some(new.clone());
        self.withdraw_pledge();
        self.effects.push(Effect::Ask(Request::CompareAndSwap { expected, new }));
    }

    pub(super) fn entry(&self) -> Option<&PairEntry> {
        self.entry.as_ref().map(|versioned| &versioned.entry)
    }

    /// The revision of the entry as last heard.
    pub(super) fn revision(&self) -> Option<u64> {
        self.entry.as_ref().map(|versioned| versioned.revision)
    }

    pub(super) fn send(&mut self, message: &Message<'_>) {
        self.effects.push(Effect::Frame { bytes: message.encode(), checkpoint: None });
    }

    /// Begins to serve, as the successor of a primary or from cold.
    pub(super) fn serve(&mut self, local: Time, role: Primary<E::Output>, after: Option<Predecessor>) {
        let epoch = role.epoch;
        self.role = Role::Primary(role);
        let now = self.pair_time(local);
        let seed = self.settings.seed ^ epoch.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.engine.begin(now, epoch, seed);
        self.engine.store_mut().settle();
        self.effects.push(Effect::Serve(Serve { epoch, after }));
        self.flush(local);
    }

    pub(super) fn retire(&mut self, why: Retirement) {
        self.role = Role::Retired;
        self.engine.outputs().clear();
        self.effects.push(Effect::HangUp);
        self.effects.push(Effect::Retire(why));
    }

    /// A copy, for a model checker that tries every way on from here. Effects that were not taken stay behind: an
    /// output that was released once must not be released by a copy as well.
    #[cfg(feature = "sabotage")]
    #[must_use]
    pub fn fork(&self) -> Self
    where
        E: Clone,
        E::Output: Clone,
    {
        Self {
            engine: self.engine.clone(),
            settings: self.settings.clone(),
            role: self.role.clone(),
            entry: self.entry.clone(),
            was_in_sync: self.was_in_sync,
            asking: self.asking.clone(),
            ended: self.ended.clone(),
            last_word: self.last_word.clone(),
            refused: self.refused.clone(),
            clock_offset: self.clock_offset,
            effects: Vec::new(),
        }
    }

    #[cfg(feature = "sabotage")]
    pub(super) fn breaks(&self, rule: super::Sabotage) -> bool {
        self.settings.sabotage == rule
    }
}

/// True if what the coordinator says is older than what was known of it.
fn is_older(now: &Option<Versioned>, known: &Option<Versioned>) -> bool {
    let revision = |entry: &Option<Versioned>| entry.as_ref().map(|versioned| versioned.revision);
    revision(now) < revision(known)
}

/// True if the sabotage named is on; always false in the product.
macro_rules! sabotaged {
    ($replica:expr, $rule:ident) => {{
        #[cfg(feature = "sabotage")]
        {
            $replica.breaks($crate::hot_standby::Sabotage::$rule)
        }
        #[cfg(not(feature = "sabotage"))]
        {
            let _ = &$replica;
            false
        }
    }};
}
pub(crate) use sabotaged;

/// Decodes an output; `None` if it is damaged.
pub(super) fn decode_output<O: Output>(bytes: Option<&[u8]>) -> Option<O> {
    bytes.and_then(O::decode)
}
