//! What the SIP Server and the Routing Server say to each other about routing points.
//!
//! Both sides send it through their mailboxes, so each message arrives exactly once and in order. Messages tell
//! states rather than steps where they can, so that hearing one late does no harm.

use serde::{Deserialize, Serialize};

use crate::{Span, Time};

/// The number of a call, as the SIP Server drew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallNumber(pub u64);

/// The number of one attempt to connect a caller with an agent, as the Routing Server drew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OfferNumber(pub u64);

/// An offer that stands: this agent's extension rings for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its number; an answer to an older offer means nothing any more.
    pub number: OfferNumber,
    /// The agent's id, `anna`.
    pub agent: String,
    /// The extension to ring, `1001`.
    pub extension: String,
}

/// The SIP Server tells the Routing Server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// A caller stands at a routing point and asks for a route.
    Waiting {
        /// The call.
        call: CallNumber,
        /// Number of the queue, `9000`.
        queue: String,
        /// Since when the caller waits, in the SIP Server's pair time: callers of one queue are served in this
        /// order, and by call number where it is equal.
        since: Time,
        /// The offer that stands for this caller, when everything is told anew.
        offer: Option<Offer>,
    },
    /// The caller waits no more: hung up, or was sent elsewhere.
    Left {
        /// The call.
        call: CallNumber,
    },
    /// The agent answered the offer; the caller has left the queue.
    Answered {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
    },
    /// The offer came to nothing; the caller waits again.
    NotAnswered {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
        /// Why.
        why: Unanswered,
    },
    /// How an agent's extension stands. Told on every change, and whenever the Routing Server asks.
    Extension {
        /// Its number.
        number: String,
        /// True if it has a contact to ring: it is registered, or its contact is fixed.
        reachable: bool,
        /// The calls in which it has a leg, ringing or talking.
        calls: Vec<CallNumber>,
    },
    /// Everything has been told anew: callers and extensions that were not named are no more.
    AllTold,
}

/// Why an offer came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unanswered {
    /// It rang for as long as it was to ring.
    NoAnswer,
    /// The agent declined, or the extension is busy.
    Declined,
    /// No contact of the extension could be reached.
    Unreachable,
}

/// The Routing Server tells the SIP Server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// No agent is free: the caller is in the queue.
    Queued {
        /// The call.
        call: CallNumber,
    },
    /// The queue is full, or there is no such queue: refuse the caller.
    Refuse {
        /// The call.
        call: CallNumber,
        /// The SIP status to refuse it with, 486 for a full queue.
        status: u16,
    },
    /// Ring this agent for the caller.
    Ring {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: Offer,
        /// How long it may ring before it counts as not answered.
        patience: Span,
    },
    /// Stop ringing: the agent is no longer to have this caller. Answered with [`News::NotAnswered`].
    Withdraw {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
    },
    /// Say how this extension stands: the Routing Server reconciles its agents with the live legs.
    Audit {
        /// Its number.
        extension: String,
    },
    /// Everything has been told anew; offers that were not named are no more.
    AllTold,
}
