//! All applications of one host: who is started, asked to end, or killed, and when.

use std::collections::BTreeSet;
use std::fmt;

use model::{Span, Time};

use crate::hang::{Doing, Hang, LONG_PATIENCE, PATIENCE};
use crate::helpers::{Complaint, Helpers, Price, Seen};
use crate::restart::Restart;

/// A start takes no longer than this, even with a hundred thousand extensions and a slow disk.
pub const START_TIME: Span = Span::from_secs(60);
/// An application that was found running when the agent began has this long to introduce itself.
pub const INTRODUCTION_TIME: Span = Span::from_secs(5);
/// What was asked to end has this long to do so.
pub const END_TIME: Span = Span::from_secs(3);
/// The same for what ends last, so that all together end within four seconds.
pub const LAST_END_TIME: Span = Span::from_millis(500);
/// The pause before the next run at least: a successor takes over in about a millisecond, and should not have to share
/// the processors with the start of another process just then.
pub const BREATH: Span = Span::from_millis(50);

/// An application that a host is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name, `sip-a`.
    pub name: String,
    /// The pair that it belongs to, `sip`.
    pub pair: Option<String>,
    /// The others need it, so it ends after them.
    pub ends_last: bool,
    /// Of one that runs only while it is [wanted](Host::want) its place among the spares of the pair.
    pub spare: Option<u32>,
}

/// What an application is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or is about to, and does not serve yet.
    Starting,
    /// It serves, or is ready to take over.
    Started,
    /// It was asked to end.
    Stopping,
    /// It has ended, as it was asked to.
    Stopped,
    /// It has ended by itself, and its next start is a while away.
    Failed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        })
    }
}

/// Something to do about one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its place among the descriptions.
    pub application: usize,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start its next run, and say [`Host::started`] or [`Host::not_started`].
    Start,
    /// Ask its process to end.
    AskToEnd,
    /// Kill its process; [`Host::ended`] follows when that has happened.
    Kill(Reason),
    /// Tell everyone that all its runs up to this one have certainly ended.
    Announce(u64),
}

/// Why a process is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its serving thread has not come round for this long.
    Hangs(Span),
    /// The helper thread of this name has not come round for this long.
    HelperHangs(String, Span),
    /// It took too long to start, or to introduce itself to a new agent.
    DoesNotStart,
    /// It was asked to end and did not.
    DoesNotEnd,
    /// A drill ends the whole host.
    Drill,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hangs(missed) => write!(f, "it hangs: its serving thread has not come round for {missed}"),
            Self::HelperHangs(name, silence) => {
                write!(f, "it hangs: its thread {name} has not come round for {silence}")
            }
            Self::DoesNotStart => f.write_str("it does not get ready"),
            Self::DoesNotEnd => f.write_str("it does not end although it was asked to"),
            Self::Drill => f.write_str("a drill ends everything on this host"),
        }
    }
}

#[derive(Clone, Debug)]
struct Application {
    description: Description,
    state: State,
    run: u64,
    lives: bool,
    is_wanted: bool,
    serves_since: Option<Time>,
    restart: Restart,
    hang: Hang,
    helpers: Helpers,
    /// It has said that it is the backup of its pair.
    is_backup: bool,
    /// How often its serving thread had come round at the last look before it served.
    beats: Option<u64>,
    /// When to start it (while it does not live) or to kill it (while it does).
    due: Option<Time>,
}

/// The applications of one host. Tell it what happens, then carry out its [`orders`](Self::orders).
#[derive(Clone, Debug)]
pub struct Host {
    applications: Vec<Application>,
    /// Pairs whose primary has said that its backup is in sync, since the last member of the pair ended.
    level: BTreeSet<String>,
    stopping: bool,
    /// What a server needs to serve may have to come from another host, or somebody may hold its address.
    waits_for_others: bool,
    /// A drill has ended everything, and nothing is started before.
    down: Option<Time>,
    orders: Vec<Order>,
}

impl Host {
    /// A host that is to run these; say [`found`](Self::found) of each of them first.
    #[must_use]
    pub fn new(descriptions: impl IntoIterator<Item = Description>) -> Self {
        let applications = descriptions.into_iter().map(Application::new).collect();
        Self {
            applications,
            level: BTreeSet::new(),
            stopping: false,
            waits_for_others: false,
            down: None,
            orders: Vec::new(),
        }
    }

    /// The same as one of several hosts, or as one with a virtual address: its servers may wait for the others, or for whoever
    /// holds the address, however long that takes. One that waits comes round its loop meanwhile; one that does not has
    /// [`START_TIME`] all the same.
    #[must_use]
    pub fn of_several(self) -> Self {
        Self { waits_for_others: true, ..self }
    }

    /// What to do now.
    pub fn orders(&mut self) -> impl Iterator<Item = Order> + use<> {
        std::mem::take(&mut self.orders).into_iter()
    }

