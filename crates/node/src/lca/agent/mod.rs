//! The agent's loop: tells the host's rules what happens, and carries out their orders.

mod addresses;
mod guests;
mod harm;
mod helpers;
mod processes;
mod wanted;
mod watching;

use std::collections::BTreeMap;
use std::io;

use management::hang::OBSERVE_EVERY;
use management::{Action, Description, Detection, Doing, Host, Order, Reason};
use model::{Incarnation, Span, Time};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::setsid;

use self::addresses::{Kept, Release};
use self::harm::Harms;
use self::watching::{Watch, Watched};
use super::LcaSettings;
use super::alone::Alone;
use super::elsewhere::Elsewhere;
use super::farewell::Farewell;
use super::runs::Runs;
use super::spares::Spares;
use super::supervised::Supervised;
use crate::clock;
use crate::coordinator;
use crate::hub::Hub;
use crate::pulse::Pulse;
use crate::pulse::threads::Threads;
use crate::wire::{ApplicationRow, FromLca, ServerReport, Trouble};

/// The epoll's names; the processes of the applications count from [`PROCESS`].
const HUB: u64 = 0;
const SIGNALS: u64 = 1;
const PROCESS: u64 = 2;
/// The agents of other hosts count from here, and the pairs of spares from there.
const AGENT: u64 = 1 << 32;
const SPARE: u64 = 1 << 33;
const ALONE: u64 = 1 << 34;
/// Events that are taken at a time.
const BATCH: usize = 64;

/// Who is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Guest {
    /// Has not said yet.
    #[default]
    Unknown,
    /// An application, by its place among the descriptions.
    Application(usize),
    /// Wants to know how the applications stand.
    Follower,
    /// The agent of another host: wants to know what has ended.
    Watcher,
}

/// What the agent knows of an application.
#[derive(Debug)]
struct Application {
    name: String,
    pair: Option<String>,
    /// The living process, once it is known.
    process: Option<Supervised>,
    pulse: Option<Pulse>,
    threads: Option<Threads>,
    /// Processor time of its threads that could run when they were looked at last.
    siblings: BTreeMap<u32, Span>,
    farewell: Option<Farewell>,
    report: Option<ServerReport>,
    /// Why it does not run, or why its last run has ended.
    trouble: Option<Trouble>,
    /// Why its current run is about to end.
    ending: Option<Trouble>,
    is_spare: bool,
    watched: Watched,
}

/// The agent.
pub(super) struct Agent {
    settings: LcaSettings,
    host: Host,
    runs: Runs,
    applications: Vec<Application>,
    watch: Watch,
    hub: Hub<Guest>,
    elsewhere: Elsewhere,
    spares: Spares,
    /// What is to happen when this host reaches nobody, if anything is.
    alone: Option<Alone>,
    /// This host has reached nobody for too long: its servers are stopped.
    is_stopped: bool,
    releases: Vec<Release>,
    kept: Kept,
    /// What a drill has done, and is not undone.
    harms: Harms,
    signals: SignalFd,
    epoll: Epoll,
    /// When to look at the pulses next.
    observe: Time,
    /// Something that followers see may have changed.
    changed: bool,
    /// What they were told last.
    told: Vec<ApplicationRow>,
}

