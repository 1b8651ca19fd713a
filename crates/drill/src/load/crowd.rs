//! All phones and their calls, as a value: messages, moments and connections go in, what is to be sent comes out.

mod count;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use model::{Chance, Span, Time};
use sip::{Message, Method};

use super::call::{Call, Outcome, Side, Stage};
use super::leg::{Effects, Leg};
use super::order::{Order, Overtaken};
use super::people::People;
use super::phone::{Phone, Wish};
use super::script::{Script, Scripts};
use super::watch::{Loss, Watch};
use super::wording::{self, Who};

/// What is to be done with the socket of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Send a message to the server.
    Send(usize, Vec<u8>),
    /// Open a connection to the server.
    Connect(usize),
    /// Close it.
    Close(usize),
}

/// Where somebody's socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The address that a phone says that it has.
    pub place: SocketAddr,
    /// It speaks by connections.
    pub tcp: bool,
}

/// Who plays what.
pub(super) struct Cast {
    /// One for each extension of the people.
    pub(super) extensions: Vec<Seat>,
    pub(super) carriers: Vec<Seat>,
    pub(super) prober: Seat,
}

/// Two questions of the prober are so far apart.
const PROBE_EVERY: Span = Span::from_millis(1);

/// Two calls that are to be held begin so far apart.
const HOLD_EVERY: Span = Span::from_millis(4);

/// Everybody.
pub(super) struct Crowd {
    people: People,
    phones: Vec<Phone>,
    /// The first of the phones that are carriers', and the one that is the prober.
    first_carrier: usize,
    prober: usize,
    scripts: Scripts,
    rate: u32,
    calls: BTreeMap<u64, Call>,
    by_call_id: BTreeMap<String, (u64, Side)>,
    timers: BTreeSet<(Time, u64)>,
    orders: Vec<Order>,
    next_call: Time,
    /// Calls that are to be held and are not begun yet, and when the next one is due.
    to_hold: u32,
    next_held: Time,
    count: u64,
    probes: u64,
    next_probe: Time,
    /// No new calls are begun.
    drains: bool,
    /// People wait with everything until then.
    quiet: bool,
    salt: u64,
    out: Vec<Output>,
    pub(super) watch: Watch,
}

impl Crowd {
    pub(super) fn new(people: People, cast: &Cast, rate: u32, seed: u64, salt: u64, watch: Watch, alone: bool) -> Self {
        let mut chance = Chance::new(seed);
        let who = |number: &str, password: &str, seat: &Seat| Who {
            number: number.to_owned(),
            password: password.to_owned(),
            domain: people.domain.clone(),
            place: seat.place,
            tcp: seat.tcp,
        };
        let mut phones = Vec::new();
        for (extension, seat) in people.extensions.iter().zip(&cast.extensions) {
            let who = who(&extension.number, &extension.password, seat);
            phones.push(Phone::new(who, extension.agent.clone(), true, alone, chance.fork()));
        }
        let first_carrier = phones.len();
        for (at, seat) in cast.carriers.iter().enumerate() {
            phones.push(Phone::new(who(&format!("70{at}"), "", seat), None, false, false, chance.fork()));
        }
        let prober = phones.len();
        phones.push(Phone::new(who("probe", "", &cast.prober), None, false, false, chance.fork()));
        let scripts = Scripts::new(&people, rate, seed);
        let orders = people.queues.iter().map(|_| Order::default()).collect();
        Self {
            people,
            phones,
            first_carrier,
            prober,
            scripts,
            rate,
            calls: BTreeMap::new(),
            by_call_id: BTreeMap::new(),
            timers: BTreeSet::new(),
            orders,
            next_call: Time::NEVER,
            to_hold: 0,
            next_held: Time::NEVER,
            count: 0,
            probes: 0,
            next_probe: Time::NEVER,
            drains: false,
            quiet: false,
            salt,
            out: Vec::new(),
            watch,
        }
    }

    /// What is to be sent and opened since the last time.
    pub(super) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// The phones that register.
    pub(super) fn phones(&self) -> impl Iterator<Item = &Phone> {
        self.phones.iter().take(self.first_carrier)
    }

