//! TCP between telephones and servers: ordered, never lost while both ends hold the connection.

use std::borrow::Cow;
use std::net::SocketAddr;

use model::{Epoch, Span, Time, hash64};
use sip::stream::{Frame, Framer};

use super::services::describe;
use super::world::{Event, World};
use crate::kernel::Actor;
use crate::pair::Side;
use crate::plan::Layout;

/// A connection, as the network knows it.
#[derive(Debug)]
pub(super) struct Stream {
    phone: u8,
    side: Side,
    since: Time,
    /// When the last bytes arrive at the server and at the phone.
    last: [Time; 2],
    /// Cuts what leaves the server into messages, for the checkers.
    leaving: Framer,
    /// Cuts what arrives at the phone into messages.
    arriving: Framer,
}

/// How long a phone may take to find out that its connection is dead, in microseconds: while it sends, and while it does not.
const RESETTING: u64 = 600_000;
const NOTICING: u64 = 2_000_000;

/// First of the ports that phones connect from.
const PORTS: u16 = 30_000;

impl Stream {
    /// Since when it stands.
    pub(super) const fn since(&self) -> Time {
        self.since
    }
}

impl World {
    /// Sends a message of a phone on its connection with the host of this side, which is made if there is none.
    pub(super) fn send_on_stream(&mut self, index: u8, side: Side, bytes: Vec<u8>) {
        // Where the address passes from host to host, a phone cannot tell them apart.
        let leads =
            |id: &u64| !self.has_own_addresses() || self.streams.get(id).is_some_and(|stream| stream.side == side);
        let known = self.phones[usize::from(index)].connection.filter(leads);
        let id = known.unwrap_or_else(|| self.open_stream(index, side));
        let at = self.arrival(id, 0);
        if let Some(stream) = self.streams.get(&id) {
            self.core.at(at, Event::StreamBrings(stream.side, id, Some(bytes)));
        }
    }

    fn open_stream(&mut self, index: u8, side: Side) -> u64 {
        self.opened += 1;
        let id = self.opened;
        self.add_stream(id, index, side);
        let at = self.arrival(id, 0);
        let port = PORTS + (id % 20_000) as u16;
        let peer = SocketAddr::new(self.phones[usize::from(index)].address.ip(), port);
        self.core.at(at, Event::StreamOpens(side, id, peer));
        id
    }

    fn add_stream(&mut self, id: u64, phone: u8, side: Side) {
        let last = [self.core.now; 2];
        let since = self.core.now;
        let stream = Stream { phone, side, since, last, leaving: Framer::default(), arriving: Framer::default() };
        self.streams.insert(id, stream);
        self.phones[usize::from(phone)].connection = Some(id);
    }

    /// When something that is sent now arrives; behind everything that was sent before.
    fn arrival(&mut self, id: u64, end: usize) -> Time {
        let delay = self.plan.network.delay.draw(&mut self.core.chances.network);
        let Some(stream) = self.streams.get_mut(&id) else { return self.core.now + delay };
        let at = self.network.passes(stream.phone, end, self.core.now);
        let at = at.max(self.network.access.passes(stream.phone, stream.side, end, self.core.now)) + delay;
        stream.last[end] = stream.last[end].max(at);
        stream.last[end]
    }

    /// Bytes leave the server.
    pub(super) fn stream_bytes(&mut self, side: Side, epoch: Epoch, id: u64, bytes: Vec<u8>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let phone = stream.phone;
        let messages = cut(&mut stream.leaving, &bytes);
        for message in messages {
            self.network.places.hears(phone, side, &message);
            let from = Actor::Server(0, side as u8);
            let code = hash64(&message);
            self.core.trace.arrow(self.core.now, from, Actor::Client(phone), code, || describe(&message));
            self.server_says(epoch, phone, &message);
        }
        let at = self.arrival(id, 1);
        self.core.at(at, Event::StreamToPhone(id, Some(bytes)));
    }

    /// The server's kernel has closed a connection. If it has not even told, the phone finds out by what it sends and hears no
    /// answer to (RFC 5626 4.4).
    pub(super) fn stream_closed(&mut self, id: u64) {
        let mut at = self.arrival(id, 1);
        if self.plan.layout == Layout::ThreeHosts {
            let Some(stream) = self.streams.get(&id) else { return };
            self.watch.loses_connection(stream.phone);
            if !self.sip.is_reachable(self.core.now, stream.side) {
                at += Span::from_micros(self.core.chances.network.below(NOTICING));
            }
        }
        self.core.at(at, Event::StreamToPhone(id, None));
    }

    /// Something of a phone's connection arrives. On several hosts it does so where the address leads the phone by now; where
    /// nobody knows the connection, or listens for one, it is reset.
    pub(super) fn is_taken(&mut self, side: Side, id: u64, opens: bool) -> bool {
        let Some(stream) = self.streams.get(&id).filter(|_| self.plan.layout == Layout::ThreeHosts) else {
            return true;
        };
        let leads = self.has_own_addresses() || self.route_of(stream.phone) == side;
        let here = leads && self.sip.is_reachable(self.core.now, side);
        let taken = here && if opens { self.sip.has_doors(side) } else { self.sip.has_stream(side, id) };
        if !taken {
            let phone = Actor::Client(stream.phone);
            self.core.trace.mark(self.core.now, phone, 0x4e5, || "its connection is reset".to_owned());
            let at = self.core.now + Span::from_micros(self.core.chances.network.below(RESETTING));
            self.core.at(at, Event::StreamToPhone(id, None));
        }
        taken
    }

    /// The server wants a connection to a phone.
    pub(super) fn stream_wanted(&mut self, side: Side, id: u64, to: SocketAddr) {
        let phone =
            self.phones.iter().find(|phone| phone.address == to && phone.is_on_stream()).map(|phone| phone.index);
        if let Some(phone) = phone {
            self.add_stream(id, phone, side);
        }
        let at = self.arrival(id, 0);
        self.core.at(at, Event::StreamStands(side, id, phone.is_some()));
    }

    /// Bytes reach a phone, or the end of the connection does.
    pub(super) fn stream_to_phone(&mut self, id: u64, bytes: Option<&[u8]>) {
        let now = self.core.now;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (index, side) = (stream.phone, stream.side);
        let Some(bytes) = bytes else {
            self.network.places.leaves(index, side);
            if self.plan.layout == Layout::ThreeHosts {
                self.watch.loses_connection(index);
            }
            self.streams.remove(&id);
            self.phones[usize::from(index)].loses_connection(now, id);
            return self.phone_acts(index);
        };
        for message in cut(&mut stream.arriving, bytes) {
            self.phones[usize::from(index)].hears(now, &message);
        }
        self.phone_acts(index);
    }
}

fn cut(framer: &mut Framer, mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Ok(Some(frame)) = framer.next(&mut bytes) {
        if let Frame::Message(message) = frame {
            messages.push(Cow::into_owned(message));
        }
    }
    messages
}