impl Agent {
    /// An agent that knows which applications live already.
    pub(super) fn new(settings: LcaSettings) -> Result<Self, Trouble> {
        // A terminal's Ctrl-C is meant for `up`, which asks for an orderly end. Fails only if nobody has to be left.
        let _ = setsid();
        // Every application inherits it.
        if let Err(error) = crate::prompt::run_soon() {
            tracing::info!("the kernel does not know short slices: {error}");
        }
        let (mut runs, warnings) = Runs::open(&settings.folder.runs(), settings.moved.clone())?;
        for incarnation in coordinator::named(&settings.folder.journal("coordinator")) {
            runs.learn(&incarnation.application, incarnation.run);
        }
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let socket = settings.folder.socket("lca");
        let hub = Hub::listen(&socket).map_err(|error| Trouble::of_file("listen at", &socket, &error))?;
        let watch = || -> io::Result<_> {
            let asked: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
            asked.thread_block()?;
            let signals = SignalFd::with_flags(&asked, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            epoll.add(&hub, EpollEvent::new(EpollFlags::EPOLLIN, HUB))?;
            epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
            let ours = settings.applications.iter().map(|one| (one.name.clone(), runs.moved(&one.name))).collect();
            let elsewhere = Elsewhere::new(&settings.others, ours)?;
            for (number, agent) in (AGENT..).zip(elsewhere.descriptors()) {
                epoll.add(agent, EpollEvent::new(EpollFlags::EPOLLIN, number))?;
            }
            let spares = settings.applications.iter().enumerate();
            let spares =
                spares.filter_map(|(which, one)| Some((which, one.name.as_str(), one.pair.as_deref()?, one.spare?)));
            let spares = Spares::new(&settings.folder, spares)?;
            for (number, pair) in (SPARE..).zip(spares.descriptors()) {
                epoll.add(pair, EpollEvent::new(EpollFlags::EPOLLIN, number))?;
            }
            let patience = settings.isolated.filter(|_| !settings.others.is_empty());
            let alone = patience.map(|patience| Alone::new(&settings.folder, patience)).transpose()?;
            if let Some(alone) = &alone {
                epoll.add(alone.descriptor(), EpollEvent::new(EpollFlags::EPOLLIN, ALONE))?;
            }
            Ok((signals, epoll, elsewhere, spares, alone))
        };
        let no_resources =
            |error| Trouble::new(format!("the system has no resources left: {error}"), "see `ulimit -a`");
        let (signals, epoll, elsewhere, spares, alone) = watch().map_err(no_resources)?;
        let applications = settings.applications.iter().map(Application::new).collect();
        let host = Host::new(settings.applications.iter().cloned());
        // Whoever begins waits for those who hold an address of the pair.
        let may_wait = !settings.others.is_empty() || !settings.addresses.is_empty();
        let host = if may_wait { host.of_several() } else { host };
        let (observe, changed, told, is_stopped) = (Time::ZERO, true, Vec::new(), false);
        let watch = Watch::new();
        let mut agent = Self {
            settings,
            host,
            runs,
            applications,
            watch,
            hub,
            elsewhere,
            spares,
            alone,
            is_stopped,
            releases: Vec::new(),
            kept: Kept::default(),
            harms: Harms::default(),
            signals,
            epoll,
            observe,
            changed,
            told,
        };
        for which in 0..agent.applications.len() {
            agent.find(which);
            if agent.host.run(which).1 {
                agent.spares.found(which);
            }
        }
        agent.wake_found();
        Ok(agent)
    }

    /// Works until everything was asked to end and has ended.
    pub(super) fn run(mut self) {
        loop {
            self.heed_isolation();
            self.heed_spares();
            self.heed_harms();
            self.host.expire(clock::now());
            loop {
                let orders: Vec<Order> = self.host.orders().collect();
                if orders.is_empty() {
                    break;
                }
                self.changed = true;
                orders.into_iter().for_each(|order| self.carry_out(order));
            }
            self.look_after_kept();
            self.tell_followers();
            self.look_after_releases();
            if self.host.is_finished() && self.releases_are_over() {
                break;
            }
            self.turn();
        }
    }

    /// Waits until something happens or is due, and takes it in.
    fn turn(&mut self) {
        let mut events = [EpollEvent::empty(); BATCH];
        let count = match self.epoll.wait(&mut events, self.timeout()) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(error) => {
                tracing::error!("the local control agent cannot wait: {error}");
                0
            }
        };
        for event in events.iter().take(count) {
            self.changed = true;
            match event.data() {
                HUB => self.serve(),
                SIGNALS => self.heed_signals(),
                ALONE => self.alone.iter_mut().for_each(Alone::hear),
                number if number >= SPARE => self.spares.hear((number - SPARE) as usize),
                number if number >= AGENT => self.hear_elsewhere((number - AGENT) as usize),
                number => self.ended((number - PROCESS) as usize),
            }
        }
        if self.observe <= clock::now() {
            self.look_after();
        }
    }

