//! What goes over the wire between the phones and the engine.

use std::net::SocketAddr;

use call::{Carrier, ConnectionId, Input, ListenerId};
use model::Epoch;
use sip::{Message, Method};

use super::World;
use super::phone::Extra;

impl World {
    /// A phone sends a message.
    pub(crate) fn say(&mut self, at: usize, bytes: Vec<u8>) {
        let summary = self.summary(&bytes);
        let line = format!("{:<7} >  {summary}", self.phones[at].name);
        self.phones[at].last.clone_from(&bytes);
        if !self.is_heard(at, &bytes) {
            return self.note(&line.replacen(" > ", " >x", 1));
        }
        self.note(&line);
        self.send_bytes(at, &bytes);
    }

    /// The bytes of the last message once more.
    pub(crate) fn say_again(&mut self, at: usize) {
        let bytes = self.phones[at].last.clone();
        let summary = self.summary(&bytes);
        let line = format!("{:<7} >  (again) {summary}", self.phones[at].name);
        if !self.is_heard(at, &bytes) {
            return self.note(&line.replacen(" > ", " >x", 1));
        }
        self.note(&line);
        self.send_bytes(at, &bytes);
    }

    pub(crate) fn send_bytes(&mut self, at: usize, bytes: &[u8]) {
        let source = self.phones[at].address;
        if self.disturb(source, bytes) {
            return;
        }
        if self.phones[at].carrier == Carrier::Udp {
            return self.feed(Input::Datagram { listener: ListenerId(0), source, bytes });
        }
        let connection = self.phones[at].connection.unwrap_or_else(|| {
            self.accepted += 1;
            let connection = ConnectionId::accepted(Epoch(1), self.accepted);
            self.phones[at].connection = Some(connection);
            self.feed(Input::Accepted { connection, listener: ListenerId(1), peer: source });
            connection
        });
        // In two pieces, so that half messages survive takeovers as well.
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        self.feed(Input::Stream { connection, bytes: head });
        self.feed(Input::Stream { connection, bytes: tail });
    }

    /// A message of the server arrives.
    pub(crate) fn arrive(&mut self, to: SocketAddr, bytes: &[u8]) {
        let summary = if bytes == b"\r\n" { "(pong)".to_owned() } else { self.summary(bytes) };
        let Some(at) = self.phones.iter().position(|phone| phone.address == to) else {
            return self.note(&format!("{to} <  {summary}"));
        };
        let name = self.phones[at].name.clone();
        if self.phones[at].deaf {
            return self.note(&format!("{name:<7} <x {summary}"));
        }
        if bytes == b"\r\n" {
            return self.note(&format!("{name:<7} <  {summary}"));
        }
        let known = self.phones[at].requests.iter().chain(&self.phones[at].responses).any(|known| known == bytes);
        self.note(&format!("{name:<7} <  {}{summary}", if known { "(again) " } else { "" }));
        self.asked(at, bytes);
        self.phones[at].take(bytes);
        self.acknowledge_refusal(at, bytes);
    }

    /// As every transaction does (RFC 3261 17.1.1.3).
    fn acknowledge_refusal(&mut self, at: usize, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        if message.method() == Method::Invite && message.status().is_some_and(|status| status >= 300) {
            let ack = self.phones[at].like_invite("ACK", Some(&message), &Extra::default());
            if let Some(ack) = ack {
                self.say(at, ack);
            }
        }
    }
}
