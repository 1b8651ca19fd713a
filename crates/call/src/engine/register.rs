//! The registrar (RFC 3261 10.3).

use model::{RecordKey, Span, Time, hash64};
use sip::transaction::ServerRequest;
use sip::{Answer, HeaderName, Message, NameAddr, Outgoing, SipUri, Uri};

use super::Engine;
use super::identity::Proof;
use crate::call::{Arrival, answer_with, is_translated, key_of as transaction_key, reply_with, stable_tag};
use crate::hop::{ConnectionId, Hop};
use crate::limits::{DEFAULT_EXPIRES, MAX_BINDINGS};
use crate::output::{Action, Event};
use crate::record::{
    Binding, Content, REGISTRATION, Registration, STANDALONE, Standalone, Value, alias_of, same_contact,
};
use crate::settings::address_of;

/// The key of an extension's registration.
pub(super) fn key_of(number: &str) -> RecordKey {
    RecordKey::new(REGISTRATION, hash64(number.as_bytes()))
}

/// Why a REGISTER changes nothing.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Status(u16),
    /// 403, with the reason.
    Forbidden(&'static str),
    /// 423, with the least that is taken (RFC 3261 10.2.8).
    TooBrief,
}

impl Engine {
    pub(super) fn register(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival) {
        // 10.3 point 1: for another domain. Point 5: To names whose contacts they are.
        let Uri::Sip(of) = request.to().uri() else { return self.answer(now, request, arrival, 400) };
        let number = of.user().unwrap_or_default().into_owned();
        if self.called(request).is_none() || !self.settings.is_ours(of.host()) {
            return self.answer(now, request, arrival, 404);
        }
        let is_at_home = self.devices.get(&arrival.source) == Some(&number);
        if !is_at_home && matches!(self.prove(now, request, arrival, &number), Proof::Answered) {
            return;
        }
        if self.settings.extensions.get(&number).is_none_or(|extension| extension.contact.is_some()) {
            let refusal = Answer::new(403).reason("the contact of this extension is written down in the configuration");
            return answer_with(&mut self.desk(now), request, arrival, refusal, |answer| answer);
        }
        let key = key_of(&number);
        let mut registration = match self.store.get(key) {
            Some(Value(Content::Registration(known))) => (**known).clone(),
            _ => Registration { extension: number.as_str().into(), ..Registration::default() },
        };
        registration.bindings.retain(|binding| binding.until > now);
        let shortest = self.settings.expiry.shortest;
        match self.update(now, &mut registration, request, arrival) {
            Ok(()) => {
                self.confirm(now, &registration, request, arrival);
                self.keep(now, key, registration);
            }
            Err(Refused::Status(status)) => self.answer(now, request, arrival, status),
            Err(Refused::Forbidden(why)) => {
                let refusal = Answer::new(403).reason(why);
                answer_with(&mut self.desk(now), request, arrival, refusal, |answer| answer);
            }
            Err(Refused::TooBrief) => reply_with(&mut self.desk(now), request, arrival, 423, |answer| {
                answer.number(HeaderName::MinExpires, shortest)
            }),
        }
    }

    /// 10.3 points 6 and 7: all contacts of the request, or none of them.
    fn update(
        &self,
        now: Time,
        registration: &mut Registration,
        request: &Message<'_>,
        arrival: &Arrival,
    ) -> Result<(), Refused> {
        let malformed = |_| Refused::Status(400);
        let expires = request.expires().map_err(malformed)?;
        let in_order =
            |binding: &Binding| *binding.call_id != *request.call_id() || binding.seq < request.cseq().number;
        if request.list(HeaderName::Contact).any(|contact| contact == b"*") {
            if !request.contact_is_star() || expires != Some(0) {
                return Err(Refused::Status(400));
            }
            if !registration.bindings.iter().all(in_order) {
                return Err(Refused::Status(500));
            }
            registration.bindings.clear();
            return Ok(());
        }
        let before = registration.bindings.clone();
        for contact in request.addresses(HeaderName::Contact) {
            let contact = contact.map_err(malformed)?;
            let seconds = contact.expires().or(expires).unwrap_or(DEFAULT_EXPIRES);
            if (1..self.settings.expiry.shortest).contains(&seconds) {
                return Err(Refused::TooBrief);
            }
            let is_it = |binding: &Binding| same_contact(&binding.uri, contact.uri().as_str());
            if before.iter().any(|binding| is_it(binding) && !in_order(binding)) {
                return Err(Refused::Status(500));
            }
            // Of a contact that is named twice the later one counts.
            registration.bindings.retain(|binding| !is_it(binding));
            if seconds > 0 {
                let binding = self.bind(now, &contact, seconds.min(self.settings.expiry.longest), request, arrival)?;
                // RFC 3261 10.2: a phone keeps to one Call-ID, and may name itself by the port of its connection. A contact of
                // another connection is none any more then (RFC 5626 6), and would ring it twice.
                for old in before.iter().filter(|old| is_it(old) || *old.call_id == *binding.call_id) {
                    registration.moves(old, &binding);
                    if old.hop.connection().is_some() && old.hop.connection() != binding.hop.connection() {
                        registration.bindings.retain(|known| known.uri != old.uri);
                    }
                }
                registration.bindings.push(binding);
            }
        }
        if registration.bindings.len() > MAX_BINDINGS {
            return Err(Refused::Forbidden("the extension has as many contacts as it may"));
        }
        Ok(())
    }

