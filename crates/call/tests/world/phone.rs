//! Phones: templates of messages, and what they have to remember to speak.

use std::net::SocketAddr;

use call::{Carrier, ConnectionId, Input, ListenerId};
use model::Epoch;
use sip::digest::{Challenge, Login, Secret};
use sip::{Answer, AnswerHead, Dialog, HeaderName, Message, Method, Outgoing};

use super::World;

/// A phone.
pub(crate) struct Phone {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) carrier: Carrier,
    pub(crate) connection: Option<ConnectionId>,
    /// It takes no connections and hears nothing.
    pub(crate) deaf: bool,
    number: String,
    /// Requests that were sent so far.
    sent: u32,
    /// The last message that was sent.
    last: Vec<u8>,
    /// The INVITEs that were sent, for CANCEL and ACK.
    invites: Vec<Vec<u8>>,
    /// The last challenge.
    challenge: Vec<u8>,
    /// Requests that came, the last one last.
    requests: Vec<Vec<u8>>,
    /// Responses that came, the last one last.
    responses: Vec<Vec<u8>>,
    dialogs: Vec<Dialog>,
}

/// What a script says of a message beyond its template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    pub(crate) tag: Option<String>,
    /// Which of the dialogs, by the tag of the other side.
    pub(crate) dialog: Option<usize>,
    pub(crate) branch: Option<String>,
    /// Sent-by and parameters of the Via, for a phone that does not know its address.
    pub(crate) via: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) seq: Option<u32>,
    pub(crate) password: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) nocontact: bool,
    pub(crate) hops: Option<u32>,
}

impl Phone {
    pub(crate) fn new(name: &str, number: &str, carrier: Carrier, address: SocketAddr) -> Self {
        Self {
            name: name.to_owned(),
            number: number.to_owned(),
            carrier,
            address,
            connection: None,
            deaf: false,
            sent: 0,
            last: Vec::new(),
            invites: Vec::new(),
            challenge: Vec::new(),
            requests: Vec::new(),
            responses: Vec::new(),
            dialogs: Vec::new(),
        }
    }

    fn via(&self, branch: &str) -> String {
        let carrier = if self.carrier == Carrier::Udp { "UDP" } else { "TCP" };
        format!("SIP/2.0/{carrier} {};branch=z9hG4bK{branch}", self.address)
    }

    fn contact(&self, extra: &Extra) -> String {
        let transport = if self.carrier == Carrier::Udp { "" } else { ";transport=tcp" };
        extra.contact.clone().unwrap_or_else(|| format!("<sip:{}@{}{transport}>", self.number, self.address))
    }

    /// A request outside of a dialog.
    pub(crate) fn request(&mut self, method: &str, uri: &str, extra: &Extra) -> Vec<u8> {
        let method = Method::from_name(method);
        self.sent += 1;
        let seq = extra.seq.unwrap_or(self.sent);
        let name = self.name.clone();
        let branch = extra.branch.clone().unwrap_or_else(|| format!("{name}{}", self.sent));
        let via = extra
            .via
            .as_ref()
            .map_or_else(|| self.via(&branch), |via| format!("SIP/2.0/UDP {via};branch=z9hG4bK{branch}"));
        let from = extra.from.clone().unwrap_or_else(|| format!("<sip:{}@example.com>", self.number));
        let tag = extra.tag.clone().unwrap_or_else(|| format!("{name}-{}", self.sent));
        // A phone keeps one Call-ID for its registrations (RFC 3261 10.2.4).
        let call_id = if method == Method::Register { format!("{name}-reg") } else { format!("{name}-call-{tag}") };
        let to = match method {
            Method::Register => from.clone(),
            _ => extra.to.clone().unwrap_or_else(|| format!("<{uri}>")),
        };
        let mut bytes = Vec::new();
        let mut out = Outgoing::request(&mut bytes, method, uri)
            .header(HeaderName::Via, via)
            .number(HeaderName::MaxForwards, extra.hops.unwrap_or(70))
            .header(HeaderName::From, format!("{from};tag={tag}"))
            .header(HeaderName::To, to)
            .header(HeaderName::CallId, call_id)
            .format(HeaderName::CSeq, format_args!("{seq} {method}"));
        if !extra.nocontact {
            out = out.header(HeaderName::Contact, self.contact(extra));
        }
        if let Some(password) = &extra.password {
            let challenge = Message::parse(&self.challenge).expect("a challenge came");
            let challenge = Challenge::of(&challenge, HeaderName::WwwAuthenticate).expect("a challenge");
            let secret = Secret::Password(password);
            let method = method.as_str();
            let login = Login { username: &self.number, secret, method, uri, cnonce: "cnonce", count: 1 };
            out = challenge.answer(login, out, HeaderName::Authorization).expect("a response");
        }
        finish(out, extra);
        if method == Method::Invite {
            self.invites.push(bytes.clone());
            self.dialogs.clear();
        }
        bytes
    }

