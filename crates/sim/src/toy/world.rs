//! The world of the toy: one pair, its clients, and the network in between.

use model::{Span, Time};
use redundancy::hot_standby::{Engine as _, Replica, Taken};

use super::client::{Client, Step};
use super::engine::ToyEngine;
use super::wire::{Reply, Request};
use crate::checkers::{address, exactly_once, nothing_lost, progress, quiet};
use crate::hosts::Access;
use crate::kernel::{Actor, Core};
use crate::outcome::Outcome;
use crate::pair::{News, Pair, PairEvent, Service, Side};
use crate::plan::{Kind, Layout, Plan};

/// Pause between two looks whether everything is done.
const LOOK: Span = Span::from_millis(40);

/// The faults that last have ended so long after the last one began.
const SETTLING: Span = Span::from_millis(900);

/// Most events of one run: more are a sign that something turns in circles.
const MOST_EVENTS: u64 = 3_000_000;

/// Until a client's datagrams follow a changed address, in microseconds.
const REROUTING: u64 = 20_000;

/// Pause between two announcements of the address.
const ANNOUNCEMENTS: Span = Span::from_millis(700);

#[derive(Debug)]
enum Event {
    Pair(PairEvent),
    ClientTurn(u8),
    ToServer(Side, Request),
    ToClient(Reply),
    /// The address of the pair moves, for one client; the number counts such moves.
    Reroute(u8, Side, u32),
    /// A client hears, on several hosts, that this side has the address.
    Announced(u8, Side),
    /// Whoever serves announces the address again, so that one that woke up late does not keep it.
    Announce,
    Fault(usize),
    Look,
}

impl From<PairEvent> for Event {
    fn from(event: PairEvent) -> Self {
        Self::Pair(event)
    }
}

/// The toy as a service of a pair.
#[derive(Debug)]
struct Toy;

impl Service for Toy {
    type Engine = ToyEngine;
    type Datagram = Request;
    type Aside = ();

    fn engine(&self, _: Side) -> ToyEngine {
        ToyEngine::default()
    }

    fn fingerprint(datagram: &Request) -> u64 {
        datagram.fingerprint()
    }

    fn feed(replica: &mut Replica<ToyEngine>, local: Time, mark: u64, datagram: &Request) -> Taken {
        replica.input(local, datagram.fingerprint(), Some(mark), datagram)
    }

    fn aside(_: &mut Replica<ToyEngine>, _: Time, (): &()) -> Taken {
        Taken::NotServing
    }

    fn died(replica: &mut Replica<ToyEngine>) -> bool {
        std::mem::take(&mut replica.engine_mut().died)
    }

    fn describe_datagram(datagram: &Request) -> String {
        describe(datagram)
    }
}

struct World {
    core: Core<Event>,
    plan: Plan,
    pair: Pair<Toy>,
    clients: Vec<Client>,
    routes: Vec<Side>,
    access: Access,
    storm: (u32, Time),
    cold_starts: u32,
    takeovers: u32,
    finished: bool,
}

/// Runs a plan to its end.
#[must_use]
pub fn run(plan: &Plan, with_ladder: bool) -> Outcome {
    let mut world = World::new(plan, with_ladder);
    while !world.finished && world.core.violation.is_none() {
        let Some(event) = world.core.step() else { break };
        world.happens(event);
        if world.core.queue.count() > MOST_EVENTS {
            world.core.fail(progress::NAME, || "events without end".to_owned());
        }
    }
    Outcome {
        violation: world.core.violation,
        hash: world.core.trace.hash(),
        ladder: if with_ladder { world.core.trace.ladder() } else { String::new() },
        events: world.core.queue.count(),
        cold_starts: world.cold_starts,
        takeovers: world.takeovers,
        signalled: false,
    }
}