    /// When to call [`expire`](Self::expire) next.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.applications.iter().filter_map(|application| application.due).min()
    }

    /// What an application is about.
    #[must_use]
    pub fn state(&self, which: usize) -> State {
        self.applications.get(which).map_or(State::Stopped, |application| application.state)
    }

    /// The run of an application that lives, or lived last, and whether it lives.
    #[must_use]
    pub fn run(&self, which: usize) -> (u64, bool) {
        self.applications.get(which).map_or((0, false), |application| (application.run, application.lives))
    }

    /// Whether everything has ended, as it was asked to.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.stopping && !self.applications.iter().any(|application| application.lives)
    }

    /// When the agent began, `run` was the last run of an application, and it lives or not.
    pub fn found(&mut self, which: usize, now: Time, run: u64, lives: bool) {
        let Some(application) = self.applications.get_mut(which) else { return };
        (application.run, application.lives) = (run, lives);
        application.is_wanted |= lives;
        if !application.is_wanted {
            application.state = State::Stopped;
            return;
        }
        application.due = Some(if lives { now + INTRODUCTION_TIME } else { now });
    }

    /// Whether an application is to run now: for a spare, which is not to before this says so.
    pub fn want(&mut self, which: usize, now: Time, wanted: bool) {
        let Some(application) = self.applications.get_mut(which).filter(|one| one.is_wanted != wanted) else { return };
        if self.stopping {
            return;
        }
        application.is_wanted = wanted;
        match (wanted, application.lives) {
            (true, false) => (application.state, application.due) = (State::Starting, Some(self.down.unwrap_or(now))),
            (false, false) => (application.state, application.due) = (State::Stopped, None),
            (false, true) => application.ask_to_end(which, now + END_TIME, &mut self.orders),
            // It is on its way to its end, and is started again after that.
            (true, true) => {}
        }
    }

    /// A run of an application has been started.
    pub fn started(&mut self, which: usize, now: Time, run: u64) {
        let Some(application) = self.applications.get_mut(which) else { return };
        (application.run, application.lives, application.state) = (run, true, State::Starting);
        (application.serves_since, application.hang, application.is_backup) = (None, Hang::default(), false);
        application.beats = None;
        application.helpers = Helpers::default();
        application.due = Some(now + START_TIME);
    }

    /// An application could not be started.
    pub fn not_started(&mut self, which: usize, now: Time) {
        let Some(application) = self.applications.get_mut(which) else { return };
        application.state = State::Failed;
        application.due = Some(now + application.restart.ended(None));
    }

    /// An application has said that it serves, or is ready to take over.
    pub fn ready(&mut self, which: usize, now: Time) {
        let Some(application) = self.applications.get_mut(which) else { return };
        if application.lives && application.state == State::Starting {
            application.state = State::Started;
            application.serves_since = Some(now);
            application.due = None;
        }
    }

    /// A primary has said whether its backup is in sync.
    pub fn reported(&mut self, which: usize, is_level: bool) {
        let Some(pair) = self.applications.get(which).and_then(|one| one.description.pair.as_ref()) else { return };
        if is_level {
            self.level.insert(pair.clone());
        } else {
            self.level.remove(pair);
        }
    }

    /// A server has said whether it is the backup of its pair.
    pub fn reported_backup(&mut self, which: usize, is_backup: bool) {
        self.applications.get_mut(which).into_iter().for_each(|application| application.is_backup = is_backup);
    }

    /// The helper threads of an application show this; `look` finds out what a thread is doing that shows nothing new.
    pub fn observed_helpers(&mut self, which: usize, now: Time, shown: Vec<Seen>, look: impl FnMut(&Seen) -> Doing) {
        let Some(application) = self.applications.get_mut(which) else { return };
        if application.state != State::Started {
            return;
        }
        let pair = application.description.pair.as_ref();
        let price = if pair.is_none_or(|pair| self.level.contains(pair)) {
            Price::Nothing
        } else if application.is_backup {
            Price::Little
        } else {
            Price::Calls
        };
        if let Some((name, silence)) = application.helpers.observe(now, shown, price, look) {
            application.helpers = Helpers::default();
            pair.map(|pair| self.level.remove(pair));
            self.orders.push(Order { application: which, action: Action::Kill(Reason::HelperHangs(name, silence)) });
        }
    }

    /// What is wrong with the helper threads of an application; nothing where its serving thread does not turn either.
    pub fn complaints(&self, which: usize, now: Time) -> impl Iterator<Item = (&str, Complaint)> {
        let turns = self.applications.get(which).filter(|application| application.hang.missed() == Span::ZERO);
        turns.into_iter().flat_map(move |application| application.helpers.complaints(now))
    }

    /// The serving thread of an application had come round `beats` times; `look` finds out what it is doing otherwise.
    pub fn observed(&mut self, which: usize, now: Time, beats: u64, look: impl FnOnce() -> Doing) {
        let Some(application) = self.applications.get_mut(which) else { return };
        if application.state == State::Starting && self.waits_for_others && application.description.pair.is_some() {
            let before = application.beats.replace(beats);
            if application.lives && before.is_some_and(|before| before != beats) {
                application.due = Some(now + START_TIME);
            }
        }
        if application.state != State::Started {
            return;
        }
        let pair = application.description.pair.as_ref();
        let is_level = pair.is_some_and(|pair| self.level.contains(pair));
        let missed = application.hang.observe(now, beats, is_level, look);
        // What belongs to no pair holds no call, and takeovers wait for it while it hangs.
        if missed >= if is_level || pair.is_none() { PATIENCE } else { LONG_PATIENCE } {
            application.hang = Hang::default();
            // The other side is next only when the pair is level again.
            pair.map(|pair| self.level.remove(pair));
            self.orders.push(Order { application: which, action: Action::Kill(Reason::Hangs(missed)) });
        }
    }

    /// The process of an application has certainly ended.
    pub fn ended(&mut self, which: usize, now: Time) {
        let Some(application) = self.applications.get_mut(which).filter(|application| application.lives) else {
            return;
        };
        application.lives = false;
        self.orders.push(Order { application: which, action: Action::Announce(application.run) });
        application.description.pair.as_ref().map(|pair| self.level.remove(pair));
        if self.stopping {
            (application.state, application.due) = (State::Stopped, None);
            self.end_the_last(now);
        } else if !application.is_wanted {
            (application.state, application.due) = (State::Stopped, None);
        } else {
            let served = application.serves_since.take().map(|since| now.since(since));
            // That it ends with its host says nothing of itself.
            let pause = if self.down.is_some() { BREATH } else { application.restart.ended(served).max(BREATH) };
            let start = self.down.unwrap_or(now).max(now + pause);
            let is_soon = self.down.is_none() && pause <= BREATH;
            application.state = if is_soon { State::Starting } else { State::Failed };
            application.due = Some(start);
            self.expire(now);
        }
    }

    /// Everything is to end.
    pub fn stop(&mut self, now: Time) {
        if std::mem::replace(&mut self.stopping, true) {
            return;
        }
        for (which, application) in self.applications.iter_mut().enumerate() {
            if !application.lives {
                (application.state, application.due) = (State::Stopped, None);
            } else if !application.description.ends_last {
                application.ask_to_end(which, now + END_TIME, &mut self.orders);
            }
        }
        self.end_the_last(now);
    }

    /// A drill ends everything at once, as the loss of power would, and nothing starts before `until`.
    pub fn fail(&mut self, until: Time) {
        if self.stopping {
            return;
        }
        self.down = Some(until);
        // First what carries news to other hosts: none of them hears from here how the rest ends.
        let (servers, others): (Vec<usize>, Vec<usize>) =
            (0..self.applications.len()).partition(|which| self.applications[*which].description.pair.is_some());
        for which in others.into_iter().chain(servers) {
            let application = &mut self.applications[which];
            if application.lives {
                self.orders.push(Order { application: which, action: Action::Kill(Reason::Drill) });
            } else if application.due.is_some() {
                (application.state, application.due) = (State::Failed, Some(until));
            }
        }
    }

    /// Starts what a drill has ended, before its time.
    pub fn repair(&mut self, now: Time) {
        let Some(until) = self.down.take() else { return };
        for application in self.applications.iter_mut().filter(|one| !one.lives && one.due == Some(until)) {
            application.due = Some(now);
        }
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Time) {
        self.down = self.down.filter(|until| now < *until);
        for (which, application) in self.applications.iter_mut().enumerate() {
            if application.due.is_some_and(|due| due <= now) {
                application.due = None;
                let action = match (application.lives, application.state) {
                    (false, _) => Action::Start,
                    (true, State::Stopping) => Action::Kill(Reason::DoesNotEnd),
                    (true, _) => Action::Kill(Reason::DoesNotStart),
                };
                self.orders.push(Order { application: which, action });
            }
        }
    }

    /// Asks those to end whom the others needed, once these have ended.
    fn end_the_last(&mut self, now: Time) {
        if self.applications.iter().any(|application| application.lives && !application.description.ends_last) {
            return;
        }
        for (which, application) in self.applications.iter_mut().enumerate() {
            if application.lives && application.state != State::Stopping {
                application.ask_to_end(which, now + LAST_END_TIME, &mut self.orders);
            }
        }
    }
}

impl Application {
    fn new(description: Description) -> Self {
        Self {
            is_wanted: description.spare.is_none(),
            description,
            state: State::Starting,
            run: 0,
            lives: false,
            serves_since: None,
            restart: Restart::default(),
            hang: Hang::default(),
            helpers: Helpers::default(),
            is_backup: false,
            beats: None,
            due: None,
        }
    }

    fn ask_to_end(&mut self, which: usize, by: Time, orders: &mut Vec<Order>) {
        (self.state, self.due) = (State::Stopping, Some(by));
        orders.push(Order { application: which, action: Action::AskToEnd });
    }
}

#[cfg(test)]
mod tests;
