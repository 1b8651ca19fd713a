//! SIP messages that come in: which record they are about.

use std::net::SocketAddr;

use model::{Alias, RecordKey, Time, hash64};
use sip::transaction::Action as Transaction;
use sip::{Message, Method, Refusal};

use super::Engine;
use crate::call::{Arrival, key_of, reply};
use crate::draw::number_of;
use crate::hop::{ConnectionId, Hop};
use crate::output::Event;
use crate::record::{CALL, Content, STANDALONE, Value};
use crate::settings::ListenerId;
use crate::token::{Kind, Token};

impl Engine {
    pub(super) fn datagram(&mut self, now: Time, listener: ListenerId, source: SocketAddr, bytes: &[u8]) {
        // Phones keep the way through their translators open with line ends.
        if !bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0)) {
            self.message(now, Hop::Udp { listener, peer: source }, source, bytes);
        }
    }

    pub(super) fn message(&mut self, now: Time, from: Hop, source: SocketAddr, bytes: &[u8]) {
        match Message::parse(bytes) {
            Ok(message) if message.is_request() => {
                let back = match from {
                    Hop::Udp { .. } => from.with_peer(message.top_via().reply_to(source)),
                    // On the same connection, or on a new one to where the peer listens (RFC 3261 18.2.2).
                    Hop::Tcp { .. } => from.with_peer(SocketAddr::new(source.ip(), message.top_via().sent_by_port())),
                };
                self.request(now, &message, &Arrival { from, back, source });
                self.carry_out(now, None);
            }
            Ok(response) => self.response(now, &response),
            Err(refusal) => self.refuse(now, from, source, &refusal, None),
        }
    }

    /// Answers what could not be read, if an answer is due; `ended` is the connection that ends with it.
    pub(super) fn refuse(
        &mut self,
        now: Time,
        from: Hop,
        source: SocketAddr,
        refusal: &Refusal<'_>,
        ended: Option<ConnectionId>,
    ) {
        let tag = format!("{:016x}", number_of(&self.settings.secret, source.to_string().as_bytes()));
        let mut bytes = Vec::with_capacity(512);
        let to = refusal.answer(source, &tag, &mut bytes);
        if let Some(to) = to {
            let back = match from {
                Hop::Udp { .. } => from.with_peer(to),
                Hop::Tcp { .. } => from,
            };
            self.send(now, None, back, bytes, false);
        }
        let status = to.and(refusal.status());
        self.log(Event::Malformed { status, fault: refusal.fault().to_string(), source, ended });
    }

    fn response(&mut self, now: Time, response: &Message<'_>) {
        let branch = response.top_via().branch().and_then(Token::parse_branch);
        let handled = branch
            .and_then(|branch| self.with_call(now, branch.call, |call, desk| call.response(desk, branch, response)));
        if handled.is_none() {
            // RFC 3261 18.1.2: a stray response is discarded.
            self.log(Event::Stray { response: true });
        }
    }

    fn request(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival) {
        if let Some(tag) = request.to().tag().and_then(Token::parse)
            && matches!(tag.kind, Kind::Caller | Kind::Callee)
            && self.with_call(now, tag.call, |call, desk| call.request(desk, tag, request, arrival)).is_some()
        {
            return;
        }
        let key = key_of(request);
        match self.store.find(Alias(hash64(&key))) {
            Some(found) if self.repeated(now, found, &key, request, arrival) => {}
            _ => self.new_request(now, request, arrival),
        }
    }

    /// Handles a request that belongs to the transaction of a record, if it does.
    fn repeated(&mut self, now: Time, found: RecordKey, key: &[u8], request: &Message<'_>, arrival: &Arrival) -> bool {
        match found.kind {
            CALL if self.store.get(found).and_then(Value::as_call).is_some_and(|call| call.has_key(key)) => {
                self.with_call(now, found.id, |call, desk| match request.method() {
                    Method::Invite => call.invite_again(desk, arrival),
                    _ => call.first_request(desk, request, arrival),
                });
                true
            }
            STANDALONE => match self.store.get_mut(found) {
                Some(Value(Content::Standalone(known))) if *known.key == *key => {
                    arrival.follow(&mut known.hop);
                    if known.tx.request(now) == Transaction::Send {
                        let (hop, reply) = (known.hop, known.reply.to_vec());
                        self.send(now, Some(found), hop, reply, false);
                    }
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Answers with nothing but a status, without a record.
    pub(super) fn answer(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival, status: u16) {
        reply(&mut self.desk(now), request, arrival, status);
    }
}
