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

/// The value of our Allow header.
pub(crate) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE, PRACK, MESSAGE, NOTIFY";

/// What happens to a header on its way to the other leg.
enum Passage {
    Copied,
    Left,
    /// Only those members of the list that the way in between can carry.
    Filtered(fn(&[u8]) -> bool),
}

const fn passage(name: HeaderName<'_>) -> Passage {
    match name {
        // Ours: they route the message or name the dialog on one leg.
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
        // Proof that was made for this server, and proves nothing elsewhere.
        | HeaderName::Authorization
        | HeaderName::ProxyAuthorization => Passage::Left,
        HeaderName::Supported => Passage::Filtered(is_extension),
        HeaderName::Allow => Passage::Filtered(is_method),
        _ => Passage::Copied,
    }
}

fn is_extension(tag: &[u8]) -> bool {
    EXTENSIONS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(tag))
}

fn is_method(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_str().as_bytes() == method)
}

/// Copies the headers that belong to the parties, and the body.
pub(crate) fn pass<'b>(message: &Message<'_>, mut onto: Outgoing<'b>) {
    for header in message.headers() {
        match passage(header.name) {
            Passage::Left => {}
            Passage::Copied => onto = onto.copy(header),
            Passage::Filtered(passes) => {
                let members: Vec<&[u8]> =
                    sip::message::members(header.value).filter(|member| passes(member)).collect();
                onto = onto.header(header.name, members.join(&b", "[..]));
            }
        }
    }
    onto.body("", message.body());
}

/// The option tags in Require and Proxy-Require that this server does not know (RFC 3261 8.2.2.3).
pub(crate) fn unsupported<'m>(request: &'m Message<'_>) -> impl Iterator<Item = &'m [u8]> {
    let required = [HeaderName::Require, HeaderName::ProxyRequire];
    required.into_iter().flat_map(|name| request.list(name)).filter(|tag| !is_extension(tag))
}