    /// A request within a dialog.
    pub(crate) fn request_inside(&mut self, method: &str, extra: &Extra) -> Vec<u8> {
        let method = Method::from_name(method);
        self.sent += 1;
        let branch = extra.branch.clone().unwrap_or_else(|| format!("{}{}", self.name, self.sent));
        let via = self.via(&branch);
        let contact = self.contact(extra);
        let at = extra.dialog.map_or(self.dialogs.len().wrapping_sub(1), |at| at - 1);
        let dialog = self.dialogs.get_mut(at).unwrap_or_else(|| panic!("{} has no dialog {at}", self.name));
        let seq = match method {
            Method::Ack => {
                let invite = self.invites.last().expect("an INVITE was sent");
                Message::parse(invite).expect("sound").cseq().number
            }
            _ => extra.seq.unwrap_or_else(|| dialog.next_seq()),
        };
        let mut bytes = Vec::new();
        let out = dialog
            .request(method, seq, via.as_bytes(), &mut bytes)
            .number(HeaderName::MaxForwards, extra.hops.unwrap_or(70))
            .header(HeaderName::Contact, contact);
        finish(out, extra);
        if method == Method::Invite {
            self.invites.push(bytes.clone());
        }
        if let Some(tag) = &extra.tag {
            // What somebody would say who does not know the tag of this side.
            let text = String::from_utf8(bytes).expect("text");
            return text.replace(&format!("tag={}", self.dialogs[at].local_tag()), &format!("tag={tag}")).into_bytes();
        }
        bytes
    }

    /// What belongs to an INVITE and its transaction: the CANCEL of the last one, the ACK of the one that `response`
    /// refuses.
    pub(crate) fn like_invite(&self, method: &str, response: Option<&Message<'_>>, extra: &Extra) -> Vec<u8> {
        let seq = response.map(|response| response.cseq().number);
        let invites = self.invites.iter().rev().map(|bytes| Message::parse(bytes).expect("sound"));
        let mut invites = invites.filter(|invite| seq.is_none_or(|seq| invite.cseq().number == seq));
        let invite = invites.next().expect("an INVITE was sent");
        let to = response.and_then(|response| response.value(HeaderName::To));
        let method = Method::from_name(method);
        let mut bytes = Vec::new();
        let out = Outgoing::request(&mut bytes, method, invite.request_uri().expect("a request").as_str())
            .copy_all(&invite, HeaderName::Via)
            .number(HeaderName::MaxForwards, 70)
            .copy_all(&invite, HeaderName::From)
            .header(HeaderName::To, to.or(invite.value(HeaderName::To)).expect("To"))
            .header(HeaderName::CallId, invite.call_id())
            .format(HeaderName::CSeq, format_args!("{} {method}", invite.cseq().number));
        finish(out, extra);
        bytes
    }

    /// An answer to the last request of this method.
    pub(crate) fn answer(&mut self, status: u16, method: &str, server: SocketAddr, extra: &Extra) -> Vec<u8> {
        let is_it = |bytes: &&Vec<u8>| Message::parse(bytes).is_ok_and(|request| request.method().as_str() == method);
        let request = self.requests.iter().rev().find(is_it);
        let request = request.unwrap_or_else(|| panic!("{} got no {method}", self.name)).clone();
        let request = Message::parse(&request).expect("sound");
        let tag = extra.tag.clone().unwrap_or_else(|| format!("{}-t", self.name));
        let mut bytes = Vec::new();
        let head = AnswerHead::of(&request, server);
        let mut out = head.answer(Answer::new(status).tag(&tag), &mut bytes);
        if method == "INVITE" && (101..300).contains(&status) && !extra.nocontact {
            out = out.header(HeaderName::Contact, self.contact(extra));
        }
        finish(out, extra);
        if method == "INVITE" && (101..300).contains(&status) && request.to().tag().is_none() {
            let dialog = Dialog::callee(&request, &tag);
            if !self.dialogs.iter().any(|known| known.local_tag() == tag && known.call_id() == dialog.call_id()) {
                self.dialogs.push(dialog);
            }
        }
        bytes
    }

    fn take(&mut self, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { panic!("the server sent what cannot be read") };
        if message.is_request() {
            self.requests.push(bytes.to_vec());
            return;
        }
        self.responses.push(bytes.to_vec());
        match message.status() {
            Some(401) => self.challenge = bytes.to_vec(),
            Some(101..300) if message.method() == Method::Invite => {
                let dialog = Dialog::caller(&message);
                let is_it = |known: &&mut Dialog| {
                    known.call_id() == dialog.call_id()
                        && known.local_tag() == dialog.local_tag()
                        && known.remote_tag() == dialog.remote_tag()
                };
                match self.dialogs.iter_mut().find(is_it) {
                    Some(known) => known.refresh(&message),
                    None => self.dialogs.push(dialog),
                }
            }
            _ => {}
        }
    }
}

