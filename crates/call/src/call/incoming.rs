//! Requests that came in, and what is kept of them to answer.

use std::net::SocketAddr;

use model::Time;
use serde::{Deserialize, Serialize};
use sip::transaction::timer::{Repeat, T2, TIMER_H};
use sip::transaction::{Action, Class, ServerInvite, ServerRequest, write_key};
use sip::{Answer, AnswerHead, HeaderName, Message, Method, Outgoing};

use super::desk::Desk;
use super::pair::End;
use super::setup::phrase_of;
use crate::hop::Hop;

/// Where in the call a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Number of the pair.
    pub(crate) pair: u32,
    pub(crate) end: End,
}

/// The key of the server transaction of `request`.
pub(crate) fn key_of(request: &Message<'_>) -> Box<[u8]> {
    let mut key = Vec::with_capacity(96);
    write_key(request, &mut key);
    key.into_boxed_slice()
}

/// What is kept of a request that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Received {
    /// The way that responses take.
    hop: Hop,
    #[serde(with = "serde_bytes")]
    key: Box<[u8]>,
    /// Until the final response was sent.
    head: Option<AnswerHead>,
    /// The last response, to be sent again.
    #[serde(with = "serde_bytes")]
    reply: Box<[u8]>,
}

impl Received {
    fn new(request: &Message<'_>, arrival: &Arrival) -> Self {
        let head = Some(AnswerHead::of(request, arrival.source));
        Self { hop: arrival.back, key: key_of(request), head, reply: Box::default() }
    }

    /// Writes an answer; `None` if the final one was given.
    fn write(&self, answer: Answer<'_>, finish: impl FnOnce(Outgoing<'_>)) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(1024);
        finish(self.head.as_ref()?.answer(answer, &mut bytes));
        Some(bytes)
    }

    fn send(&mut self, desk: &mut Desk<'_>, status: u16, bytes: Vec<u8>) {
        if status >= 200 {
            self.head = None;
        }
        self.reply = bytes.as_slice().into();
        desk.respond(self.hop, bytes);
    }

    /// Another host has taken over: an answer that says where we are says where we are now.
    fn moved(&mut self, desk: &Desk<'_>) {
        let Ok(reply) = Message::parse(&self.reply) else { return };
        if reply.status().is_some_and(|status| status < 300) && reply.value(HeaderName::Contact).is_some() {
            let contact = desk.contact(self.hop);
            self.reply = with_contact(&reply, &contact).into_boxed_slice();
        }
    }

    fn again(&self, desk: &mut Desk<'_>) {
        if !self.reply.is_empty() {
            desk.respond(self.hop, self.reply.to_vec());
        }
    }
}

/// An answer with another Contact.
fn with_contact(answer: &Message<'_>, contact: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(answer.bytes().len() + 32);
    let mut out = Outgoing::response(&mut bytes, answer.status().unwrap_or_default(), phrase_of(answer));
    for header in answer.headers() {
        out = match header.name {
            HeaderName::ContentLength => out,
            HeaderName::Contact => out.header(HeaderName::Contact, contact),
            _ => out.copy(header),
        };
    }
    out.body("", answer.body());
    bytes
}

/// An INVITE that came in: the caller's first one, or one within a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InviteIn {
    pub(crate) part: u32,
    /// `None` for the caller's first INVITE.
    pub(crate) origin: Option<Origin>,
    pub(crate) tx: ServerInvite,
    pub(crate) seq: u32,
    received: Received,
    /// When to send the 2xx again, and when to give up, until its ACK (RFC 3261 13.3.1.4).
    repeat: Repeat,
    give_up: Time,
}

impl InviteIn {
    pub(crate) fn new(part: u32, origin: Option<Origin>, request: &Message<'_>, arrival: &Arrival) -> Self {
        Self {
            part,
            origin,
            tx: ServerInvite::new(arrival.back.is_reliable()),
            seq: request.cseq().number,
            received: Received::new(request, arrival),
            repeat: Repeat::NEVER,
            give_up: Time::NEVER,
        }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.received.key
    }

    /// Our Contact towards who sent it.
    pub(crate) fn contact(&self, desk: &Desk<'_>) -> Vec<u8> {
        desk.contact(self.received.hop)
    }

    /// True while a 2xx was sent and not acknowledged.
    pub(crate) fn awaits_ack(&self) -> bool {
        self.give_up < Time::NEVER
    }

    /// True until everything is over but the absorption of repeated messages.
    pub(crate) fn is_busy(&self) -> bool {
        self.tx.is_open() || self.awaits_ack()
    }

    pub(crate) fn deadline(&self) -> Time {
        let repeat = self.repeat.at().min(self.give_up);
        if self.tx.is_lingering() { repeat } else { repeat.min(self.tx.deadline()) }
    }

