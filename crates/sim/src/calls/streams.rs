//! TCP between telephones and servers: ordered, never lost while both ends hold the connection.

use std::borrow::Cow;
use std::net::SocketAddr;

use model::{Time, hash64};
use sip::stream::{Frame, Framer};

use super::services::describe;
use super::world::{Event, World};
use crate::kernel::Actor;
use crate::pair::Side;

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

/// First of the ports that phones connect from.
const PORTS: u16 = 30_000;

impl Stream {
    /// Since when it stands.
    pub(super) const fn since(&self) -> Time {
        self.since
    }
}

impl World {
    /// Sends a message of a phone on its connection, which is made if there is none.
    pub(super) fn send_on_stream(&mut self, index: u8, bytes: Vec<u8>) {
        let id = self.phones[usize::from(index)].connection.unwrap_or_else(|| self.open_stream(index));
        let at = self.arrival(id, 0);
        if let Some(stream) = self.streams.get(&id) {
            self.core.at(at, Event::StreamBrings(stream.side, id, Some(bytes)));
        }
    }

    fn open_stream(&mut self, index: u8) -> u64 {
        self.opened += 1;
        let id = self.opened;
        let side = self.route_of(index);
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
        let at = self.network.passes(stream.phone, end, self.core.now) + delay;
        stream.last[end] = stream.last[end].max(at);
        stream.last[end]
    }

    /// Bytes leave the server.
    pub(super) fn stream_bytes(&mut self, side: Side, id: u64, bytes: Vec<u8>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let phone = stream.phone;
        let messages = cut(&mut stream.leaving, &bytes);
        for message in messages {
            let from = Actor::Server(0, side as u8);
            let code = hash64(&message);
            self.core.trace.arrow(self.core.now, from, Actor::Client(phone), code, || describe(&message));
            let verdict = self.watch.legal.server_sends(self.core.now, phone, &message);
            self.watch.note(&mut self.core, crate::checkers::legal::NAME, verdict);
        }
        let at = self.arrival(id, 1);
        self.core.at(at, Event::StreamToPhone(id, Some(bytes)));
    }

    /// The server's kernel has closed a connection.
    pub(super) fn stream_closed(&mut self, id: u64) {
        let at = self.arrival(id, 1);
        self.core.at(at, Event::StreamToPhone(id, None));
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
        let index = stream.phone;
        let Some(bytes) = bytes else {
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
