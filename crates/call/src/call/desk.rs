//! What a call has at hand while it handles an input, and the effects that it leaves behind.

use model::route::News;
use model::{Span, Time};
use sip::message::BRANCH_COOKIE;

use crate::draw::Draw;
use crate::hop::Hop;
use crate::output::Event;
use crate::settings::{Carrier, Settings};
use crate::token::Token;

/// Something that a call wants done outside of its own record.
#[derive(Debug)]
pub(crate) enum Effect {
    Send {
        hop: Hop,
        bytes: Vec<u8>,
        request: bool,
    },
    /// Tell the Routing Server.
    News(News),
    /// An extension has a leg in the call now.
    Joined(Box<str>),
    /// An extension has no leg in the call any more.
    Parted(Box<str>),
    /// The caller waits at a routing point, or does no more.
    Waits(bool),
    /// The caller wants to be sent to the default target of its queue.
    WantsDefault,
    Event(Event),
}

/// Time, chance and settings, and the tray for effects.
pub(crate) struct Desk<'e> {
    pub(crate) now: Time,
    pub(crate) settings: &'e Settings,
    pub(crate) draw: &'e mut Draw,
    pub(crate) effects: &'e mut Vec<Effect>,
}

impl Desk<'_> {
    pub(crate) fn request(&mut self, hop: Hop, bytes: Vec<u8>) {
        self.effects.push(Effect::Send { hop, bytes, request: true });
    }

    pub(crate) fn respond(&mut self, hop: Hop, bytes: Vec<u8>) {
        self.effects.push(Effect::Send { hop, bytes, request: false });
    }

    pub(crate) fn news(&mut self, news: News) {
        self.effects.push(Effect::News(news));
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.effects.push(Effect::Event(event));
    }

    pub(crate) fn after(&self, span: Span) -> Time {
        self.now + span
    }

    /// The Via value of a request of ours (RFC 3261 18.1.1, RFC 3581 3).
    pub(crate) fn via(&self, hop: Hop, branch: Token) -> Vec<u8> {
        let (carrier, address) = self.ours(hop);
        format!("SIP/2.0/{carrier} {address};rport;branch={BRANCH_COOKIE}{branch}").into_bytes()
    }

    /// The Contact value under which peers reach us (RFC 3261 8.1.1.8).
    pub(crate) fn contact(&self, hop: Hop) -> Vec<u8> {
        match self.ours(hop) {
            ("TCP", address) => format!("<sip:call@{address};transport=tcp>").into_bytes(),
            (_, address) => format!("<sip:call@{address}>").into_bytes(),
        }
    }

    fn ours(&self, hop: Hop) -> (&'static str, String) {
        let Some(listener) = self.settings.listener(hop.listener()) else { return ("UDP", String::new()) };
        let carrier = match listener.carrier {
            Carrier::Udp => "UDP",
            Carrier::Tcp => "TCP",
        };
        (carrier, listener.address.to_string())
    }
}

/// A place where a callee may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The number of the extension.
    pub(crate) extension: Box<str>,
    /// The Request-URI.
    pub(crate) uri: Box<str>,
    pub(crate) hop: Hop,
    /// False if the device is behind a translator of addresses, so that what it says of itself is no way to it.
    pub(crate) follow: bool,
}