    /// Begins to call, or begins no more calls.
    pub(super) fn call(&mut self, now: Time, calls: bool) {
        self.drains = !calls;
        self.next_call = if calls { now } else { Time::NEVER };
        if self.drains {
            let numbers: Vec<u64> = self.calls.keys().copied().collect();
            let live = self.live();
            for number in numbers {
                if let Some(call) = self.calls.get_mut(&number) {
                    call.hurry(now, live);
                }
                self.settle(now, number);
            }
        }
    }

    /// Begins so many calls besides, which stand until there are to be no more calls.
    pub(super) const fn hold(&mut self, now: Time, calls: u32) {
        (self.to_hold, self.next_held) = (calls, if calls > 0 { now } else { Time::NEVER });
    }

    /// All phones take their leave.
    pub(super) fn leave(&mut self, now: Time) {
        self.phones.iter_mut().for_each(|phone| phone.leave(now));
    }

    /// All phones refresh their registrations soon.
    pub(super) fn renew(&mut self, now: Time) {
        self.phones.iter_mut().for_each(|phone| phone.renew(now));
    }

    /// Lets everybody wait with what they would do, or go on.
    pub(super) fn set_quiet(&mut self, now: Time, quiet: bool) {
        self.quiet = quiet;
        if !quiet && !self.drains {
            self.next_call = now;
        }
    }

    /// Lets the prober ask without pause, or stop.
    pub(super) const fn probe(&mut self, now: Time, probes: bool) {
        self.next_probe = if probes { now } else { Time::NEVER };
    }

    /// The moment when something is due.
    pub(super) fn deadline(&self) -> Time {
        let calls = self.timers.first().map_or(Time::NEVER, |(at, _)| *at);
        let phones = self.phones.iter().map(Phone::deadline).min().unwrap_or(Time::NEVER);
        let next = self.next_call.min(self.next_probe).min(self.next_held);
        let next = if self.quiet { Time::NEVER } else { next };
        calls.min(phones).min(next)
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Time) {
        while let Some((_, number)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.pop_first();
            self.wake(now, number);
        }
        for at in 0..self.phones.len() {
            if self.phones.get(at).is_some_and(|phone| phone.deadline() <= now) {
                self.with_phone(now, at, |phone, wishes| phone.expire(now, wishes));
            }
        }
        if !self.quiet {
            self.begin_what_is_due(now);
        }
        for (order, queue) in self.orders.iter_mut().zip(&self.people.queues) {
            for (call, by) in order.certain(now) {
                self.watch.overtaken(Overtaken { queue: queue.number.clone(), call, by });
            }
        }
    }

    fn begin_what_is_due(&mut self, now: Time) {
        while self.next_held <= now {
            let script = self.scripts.draw_held(self.count + 1);
            self.begin_call(now, script);
            self.to_hold = self.to_hold.saturating_sub(1);
            self.next_held = if self.to_hold > 0 { self.next_held + HOLD_EVERY } else { Time::NEVER };
        }
        while self.next_call <= now {
            let script = self.scripts.draw(self.count + 1);
            self.begin_call(now, script);
            // Not later than it was due: a load that is late once is late for ever otherwise.
            self.next_call += Span::from_micros(1_000_000 / u64::from(self.rate.max(1)));
            if now.since(self.next_call) > Span::from_secs(1) {
                self.next_call = now;
            }
        }
        while self.next_probe <= now {
            self.probes += 1;
            let name = format!("{}{:x}-{}", crate::gap::PROBE, self.salt, self.probes);
            let own = self.phones[self.prober].who.place;
            if let Some(server) = self.people.udp {
                self.send(now, self.prober, wording::options(own, server, &name));
            }
            self.next_probe += PROBE_EVERY;
            if now.since(self.next_probe) > Span::from_millis(20) {
                self.next_probe = now;
            }
        }
    }

    fn begin_call(&mut self, now: Time, script: Script) {
        self.count += 1;
        let number = self.count;
        let carriers = (self.prober - self.first_carrier).max(1);
        let phone = script.from.unwrap_or(self.first_carrier + number as usize % carriers);
        if !self.phones.get(phone).is_some_and(Phone::is_up) {
            // Whoever has no connection cannot call; nobody has lost anything.
            return;
        }
        let to = match script.queue.and_then(|queue| self.people.queues.get(queue)) {
            Some(queue) => queue.number.clone(),
            None => self.people.extensions.get(script.extension).map_or_else(String::new, |one| one.number.clone()),
        };
        let call_id = format!("c{:x}-{number}@drill", self.salt);
        let mut fx = Effects::default();
        let who = self.phones[phone].who.clone();
        let leg = Leg::call(now, &who, phone, number, call_id.clone(), &to, &mut fx);
        self.by_call_id.insert(call_id, (number, Side::Caller));
        self.calls.insert(number, Call::new(now, number, script, to, leg));
        self.watch.begun();
        self.flush(now, phone, fx);
        self.settle(now, number);
    }