    fn bind(
        &self,
        now: Time,
        contact: &NameAddr<'_>,
        seconds: u32,
        request: &Message<'_>,
        arrival: &Arrival,
    ) -> Result<Binding, Refused> {
        // There is no TLS here that a sips URI asks for.
        let Uri::Sip(uri) = contact.uri() else { return Err(Refused::Status(400)) };
        if uri.is_secure() {
            return Err(Refused::Status(400));
        }
        let follow = !is_translated(request, arrival);
        let hop = self.way_to(uri, follow, arrival);
        // A contact that leads back here would ring this server, and two that name each other without end (RFC 5393 4).
        if self.settings.listeners.iter().any(|listener| listener.address == hop.peer()) {
            return Err(Refused::Forbidden("the contact leads back to this server"));
        }
        Ok(Binding {
            uri: uri.as_str().into(),
            q: contact.q(),
            until: now + Span::from_secs(seconds.into()),
            call_id: request.call_id().into(),
            seq: request.cseq().number,
            hop,
            follow,
        })
    }

    /// The way to a contact: the flow that the REGISTER came on (RFC 5626 in spirit), or what the contact says where
    /// it says an address that can be believed.
    fn way_to(&self, uri: &SipUri<'_>, follow: bool, arrival: &Arrival) -> Hop {
        match address_of(uri).filter(|_| follow) {
            None => arrival.from,
            Some(peer) => match arrival.from {
                Hop::Tcp { .. } => arrival.from.with_peer(peer),
                Hop::Udp { .. } => {
                    let carrier = crate::settings::carrier_of(uri);
                    let way = Hop::towards(&self.settings, carrier, peer).unwrap_or(arrival.from);
                    if way.is_reliable() { way } else { arrival.from.with_peer(peer) }
                }
            },
        }
    }

    /// 10.3 point 8: tells all contacts, in a transaction that answers a repeated request alike.
    fn confirm(&mut self, now: Time, registration: &Registration, request: &Message<'_>, arrival: &Arrival) {
        let key = transaction_key(request);
        let tag = stable_tag(&self.desk(now), &key);
        let mut bytes = Vec::with_capacity(512);
        let answer = Answer::new(200).tag(&tag).to(request, arrival.source, &mut bytes);
        registration.bindings.iter().fold(answer, |answer, binding| tell_binding(answer, binding, now)).finish();
        if arrival.back.is_reliable() {
            return self.send(now, None, arrival.back, bytes, false);
        }
        let mut tx = ServerRequest::new(false);
        tx.respond(now, 200);
        let record = self.draw_key(STANDALONE);
        let standalone = Standalone { tx, hop: arrival.back, key, reply: bytes.as_slice().into() };
        self.store.insert(record, Value(Content::Standalone(Box::new(standalone))));
        self.send(now, Some(record), arrival.back, bytes, false);
    }

    /// Keeps a registration, and tells who has to know.
    fn keep(&mut self, now: Time, key: RecordKey, registration: Registration) {
        let number = registration.extension.clone();
        let before = self.targets(now, &number).len();
        let contacts = registration.bindings.len();
        let known = match self.store.get(key) {
            Some(Value(Content::Registration(known))) => known.former.clone(),
            _ => Vec::new(),
        };
        for former in registration.former.iter().filter(|former| !known.contains(former)) {
            self.has_moved(now, former.flow);
            // Nor does it hear any more what comes on a connection that this server had opened to it.
            for binding in registration.bindings.iter().filter(|binding| binding.uri == former.contact) {
                if let Some(opened) = self.store.find(alias_of(binding.hop.peer())) {
                    self.has_moved(now, ConnectionId(opened.id));
                }
            }
        }
        if contacts == 0 {
            self.store.remove(key);
        } else {
            self.store.insert(key, Value(Content::Registration(Box::new(registration))));
        }
        if before != contacts {
            let contacts = u32::try_from(contacts).unwrap_or(u32::MAX);
            self.output(Some(key), Action::Log(Event::Registered { registration: key.id, contacts }));
        }
        if (before == 0) != (contacts == 0) {
            self.tell_extension(&number);
        }
    }

    /// Contacts that were not refreshed are no more.
    pub(super) fn expire_registration(&mut self, now: Time, key: RecordKey) {
        let Some(Value(Content::Registration(known))) = self.store.get(key) else { return self.store.remove(key) };
        let mut registration = (**known).clone();
        registration.bindings.retain(|binding| binding.until > now);
        let number = registration.extension.clone();
        let reachable = !registration.bindings.is_empty();
        let contacts = u32::try_from(registration.bindings.len()).unwrap_or(u32::MAX);
        if reachable {
            self.store.insert(key, Value(Content::Registration(Box::new(registration))));
        } else {
            self.store.remove(key);
            self.tell_extension(&number);
        }
        self.output(Some(key), Action::Log(Event::Registered { registration: key.id, contacts }));
    }
}

fn tell_binding<'b>(answer: Outgoing<'b>, binding: &Binding, now: Time) -> Outgoing<'b> {
    // Rounded up, so that what lives is never told to be over.
    let left = (binding.until.since(now).as_micros().div_ceil(1_000_000)).to_string();
    let mut value = format!("<{}>;expires={left}", binding.uri);
    if binding.q < 1000 {
        value.push_str(&format!(";q=0.{:03}", binding.q));
    }
    answer.header(HeaderName::Contact, value)
}
