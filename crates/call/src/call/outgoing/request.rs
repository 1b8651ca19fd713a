//! Requests other than INVITE.

use serde::{Deserialize, Serialize};
use sip::transaction::{Action, ClientRequest};
use sip::{Dialog, HeaderName, Message};

use super::anew;
use crate::call::desk::Desk;
use crate::call::pair::End;
use crate::call::party::description;
use crate::hop::Hop;
use crate::token::Token;

/// What another request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// On behalf of the request with this number that came from the other end.
    Relay { pair: u32, to: End, request_in: u32 },
    /// To end a dialog; of the two who talked with each other it is said to whom.
    Bye { to: Option<End> },
    /// To learn whether the party is still in the call.
    Ask { pair: u32, to: End },
    /// The same, as a connection with it has ended; if it does not answer, it is asked again later.
    Probe { pair: u32, to: End },
    /// UPDATE, to tell a party where the call is now.
    Refresh { pair: u32, to: End },
}

/// A request other than INVITE that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestOut {
    pub(crate) part: u32,
    chance: u64,
    pub(crate) purpose: Purpose,
    pub(crate) tx: ClientRequest,
    pub(crate) hop: Hop,
    #[serde(with = "serde_bytes")]
    request: Box<[u8]>,
}

impl RequestOut {
    /// Sends a request.
    pub(crate) fn send(desk: &mut Desk<'_>, branch: Token, purpose: Purpose, hop: Hop, request: Vec<u8>) -> Self {
        let kept = request.as_slice().into();
        desk.request(hop, request);
        let mut tx = ClientRequest::new(desk.now, hop.is_reliable());
        if matches!(purpose, Purpose::Probe { .. } | Purpose::Refresh { .. }) {
            // There may be no connection to the party yet.
            tx.flow_lost(desk.now);
        }
        Self { part: branch.part, chance: branch.chance, purpose, tx, hop, request: kept }
    }

    pub(crate) const fn is(&self, branch: Token) -> bool {
        self.part == branch.part && self.chance == branch.chance
    }

    /// Says the same once more, as the next request of its dialog.
    pub(crate) fn said_anew(&self, desk: &mut Desk<'_>, branch: Token) -> Option<Self> {
        let request = Message::parse(&self.request).ok()?;
        let (seq, method) = (request.cseq().number.saturating_add(1), request.method());
        let bytes = anew(&request, |name| match name {
            HeaderName::Via => Some(desk.via(self.hop, branch)),
            HeaderName::CSeq => Some(format!("{seq} {method}").into_bytes()),
            _ => None,
        });
        let mut said = Self::send(desk, branch, self.purpose, self.hop, bytes);
        if self.hop.is_reliable() {
            said.tx.flow_lost(desk.now);
        }
        Some(said)
    }

    /// The session description that it brings.
    pub(crate) fn description(&self) -> Box<[u8]> {
        Message::parse(&self.request).map_or_else(|_| Box::default(), |request| description(&request))
    }

    /// True if it tells this end that the call is over, and was not confirmed.
    pub(crate) fn is_open_bye(&self, end: End) -> bool {
        self.purpose == Purpose::Bye { to: Some(end) } && self.tx.is_open()
    }

    /// True if it only asks whether the party is there.
    pub(crate) const fn is_question(&self) -> bool {
        matches!(self.purpose, Purpose::Probe { .. } | Purpose::Ask { .. })
    }

    /// True if it was sent within this dialog (RFC 3261 12.2.1.1).
    pub(crate) fn is_within(&self, dialog: &Dialog) -> bool {
        Message::parse(&self.request).is_ok_and(|request| {
            request.call_id() == dialog.call_id()
                && request.from().tag() == Some(dialog.local_tag())
                && request.to().tag() == Some(dialog.remote_tag())
        })
    }

    /// True if it asks that of this party of a pair.
    pub(crate) fn is_question_to(&self, of: u32, party: End) -> bool {
        matches!(self.purpose, Purpose::Probe { pair, to } | Purpose::Ask { pair, to } if (pair, to) == (of, party))
    }

    /// True if it goes to this party, for another purpose than to ask it or to say goodbye.
    pub(crate) fn tells(&self, party: End) -> bool {
        matches!(self.purpose, Purpose::Relay { to, .. } | Purpose::Refresh { to, .. } if to == party)
    }

    pub(crate) const fn is_bye(&self) -> bool {
        matches!(self.purpose, Purpose::Bye { .. })
    }

    /// Sends it again, if it has no answer.
    pub(crate) fn say_again(&self, desk: &mut Desk<'_>) {
        if self.tx.is_open() {
            desk.request(self.hop, self.request.to_vec());
        }
    }

    /// The connection that it went on has ended.
    pub(crate) fn flow_lost(&mut self, desk: &mut Desk<'_>) {
        if self.tx.flow_lost(desk.now) == Action::Send {
            desk.request(self.hop, self.request.to_vec());
        }
    }

    pub(crate) fn respond(&mut self, now: model::Time, status: u16) -> Action {
        let action = self.tx.respond(now, status);
        if !self.tx.is_open() {
            self.request = Box::default();
        }
        action
    }

    pub(crate) fn expire(&mut self, desk: &mut Desk<'_>) -> Action {
        let action = self.tx.expire(desk.now);
        if action == Action::Send {
            desk.request(self.hop, self.request.to_vec());
        }
        action
    }
}