    /// Takes a message that a phone reads now and that had come in for it at `came`.
    pub(super) fn message(&mut self, now: Time, came: Time, phone: usize, bytes: &[u8], source: SocketAddr) {
        let place = self.phones[phone].who.place;
        self.watch.heard(now, came, place, bytes);
        let Ok(message) = Message::parse(bytes) else {
            self.watch.unreadable();
            return;
        };
        if phone == self.prober {
            return;
        }
        if message.method() == Method::Register {
            return self.with_phone(now, phone, |phone, wishes| phone.response(now, &message, wishes));
        }
        match self.by_call_id.get(message.call_id()).copied() {
            Some((number, side)) => self.inside(now, number, side, &message, source),
            None => self.outside(now, phone, &message, source),
        }
    }

    /// What a phone has said leaves now.
    pub(super) fn left(&mut self, now: Time, phone: usize, bytes: &[u8]) {
        if let Some(phone) = self.phones.get(phone) {
            self.watch.left(now, phone.who.place, bytes);
        }
    }

    /// Something was received on the connection of a phone.
    pub(super) fn heard(&mut self, phone: usize) {
        if let Some(phone) = self.phones.get_mut(phone) {
            phone.heard();
        }
    }

    fn inside(&mut self, now: Time, number: u64, side: Side, message: &Message<'_>, source: SocketAddr) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let to = call.to.clone();
        let Some(leg) = call.leg(side) else { return };
        let phone = leg.phone;
        let who = self.phones[phone].who.clone();
        let mut fx = Effects::default();
        if message.is_request() {
            leg.request(now, &who, message, source, &mut fx);
        } else {
            leg.response(now, &who, &to, message, &mut fx);
        }
        if side == Side::Caller
            && message.status().is_some_and(|status| status != 401 && status != 407)
            && let Some(order) = call.script.queue.and_then(|queue| self.orders.get_mut(queue))
            && call.callees.is_empty()
            && call.is_live()
        {
            order.heard(now, number);
        }
        self.apply(now, number, side, phone, fx);
    }

    /// A request outside of every call: an offer, or what asks whether the phone lives.
    fn outside(&mut self, now: Time, phone: usize, message: &Message<'_>, source: SocketAddr) {
        if !message.is_request() || message.method() == Method::Ack {
            return;
        }
        let who = self.phones[phone].who.clone();
        let offer = (message.method() == Method::Invite).then(|| wording::call_of(message.body())).flatten();
        let Some(call) = offer.and_then(|number| self.calls.get_mut(&number)) else {
            // No call of ours, or one that is long over.
            let status = if message.method() == Method::Options { 200 } else { 481 };
            let mut reply = Vec::with_capacity(400);
            sip::Answer::new(status).tag("none").to(message, source, &mut reply).finish();
            return self.send(now, phone, reply);
        };
        let number = call.number;
        let side = Side::Callee(call.callees.len());
        let mut fx = Effects::default();
        let leg = Leg::offered(now, &who, phone, number, message, source, &mut fx);
        call.offered(now, leg);
        if let Some(order) = call.script.queue.and_then(|queue| self.orders.get_mut(queue)) {
            order.offered(now, number, call.begun);
        }
        self.by_call_id.insert(message.call_id().to_owned(), (number, side));
        self.apply(now, number, side, phone, fx);
    }

    /// The connection of a phone is open: what nobody has answered goes out again on it.
    pub(super) fn connected(&mut self, now: Time, phone: usize) {
        self.with_phone(now, phone, |phone, _| phone.connected(now));
        let mut fx = Effects::default();
        for call in self.calls.values_mut() {
            let legs = std::iter::once(&mut call.caller).chain(&mut call.callees);
            legs.filter(|leg| leg.phone == phone).for_each(|leg| leg.send_again(&mut fx));
        }
        self.flush(now, phone, fx);
    }

    /// The connection of a phone has ended.
    pub(super) fn closed(&mut self, now: Time, phone: usize) {
        self.with_phone(now, phone, |phone, wishes| phone.closed(now, wishes));
    }

