//! Which headers go from one leg to the other.
//!
//! The server is an end of the signalling on each leg, so what routes a message and what names a dialog is its own.
//! Everything else belongs to the two parties and passes unchanged.

use sip::{HeaderName, Message, Method, Outgoing};

/// The option tags whose meaning this server carries from end to end (RFC 3262, RFC 4028, RFC 3312).
pub(crate) const EXTENSIONS: [&str; 3] = ["100rel", "timer", "precondition"];

/// The methods that this server takes, within a dialog or outside of one.
pub(crate) const METHODS: [Method<'static>; 11] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Options,
    Method::Register,
    Method::Info,
    Method::Update,
    Method::Prack,
    Method::Message,
    Method::Notify,
];

/// The value of our Allow header outside of a dialog, where a MESSAGE is not taken (RFC 3261 20.5, 21.4.6).
pub(crate) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE, PRACK, NOTIFY";

/// The same within a dialog.
pub(super) const ALLOW_INSIDE: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, MESSAGE, NOTIFY";

/// True for the headers that are ours on each leg: they route the message, name the dialog, or prove something to
/// this server that proves nothing elsewhere.
const fn is_ours(name: HeaderName<'_>) -> bool {
    matches!(
        name,
        HeaderName::Via
            | HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::MaxForwards
            | HeaderName::Contact
            | HeaderName::Route
            | HeaderName::RecordRoute
            | HeaderName::Path
            | HeaderName::ServiceRoute
            | HeaderName::ContentLength
            | HeaderName::RAck
            | HeaderName::Replaces
            | HeaderName::ProxyRequire
            | HeaderName::Authorization
            | HeaderName::ProxyAuthorization
            | HeaderName::WwwAuthenticate
            | HeaderName::ProxyAuthenticate
    )
}

fn is_extension(tag: &[u8]) -> bool {
    EXTENSIONS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(tag))
}

fn is_method(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_str().as_bytes() == method)
}

/// Copies the headers that belong to the parties, and the body. Of Supported and Allow only those members pass
/// whose meaning can be carried.
pub(crate) fn pass(message: &Message<'_>, onto: Outgoing<'_>) {
    pass_from(message, false, onto);
}

/// The same; what the sender asserts of its identity passes if it is `trusted` (RFC 3325 5) and does not ask to keep it
/// from others, as phones are not trusted with that (7).
pub(crate) fn pass_from(message: &Message<'_>, trusted: bool, mut onto: Outgoing<'_>) {
    let asserts = trusted && !wants_privacy(message);
    let (mut supported, mut allow) = (false, false);
    for header in message.headers().filter(|header| !is_ours(header.name)) {
        match header.name {
            HeaderName::PAssertedIdentity if !asserts => {}
            // Meant for whoever asserts an identity, and for nobody behind (RFC 3325 9.2).
            HeaderName::PPreferredIdentity => {}
            HeaderName::Supported => supported = true,
            HeaderName::Allow => allow = true,
            _ => onto = onto.copy(header),
        }
    }
    if supported {
        onto = pass_members(message, HeaderName::Supported, is_extension, onto);
    }
    if allow {
        onto = pass_members(message, HeaderName::Allow, is_method, onto);
    }
    onto.body("", message.body());
}

/// True if the sender's identity is to stay with those whom it trusts (RFC 3325 9.3).
fn wants_privacy(message: &Message<'_>) -> bool {
    let values = message.values(HeaderName::Privacy).flat_map(|value| value.split(|byte| matches!(byte, b';' | b',')));
    values.map(<[u8]>::trim_ascii).any(|value| value.eq_ignore_ascii_case(b"id"))
}

/// The status under which the answer of one party reaches the other. A challenge asks this server, which has no secret
/// of that party's; whoever is asked in its place could only try for ever. And whose dialog with this server lives must not be
/// told that there is none, because the other party has left its own (RFC 3261 12.2.1.2; RFC 5057 5.1: 480 ends no dialog).
pub(super) const fn passed(status: u16) -> u16 {
    match status {
        401 | 407 => 500,
        481 => 480,
        status => status,
    }
}

fn pass_members<'b>(
    message: &Message<'_>,
    name: HeaderName<'static>,
    passes: fn(&[u8]) -> bool,
    onto: Outgoing<'b>,
) -> Outgoing<'b> {
    let members: Vec<&[u8]> = message.list(name).filter(|member| passes(member)).collect();
    onto.header(name, members.join(&b", "[..]))
}

/// The option tags in Require and Proxy-Require that this server does not know (RFC 3261 8.2.2.3).
pub(crate) fn unsupported<'m>(request: &'m Message<'_>) -> impl Iterator<Item = &'m [u8]> {
    let required = [HeaderName::Require, HeaderName::ProxyRequire];
    required.into_iter().flat_map(|name| request.list(name)).filter(|tag| !is_extension(tag))
}
