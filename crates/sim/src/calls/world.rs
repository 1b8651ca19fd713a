//! Two pairs, the mail between them, the network and the telephones.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use model::{Span, Time};

use super::mail::{Line, RoutingPair, SipPair};
use super::network::{ANNOUNCEMENTS, Network};
use super::phone::Phone;
use super::services::{Input, Routing, Sip};
use super::settings::{address_of, routing_settings, sip_settings};
use super::streams::Stream;
use super::watch::Watch;
use crate::checkers::progress;
use crate::kernel::{Actor, Core};
use crate::outcome::Outcome;
use crate::pair::{Pair, PairEvent, Side};
use crate::plan::{PhonePlan, Plan};

/// How long the last words of a call may take (RFC 3261 timers F and H).
const GOODBYE: Span = Span::from_secs(32);

/// Pause between two looks whether everything is done.
const LOOK: Span = Span::from_millis(500);
/// The faults that last have ended so long after the last one began.
pub(super) const SETTLING: Span = Span::from_millis(900);
/// Most events of one run.
const MOST_EVENTS: u64 = 3_000_000;

/// What happens in this world.
#[derive(Debug)]
pub(super) enum Event {
    Pair(PairEvent),
    PhoneTurn(u8),
    Dial(usize),
    ToServer(Side, Input),
    ToPhone(u8, Vec<u8>),
    StreamOpens(Side, u64, SocketAddr),
    StreamBrings(Side, u64, Option<Vec<u8>>),
    StreamStands(Side, u64, bool),
    StreamToPhone(u64, Option<Vec<u8>>),
    Reroute(u8, Side, u32),
    Announced(u8, Side),
    Announce,
    ConnectMail,
    Fault(usize),
    Look,
}

impl From<PairEvent> for Event {
    fn from(event: PairEvent) -> Self {
        Self::Pair(event)
    }
}

/// The world.
pub(super) struct World {
    pub(super) core: Core<Event>,
    pub(super) plan: Plan,
    pub(super) sip: SipPair,
    pub(super) routing: RoutingPair,
    pub(super) line: Line,
    pub(super) phones: Vec<Phone>,
    pub(super) watch: Watch,
    pub(super) streams: BTreeMap<u64, Stream>,
    /// Connections that phones have opened.
    pub(super) opened: u64,
    pub(super) network: Network,
    pub(super) takeovers: u32,
    pub(super) cold_starts: u32,
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
        signalled: world.plan.signalled.is_empty(),
    }
}

impl World {
    fn new(plan: &Plan, with_ladder: bool) -> Self {
        let mut core: Core<Event> = Core::new(plan.seed, with_ladder);
        let trunk = plan.phones.len() as u8;
        for (index, phone) in (0..).zip(&plan.phones) {
            core.trace.name(Actor::Client(index), format!("{}/{index}", phone.number));
        }
        core.trace.name(Actor::Client(trunk), "trunk");
        for (pair, names) in (0..).zip([["sip-a", "sip-b"], ["routing-a", "routing-b"]]) {
            core.trace.name(Actor::Server(pair, 0), names[0]);
            core.trace.name(Actor::Server(pair, 1), names[1]);
        }
        core.trace.name(Actor::Control, "coordinator");
        let sip = Sip { settings: sip_settings(plan) };
        let sip = Pair::new(0, ["sip-a", "sip-b"], sip, plan, &mut core);
        let routing = Routing { settings: routing_settings() };
        let routing = Pair::new(1, ["routing-a", "routing-b"], routing, plan, &mut core);
        // Every other one says that it takes UPDATE, which matters where a call is to be told its new address.
        let updates = |index: u8| plan.world == crate::plan::World::OwnAddresses && !index.is_multiple_of(2);
        let mut phones: Vec<Phone> = (0..)
            .zip(&plan.phones)
            .map(|(index, phone)| Phone::new(index, phone, address_of(index), false, updates(index)))
            .collect();
        phones.push(Phone::new(trunk, &PhonePlan::honest(5_550_100), address_of(trunk), true, updates(trunk)));
        let mut world = Self {
            core,
            plan: plan.clone(),
            sip,
            routing,
            line: Line::default(),
            streams: BTreeMap::new(),
            opened: 0,
            network: Network::new(phones.len()),
            phones,
            watch: Watch::default(),
            takeovers: 0,
            cold_starts: 0,
            finished: false,
        };
        world.plan_ahead();
        world
    }

