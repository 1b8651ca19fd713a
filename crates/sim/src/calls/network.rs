//! The network between telephones and servers: datagrams that are lost, repeated and overtaken, and the address of the
//! pair, which follows its primary.

use std::net::SocketAddr;

use model::{Epoch, Span, Time, hash64};
use sip::Message;

use super::phone::call_of;
use super::places::Places;
use super::services::{Input, describe};
use super::world::{Event, SETTLING, World};
use crate::checkers::{Verdict, address, legal, taken_twice};
use crate::hosts::Access;
use crate::kernel::Actor;
use crate::pair::Side;
use crate::plan::{Direction, Layout, QUEUE};

/// Until a phone's datagrams follow a changed address, in microseconds.
const REROUTING: u64 = 20_000;
/// Pause between two announcements of the address.
pub(super) const ANNOUNCEMENTS: Span = Span::from_millis(700);

/// How the network stands.
#[derive(Debug)]
pub(super) struct Network {
    /// Which side the address leads to, for each phone.
    routes: Vec<Side>,
    /// On several hosts, where the address is announced.
    pub(super) access: Access,
    /// Where each host serves at an address of its own.
    pub(super) places: Places,
    /// Which of them served last.
    pub(super) last: Option<Side>,
    /// How often the address has moved.
    moves: u32,
    /// Datagrams lost of a thousand, and until when.
    pub(super) storm: (u32, Time),
    /// Until when nothing passes: from each phone, and to it.
    cut_until: Vec<[Time; 2]>,
}

impl Network {
    pub(super) fn new(phones: usize) -> Self {
        let (access, storm) = (Access::new(phones), (0, Time::ZERO));
        Self {
            routes: vec![0; phones],
            access,
            places: Places::default(),
            last: None,
            moves: 0,
            storm,
            cut_until: vec![[Time::ZERO; 2]; phones],
        }
    }

    /// A phone learns of the move of the address, unless it has moved again.
    pub(super) fn reroute(&mut self, phone: u8, side: Side, moves: u32) {
        if moves == self.moves {
            self.routes[usize::from(phone)] = side;
        }
    }

    /// Cuts the way from a phone (the first side), to it, or both.
    pub(super) fn cut(&mut self, phone: u8, way: Direction, until: Time) {
        let Some(cut) = self.cut_until.get_mut(usize::from(phone)) else { return };
        for from in [0, 1] {
            if way.covers(from) {
                cut[from] = cut[from].max(until);
            }
        }
    }

    /// When something passes that goes from (0) or to (1) this phone.
    pub(super) fn passes(&self, phone: u8, way: usize, now: Time) -> Time {
        self.cut_until[usize::from(phone)][way].max(now)
    }
}

impl World {
    /// Sends what a phone has written.
    pub(super) fn phone_acts(&mut self, index: u8) {
        let phone = &mut self.phones[usize::from(index)];
        let (sent, source) = (std::mem::take(&mut phone.outbox), phone.address);
        for fact in self.phones[usize::from(index)].take_facts() {
            if let Err((checker, what)) = self.watch.experienced(self.core.now, index, fact) {
                self.core.fail(checker, || what);
            }
        }
        for bytes in sent {
            let side = self.place_of(index, &bytes);
            let to = Actor::Server(0, side as u8);
            self.core.trace.arrow(self.core.now, Actor::Client(index), to, hash64(&bytes), || describe(&bytes));
            self.watch.legal.phone_sends(self.core.now, index, &bytes);
            self.watch.taken.phone_sends(index, &bytes);
            if self.phones[usize::from(index)].is_on_stream() {
                self.send_on_stream(index, side, bytes);
                continue;
            }
            if self.network.access.passes(index, side, 0, self.core.now) > self.core.now {
                continue;
            }
            for _ in 0..self.copies(index, 0) {
                let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
                self.core.at(at, Event::ToServer(side, Input::Datagram { source, bytes: bytes.clone() }));
            }
        }
        self.plan_turn(index);
    }

