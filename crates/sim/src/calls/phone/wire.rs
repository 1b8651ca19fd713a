//! The messages of a phone.

use model::Span;
use sip::digest::{Challenge, Login, Secret};
use sip::{Answer, Dialog, HeaderName, Message, Method, Outgoing};

use super::Phone;
use crate::calls::settings::{DOMAIN, SERVER, password_of};

/// The session description of a call, by which both ends know that they are in the same one.
pub(super) fn offer(call: u32, on_hold: bool) -> String {
    let way = if on_hold { "sendonly" } else { "sendrecv" };
    format!(
        "v=0\r\no=- {call} 1 IN IP4 10.0.0.1\r\ns=call-{call}\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na={way}\r\n"
    )
}

/// The number of the call that a session description belongs to.
pub(in crate::calls) fn call_of(message: &Message<'_>) -> Option<u32> {
    let body = str::from_utf8(message.body()).ok()?;
    let line = body.lines().find_map(|line| line.strip_prefix("s=call-"))?;
    line.trim().parse().ok()
}

impl Phone {
    pub(super) fn branch(&mut self) -> String {
        let number = self.draw();
        format!("z9hG4bKp{}x{number}", self.index)
    }

    pub(super) fn via(&self, branch: &str) -> String {
        let transport = if self.is_on_stream() { "TCP" } else { "UDP" };
        format!("SIP/2.0/{transport} {};branch={branch}", self.address)
    }

    fn contact(&self) -> String {
        let transport = if self.is_on_stream() { ";transport=tcp" } else { "" };
        format!("<sip:{}@{}{transport}>", self.number, self.address)
    }

    /// The first INVITE of a call, or the same one with the answer to a challenge.
    pub(super) fn invite(
        &self,
        branch: &str,
        (call, to, reliable): (u32, u32, bool),
        seq: u32,
        challenge: Option<&Message<'_>>,
    ) -> Vec<u8> {
        let uri = format!("sip:{to}@{DOMAIN}");
        let mut bytes = Vec::with_capacity(700);
        let mut out = Outgoing::request(&mut bytes, Method::Invite, &uri)
            .header(HeaderName::Via, self.via(branch))
            .number(HeaderName::MaxForwards, 70)
            .header(HeaderName::From, format!("<sip:{}@{DOMAIN}>;tag=c{}x{call}", self.number, self.index))
            .header(HeaderName::To, format!("<{uri}>"))
            .header(HeaderName::CallId, format!("call-{call}@phone{}", self.index))
            .format(HeaderName::CSeq, format_args!("{seq} INVITE"))
            .header(HeaderName::Contact, self.contact());
        if reliable {
            out = out.header(HeaderName::Supported, "100rel");
        }
        out = self.allow(out);
        out = self.credentials(out, challenge, "INVITE", &uri);
        out.body("application/sdp", offer(call, false).as_bytes());
        bytes
    }

