//! Phones: templates of messages, and what they have to remember to speak.

use std::net::SocketAddr;

use call::{Carrier, ConnectionId};
use sip::digest::{Challenge, Login, Secret};
use sip::{Answer, AnswerHead, Dialog, HeaderName, Message, Method, Outgoing};

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
    pub(crate) last: Vec<u8>,
    /// The INVITEs that were sent, for CANCEL and ACK.
    invites: Vec<Vec<u8>>,
    /// The last challenge.
    challenge: Vec<u8>,
    /// Requests that came, the last one last.
    pub(crate) requests: Vec<Vec<u8>>,
    /// Responses that came, the last one last.
    pub(crate) responses: Vec<Vec<u8>>,
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
    /// Which of the requests of that method to answer, counted from one; the last one if none is named.
    pub(crate) request: Option<usize>,
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
    pub(crate) fn request(&mut self, method: &str, uri: &str, extra: &Extra) -> Option<Vec<u8>> {
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
            let challenge = Message::parse(&self.challenge).ok()?;
            let challenge = Challenge::of(&challenge, HeaderName::WwwAuthenticate)?;
            let secret = Secret::Password(password);
            let method = method.as_str();
            let login = Login { username: &self.number, secret, method, uri, cnonce: "cnonce", count: 1 };
            out = challenge.answer(login, out, HeaderName::Authorization)?;
        }
        finish(out, extra);
        if method == Method::Invite {
            self.invites.push(bytes.clone());
            self.dialogs.clear();
        }
        Some(bytes)
    }

    /// A request within a dialog.
    pub(crate) fn request_inside(&mut self, method: &str, extra: &Extra) -> Option<Vec<u8>> {
        let method = Method::from_name(method);
        self.sent += 1;
        let branch = extra.branch.clone().unwrap_or_else(|| format!("{}{}", self.name, self.sent));
        let via = self.via(&branch);
        let contact = self.contact(extra);
        let at = extra.dialog.map_or(self.dialogs.len().wrapping_sub(1), |at| at - 1);
        let dialog = self.dialogs.get_mut(at)?;
        let seq = match method {
            Method::Ack if extra.seq.is_none() => Message::parse(self.invites.last()?).ok()?.cseq().number,
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
            let text = String::from_utf8(bytes).ok()?;
            let own = format!("tag={}", self.dialogs[at].local_tag());
            return Some(text.replace(&own, &format!("tag={tag}")).into_bytes());
        }
        Some(bytes)
    }

    /// What belongs to an INVITE and its transaction: the CANCEL of the last one, the ACK of the one that `response`
    /// refuses.
    pub(crate) fn like_invite(&self, method: &str, response: Option<&Message<'_>>, extra: &Extra) -> Option<Vec<u8>> {
        let seq = response.map(|response| response.cseq().number);
        let invites = self.invites.iter().rev().filter_map(|bytes| Message::parse(bytes).ok());
        let mut invites = invites.filter(|invite| seq.is_none_or(|seq| invite.cseq().number == seq));
        let invite = invites.next()?;
        let to = response.and_then(|response| response.value(HeaderName::To));
        let method = Method::from_name(method);
        let mut bytes = Vec::new();
        let out = Outgoing::request(&mut bytes, method, invite.request_uri()?.as_str())
            .copy_all(&invite, HeaderName::Via)
            .number(HeaderName::MaxForwards, 70)
            .copy_all(&invite, HeaderName::From)
            .header(HeaderName::To, to.or(invite.value(HeaderName::To))?)
            .header(HeaderName::CallId, invite.call_id())
            .format(HeaderName::CSeq, format_args!("{} {method}", invite.cseq().number));
        finish(out, extra);
        Some(bytes)
    }

    /// An answer to the last request of this method.
    pub(crate) fn answer(&mut self, status: u16, method: &str, server: SocketAddr, extra: &Extra) -> Option<Vec<u8>> {
        let is_it = |bytes: &&Vec<u8>| Message::parse(bytes).is_ok_and(|request| request.method().as_str() == method);
        let requests: Vec<&Vec<u8>> = self.requests.iter().filter(is_it).collect();
        let request = extra.request.map_or(requests.last(), |at| requests.get(at - 1));
        let request = (*request?).clone();
        let request = Message::parse(&request).ok()?;
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
        Some(bytes)
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        // What answers a damaged request may be damaged itself.
        let Ok(message) = Message::parse(bytes) else { return };
        if message.is_request() {
            if !self.requests.iter().any(|known| known == bytes) {
                self.requests.push(bytes.to_vec());
            }
            if matches!(message.method(), Method::Invite | Method::Update)
                && let Some(known) = self.dialogs.iter_mut().find(|known| known.has(&message))
            {
                known.refresh(&message);
            }
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