    /// Something leaves the servers for a phone.
    pub(super) fn server_says(&mut self, epoch: Epoch, phone: u8, bytes: &[u8]) {
        let former = self.watch.is_former(epoch);
        let verdict = self.watch.legal.server_sends(self.core.now, former, phone, bytes);
        self.watch.note(&mut self.core, legal::NAME, verdict);
        let calls = &self.plan.calls;
        let of_queue = |invite: &Message<'_>| {
            call_of(invite).and_then(|call| calls.get(call as usize)).is_some_and(|call| call.to == QUEUE)
        };
        let verdict = self.watch.taken.server_sends(phone, bytes, of_queue);
        // Its successor has rung the phone anew, from another address.
        let is_late = former && self.has_own_addresses();
        self.watch.note(&mut self.core, taken_twice::NAME, if is_late { Ok(()) } else { verdict });
    }

    /// How often a datagram arrives that goes from (0) or to (1) this phone.
    fn copies(&mut self, index: u8, way: usize) -> u32 {
        let plan = &self.plan.network;
        let chance = &mut self.core.chances.network;
        let calm = self.core.now >= self.plan.calm + SETTLING;
        let storm = if self.core.now < self.network.storm.1 { self.network.storm.0 } else { 0 };
        let lost = chance.happens(u64::from(plan.loss.max(storm)), 1_000);
        let twice = chance.happens(u64::from(plan.duplicates), 1_000);
        let cut = self.network.passes(index, way, self.core.now) > self.core.now;
        if calm { 1 } else { u32::from(!lost && !cut) * (1 + u32::from(twice)) }
    }

    pub(super) fn datagram_to_phone(&mut self, side: Side, epoch: Epoch, to: SocketAddr, bytes: Vec<u8>) {
        let Some(phone) = self.phones.iter().find(|phone| phone.address == to) else { return };
        let index = phone.index;
        let from = Actor::Server(0, side as u8);
        self.core.trace.arrow(self.core.now, from, Actor::Client(index), hash64(&bytes), || describe(&bytes));
        if self.watch.counts(epoch) {
            self.server_says(epoch, index, &bytes);
        }
        if !self.reaches(side, index) {
            return;
        }
        self.network.places.hears(index, side, &bytes);
        for _ in 0..self.copies(index, 1) {
            let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
            self.core.at(at, Event::ToPhone(index, bytes.clone()));
        }
    }

    /// Where this message of a phone goes.
    fn place_of(&mut self, index: u8, bytes: &[u8]) -> Side {
        if self.has_own_addresses() { self.network.places.of(index, bytes) } else { self.route_of(index) }
    }

    pub(super) fn has_own_addresses(&self) -> bool {
        self.plan.world == crate::plan::World::OwnAddresses
    }

    /// Where the messages of a phone go.
    pub(super) fn route_of(&self, index: u8) -> Side {
        match self.plan.layout {
            Layout::ThreeHosts => self.network.access.route(index),
            Layout::OneHost | Layout::TwoHosts => self.network.routes[usize::from(index)],
        }
    }

    /// Whether something that leaves the host of a side reaches a phone.
    fn reaches(&self, side: Side, index: u8) -> bool {
        let now = self.core.now;
        self.sip.is_reachable(now, side) && self.network.access.passes(index, side, 1, now) == now
    }

    /// A side says that it has the address.
    pub(super) fn sip_announces(&mut self, side: Side) {
        for index in 0..self.phones.len() as u8 {
            if !self.reaches(side, index) {
                continue;
            }
            let at = self.core.now + self.plan.network.delay.draw(&mut self.core.chances.network);
            self.core.at(at, Event::Announced(index, side));
        }
    }

    /// Everything is at rest: the address is where it belongs.
    pub(super) fn address_at_rest(&self) -> Verdict {
        match self.plan.layout {
            _ if self.has_own_addresses() => Ok(()),
            Layout::ThreeHosts => self.network.access.at_rest(self.sip.holders(), self.sip.serving()),
            Layout::OneHost | Layout::TwoHosts => Ok(()),
        }
    }

    pub(super) fn announce(&mut self) {
        if self.has_own_addresses() {
            return;
        }
        if self.plan.layout == Layout::ThreeHosts {
            let (now, chance) = (self.core.now, &mut self.core.chances.network);
            let verdict = self.network.access.resolve(now, chance, self.sip.holders(), self.sip.answers(now));
            self.watch.note(&mut self.core, address::NAME, verdict);
        } else if let Some(side) = self.sip.serving() {
            self.move_address(side);
        }
        self.core.at(self.core.now + ANNOUNCEMENTS, Event::Announce);
    }

    pub(super) fn move_address(&mut self, side: Side) {
        self.network.moves += 1;
        for index in 0..self.phones.len() as u8 {
            if self.plan.layout == Layout::TwoHosts && self.network.routes[usize::from(index)] != side {
                let at = self.core.now + Span::from_micros(self.core.chances.network.below(REROUTING));
                self.core.at(at, Event::Reroute(index, side, self.network.moves));
            }
        }
    }
}
