//! The engine: finds the record that an input is about, and carries out what the record wants.

mod closing;
mod connections;
mod crowd;
mod flows;
mod identity;
mod invite;
mod messages;
mod moving;
mod outbox;
mod probe;
mod register;
mod requests;
mod routing;
mod view;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use model::{Epoch, Kind, RecordKey, Span, Time};
use redundancy::hot_standby;
use redundancy::store::Store;
use sip::digest::Authenticator;

use self::crowd::Crowd;
use crate::call::{Call, Desk, Effect, Target};
use crate::draw::Draw;
use crate::hop::{ConnectionId, Hop};
use crate::input::Input;
use crate::limits::EXPIRE_AT_ONCE;
use crate::output::{Action, Event, Output};
use crate::record::{CALL, CONNECTION, Content, LOST, Line, MOVED, REGISTRATION, ROUTING, ROUTING_KEY, Routing, Value};
use crate::settings::Settings;
pub use probe::{PROBE_STATUS, probe_number};
pub use view::CallRow;

/// How long a nonce is good for.
const NONCE_LIFETIME: Span = Span::from_secs(300);

/// The SIP Server's decisions as a value; see [`hot_standby::Engine`] for how it is driven.
pub struct Engine {
    settings: Settings,
    authenticator: Authenticator,
    /// See [`Settings::devices`].
    devices: BTreeMap<SocketAddr, String>,
    store: Store<Value>,
    outputs: Vec<Output>,
    effects: Vec<Effect>,
    draw: Draw,
    epoch: Epoch,
    /// Records drawn in this epoch.
    drawn: u64,
    /// How many connections there are; counted anew when this engine begins to serve.
    crowd: Crowd,
    /// This process is about to end and takes no calls on.
    closing: bool,
}

impl Engine {
    /// An engine without a record.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let authenticator = Authenticator::new(settings.domain.clone(), settings.secret, NONCE_LIFETIME);
        let devices = settings.devices();
        Self {
            settings,
            authenticator,
            devices,
            store: Store::new(),
            outputs: Vec::new(),
            effects: Vec::new(),
            draw: Draw::default(),
            epoch: Epoch(0),
            drawn: 0,
            crowd: Crowd::default(),
            closing: false,
        }
    }

    fn draw_key(&mut self, kind: Kind) -> RecordKey {
        self.drawn += 1;
        RecordKey::drawn(kind, self.epoch, self.drawn)
    }

    fn output(&mut self, record: Option<RecordKey>, action: Action) {
        self.outputs.push(Output { record, action });
    }

    fn log(&mut self, event: Event) {
        self.output(None, Action::Log(event));
    }

    /// What a record has at hand while it handles an input.
    fn desk(&mut self, now: Time) -> Desk<'_> {
        Desk { now, settings: &self.settings, draw: &mut self.draw, effects: &mut self.effects }
    }

    /// Lets a call handle something, and carries out what it wants; `None` if there is no such call.
    fn with_call<R>(&mut self, now: Time, id: u64, handle: impl FnOnce(&mut Call, &mut Desk<'_>) -> R) -> Option<R> {
        let key = RecordKey::new(CALL, id);
        let Content::Call(call) = &mut self.store.get_mut(key)?.0 else { return None };
        let mut desk = Desk { now, settings: &self.settings, draw: &mut self.draw, effects: &mut self.effects };
        if call.is_elsewhere(desk.settings.home) {
            call.come_here(&mut desk);
        }
        let result = handle(call, &mut desk);
        if call.is_over() {
            self.store.remove(key);
        }
        self.carry_out(now, Some(key));
        Some(result)
    }

    /// Carries out what was left on the tray.
    fn carry_out(&mut self, now: Time, record: Option<RecordKey>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { hop, bytes, request } => self.send(now, record, hop, bytes, request),
                Effect::News(news) => self.post(news),
                Effect::Joined(extension) => self.join(&extension, record),
                Effect::Parted(extension) => self.part(&extension, record),
                Effect::Waits(waits) => self.mark_waiting(record, waits),
                Effect::WantsDefault => self.divert(now, record),
                Effect::Event(event) => self.log(event),
            }
        }
        // Gives the room back; what a nested call left behind was carried out there.
        self.effects = effects;
    }

    /// Where an extension can be rung.
    fn targets(&mut self, now: Time, number: &str) -> Vec<Target> {
        let Some(extension) = self.settings.extensions.get(number) else { return Vec::new() };
        if let Some(fixed) = &extension.contact {
            let hop = Hop::towards(&self.settings, fixed.carrier, fixed.address);
            let target = |hop| Target { extension: number.into(), uri: fixed.uri.as_str().into(), hop, follow: true };
            return hop.map(target).into_iter().collect();
        }
        match self.store.get(register::key_of(number)).map(|value| &value.0) {
            Some(Content::Registration(registration)) => registration.targets(now),
            _ => Vec::new(),
        }
    }

    /// Does what is due for one record.
    fn expire_one(&mut self, now: Time, key: RecordKey) {
        match key.kind {
            CALL if self.with_call(now, key.id, Call::expire).is_some() => {}
            REGISTRATION => self.expire_registration(now, key),
            CONNECTION => self.expire_connection(now, key),
            LOST => self.mend_flows(now, key),
            MOVED => self.move_calls(now),
            ROUTING => self.expire_routing(now),
            // Either its time is over (STANDALONE), or it cannot be read and would be due for ever.
            _ => self.store.remove(key),
        }
    }
}