impl World {
    fn new(plan: &Plan, with_ladder: bool) -> Self {
        let mut core = Core::new(plan.seed, with_ladder);
        core.trace.name(Actor::Client(0), "clients");
        core.trace.name(Actor::Server(0, 0), "toy-a");
        core.trace.name(Actor::Server(0, 1), "toy-b");
        core.trace.name(Actor::Control, "coordinator");
        let pair = Pair::new(0, ["toy-a", "toy-b"], Toy, plan, &mut core);
        let clients: Vec<Client> = (0..plan.clients).map(|name| Client::new(name, plan.seed, plan.patient)).collect();
        for client in &clients {
            core.at(client.deadline, Event::ClientTurn(client.name));
        }
        for (index, fault) in plan.faults.iter().enumerate() {
            core.at(fault.at, Event::Fault(index));
        }
        core.at(plan.calm + SETTLING, Event::Look);
        core.at(Time::ZERO + ANNOUNCEMENTS, Event::Announce);
        let (routes, access) = (vec![0; clients.len()], Access::new(clients.len()));
        let (plan, storm, cold_starts, takeovers) = (plan.clone(), (0, Time::ZERO), 0, 0);
        Self { core, plan, pair, clients, routes, access, storm, cold_starts, takeovers, finished: false }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Pair(PairEvent(_, event)) => self.pair.happens(&mut self.core, event),
            Event::ClientTurn(name) => self.client_turn(name),
            Event::ToServer(side, request) => self.pair.receives(&mut self.core, side, request),
            Event::ToClient(reply) => self.client_hears(reply),
            Event::Reroute(name, side, count) if count == self.takeovers => self.routes[usize::from(name)] = side,
            Event::Reroute(..) => {}
            Event::Announced(name, side) => self.access.hears(name, side),
            Event::Announce => self.announce(),
            Event::Fault(index) => self.fault(index),
            Event::Look => self.look(),
        }
        self.hear_news();
    }

    fn client_turn(&mut self, name: u8) {
        let now = self.core.now;
        let client = &mut self.clients[usize::from(name)];
        if client.deadline == now {
            let step = client.turn(now, now >= self.plan.calm);
            self.client_acts(name, step);
        }
    }

    fn client_hears(&mut self, reply: Reply) {
        let now = self.core.now;
        self.core
            .trace
            .mark(now, Actor::Client(0), reply.session, || format!("{} hears {:?}", reply.client, reply.answer));
        if let Some(client) = self.clients.get_mut(usize::from(reply.client)) {
            let step = client.hears(now, reply);
            self.client_acts(reply.client, step);
        }
    }

    fn client_acts(&mut self, name: u8, step: Step) {
        if let Some((checker, what)) = step.broken {
            self.core.fail(checker, || what);
        }
        for request in step.sends {
            self.send(name, request);
        }
        let deadline = self.clients[usize::from(name)].deadline;
        if deadline < Time::NEVER {
            self.core.at(deadline, Event::ClientTurn(name));
        }
    }

    /// How often a datagram arrives: not at all, once or twice.
    fn copies(&mut self) -> u32 {
        let network = &self.plan.network;
        let chance = &mut self.core.chances.network;
        let calm = self.core.now >= self.plan.calm + SETTLING;
        let storm = if self.core.now < self.storm.1 { self.storm.0 } else { 0 };
        let lost = chance.happens(u64::from(network.loss.max(storm)), 1_000);
        let twice = chance.happens(u64::from(network.duplicates), 1_000);
        if calm { 1 } else { u32::from(!lost) * (1 + u32::from(twice)) }
    }

    fn send(&mut self, name: u8, request: Request) {
        let side = self.route_of(name);
        let to = Actor::Server(0, side as u8);
        let now = self.core.now;
        if self.access.passes(name, side, 0, now) > now {
            return;
        }
        self.core
            .trace
            .arrow(now, Actor::Client(0), to, request.fingerprint(), || format!("{name} {}", describe(&request)));
        for _ in 0..self.copies() {
            let at = now + self.plan.network.delay.draw(&mut self.core.chances.network);
            self.core.at(at, Event::ToServer(side, request));
        }
    }

    fn route_of(&self, name: u8) -> Side {
        match self.plan.layout {
            Layout::ThreeHosts => self.access.route(name),
            Layout::OneHost | Layout::TwoHosts => self.routes[usize::from(name)],
        }
    }

    /// Whether something that leaves a side reaches a client.
    fn reaches(&self, side: Side, name: u8) -> bool {
        let now = self.core.now;
        self.pair.is_reachable(now, side) && self.access.passes(name, side, 1, now) == now
    }

    fn hear_news(&mut self) {
        for news in std::mem::take(&mut self.pair.news) {
            match news {
                News::Sent(side, _, reply) if self.reaches(side, reply.client) => {
                    for _ in 0..self.copies() {
                        let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
                        self.core.at(at, Event::ToClient(reply));
                    }
                }
                News::Sent(..) => {}
                News::ColdStart(_) | News::Loss(_) => self.cold_start(),
                News::Behind => self.clients.iter_mut().for_each(Client::excuse_entries),
                News::Serves(side) => self.serves(side),
                News::Announces(side) => self.announces(side),
                News::Leaves(_)
                | News::Signal
                | News::StreamBytes(..)
                | News::StreamClosed(_)
                | News::StreamWanted(..) => {}
            }
        }
    }

    fn cold_start(&mut self) {
        self.cold_starts += 1;
        if self.cold_starts == 1 && self.takeovers == 0 {
            return;
        }
        for client in &mut self.clients {
            client.cold_start(self.core.now);
            self.core.at(client.deadline, Event::ClientTurn(client.name));
        }
    }

    fn serves(&mut self, side: Side) {
        self.takeovers += 1;
        self.move_address(side);
    }

    fn announces(&mut self, side: Side) {
        for name in 0..self.plan.clients {
            if !self.reaches(side, name) {
                continue;
            }
            let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
            self.core.at(at, Event::Announced(name, side));
        }
    }

    fn announce(&mut self) {
        if self.plan.layout == Layout::ThreeHosts {
            let (holders, answers) = (self.pair.holders(), self.pair.answers(self.core.now));
            let verdict = self.access.resolve(self.core.now, &mut self.core.chances.network, holders, answers);
            if let Err(what) = verdict {
                self.core.fail(address::NAME, || what);
            }
        } else if let Some(side) = self.pair.serving() {
            self.move_address(side);
        }
        self.core.at(self.core.now + ANNOUNCEMENTS, Event::Announce);
    }

    fn move_address(&mut self, side: Side) {
        if self.plan.layout == Layout::TwoHosts {
            for name in 0..self.plan.clients {
                let at = self.core.now + Span::from_micros(self.core.chances.network.below(REROUTING));
                self.core.at(at, Event::Reroute(name, side, self.takeovers));
            }
        }
    }

    fn fault(&mut self, index: usize) {
        let kind = self.plan.faults[index].kind;
        match kind {
            Kind::Storm(loss, span) if !self.plan.patient => self.storm = (loss, self.core.now + span),
            Kind::AccessCut(corner, host, way, span) => self.access.cut(corner, host, way, self.core.now + span),
            Kind::Poison(name) | Kind::Abort(name) => self.send_poison(name, kind),
            _ => self.pair.suffer(&mut self.core, &kind),
        }
    }

    fn send_poison(&mut self, name: u8, kind: Kind) {
        let now = self.core.now;
        let Some(client) = self.clients.get_mut(usize::from(name)) else { return };
        let session = client.session();
        if matches!(kind, Kind::Abort(_)) {
            return self.send(name, Request::Abort { session });
        }
        if client.waits() {
            return;
        }
        client.give_up_session(now);
        self.core.at(client.deadline, Event::ClientTurn(name));
        self.send(name, Request::Poison { session });
    }

    /// Looks whether everything has come to its end.
    fn look(&mut self) {
        self.pair.calms();
        let untold = self.pair.check_watches(&mut self.core);
        let mut waiting: Vec<String> = self.clients.iter().filter_map(Client::waits_for).collect();
        waiting.extend(untold);
        if !self.pair.is_level() {
            waiting.push(format!("the pair is not level: {:?}", self.pair.statuses()));
        }
        let late = self.core.now >= self.plan.calm + progress::PATIENCE;
        if !waiting.is_empty() {
            if late {
                self.core.fail(progress::NAME, || progress::stuck(&waiting));
            }
            return self.core.at(self.core.now + LOOK, Event::Look);
        }
        let strict = self.clients.iter().all(Client::is_patient);
        let left = |engine: &mut ToyEngine| quiet::Left {
            records: if strict { engine.sessions() } else { 0 },
            deadline: engine.store().deadline() < Time::NEVER,
        };
        let rest = self.pair.rest(&mut self.core, left);
        let several = self.plan.layout == Layout::ThreeHosts;
        let address = self.access.at_rest(self.pair.holders(), self.pair.serving().filter(|_| several));
        match rest {
            Ok(()) if late && address.is_err() => self.core.fail(address::NAME, || address.err().unwrap_or_default()),
            Ok(()) if address.is_ok() => {
                self.count();
                self.finished = true;
            }
            Err(what) if late => self.core.fail(quiet::NAME, || what),
            _ => self.core.at(self.core.now + LOOK, Event::Look),
        }
    }

    /// Compares what the clients have entered with what both servers hold.
    fn count(&mut self) {
        for side in [0, 1] {
            let Some(process) = self.pair.process_mut(side) else { return };
            let engine = process.replica.engine_mut();
            for client in self.clients.iter().filter(|client| !client.is_excused()) {
                let (entered, held) = (client.entered(), engine.count(client.name));
                if held < entered {
                    let what = nothing_lost::forgotten(client.name, client.name.into(), entered, held);
                    self.core.fail(nothing_lost::NAME, || what);
                } else if held > entered {
                    self.core.fail(exactly_once::NAME, || {
                        format!("client {} counts {entered}, {held} are held", client.name)
                    });
                }
            }
        }
    }
}

fn describe(request: &Request) -> String {
    match request {
        Request::Ask { session, number, wait, .. } => format!("ask {session:x}.{number} in {wait}"),
        Request::Ack { session, number } => format!("ack {session:x}.{number}"),
        Request::Bye { session, .. } => format!("bye {session:x}"),
        Request::Enter { number, .. } => format!("enter {number}"),
        Request::Poison { session } => format!("poison {session:x}"),
        Request::Abort { session } => format!("abort {session:x}"),
    }
}