    fn allow<'b>(&self, out: Outgoing<'b>) -> Outgoing<'b> {
        if self.updates {
            out.header(HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, MESSAGE")
        } else {
            out
        }
    }

    pub(super) fn register_request(
        &self,
        branch: &str,
        (seq, expires): (u32, u32),
        challenge: Option<&Message<'_>>,
    ) -> Vec<u8> {
        let uri = format!("sip:{DOMAIN}");
        let me = format!("<sip:{}@{DOMAIN}>", self.number);
        let mut bytes = Vec::with_capacity(600);
        let out = Outgoing::request(&mut bytes, Method::Register, &uri)
            .header(HeaderName::Via, self.via(branch))
            .number(HeaderName::MaxForwards, 70)
            .header(HeaderName::From, format!("{me};tag=r{}", self.index))
            .header(HeaderName::To, &me)
            .header(HeaderName::CallId, format!("registrations@phone{}", self.index))
            .format(HeaderName::CSeq, format_args!("{seq} REGISTER"))
            .header(HeaderName::Contact, self.contact())
            .number(HeaderName::Expires, expires);
        self.credentials(out, challenge, "REGISTER", &uri).finish();
        bytes
    }

    fn credentials<'b>(
        &self,
        out: Outgoing<'b>,
        challenge: Option<&Message<'_>>,
        method: &str,
        uri: &str,
    ) -> Outgoing<'b> {
        let Some(challenge) = challenge.and_then(|response| Challenge::of(response, HeaderName::WwwAuthenticate))
        else {
            return out;
        };
        let (username, password) = (self.number.to_string(), password_of(self.number));
        let secret = Secret::Password(&password);
        let login = Login { username: &username, secret, method, uri, cnonce: "0a4f113b", count: 1 };
        let mut probe = Vec::new();
        let known =
            challenge.answer(login, Outgoing::request(&mut probe, Method::Options, uri), HeaderName::Authorization);
        match known {
            None => out,
            Some(_) => challenge.answer(login, out, HeaderName::Authorization).unwrap_or_else(|| unreachable!()),
        }
    }

    /// A request in a dialog.
    pub(super) fn inside(
        &self,
        dialog: &Dialog,
        method: Method<'_>,
        seq: u32,
        branch: &str,
        body: Option<&str>,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(500);
        finish(self.inside_head(dialog, method, seq, branch, &mut bytes), body);
        bytes
    }

    /// The same up to its last headers.
    pub(super) fn inside_head<'b>(
        &self,
        dialog: &Dialog,
        method: Method<'_>,
        seq: u32,
        branch: &str,
        bytes: &'b mut Vec<u8>,
    ) -> Outgoing<'b> {
        dialog
            .request(method, seq, self.via(branch).as_bytes(), bytes)
            .number(HeaderName::MaxForwards, 70)
            .header(HeaderName::Contact, self.contact())
    }

    /// CANCEL or the ACK of a refusal: like its INVITE (RFC 3261 9.1, 17.1.1.3).
    pub(super) fn like(invite: &[u8], method: Method<'_>, to: Option<&[u8]>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(400);
        let Ok(invite) = Message::parse(invite) else { return bytes };
        let uri = invite.request_uri().map_or("", |uri| uri.as_str());
        let via = invite.values(HeaderName::Via).next().unwrap_or_default();
        Outgoing::request(&mut bytes, method, uri)
            .header(HeaderName::Via, via)
            .number(HeaderName::MaxForwards, 70)
            .copy_all(&invite, HeaderName::From)
            .header(HeaderName::To, to.or(invite.value(HeaderName::To)).unwrap_or_default())
            .header(HeaderName::CallId, invite.call_id())
            .format(HeaderName::CSeq, format_args!("{} {method}", invite.cseq().number))
            .finish();
        bytes
    }

    /// Writes a response.
    pub(super) fn response(&self, request: &Message<'_>, status: u16, tag: &str, body: Option<&str>) -> Vec<u8> {
        self.numbered_response(request, (status, None), tag, body)
    }

    /// Writes a response; with a number, one to be acknowledged by PRACK (RFC 3262 3).
    pub(super) fn numbered_response(
        &self,
        request: &Message<'_>,
        (status, rseq): (u16, Option<u32>),
        tag: &str,
        body: Option<&str>,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(500);
        let mut out = Answer::new(status).tag(tag).to(request, SERVER, &mut bytes);
        if request.method() == Method::Invite && (101..300).contains(&status) {
            out = self.allow(out.header(HeaderName::Contact, self.contact()));
        }
        if let Some(rseq) = rseq {
            out = out.header(HeaderName::Require, "100rel").number(HeaderName::RSeq, rseq);
        }
        finish(out, body);
        bytes
    }

    pub(super) fn respond(&mut self, request: &Message<'_>, status: u16, body: Option<&str>) {
        let tag = format!("t{}", self.index);
        let bytes = self.response(request, status, &tag, body);
        self.send_response(request, bytes);
    }
}

/// Ends a message: a session description, some other text, or nothing.
fn finish(out: Outgoing<'_>, body: Option<&str>) {
    match body {
        Some(body) if body.starts_with("v=0") => out.body("application/sdp", body.as_bytes()),
        Some(body) => out.body("text/plain", body.as_bytes()),
        None => out.finish(),
    }
}

/// The pause after the next one, twice as long up to T2 (RFC 3261 13.3.1.4).
pub(super) fn next_pause(pause: Span) -> Span {
    pause.times(2).min(super::T2)
}