    /// Answers, if the transaction still takes an answer.
    pub(crate) fn answer(&mut self, desk: &mut Desk<'_>, answer: Answer<'_>, finish: impl FnOnce(Outgoing<'_>)) {
        let status = answer.status();
        let Some(bytes) = self.received.write(answer, finish) else { return };
        if self.tx.respond(desk.now, status) != Action::Send {
            return;
        }
        if Class::of(status) == Class::Success {
            self.repeat = Repeat::begin(desk.now);
            self.give_up = desk.after(TIMER_H);
        }
        self.received.send(desk, status, bytes);
    }

    /// The To tag of the last response, if that is kept and has one.
    pub(crate) fn reply_tag(&self) -> Option<String> {
        Some(Message::parse(&self.received.reply).ok()?.to().tag()?.to_owned())
    }

    /// The way that its responses take.
    pub(crate) const fn hop(&self) -> &Hop {
        &self.received.hop
    }

    /// See [`Received::moved`].
    pub(crate) fn moved(&mut self, desk: &Desk<'_>) {
        self.received.moved(desk);
    }

    /// The connection that it came on has ended.
    pub(crate) fn flow_lost(&mut self, desk: &mut Desk<'_>) {
        if self.awaits_ack() {
            self.repeat = Repeat::begin(desk.now);
            self.received.again(desk);
        } else if self.tx.flow_lost(desk.now) == Action::Send {
            self.received.again(desk);
        }
    }

    /// Sends the provisional response again, if nothing has followed it.
    pub(crate) fn say_again(&self, desk: &mut Desk<'_>) {
        if self.tx.is_open() {
            self.received.again(desk);
        }
    }

    /// The INVITE came again.
    pub(crate) fn again(&mut self, desk: &mut Desk<'_>, arrival: &Arrival) {
        arrival.follow(&mut self.received.hop);
        // An accepted one is absorbed as long as the answer is repeated by itself, which it is no more when the call has ended.
        let is_owed = self.tx.is_accepted() && !self.awaits_ack();
        if self.tx.invite(desk.now) == Action::Send || is_owed {
            self.received.again(desk);
        }
    }

    /// An ACK came. True if it is the first one of a 2xx.
    pub(crate) fn ack(&mut self, now: Time) -> bool {
        let first = self.tx.ack(now) == Action::Pass && self.awaits_ack();
        if first || !self.tx.is_accepted() {
            self.settle();
        }
        first
    }

    /// The call is over, and its 2xx is repeated no more by itself: whoever has not heard it asks again.
    pub(crate) const fn repeat_no_more(&mut self) {
        (self.repeat, self.give_up) = (Repeat::NEVER, Time::NEVER);
    }

    /// Forgets what was kept for an ACK.
    pub(crate) fn settle(&mut self) {
        (self.repeat, self.give_up, self.received.reply) = (Repeat::NEVER, Time::NEVER, Box::default());
    }

    /// Does what is due. True if the ACK of a 2xx did not come in time.
    pub(crate) fn expire(&mut self, desk: &mut Desk<'_>) -> bool {
        if self.give_up <= desk.now {
            self.settle();
            return true;
        }
        if self.repeat.at() <= desk.now {
            self.repeat.again(desk.now, T2);
            self.received.again(desk);
        }
        if self.tx.deadline() <= desk.now && self.tx.expire(desk.now) == Action::Send {
            self.received.again(desk);
        }
        false
    }
}

/// Another request that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestIn {
    pub(crate) part: u32,
    pub(crate) origin: Option<Origin>,
    pub(crate) tx: ServerRequest,
    pub(crate) is_update: bool,
    received: Received,
}

impl RequestIn {
    pub(crate) fn new(part: u32, origin: Option<Origin>, request: &Message<'_>, arrival: &Arrival) -> Self {
        Self {
            part,
            origin,
            tx: ServerRequest::new(arrival.back.is_reliable()),
            is_update: request.method() == Method::Update,
            received: Received::new(request, arrival),
        }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.received.key
    }

    /// True if this is its method, with which the key of every transaction begins.
    pub(crate) fn is_method(&self, method: Method<'_>) -> bool {
        self.key().split(|byte| *byte == 0).next() == Some(method.as_str().as_bytes())
    }

    /// Our Contact towards who sent it.
    pub(crate) fn contact(&self, desk: &Desk<'_>) -> Vec<u8> {
        desk.contact(self.received.hop)
    }

    /// Answers, if the transaction still takes an answer.
    pub(crate) fn answer(&mut self, desk: &mut Desk<'_>, answer: Answer<'_>, finish: impl FnOnce(Outgoing<'_>)) {
        let status = answer.status();
        let Some(bytes) = self.received.write(answer, finish) else { return };
        if self.tx.respond(desk.now, status) == Action::Send {
            self.received.send(desk, status, bytes);
        }
    }

    /// See [`Received::moved`].
    pub(crate) fn moved(&mut self, desk: &Desk<'_>) {
        self.received.moved(desk);
    }

    /// The request came again.
    pub(crate) fn again(&mut self, desk: &mut Desk<'_>, arrival: &Arrival) {
        arrival.follow(&mut self.received.hop);
        if self.tx.request(desk.now) == Action::Send {
            self.received.again(desk);
        }
    }
}

/// Ends an answer that has no headers of its own.
pub(crate) fn plain(answer: Outgoing<'_>) {
    answer.finish();
}

/// How a message came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The way back to where it came from.
    pub(crate) from: Hop,
    /// The way that responses take (RFC 3261 18.2.2).
    pub(crate) back: Hop,
    pub(crate) source: SocketAddr,
}

impl Arrival {
    /// The request came again, perhaps on another connection: who has made a new one does not read the old one any more.
    pub(crate) const fn follow(&self, way_back: &mut Hop) {
        if self.back.is_reliable() {
            *way_back = self.back;
        }
    }
}
