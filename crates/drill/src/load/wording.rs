//! The messages of a phone.

use std::net::SocketAddr;

use sip::digest::{Challenge, Login, Secret};
use sip::{Dialog, HeaderName, Message, Method, Outgoing, Transport};

/// Hops that a request of a phone may take (RFC 3261 8.1.1.6).
const HOPS: u32 = 70;
/// For how many seconds a phone registers.
const EXPIRES: u32 = 120;

/// How a phone names itself.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) number: String,
    pub(super) password: String,
    pub(super) domain: String,
    /// Where it listens.
    pub(super) place: SocketAddr,
    pub(super) tcp: bool,
}

impl Who {
    pub(super) const fn transport(&self) -> Transport<'static> {
        if self.tcp { Transport::Tcp } else { Transport::Udp }
    }

    pub(super) fn contact(&self) -> String {
        let parameter = if self.tcp { ";transport=tcp" } else { "" };
        format!("<sip:{}@{}{parameter}>", self.number, self.place)
    }

    fn via(&self, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", self.transport(), self.place)
    }

    /// Adds credentials if a challenge is given: the 401 or 407.
    fn prove<'b>(
        &self,
        request: Outgoing<'b>,
        refused: Option<&[u8]>,
        method: &str,
        uri: &str,
    ) -> Option<Outgoing<'b>> {
        let Some(Ok(refusal)) = refused.map(Message::parse) else { return Some(request) };
        let (asked, given) = if refusal.status() == Some(407) {
            (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization)
        } else {
            (HeaderName::WwwAuthenticate, HeaderName::Authorization)
        };
        let Some(challenge) = Challenge::of(&refusal, asked) else { return Some(request) };
        let secret = Secret::Password(&self.password);
        let login = Login { username: &self.number, secret, method, uri, cnonce: "0a4f113b", count: 1 };
        // A password fits every algorithm, so there always is an answer.
        challenge.answer(login, request, given)
    }
}

/// What a REGISTER says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registering {
    /// All contacts are gone (RFC 3261 10.2.2): what an earlier drill has left would ring as well.
    Alone,
    /// The phone is here.
    Here,
    /// It is here no more.
    Gone,
}

/// A REGISTER (RFC 3261 10.2, RFC 5626 4.2).
pub(super) fn register(
    who: &Who,
    call_id: &str,
    seq: u32,
    branch: &str,
    what: Registering,
    refused: Option<&[u8]>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(640);
    let uri = format!("sip:{}", who.domain);
    let address = format!("<sip:{}@{}>", who.number, who.domain);
    let request = Outgoing::request(&mut out, Method::Register, &uri)
        .header(HeaderName::Via, who.via(branch))
        .header(HeaderName::From, format!("{address};tag=r{seq}"))
        .header(HeaderName::To, &address)
        .header(HeaderName::CallId, call_id)
        .format(HeaderName::CSeq, format_args!("{seq} REGISTER"))
        .number(HeaderName::MaxForwards, HOPS)
        .header(HeaderName::Contact, if what == Registering::Alone { "*".to_owned() } else { who.contact() })
        .number(HeaderName::Expires, if what == Registering::Here { EXPIRES } else { 0 });
    if let Some(request) = who.prove(request, refused, "REGISTER", &uri) {
        request.finish();
    }
    out
}

/// An OPTIONS of a prober (RFC 3261 11: a server answers it as it would an INVITE).
pub(super) fn options(own: SocketAddr, server: SocketAddr, name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(400);
    Outgoing::request(&mut out, Method::Options, &format!("sip:{server}"))
        .via(Transport::Udp, &own.to_string(), &format!("z9hG4bK-{name}"))
        .header(HeaderName::From, format!("<sip:probe@{own}>;tag=p"))
        .header(HeaderName::To, format!("<sip:{server}>"))
        .header(HeaderName::CallId, name)
        .header(HeaderName::CSeq, "1 OPTIONS")
        .number(HeaderName::MaxForwards, HOPS)
        .finish();
    out
}

/// The first INVITE of a call.
pub(super) struct Invitation<'a> {
    pub(super) to: &'a str,
    pub(super) call_id: &'a str,
    pub(super) tag: &'a str,
    pub(super) seq: u32,
    pub(super) branch: &'a str,
    pub(super) call: u64,
    /// The challenge that it answers.
    pub(super) refused: Option<&'a [u8]>,
}

pub(super) fn invite(who: &Who, of: &Invitation<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    let uri = format!("sip:{}@{}", of.to, who.domain);
    let request = Outgoing::request(&mut out, Method::Invite, &uri)
        .header(HeaderName::Via, who.via(of.branch))
        .header(HeaderName::From, format!("<sip:{}@{}>;tag={}", who.number, who.domain, of.tag))
        .header(HeaderName::To, format!("<{uri}>"))
        .header(HeaderName::CallId, of.call_id)
        .format(HeaderName::CSeq, format_args!("{} INVITE", of.seq))
        .number(HeaderName::MaxForwards, HOPS)
        .header(HeaderName::Contact, who.contact());
    if let Some(request) = who.prove(request, of.refused, "INVITE", &uri) {
        request.body("application/sdp", session(who, of.call, "sendrecv").as_bytes());
    }
    out
}

/// A CANCEL of an INVITE that was sent, or the ACK of a refusal of it (RFC 3261 9.1, 17.1.1.3): both repeat what the INVITE
/// says; the ACK has the To of the refusal.
pub(super) fn echo(method: Method<'_>, invite: &[u8], refusal: Option<&Message<'_>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let Ok(invite) = Message::parse(invite) else { return out };
    let uri = invite.request_uri().map_or("", sip::Uri::as_str);
    let to = refusal.unwrap_or(&invite).value(HeaderName::To).unwrap_or_default();
    let mut request = Outgoing::request(&mut out, method, uri)
        .copy_all(&invite, HeaderName::Via)
        .copy_all(&invite, HeaderName::Route)
        .copy_all(&invite, HeaderName::From)
        .header(HeaderName::To, to)
        .header(HeaderName::CallId, invite.call_id())
        .format(HeaderName::CSeq, format_args!("{} {method}", invite.cseq().number));
    request = request.number(HeaderName::MaxForwards, HOPS);
    request.finish();
    out
}

/// A request in a dialog; an INVITE has a session description with this direction.
pub(super) fn inside(
    who: &Who,
    dialog: &Dialog,
    method: Method<'_>,
    seq: u32,
    branch: &str,
    session_of: Option<(u64, &str)>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(640);
    let request = dialog
        .request(method, seq, who.via(branch).as_bytes(), &mut out)
        .number(HeaderName::MaxForwards, HOPS)
        .header(HeaderName::Contact, who.contact());
    match session_of {
        Some((call, direction)) => request.body("application/sdp", session(who, call, direction).as_bytes()),
        None => request.finish(),
    }
    out
}

/// Begins the name of each session: what follows is the number of the call, by which both its ends know each other.
const SESSION: &str = "drill-";

/// A session description (RFC 8866) of a call.
pub(super) fn session(who: &Who, call: u64, direction: &str) -> String {
    let ip = who.place.ip();
    format!(
        "v=0\r\no=- {call} 1 IN IP4 {ip}\r\ns={SESSION}{call}\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {} RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n",
        who.place.port() & !1
    )
}

/// The number of the call that a session belongs to.
pub(super) fn call_of(body: &[u8]) -> Option<u64> {
    let text = str::from_utf8(body).ok()?;
    text.lines().find_map(|line| line.strip_prefix("s=")?.strip_prefix(SESSION)?.parse().ok())
}
