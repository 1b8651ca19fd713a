//! Two pairs, the mail between them, the network and the telephones.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use call::Action;
use model::{Span, Time, hash64};
use redundancy::hot_standby::Stamp;

use super::mail::{Line, RoutingPair, SipPair};
use super::phone::Phone;
use super::services::{Input, Routing, Sip, describe};
use super::settings::{address_of, routing_settings, sip_settings};
use super::streams::Stream;
use super::watch::Watch;
use crate::checkers::progress;
use crate::kernel::{Actor, Core};
use crate::outcome::Outcome;
use crate::pair::{News, Pair, PairEvent, Side};
use crate::plan::{Kind, Layout, PhonePlan, Plan, Target};

/// Pause between two looks whether everything is done.
const LOOK: Span = Span::from_millis(500);
/// The faults that last have ended so long after the last one began.
const SETTLING: Span = Span::from_millis(900);
/// Most events of one run.
const MOST_EVENTS: u64 = 3_000_000;
/// Until a phone's datagrams follow a changed address, in microseconds.
const REROUTING: u64 = 20_000;
/// Pause between two announcements of the address.
const ANNOUNCEMENTS: Span = Span::from_millis(700);

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
    routes: Vec<Side>,
    storm: (u32, Time),
    moves: u32,
    takeovers: u32,
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
        let sip = Sip { settings: sip_settings(&plan.phones) };
        let sip = Pair::new(0, ["sip-a", "sip-b"], sip, plan, &mut core);
        let routing = Routing { settings: routing_settings() };
        let routing = Pair::new(1, ["routing-a", "routing-b"], routing, plan, &mut core);
        let mut phones: Vec<Phone> =
            (0..).zip(&plan.phones).map(|(index, phone)| Phone::new(index, phone, address_of(index), false)).collect();
        phones.push(Phone::new(trunk, &PhonePlan::honest(5_550_100), address_of(trunk), true));
        let mut world = Self {
            core,
            plan: plan.clone(),
            sip,
            routing,
            line: Line::default(),
            streams: BTreeMap::new(),
            opened: 0,
            routes: vec![0; phones.len()],
            phones,
            watch: Watch::default(),
            storm: (0, Time::ZERO),
            moves: 0,
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
            Event::StreamOpens(side, id, peer) => self.sip.stream_opens(&mut self.core, side, id, peer),
            Event::StreamBrings(side, id, bytes) => self.sip.stream_brings(&mut self.core, side, id, bytes),
            Event::StreamStands(side, id, made) => self.sip.stream_stands(&mut self.core, side, id, made),
            Event::StreamToPhone(id, bytes) => self.stream_to_phone(id, bytes.as_deref()),
            Event::Reroute(index, side, moves) if moves == self.moves => self.routes[usize::from(index)] = side,
            Event::Reroute(..) => {}
            Event::Announce => self.announce(),
            Event::ConnectMail => self.connect_mail(),
            Event::Fault(index) => self.suffer(self.plan.faults[index].kind),
            Event::Look => self.look(),
        }
        self.hear_news();
    }

    fn plan_turn(&mut self, index: u8) {
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
        self.watch.dialled(self.core.now, index as u32, from);
        self.phones[from].dial(self.core.now, index as u32, &plan);
        self.phone_acts(from as u8);
    }

    fn phone_hears(&mut self, index: u8, bytes: &[u8]) {
        self.phones[usize::from(index)].hears(self.core.now, bytes);
        self.phone_acts(index);
    }

    /// Sends what a phone has written.
    pub(super) fn phone_acts(&mut self, index: u8) {
        let phone = &mut self.phones[usize::from(index)];
        let (sent, source) = (std::mem::take(&mut phone.outbox), phone.address);
        for fact in self.phones[usize::from(index)].take_facts() {
            self.watch.experienced(self.core.now, index, fact);
        }
        for bytes in sent {
            let side = self.routes[usize::from(index)];
            let to = Actor::Server(0, side as u8);
            self.core.trace.arrow(self.core.now, Actor::Client(index), to, hash64(&bytes), || describe(&bytes));
            self.watch.legal.phone_sends(self.core.now, index, &bytes);
            if self.phones[usize::from(index)].is_on_stream() {
                self.send_on_stream(index, bytes);
                continue;
            }
            for _ in 0..self.copies() {
                let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
                self.core.at(at, Event::ToServer(side, Input::Datagram { source, bytes: bytes.clone() }));
            }
        }
        self.plan_turn(index);
    }

    /// How often a datagram arrives.
    fn copies(&mut self) -> u32 {
        let network = &self.plan.network;
        let chance = &mut self.core.chances.network;
        let calm = self.core.now >= self.plan.calm + SETTLING;
        let storm = if self.core.now < self.storm.1 { self.storm.0 } else { 0 };
        let lost = chance.happens(u64::from(network.loss.max(storm)), 1_000);
        let twice = chance.happens(u64::from(network.duplicates), 1_000);
        if calm { 1 } else { u32::from(!lost) * (1 + u32::from(twice)) }
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

    fn sip_news(&mut self, news: News<call::Output>) {
        match news {
            News::Sent(side, stamp, output) => self.sip_sends(side, stamp, output.action),
            News::ColdStart => {
                self.cold_starts += 1;
                self.watch.cold_start(self.core.now);
            }
            News::Serves(side) => {
                self.takeovers += 1;
                self.watch.legal.succession(self.core.now);
                self.move_address(side);
                self.plan_mail();
            }
            News::Leaves(side) => self.sip_leaves(side),
            News::Signal => self.signal(),
            News::StreamBytes(side, id, bytes) => self.stream_bytes(side, id, bytes),
            News::StreamClosed(id) => self.stream_closed(id),
            News::StreamWanted(side, id, to) => self.stream_wanted(side, id, to),
        }
    }

    fn sip_sends(&mut self, side: Side, stamp: Stamp, action: Action) {
        match action {
            Action::Datagram { to, bytes, .. } => self.datagram_to_phone(side, to, bytes),
            Action::Mail(letter) => {
                self.watch.order.sip_says(&letter);
                self.mail_to_routing(side, letter);
            }
            Action::Redial => self.break_mail(),
            Action::Log(event) => {
                self.core.trace.mark(self.core.now, Actor::Server(0, side as u8), 0x106, || format!("{event:?}"));
                let verdict = self.watch.charge.logged(stamp, &event);
                self.watch.note(&mut self.core, crate::checkers::one_charge::NAME, verdict);
            }
            Action::Connect { .. } | Action::Stream { .. } | Action::Close { .. } => {}
        }
    }

    fn datagram_to_phone(&mut self, side: Side, to: SocketAddr, bytes: Vec<u8>) {
        let Some(phone) = self.phones.iter().find(|phone| phone.address == to) else { return };
        let index = phone.index;
        let from = Actor::Server(0, side as u8);
        self.core.trace.arrow(self.core.now, from, Actor::Client(index), hash64(&bytes), || describe(&bytes));
        let verdict = self.watch.legal.server_sends(self.core.now, index, &bytes);
        self.watch.note(&mut self.core, crate::checkers::legal::NAME, verdict);
        if !self.sip.is_reachable(self.core.now, side) {
            return;
        }
        for _ in 0..self.copies() {
            let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
            self.core.at(at, Event::ToPhone(index, bytes.clone()));
        }
    }

    fn routing_news(&mut self, news: News<routing::Output>) {
        match news {
            News::Sent(side, _, routing::Output::Mail(letter)) => self.mail_to_sip(side, letter),
            News::Sent(_, _, routing::Output::Reconnect) => self.break_mail(),
            News::Sent(_, _, routing::Output::Answer(_)) => {}
            News::Sent(side, stamp, routing::Output::Event(event)) => {
                self.core.trace.mark(self.core.now, Actor::Server(1, side as u8), 0x106, || event.to_string());
                let verdict = self.watch.order.decided(stamp.epoch, &event);
                self.watch.note(&mut self.core, crate::checkers::queue_order::NAME, verdict);
            }
            News::ColdStart => self.watch.order.forget(),
            News::Serves(side) => {
                self.takeovers += 1;
                self.watch.order.forget();
                self.routing_serves(side);
            }
            News::Leaves(side) => self.routing_leaves(side),
            News::Signal => self.signal(),
            News::StreamBytes(..) | News::StreamClosed(_) | News::StreamWanted(..) => {}
        }
    }

    /// Where the messages of a phone go.
    pub(super) fn route_of(&self, index: u8) -> Side {
        self.routes[usize::from(index)]
    }

    fn announce(&mut self) {
        if let Some(side) = self.sip.serving() {
            self.move_address(side);
        }
        self.core.at(self.core.now + ANNOUNCEMENTS, Event::Announce);
    }

    fn move_address(&mut self, side: Side) {
        self.moves += 1;
        for index in 0..self.phones.len() as u8 {
            if self.plan.layout == Layout::TwoHosts && self.routes[usize::from(index)] != side {
                let at = self.core.now + Span::from_micros(self.core.chances.network.below(REROUTING));
                self.core.at(at, Event::Reroute(index, side, self.moves));
            }
        }
    }

    /// What the plan says for the moment at which a trap gives its signal.
    fn signal(&mut self) {
        for kind in std::mem::take(&mut self.plan.signalled) {
            self.suffer(kind);
        }
    }

    fn suffer(&mut self, kind: Kind) {
        match kind {
            Kind::Storm(loss, span) => self.storm = (loss, self.core.now + span),
            Kind::Poison(_) | Kind::Abort(_) => {}
            // What hits a host or the control server hits both pairs.
            Kind::HostCrash(..) | Kind::Isolate(..) | Kind::AgentsDown(_) | Kind::ControlCrash(_) => {
                let kind = self.with_side(kind);
                self.sip.suffer(&mut self.core, &kind);
                self.routing.suffer(&mut self.core, &kind);
            }
            Kind::Strike(Target { pair: 1, .. }, _)
            | Kind::Trap(Target { pair: 1, .. }, ..)
            | Kind::ControlBreak(Target { pair: 1, .. }, _)
            | Kind::ClockJump(Target { pair: 1, .. }, _)
            | Kind::WallForward(Target { pair: 1, .. }, _)
            | Kind::WallBack(Target { pair: 1, .. }, _)
            | Kind::LinkBreak(1)
            | Kind::LinkCut(1, ..)
            | Kind::Switchover(1) => self.routing.suffer(&mut self.core, &kind),
            _ => self.sip.suffer(&mut self.core, &kind),
        }
    }

    /// The fault with the host that is meant, whoever serves there.
    fn with_side(&self, kind: Kind) -> Kind {
        let fixed = |target: Target| {
            let side = if target.pair == 0 { self.sip.resolve(target.who) } else { self.routing.resolve(target.who) };
            Target { who: if side == 0 { crate::plan::Who::A } else { crate::plan::Who::B }, ..target }
        };
        match kind {
            Kind::HostCrash(target, span) => Kind::HostCrash(fixed(target), span),
            Kind::Isolate(target, span) => Kind::Isolate(fixed(target), span),
            other => other,
        }
    }

    /// Looks whether everything has come to its end.
    fn look(&mut self) {
        self.sip.calms();
        self.routing.calms();
        let late = self.core.now >= self.plan.calm + progress::CALLS_PATIENCE;
        let mut waiting: Vec<String> = self.phones.iter().filter_map(Phone::is_busy_with).collect();
        if !self.sip.is_level() || !self.routing.is_level() {
            waiting.push(format!("pairs: {:?} {:?}", self.sip.statuses(), self.routing.statuses()));
        }
        if !self.line.stands() {
            waiting.push("the two servers do not talk".to_owned());
        }
        let rest = if waiting.is_empty() { self.rest() } else { Ok(()) };
        let agents = if waiting.is_empty() { self.agents_at_rest() } else { Ok(()) };
        match rest {
            Ok(()) if waiting.is_empty() && agents.is_ok() => {
                self.conclude();
                self.finished = true;
            }
            Ok(()) if late && !waiting.is_empty() => self.core.fail(progress::NAME, || progress::stuck(&waiting)),
            Err(what) if late => self.core.fail(crate::checkers::quiet::NAME, || what),
            _ if late => self.core.fail(crate::checkers::agents::NAME, || agents.err().unwrap_or_default()),
            _ => self.core.at(self.core.now + LOOK, Event::Look),
        }
    }
}
