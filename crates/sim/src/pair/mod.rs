//! A pair of servers in the simulated world: the real `Replica`s, and around them everything that a shell, a kernel,
//! a control agent and a coordinator do.
//!
//! What a shell has to do is written in `redundancy::hot_standby`; [`turn`](Pair::happens) and `carry` do exactly that,
//! with the freedom to die or to be stopped between any two effects.

mod address;
mod carry;
mod checks;
mod control;
mod far;
mod host;
mod lca;
mod link;
mod members;
mod process;
mod streams;
mod strike;
mod takeover;
mod turn;

pub use process::{Process, Service};
pub use streams::StreamAction;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use model::{Epoch, Incarnation, RecordKey, Span, Time};
use redundancy::hot_standby::{Engine, Stamp};

use crate::checkers::PairCheckers;
use crate::hosts::Networks;
use crate::kernel::{Actor, Core};
use crate::plan::{Layout, Plan};
use control::Control;
use far::{Cables, Ledger};
use host::Host;
use link::Links;
use strike::Traps;

/// Index of a side of the pair: 0 or 1.
pub type Side = usize;

/// The other side.
#[must_use]
pub const fn other(side: Side) -> Side {
    1 - side
}

/// Something that happens to a pair; the number names the pair.
#[derive(Debug)]
pub struct PairEvent(pub u8, pub Event);

/// Something that happens to a pair. Events of a process name its run: another run is not meant.
#[derive(Debug)]
pub enum Event {
    /// The process is given the processor.
    Wake(Side, u64),
    /// The process is continued after a stop.
    Resume(Side, u64),
    /// The control agent has noticed that the process hangs.
    Hang(Side, u64),
    /// The control agent starts the application.
    Start(Side),
    /// This side is told that an incarnation has ended.
    Told(Side, Incarnation),
    /// The process has dialled its peer.
    Dialled(Side, u64, Incarnation),
    /// The link takes bytes again.
    Accepts(Side, u64),
    /// The process tries to connect to the coordinator.
    Connect(Side, u64),
    /// A request reaches the coordinator.
    Request(u64),
    /// The process hears from the coordinator.
    News(Side, u64),
    /// The coordinator is back.
    ControlUp,
    /// The journals are read.
    JournalsRead(Side, u64),
    /// The host of this side has power again.
    HostUp(Side),
    /// A call of one host reaches the other one.
    Calls(u64),
    /// It is time for a connection to the coordinator to show that its member lives.
    Beat(u64),
    /// A host looks for another member of the coordinator, for this connection.
    Search(u64),
    /// So many requests of this connection are to be answered by now.
    Patience(u64, usize),
    /// A member of the coordinator may have something to tell on this connection that it could not tell before.
    CatchesUp(u64),
}

/// What a pair tells its world.
#[derive(Debug)]
pub enum News<O> {
    /// This output of this checkpoint left the host of this side.
    Sent(Side, Stamp, O),
    /// The pair began this epoch without a predecessor: what was not durable is gone.
    ColdStart(Epoch),
    /// The pair began this epoch with what one side had been sent before everybody in sync ended: what left after that is
    /// gone.
    Loss(Epoch),
    /// A side of several hosts that was not in sync counts from now on, with what it held: its journal lacks what the other host
    /// has written down since.
    Behind,
    /// This side serves now, from the address of the pair.
    Serves(Side),
    /// This side serves no more: it stands by or has ended.
    Leaves(Side),
    /// This side tells the network that it has the address of the pair.
    Announces(Side),
    /// A trap has given its signal.
    Signal,
    /// Bytes left the host of this side on a connection, by a process that counts itself in this epoch.
    StreamBytes(Side, Epoch, u64, Vec<u8>),
    /// The kernel has closed a connection.
    StreamClosed(u64),
    /// This side wants a connection to this address.
    StreamWanted(Side, u64, SocketAddr),
}

/// Why a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was killed from outside.
    Killed,
    /// The kernel ended it because of what it did; the control agent sees the difference.
    Aborted,
    /// It ended itself, as its replica asked.
    Retired,
    /// Its host lost power.
    PowerLost,
}

/// One application: its present process, and what outlives its processes.
struct Application<S: Service> {
    name: String,
    run: u64,
    process: Option<Process<S>>,
    starting: bool,
    journal: BTreeMap<RecordKey, (Stamp, Vec<u8>)>,
}

/// A pair of servers.
pub struct Pair<S: Service> {
    /// Its number in the world.
    pub id: u8,
    /// What the servers do.
    pub service: S,
    /// What is to be told to the world.
    pub news: Vec<News<<S::Engine as Engine>::Output>>,
    plan: Plan,
    applications: [Application<S>; 2],
    hosts: [Host<S::Datagram>; 2],
    links: Links,
    control: Control,
    agents: lca::Agents,
    traps: Traps,
    checkers: PairCheckers,
    spins: u32,
    networks: Networks,
    cables: Cables,
    ledger: Ledger,
    /// Since when neither the processes nor their hosts had trouble.
    untroubled: Time,
}

/// How often a pair may be given the processor at one moment of virtual time.
const MOST_SPINS: u32 = 2_000;