    fn plan_ahead(&mut self) {
        for index in 0..self.phones.len() as u8 {
            self.plan_turn(index);
        }
        for (index, call) in self.plan.calls.iter().enumerate() {
            self.core.at(call.at, Event::Dial(index));
        }
        for (index, fault) in self.plan.faults.iter().enumerate() {
            self.core.at(fault.at, Event::Fault(index));
        }
        self.core.at(self.plan.calm + SETTLING, Event::Look);
        self.core.at(Time::ZERO + ANNOUNCEMENTS, Event::Announce);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Pair(PairEvent(0, event)) => self.sip.happens(&mut self.core, event),
            Event::Pair(PairEvent(_, event)) => self.routing.happens(&mut self.core, event),
            Event::PhoneTurn(index) => self.phone_turn(index),
            Event::Dial(index) => self.dial(index),
            Event::ToServer(side, datagram) => self.sip.receives(&mut self.core, side, datagram),
            Event::ToPhone(index, bytes) => self.phone_hears(index, &bytes),
            Event::StreamOpens(side, id, _) if !self.is_taken(side, id, true) => {}
            Event::StreamBrings(side, id, _) if !self.is_taken(side, id, false) => {}
            Event::StreamOpens(side, id, peer) => self.sip.stream_opens(&mut self.core, side, id, peer),
            Event::StreamBrings(side, id, bytes) => self.sip.stream_brings(&mut self.core, side, id, bytes),
            Event::StreamStands(side, id, made) => self.sip.stream_stands(&mut self.core, side, id, made),
            Event::StreamToPhone(id, bytes) => self.stream_to_phone(id, bytes.as_deref()),
            Event::Reroute(index, side, moves) => self.network.reroute(index, side, moves),
            Event::Announced(index, side) => self.network.access.hears(index, side),
            Event::Announce => self.announce(),
            Event::ConnectMail => self.connect_mail(),
            Event::Fault(index) => self.suffer(self.plan.faults[index].kind),
            Event::Look => self.look(),
        }
        self.hear_news();
    }

    pub(super) fn plan_turn(&mut self, index: u8) {
        let deadline = self.phones[usize::from(index)].deadline();
        if deadline < Time::NEVER {
            self.core.at(deadline, Event::PhoneTurn(index));
        }
    }

    fn phone_turn(&mut self, index: u8) {
        let now = self.core.now;
        let phone = &mut self.phones[usize::from(index)];
        if phone.deadline() <= now {
            phone.turn(now);
            self.phone_acts(index);
        }
    }

    fn dial(&mut self, index: usize) {
        let plan = self.plan.calls[index].clone();
        let from = usize::from(plan.from).min(self.phones.len() - 1);
        let connection = self.phones[from].connection.and_then(|id| self.streams.get(&id));
        self.watch.dialled(self.core.now, index as u32, from, connection.map(Stream::since));
        self.phones[from].dial(self.core.now, index as u32, &plan);
        self.phone_acts(from as u8);
    }

    fn phone_hears(&mut self, index: u8, bytes: &[u8]) {
        self.phones[usize::from(index)].hears(self.core.now, bytes);
        self.phone_acts(index);
    }

    fn hear_news(&mut self) {
        while !self.sip.news.is_empty() || !self.routing.news.is_empty() {
            for news in std::mem::take(&mut self.sip.news) {
                self.sip_news(news);
            }
            for news in std::mem::take(&mut self.routing.news) {
                self.routing_news(news);
            }
        }
    }

    /// Looks whether everything has come to its end.
    fn look(&mut self) {
        self.sip.calms();
        self.routing.calms();
        let untold = [self.sip.check_watches(&mut self.core), self.routing.check_watches(&mut self.core)];
        // A call that rang when it was lost sight of ends with the patience of ringing; its agent is in it for so long.
        let ringing = if self.watch.has_lost { call::limits::RING_PATIENCE + GOODBYE } else { Span::ZERO };
        let late = self.core.now >= self.plan.calm + progress::CALLS_PATIENCE + ringing;
        let mut waiting: Vec<String> = self.phones.iter().filter_map(Phone::is_busy_with).collect();
        waiting.extend(untold.into_iter().flatten());
        if !self.sip.is_level() || !self.routing.is_level() {
            waiting.push(format!("pairs: {:?} {:?}", self.sip.statuses(), self.routing.statuses()));
        }
        if !self.line.stands() {
            waiting.push("the two servers do not talk".to_owned());
        }
        let look = waiting.is_empty();
        let rest = if look { self.rest() } else { Ok(()) };
        let address = self.address_at_rest();
        let agents = if look { self.agents_at_rest() } else { Ok(()) };
        match rest {
            Ok(()) if waiting.is_empty() && agents.is_ok() && address.is_ok() => {
                self.conclude();
                self.finished = true;
            }
            Ok(()) if late && !waiting.is_empty() => self.core.fail(progress::NAME, || progress::stuck(&waiting)),
            Err(what) if late => self.core.fail(crate::checkers::quiet::NAME, || what),
            _ if late && address.is_err() => {
                self.core.fail(crate::checkers::address::NAME, || address.err().unwrap_or_default());
            }
            _ if late => self.core.fail(crate::checkers::agents::NAME, || agents.err().unwrap_or_default()),
            _ => self.core.at(self.core.now + LOOK, Event::Look),
        }
    }
}