    fn with_phone(&mut self, now: Time, at: usize, work: impl FnOnce(&mut Phone, &mut Vec<Wish>)) {
        let mut wishes = Vec::new();
        if let Some(phone) = self.phones.get_mut(at) {
            work(phone, &mut wishes);
        }
        for wish in wishes {
            match wish {
                Wish::Send(bytes) => self.send(now, at, bytes),
                Wish::Connect => self.out.push(Output::Connect(at)),
                Wish::Close => self.out.push(Output::Close(at)),
                Wish::GiveUp(branch) => self.watch.history.given_up(&branch, "REGISTER"),
            }
        }
    }

    /// Something of a call is due.
    fn wake(&mut self, now: Time, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.forget_at <= now {
            return self.forget(number);
        }
        let sides: Vec<Side> = call.sides().collect();
        for side in sides {
            let mut fx = Effects::default();
            let Some(leg) = self.calls.get_mut(&number).and_then(|call| call.leg(side)) else { continue };
            let phone = leg.phone;
            leg.expire(now, &mut fx);
            self.apply(now, number, side, phone, fx);
        }
        let mut sends = Vec::new();
        if let Some(call) = self.calls.get_mut(&number) {
            let phones = &self.phones;
            call.act(now, self.quiet, &|at| phones[at].who.clone(), &mut |phone, fx| sends.push((phone, fx)));
        }
        for (phone, fx) in sends {
            self.flush(now, phone, fx);
        }
        self.settle(now, number);
    }

    /// Sends what a leg wants to send, and tells its call what has happened.
    fn apply(&mut self, now: Time, number: u64, side: Side, phone: usize, mut fx: Effects) {
        let happened = std::mem::take(&mut fx.happened);
        let mut sends = vec![(phone, fx)];
        if let Some(call) = self.calls.get_mut(&number) {
            let phones = &self.phones;
            for happening in happened {
                call.happened(now, side, happening, &|at| phones[at].who.clone(), &mut |phone, fx| {
                    sends.push((phone, fx));
                });
            }
        }
        for (phone, fx) in sends {
            self.flush(now, phone, fx);
        }
        self.settle(now, number);
    }

    fn flush(&mut self, now: Time, phone: usize, fx: Effects) {
        for bytes in fx.out {
            self.send(now, phone, bytes);
        }
    }

    fn send(&mut self, now: Time, phone: usize, bytes: Vec<u8>) {
        let Some(known) = self.phones.get(phone) else { return };
        // What cannot leave was not said: it goes out again when the connection is back. Answers go back where their requests came
        // from, which may be a connection of the server's.
        if known.is_up() || bytes.starts_with(b"SIP/2.0 ") {
            // What the prober says belongs to no call.
            if phone != self.prober {
                self.watch.said(now, known.who.place, &bytes);
            }
            self.out.push(Output::Send(phone, bytes));
        }
    }

    /// Notes when the call is due again, and what became of it.
    fn settle(&mut self, now: Time, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let due = call.deadline();
        if call.scheduled != due {
            self.timers.remove(&(call.scheduled, number));
            call.scheduled = due;
        }
        self.timers.insert((due, number));
        if call.stage < Stage::Talking && call.is_live() {
            return;
        }
        if let Some(order) = call.script.queue.and_then(|queue| self.orders.get_mut(queue)) {
            order.left(number);
        }
        let is_over = !call.is_live();
        if std::mem::replace(&mut call.is_counted, is_over) {
            return;
        }
        match &call.outcome {
            Some(Outcome::Done) => self.watch.done(),
            Some(Outcome::Lost(stage, why)) => {
                let place = |leg: &Leg| (leg.call_id.clone(), self.phones[leg.phone].who.place);
                let legs = std::iter::once(&call.caller).chain(&call.callees).map(place).collect();
                let loss = Loss {
                    call: number,
                    stage: *stage,
                    why: why.clone(),
                    kind: call.script.kind,
                    runs: call.runs.clone(),
                };
                self.watch.lost(now, loss, legs);
            }
            None => {}
        }
    }

    fn forget(&mut self, number: u64) {
        if let Some(call) = self.calls.remove(&number) {
            for leg in std::iter::once(&call.caller).chain(&call.callees) {
                self.by_call_id.remove(&leg.call_id);
            }
        }
    }
}