impl<S: Service> Pair<S> {
    /// A pair whose applications are about to be started.
    pub fn new<E: From<PairEvent>>(id: u8, names: [&str; 2], service: S, plan: &Plan, core: &mut Core<E>) -> Self {
        let applications = names.map(|name| Application {
            name: name.to_owned(),
            run: 0,
            process: None,
            starting: true,
            journal: BTreeMap::new(),
        });
        let pair = Self {
            id,
            service,
            news: Vec::new(),
            plan: plan.clone(),
            applications,
            hosts: [Host::new(plan.clocks[0]), Host::new(plan.clocks[1])],
            links: Links::default(),
            control: Control::default(),
            agents: lca::Agents::default(),
            traps: Traps::default(),
            checkers: PairCheckers::default(),
            spins: 0,
            networks: Networks::default(),
            cables: Cables::default(),
            ledger: Ledger::default(),
            untroubled: Time::ZERO,
        };
        for side in [0, 1] {
            let after = Span::from_micros(core.chances.hosts.below(5_000));
            pair.plan_event(core, core.now + after, Event::Start(side));
        }
        pair
    }

    fn plan_event<E: From<PairEvent>>(&self, core: &mut Core<E>, at: Time, event: Event) {
        core.at(at, E::from(PairEvent(self.id, event)));
    }

    /// Index of the host of a side.
    const fn host_of(&self, side: Side) -> usize {
        match self.plan.layout {
            Layout::OneHost => 0,
            Layout::TwoHosts | Layout::ThreeHosts => side,
        }
    }

    const fn actor(&self, side: Side) -> Actor {
        Actor::Server(self.id, side as u8)
    }

    fn side_of(&self, who: &Incarnation) -> Option<Side> {
        self.applications.iter().position(|application| application.name == who.application)
    }

    fn process_of(&self, who: &Incarnation) -> Option<&Process<S>> {
        self.side_of(who).and_then(|side| self.applications[side].process.as_ref()).filter(|process| process.me == *who)
    }

    /// The process of a side, if it is this run.
    fn run_mut(&mut self, side: Side, run: u64) -> Option<&mut Process<S>> {
        self.applications[side].process.as_mut().filter(|process| process.me.run == run)
    }

    /// The process of a side, if there is one.
    pub fn process(&self, side: Side) -> Option<&Process<S>> {
        self.applications[side].process.as_ref()
    }

    /// The process of a side, to look into its records.
    pub fn process_mut(&mut self, side: Side) -> Option<&mut Process<S>> {
        self.applications[side].process.as_mut()
    }

    /// Does what an event says.
    pub fn happens<E: From<PairEvent>>(&mut self, core: &mut Core<E>, event: Event) {
        match event {
            Event::Wake(side, run) => self.wakes(core, side, run),
            Event::Resume(side, run) => self.resumes(core, side, run),
            Event::Hang(side, run) => self.hangs(core, side, run),
            Event::Start(side) => self.starts(core, side),
            Event::Told(side, who) => self.told(core, side, who),
            Event::Dialled(side, run, to) => self.dialled(core, side, run, &to),
            Event::Accepts(side, run) => self.accepts(core, side, run),
            Event::Connect(side, run) => self.connects(core, side, run),
            Event::Request(session) => self.coordinate(core, session),
            Event::News(side, run) => {
                if self.run_mut(side, run).is_some() {
                    self.wake(core, side, core.now);
                }
            }
            Event::ControlUp => self.control.is_down = false,
            Event::JournalsRead(side, run) => self.journals_read(core, side, run),
            Event::HostUp(side) => self.host_up(core, side),
            Event::Calls(cable) => self.is_called_over(core, cable),
            Event::Beat(session) => self.member_beats(core, session),
            Event::Search(session) => self.search_member(core, session),
            Event::Patience(session, count) => self.patience_ends(core, session, count),
            Event::CatchesUp(session) => self.catches_up(core, session),
        }
    }
}

/// The way to and from the clients.
impl<S: Service> Pair<S> {
    /// Something comes to the process of a side on another way than the sockets; lost if it does not serve.
    pub fn tell<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64, at: Time, aside: S::Aside) {
        if let Some(process) = self.run_mut(side, run).filter(|process| process.is_open) {
            process.asides.push_back((at, aside));
            self.wake(core, side, at);
        }
    }

    /// What comes to a run on another way and has not arrived by now is lost.
    pub fn lose(&mut self, now: Time, side: Side, run: u64) {
        if let Some(process) = self.run_mut(side, run) {
            process.asides.retain(|(at, _)| *at <= now);
        }
    }

    /// The run of a side that has opened its doors, if there is one.
    #[must_use]
    pub fn open_run(&self, side: Side) -> Option<u64> {
        self.process(side).filter(|process| process.is_open).map(|process| process.me.run)
    }

    /// A datagram reaches the host of a side.
    pub fn receives<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, datagram: S::Datagram) {
        let host = self.host_of(side);
        let open = self.has_doors(side);
        if !open || !self.is_reachable(core.now, side) || !self.hosts[host].receive(datagram) {
            return;
        }
        for side in [0, 1] {
            let reads = |process: &Process<S>| process.replica.accepts_inputs();
            if self.host_of(side) == host && self.process(side).is_some_and(reads) {
                self.wake(core, side, core.now);
            }
        }
    }

    /// Whether the network reaches the host of a side.
    #[must_use]
    pub const fn is_reachable(&self, now: Time, side: Side) -> bool {
        let host = &self.hosts[self.host_of(side)];
        let away = host.isolated_until.as_micros() > now.as_micros() || host.frozen_until.as_micros() > now.as_micros();
        !host.is_dark && !away
    }

    /// The faults stop: no trap is left set.
    pub fn calms(&mut self) {
        self.traps = Traps::default();
    }
}
