//! What a call keeps of its parties where each host serves at an address of its own: how to tell them that it is elsewhere now.

use serde::{Deserialize, Serialize};
use sip::{HeaderName, Message};

use super::Call;
use super::desk::Desk;
use super::pair::End;

/// The only kind of session description that is sent again.
pub(super) const SDP: &str = "application/sdp";

/// What is known of a party.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Party {
    /// It takes UPDATE, as it says (RFC 3311 4).
    pub(super) updates: bool,
    /// The session description of the other party that it was sent last, and that holds; empty if none is known.
    #[serde(with = "serde_bytes")]
    pub(super) description: Box<[u8]>,
}

/// The session description of a message; empty if it has none.
pub(super) fn description(message: &Message<'_>) -> Box<[u8]> {
    let kind = message.content_type().and_then(|kind| kind.split(';').next()).unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case(SDP) { message.body().into() } else { Box::default() }
}

impl Call {
    pub(super) const fn party(&mut self, end: End) -> &mut Party {
        match end {
            End::Caller => &mut self.parties[0],
            End::Callee => &mut self.parties[1],
        }
    }

    /// A party has sent this, and the other one gets the body.
    pub(super) fn hear(&mut self, desk: &Desk<'_>, from: End, message: &Message<'_>) {
        if desk.settings.home == 0 {
            return;
        }
        if message.value(HeaderName::Allow).is_some() {
            self.party(from).updates = message.lists(HeaderName::Allow, "UPDATE");
        }
        self.described(from.other(), description(message));
    }

    /// A party has taken what it was offered, if anything: these are the descriptions that hold.
    pub(super) fn agreed(&mut self, desk: &Desk<'_>, to: End, offer: Box<[u8]>, answer: &Message<'_>) {
        if desk.settings.home != 0 {
            self.described(to, offer);
            self.hear(desk, to, answer);
        }
    }

    /// This description has been sent to a party, and holds.
    pub(super) fn described(&mut self, to: End, description: Box<[u8]>) {
        if !description.is_empty() {
            self.party(to).description = description;
        }
    }
}