fn finish(mut out: Outgoing<'_>, extra: &Extra) {
    for (name, value) in &extra.headers {
        out = out.header(HeaderName::from_name(name), value);
    }
    match &extra.body {
        Some(body) => out.body("application/sdp", body.as_bytes()),
        None => out.finish(),
    }
}

impl World {
    /// A phone sends a message.
    pub(crate) fn say(&mut self, at: usize, bytes: Vec<u8>) {
        let summary = self.summary(&bytes);
        let line = format!("{:<7} >  {summary}", self.phones[at].name);
        self.note(&line);
        self.phones[at].last.clone_from(&bytes);
        self.send_bytes(at, &bytes);
    }

    /// The bytes of the last message once more.
    pub(crate) fn say_again(&mut self, at: usize) {
        let bytes = self.phones[at].last.clone();
        let summary = self.summary(&bytes);
        let line = format!("{:<7} >  (again) {summary}", self.phones[at].name);
        self.note(&line);
        self.send_bytes(at, &bytes);
    }

    pub(crate) fn send_bytes(&mut self, at: usize, bytes: &[u8]) {
        let source = self.phones[at].address;
        if self.phones[at].carrier == Carrier::Udp {
            return self.feed(Input::Datagram { listener: ListenerId(0), source, bytes });
        }
        let connection = self.phones[at].connection.unwrap_or_else(|| {
            let connection = ConnectionId::accepted(Epoch(1), at as u64);
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
        self.phones[at].take(bytes);
        self.acknowledge_refusal(at, bytes);
    }

    /// As every transaction does (RFC 3261 17.1.1.3).
    fn acknowledge_refusal(&mut self, at: usize, bytes: &[u8]) {
        let message = Message::parse(bytes).expect("sound");
        if message.method() == Method::Invite && message.status().is_some_and(|status| status >= 300) {
            let ack = self.phones[at].like_invite("ACK", Some(&message), &Extra::default());
            self.say(at, ack);
        }
    }

    /// A message in one line, with labels in the place of names that the server draws.
    fn summary(&mut self, bytes: &[u8]) -> String {
        const SHOWN: [&str; 16] = [
            "Reason",
            "RSeq",
            "RAck",
            "Require",
            "Supported",
            "Unsupported",
            "Retry-After",
            "Min-Expires",
            "Expires",
            "Route",
            "Record-Route",
            "X-Test",
            "Session-Expires",
            "P-Asserted-Identity",
            "Max-Forwards",
            "Allow",
        ];
        let message = Message::parse(bytes).expect("sound");
        let mut line = match message.request_uri() {
            Some(uri) => format!("{} {uri}", message.method()),
            None => {
                let reason = sip::build::reason(message.status().unwrap_or_default());
                format!("{} {reason}", message.status().unwrap_or_default())
            }
        };
        let tags =
            [message.from().tag(), message.to().tag()].map(|tag| tag.map_or("-".to_owned(), |tag| self.label(tag)));
        line += &format!(" | {} {} {}", message.cseq().number, message.cseq().method, tags.join("/"));
        for name in SHOWN {
            for value in message.values(HeaderName::from_name(name)) {
                let value = String::from_utf8_lossy(value);
                if name != "Max-Forwards" || (value != "70" && value != "69") {
                    line += &format!(" | {name}: {value}");
                }
            }
        }
        if message.method() == Method::Register || message.status().is_some_and(|status| status / 100 == 3) {
            for value in message.values(HeaderName::Contact) {
                line += &format!(" | {}", String::from_utf8_lossy(value));
            }
        }
        for value in message.values(HeaderName::WwwAuthenticate) {
            let value = String::from_utf8_lossy(value);
            let stale = if value.contains("stale=true") { " stale" } else { "" };
            line += &format!(
                " | {}{stale}",
                value.rsplit("algorithm=").next().expect("text").trim_end_matches(", stale=true")
            );
        }
        if !message.body().is_empty() {
            line += &format!(" | [{}]", String::from_utf8_lossy(message.body()));
        }
        line
    }

    fn label(&mut self, tag: &str) -> String {
        if self.phones.iter().any(|phone| tag.starts_with(&phone.name)) {
            return tag.to_owned();
        }
        let next = self.labels.len() + 1;
        format!("#{}", self.labels.entry(tag.to_owned()).or_insert(next))
    }
}
