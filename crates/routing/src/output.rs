//! What the Routing Server lets out.

use std::fmt;

use model::RecordKey;
use model::route::{CallNumber, OfferNumber, Order, Unanswered};
use redundancy::hot_standby;
use redundancy::mailbox::Envelope;
use serde::{Deserialize, Serialize};

use crate::record::{ANSWERED, write};
use crate::request::{Answer, State};

/// One effect on the world outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Goes to the SIP Server over the present connection; is dropped if there is none.
    Mail(Envelope<Order>),
    /// Close the connection to the SIP Server and make a new one: the greetings sort out what went wrong.
    Reconnect,
    /// Goes to whoever asked.
    Answer(Answer),
    /// Goes to the log.
    Event(Event),
}

impl hot_standby::Output for Output {
    fn record(&self) -> Option<RecordKey> {
        match self {
            Self::Answer(answer) => Some(RecordKey::new(ANSWERED, answer.request.0)),
            Self::Mail(_) | Self::Reconnect | Self::Event(_) => None,
        }
    }

    /// Mail begins anew on the successor's own connection, whatever the old one has taken.
    fn is_stream(&self) -> bool {
        false
    }

    /// Mail is repeated by the mailbox on the successor's own connection, and a log line is not worth a second one.
    fn may_repeat(&self) -> bool {
        matches!(self, Self::Answer(_))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        write(self, out);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

/// Something for the log: ids, no telephone numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An agent's state changed.
    Agent {
        /// The agent's id.
        agent: String,
        /// The new state.
        state: State,
    },
    /// An agent rings for a caller.
    Offered {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
        /// The agent's id.
        agent: String,
    },
    /// An offer came to nothing.
    Unanswered {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
        /// Why.
        why: Unanswered,
    },
    /// The SIP Server forgot an offer; the caller waits again.
    OfferLost {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
    },
    /// A caller and an agent talk.
    Connected {
        /// The call.
        call: CallNumber,
        /// The offer.
        offer: OfferNumber,
    },
    /// A caller waits for an agent.
    Queued {
        /// The call.
        call: CallNumber,
    },
    /// A caller was refused.
    Refused {
        /// The call.
        call: CallNumber,
        /// With this SIP status.
        status: u16,
    },
    /// A caller left before an agent answered.
    Left {
        /// The call.
        call: CallNumber,
    },
    /// The SIP Server knows a caller no more.
    CallerLost {
        /// The call.
        call: CallNumber,
    },
    /// The SIP Server has told everything anew.
    HeardAll {
        /// How many callers wait.
        callers: usize,
    },
    /// The SIP Server was told everything anew.
    ToldAll {
        /// How many callers were named.
        callers: usize,
    },
    /// Mail of the SIP Server is missing; the connection is made anew.
    MailMissing,
    /// The SIP Server confirms nothing: what was kept for it is dropped, and it will be told everything anew.
    MailOverflow,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent { agent, state } => write!(f, "agent {agent} is {state}"),
            Self::Offered { call, offer, agent } => {
                write!(f, "call {:x} is offered to agent {agent}, offer {:x}", call.0, offer.0)
            }
            Self::Unanswered { call, offer, why } => {
                let why = match why {
                    Unanswered::NoAnswer => "no answer",
                    Unanswered::Declined => "declined",
                    Unanswered::Unreachable => "not reachable",
                };
                write!(f, "call {:x} waits again: {why}, offer {:x}", call.0, offer.0)
            }
            Self::OfferLost { call, offer } => {
                write!(f, "call {:x} waits again: the SIP Server forgot offer {:x}", call.0, offer.0)
            }
            Self::Connected { call, offer } => write!(f, "call {:x} is answered, offer {:x}", call.0, offer.0),
            Self::Queued { call } => write!(f, "call {:x} is queued", call.0),
            Self::Refused { call, status } => write!(f, "call {:x} is refused with {status}", call.0),
            Self::Left { call } => write!(f, "call {:x} left the queue", call.0),
            Self::CallerLost { call } => write!(f, "call {:x} is dropped: the SIP Server knows it no more", call.0),
            Self::HeardAll { callers } => write!(f, "the SIP Server told everything anew, callers: {callers}"),
            Self::ToldAll { callers } => write!(f, "the SIP Server was told everything anew, callers: {callers}"),
            Self::MailMissing => f.write_str("mail of the SIP Server is missing, the connection is made anew"),
            Self::MailOverflow => f.write_str("the SIP Server confirms no mail, it will be told everything anew"),
        }
    }
}