    /// How long nothing is due.
    fn timeout(&self) -> EpollTimeout {
        let is_looked_at = |(which, application): (usize, &Application)| {
            application.pulse.is_some() || application.process.is_none() && self.host.run(which).1
        };
        let look = self.applications.iter().enumerate().any(is_looked_at).then_some(self.observe);
        let alone = self.alone.as_ref().and_then(Alone::deadline);
        let releases = (!self.releases.is_empty()).then(|| clock::now() + OBSERVE_EVERY);
        match self
            .host
            .deadline()
            .into_iter()
            .chain(look)
            .chain(self.spares.deadline())
            .chain(alone)
            .chain(releases)
            .chain(self.kept.deadline())
            .chain(self.harms.deadline())
            .min()
        {
            None => EpollTimeout::NONE,
            Some(due) => {
                // Rounded up, so that what is awaited is due when the wait ends.
                let millis = due.since(clock::now()).as_micros().div_ceil(1_000);
                EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::MAX)
            }
        }
    }

    /// Looks at the pulses of those that live, and for those that have not said who they are.
    fn look_after(&mut self) {
        let now = clock::now();
        self.observe = now + OBSERVE_EVERY;
        self.watch.looks(now);
        for which in 0..self.applications.len() {
            if self.host.run(which).1 && self.applications[which].process.is_none() {
                self.find(which);
            }
        }
        for (which, application) in self.applications.iter_mut().enumerate() {
            if let (Some(process), Some(pulse)) = (&application.process, &application.pulse) {
                application.watched.beats(now, pulse.beats());
                if pulse.crashed().is_some() {
                    // It cannot live on, and the system may write a large core before its end is certain.
                    process.kill();
                }
                let look = || pulse.holder().map_or(Doing::Sleeping, |thread| process.doing(thread));
                self.host.observed(which, now, pulse.beats(), look);
            }
        }
        (0..self.applications.len()).for_each(|which| self.look_at_helpers(now, which));
        self.look_at_limits(now);
    }

    fn heed_signals(&mut self) {
        while let Ok(Some(_)) = self.signals.read_signal() {
            tracing::info!("a signal asks for the end of everything");
            self.host.stop(clock::now());
        }
    }

    fn carry_out(&mut self, Order { application: which, action }: Order) {
        let name = self.applications[which].name.clone();
        match action {
            Action::Start => self.start(which),
            Action::AskToEnd => {
                let guests = self.hub.whose(|guest| *guest == Guest::Application(which));
                match (&guests[..], &self.applications[which].process) {
                    ([], Some(process)) => process.ask_to_end(),
                    _ => guests.iter().for_each(|guest| self.hub.send(*guest, &FromLca::Stop)),
                }
            }
            Action::Kill(reason) => {
                match &reason {
                    Reason::Hangs(_) => self.lost(which, Detection::Hang),
                    Reason::HelperHangs(helper, silence) => self.lost_by_helper(which, helper, *silence),
                    Reason::DoesNotStart | Reason::DoesNotEnd | Reason::Drill => {}
                }
                tracing::warn!("{name} is killed: {reason}");
                let application = &mut self.applications[which];
                let remedy = format!("{} says more", self.settings.folder.log(&name).display());
                application.ending = Some(Trouble::new(format!("{name} was killed: {reason}"), remedy));
                match &application.process {
                    Some(process) => process.kill(),
                    None => tracing::error!(
                        "a process that is not known holds {}",
                        self.settings.folder.lock(&name).display()
                    ),
                }
            }
            Action::Announce(run) => {
                let fact = FromLca::Ended(Incarnation::new(name, run));
                for guest in self.hub.whose(|guest| matches!(guest, Guest::Application(_) | Guest::Watcher)) {
                    self.hub.send(guest, &fact);
                }
            }
        }
    }
}

impl Application {
    fn new(description: &Description) -> Self {
        let Description { name, pair, spare, .. } = description.clone();
        Self {
            name,
            pair,
            process: None,
            pulse: None,
            threads: None,
            siblings: BTreeMap::new(),
            farewell: None,
            report: None,
            trouble: None,
            ending: None,
            is_spare: spare.is_some(),
            watched: Watched::new(),
        }
    }
}