impl hot_standby::Engine for Engine {
    type Value = Value;
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input<'_>) {
        match input {
            Input::Datagram { listener, source, bytes } => self.datagram(now, listener, source, bytes),
            Input::Accepted { connection, listener, peer } => self.accepted(now, connection, listener, peer),
            Input::Opened { connection } => self.opened(now, connection),
            Input::Stream { connection, bytes } => self.stream(now, connection, bytes),
            Input::Closed { connection } => self.closed(now, connection),
            Input::Lost { connection } => self.lose_connection(now, connection, true),
            Input::RoutingConnected => self.routing_connected(),
            Input::RoutingGone => self.routing_gone(now),
            Input::Close { after, up_to } => self.close(now, after, up_to),
            Input::Mail(envelope) => self.mail(now, envelope),
        }
        self.store.settle();
    }

    fn expire(&mut self, now: Time) {
        for _ in 0..EXPIRE_AT_ONCE {
            let Some(key) = self.store.due(now) else { break };
            self.expire_one(now, key);
            self.store.settle();
        }
    }

    fn lose_track(&mut self) {
        self.forget_mail();
        let calls: Vec<RecordKey> = self.store.keys(CALL, None).collect();
        for key in calls {
            if let Some(Value(Content::Call(call))) = self.store.get_mut(key) {
                call.doubt();
            }
        }
    }

    fn begin(&mut self, now: Time, epoch: Epoch, seed: u64) {
        (self.epoch, self.drawn, self.draw) = (epoch, 0, Draw::new(seed));
        self.closing = false;
        self.count_connections();
        self.begin_moving(now);
        // Who takes over has no connection with the Routing Server yet, and the same patience as ever.
        match self.routing_mut() {
            Some(routing) if routing.line == Line::Up => routing.line = Line::Gone { since: now },
            Some(_) => {}
            None => {
                let routing = Routing { line: Line::Gone { since: now }, ..Routing::default() };
                self.store.insert(ROUTING_KEY, Value(Content::Routing(routing)));
            }
        }
        self.store.settle();
    }

    fn store(&self) -> &Store<Value> {
        &self.store
    }

    fn store_mut(&mut self) -> &mut Store<Value> {
        &mut self.store
    }

    fn outputs(&mut self) -> &mut Vec<Output> {
        &mut self.outputs
    }

    fn abandon(&mut self, now: Time, touched: &[RecordKey]) {
        self.effects.clear();
        for key in touched.iter().filter(|key| key.kind == CALL) {
            self.abandon_call(*key);
        }
        for key in touched.iter().filter(|key| key.kind == CONNECTION) {
            self.close_connection(now, ConnectionId(key.id), "a message on it made the server panic");
        }
        self.store.settle();
    }

    fn durable(kind: Kind) -> bool {
        kind == REGISTRATION
    }
}
