//! Has a host ended by force that nobody can reach, where a pair waits for it (hot-standby protocol, rule 15).
//!
//! [`management::fence`] decides; this looks, writes into the coordinator ([`FenceBook`]), runs the program, and tells the local
//! control agent what is certain by that. Every host looks, also at the attempts of others, to which it may object.

mod look;
mod program;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use management::fence::{Fencing, Step};
use model::{Span, Time};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

use self::look::Sight;
use super::ControlSettings;
use super::line::Line;
use super::probe::Unanswered;
use crate::coordinator::{FenceBook, Fences, Page};
use crate::folder::Folder;
use crate::wire::{ToLca, Trouble};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// How long it is tried to write how an attempt ended: a majority may be away for a moment.
const OUTCOME: Duration = Duration::from_secs(60);
/// How long the local control agent may take to take a message.
const PATIENCE: Duration = Duration::from_millis(500);

/// How hosts are ended.
#[derive(Clone, Debug)]
pub struct FenceSettings {
    /// The program that makes certain that a host has ended.
    pub program: PathBuf,
    /// How long it may run.
    pub limit: Span,
    /// How long a pair waits for a host at least before that is done.
    pub after: Span,
}

/// What people should know of it now.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarm(Arc<Mutex<Option<String>>>);

impl Alarm {
    /// It stands in the log when it comes and when it goes.
    fn set(&self, alarm: Option<String>) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != alarm {
            match &alarm {
                Some(what) => tracing::error!("{what}"),
                None => tracing::info!("no pair waits any more for a host that nobody can reach"),
            }
            *said = alarm;
        }
    }

    /// What it is now.
    pub(super) fn note(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Looks after it until the control server ends; does nothing where there is one host. Where no program is configured nobody is fenced,
/// but a host may have been taken out of the solution.
pub(super) fn begin(settings: &Arc<ControlSettings>, unanswered: &Unanswered, alarm: &Alarm) {
    let Some(etcd) = &settings.etcd else { return };
    let teller = Teller { folder: settings.folder.clone(), book: FenceBook::new(etcd.clone()), lca: None };
    match &settings.fence {
        Some(fence) => {
            let desk = Desk::new(Arc::clone(settings), fence.clone(), teller, unanswered.clone(), alarm.clone());
            drop(tokio::spawn(desk.live()));
        }
        None => drop(tokio::spawn(teller.live())),
    }
}

/// Tells the local control agent what is certain.
struct Teller {
    folder: Folder,
    book: FenceBook,
    /// The connection for that.
    lca: Option<Line>,
}

impl Teller {
    async fn live(mut self) {
        let mut pace = pace();
        loop {
            pace.tick().await;
            if let Ok(page) = self.book.read().await {
                self.tell(&page.fences).await;
            }
        }
    }

    /// The agent tells it to the servers of this host, also to those that it starts later.
    async fn tell(&mut self, fences: &Fences) {
        let certain = fences.certain();
        if certain.is_empty() {
            return;
        }
        let line = match self.lca.take() {
            Some(line) => Ok(line),
            None => Line::open(&self.folder.socket("lca")),
        };
        let Ok(mut line) = line else { return };
        // One that was started again is told on another connection, the next time.
        if matches!(timeout(PATIENCE, line.send(&ToLca::Fenced(certain))).await, Ok(Ok(()))) {
            self.lca = Some(line);
        }
    }
}

fn pace() -> Interval {
    let mut pace = interval(LOOK);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

struct Desk {
    settings: Arc<ControlSettings>,
    fence: FenceSettings,
    teller: Teller,
    fencing: Fencing,
    unanswered: Unanswered,
    alarm: Alarm,
    begun: Instant,
    /// What the last attempt came to, if it made nothing certain.
    failure: Option<String>,
}

impl Desk {
    fn new(
        settings: Arc<ControlSettings>,
        fence: FenceSettings,
        teller: Teller,
        unanswered: Unanswered,
        alarm: Alarm,
    ) -> Self {
        let fencing = Fencing::new(settings.host.clone(), fence.after, fence.limit);
        let (begun, failure) = (Instant::now(), None);
        Self { settings, fence, teller, fencing, unanswered, alarm, begun, failure }
    }

    fn now(&self) -> Time {
        Time::ZERO + Span::from_micros(u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    async fn live(mut self) {
        let mut pace = pace();
        loop {
            pace.tick().await;
            // Without a majority nothing is known, nothing can be written, and nobody is ended.
            if let Ok(page) = self.teller.book.read().await {
                self.teller.tell(&page.fences).await;
                self.turn(&page).await;
            }
        }
    }

    async fn turn(&mut self, page: &Page) {
        let sight = look::look(&self.settings, &self.unanswered, page.fences.attempt()).await;
        let now = self.now();
        let step = self.fencing.look(now, &sight.seen);
        self.say(&sight, &page.fences);
        let here = self.settings.host.clone();
        match step {
            Step::Nothing => {}
            Step::Announce(host) => {
                let new = page.fences.announced(&here, &host);
                if self.written(page, &new).await == Some(true) {
                    tracing::warn!(
                        "announces that {host}, which nobody can reach, is to be fenced (attempt {})",
                        new.count
                    );
                    self.fencing.announced(now, new.count);
                }
            }
            Step::Object | Step::Withdraw => {
                let objection = if step == Step::Object { sight.objection } else { None };
                let (said, new) = (objection.clone(), page.fences.called_off(objection));
                if self.written(page, &new).await == Some(true) {
                    tracing::warn!(
                        "calls the announced fencing off: {}",
                        said.as_deref().unwrap_or("nobody waits for it")
                    );
                }
            }
            Step::Begin => self.attempt(page, &sight).await,
        }
    }

    /// Whether it was changed; none if that is not known.
    async fn written(&self, page: &Page, new: &Fences) -> Option<bool> {
        self.teller.book.change(page, new).await.inspect_err(|trouble| tracing::warn!("{trouble}")).ok()
    }

    /// Runs the program, if the coordinator has taken that it begins: a majority is there, and nobody has objected.
    async fn attempt(&mut self, page: &Page, sight: &Sight) {
        let Some(host) = sight.seen.waits_for.clone() else { return };
        let number = page.fences.count;
        let begun = page.fences.begun();
        if self.written(page, &begun).await != Some(true) {
            return self.fencing.ended(self.now(), false);
        }
        self.say(sight, &begun);
        tracing::warn!("fences {host} (attempt {number})");
        let outcome = program::run(&self.settings, &self.fence, &host, &sight.doubted).await;
        let ended = if outcome.is_ok() { &sight.doubted[..] } else { &[] };
        match &outcome {
            Ok(()) => tracing::warn!("{host} has certainly ended: {} says so", self.fence.program.display()),
            Err(trouble) => tracing::error!("{host} is not known to have ended (attempt {number}): {trouble}"),
        }
        let is_written = self.write_outcome(number, ended).await;
        self.failure = outcome.err().map(|trouble| trouble.to_string());
        self.fencing.ended(self.now(), self.failure.is_none() && is_written);
    }

    /// Others must know how it ended; what is certain must not be forgotten.
    async fn write_outcome(&mut self, number: u64, ended: &[model::Incarnation]) -> bool {
        let end = Instant::now() + OUTCOME;
        let mut pace = interval(LOOK);
        while Instant::now() < end {
            pace.tick().await;
            let Ok(page) = self.teller.book.read().await else { continue };
            let new = page.fences.over(number, ended);
            if new == page.fences || self.written(&page, &new).await == Some(true) {
                self.teller.tell(&new).await;
                return true;
            }
        }
        false
    }

    /// For whom a pair waits, and what is done about it.
    fn say(&mut self, sight: &Sight, fences: &Fences) {
        let Some(host) = &sight.seen.waits_for else {
            self.failure = None;
            return self.alarm.set(sight.hindrance.clone());
        };
        let whom = sight.doubted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (failures, pause) = self.fencing.failures(self.now());
        let doing = match &fences.attempt {
            Some(attempt) if attempt.begun => format!("{} fences {} now", attempt.by, attempt.host),
            Some(attempt) => format!("{} is about to fence {}", attempt.by, attempt.host),
            None if failures == 0 => format!("it is fenced after {}", self.fence.after),
            None => {
                format!("{failures} attempts to fence it have failed; the next one follows within {}", rounded(pause))
            }
        };
        let why =
            self.failure.as_ref().or(fences.objection.as_ref()).map_or_else(String::new, |why| format!(" ({why})"));
        let remedy = "bring it back, or `everline promote` if you know that it is off";
        let what =
            format!("nobody knows whether {whom} on {host} still serves, as nobody reaches that host; {doing}{why}");
        self.alarm.set(Some(Trouble::new(what, remedy).to_string()));
    }
}

/// In steps, so that an alarm is not another one every second.
fn rounded(pause: Span) -> Span {
    let seconds = pause.as_millis().div_ceil(1_000);
    let steps = [0, 10, 20, 40, 80, 160, 320];
    Span::from_secs(steps.into_iter().find(|step| seconds <= *step).unwrap_or(600))
}
