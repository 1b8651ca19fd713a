//! The records of the Routing Server: its whole state.

use model::route::{CallNumber, Offer, Order};
use model::{Kind, RecordKey, Time, hash64};
use redundancy::change::Aliases;
use redundancy::mailbox::Mailbox;
use redundancy::store::Record;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::request::Answer;

/// Agents: durable, number = hash of the agent's id.
pub(crate) const AGENT: Kind = Kind(1);
/// Agents' extensions, number = hash of the extension's number.
pub(crate) const EXTENSION: Kind = Kind(2);
/// Callers, number = the call's number.
pub(crate) const CALLER: Kind = Kind(3);
/// The mailbox: a single record.
pub(crate) const POST: Kind = Kind(4);
/// Orders that the SIP Server has not confirmed, number = number in the stream.
pub(crate) const MAIL: Kind = Kind(5);
/// Requests that were answered, number = the request's number.
pub(crate) const ANSWERED: Kind = Kind(6);

/// The key of the mailbox.
pub(crate) const POST_KEY: RecordKey = RecordKey::new(POST, 0);

/// What an agent has chosen, and since when the agent is idle. Survives the end of both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Ready or not, when nothing else stands against it.
    pub(crate) chosen: Chosen,
    /// When the agent last ended a call, became ready or came back: the place among the idle.
    pub(crate) idle_since: Time,
}

/// What an agent has chosen, or the Routing Server has chosen for an agent who did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Chosen {
    Ready,
    NotReady(Reason),
}

/// Why an agent is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
    /// The agent said so.
    Given(Option<String>),
    /// An offer rang for as long as it was to ring.
    NoAnswer,
    /// An offer was declined.
    Declined,
}

impl Chosen {
    /// True if the agent did not choose it: it gives way when the extension comes back.
    pub(crate) const fn is_imposed(&self) -> bool {
        matches!(self, Self::NotReady(Reason::NoAnswer | Reason::Declined))
    }
}

impl Reason {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Given(text) => text.as_deref(),
            Self::NoAnswer => Some("no answer"),
            Self::Declined => Some("declined"),
        }
    }
}

/// How an agent's extension stands, as the SIP Server told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its number.
    pub(crate) number: String,
    /// True if it has a contact to ring.
    pub(crate) reachable: bool,
    /// When an offer found no contact that could be reached.
    pub(crate) failed: Option<Time>,
    /// The calls in which it has a leg.
    pub(crate) calls: Vec<CallNumber>,
    /// The call of the latest offer unless it was answered: the end of such a leg is not the end of work.
    pub(crate) rung: Option<CallNumber>,
    /// Since when the agent is in the state that is shown.
    pub(crate) since: Time,
    /// When to ask the SIP Server how it stands.
    pub(crate) audit: Time,
    /// The stream in which it was told last; zero if it never was.
    pub(crate) told: u64,
}

/// A caller in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The queue's number.
    pub(crate) queue: String,
    /// Since when the caller waits.
    pub(crate) since: Time,
    /// The stream in which the caller was told last.
    pub(crate) told: u64,
    /// True if the SIP Server knows that no agent is free.
    pub(crate) queued: bool,
    /// The agent who rings for the caller.
    pub(crate) offer: Option<Standing>,
}

/// An offer that was made and not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) offer: Offer,
    /// When it was made.
    pub(crate) at: Time,
    /// When to look after it: it should have been answered by then.
    pub(crate) due: Time,
    /// Number of the order that told it.
    pub(crate) mail: u64,
    /// Number of the audit that looks after it.
    pub(crate) chased: Option<u64>,
    /// Taken back by the Routing Server: why it came to nothing says nothing about the agent.
    pub(crate) withdrawn: bool,
    /// Nobody is known to ring for it: its agent is unknown here or rings for somebody else.
    pub(crate) orphan: bool,
}

/// The mailbox and how far the two sides are with telling each other everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    pub(crate) mailbox: Mailbox,
    /// The last stream of the SIP Server in which everything was told.
    pub(crate) told: u64,
    /// True if the SIP Server is to be told everything anew.
    pub(crate) owes: bool,
    /// The last order of the present stream that the SIP Server had heard when it began to tell everything anew.
    pub(crate) told_after: u64,
}

impl Post {
    /// True while the SIP Server is in the middle of telling everything anew.
    pub(crate) const fn is_being_told(&self) -> bool {
        self.mailbox.heard.stream != self.told
    }
}

/// A request that was answered: a repeated one gets the same answer (rule 11 of the hot standby protocol).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub(crate) answer: Answer,
    /// When it may be forgotten.
    pub(crate) until: Time,
}

/// One record of the Routing Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An agent.
    Agent(Agent),
    /// An agent's extension.
    Extension(Extension),
    /// A caller.
    Caller(Caller),
    /// The mailbox.
    Post(Post),
    /// An order that is not confirmed.
    Mail(Order),
    /// A request that was answered.
    Answered(Answered),
}

/// A type of which records are made.
pub(crate) trait Part: Sized {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
}

macro_rules! parts {
    ($($variant:ident($part:ty) = $kind:ident,)*) => {
        $(impl Part for $part {
            fn of(value: &Value) -> Option<&Self> {
                match value { Value::$variant(part) => Some(part), _ => None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                match value { Value::$variant(part) => Some(part), _ => None }
            }
        })*

        impl Value {
            fn read(kind: Kind, bytes: &[u8]) -> Option<(Self, usize)> {
                match kind {
                    $($kind => read::<$part>(bytes).map(|(part, known)| (Self::$variant(part), known)),)*
                    _ => None,
                }
            }

            fn write(&self, out: &mut Vec<u8>) {
                match self { $(Self::$variant(part) => write(part, out),)* }
            }
        }
    };
}

parts! {
    Agent(Agent) = AGENT,
    Extension(Extension) = EXTENSION,
    Caller(Caller) = CALLER,
    Post(Post) = POST,
    Mail(Order) = MAIL,
    Answered(Answered) = ANSWERED,
}

fn read<P: DeserializeOwned>(bytes: &[u8]) -> Option<(P, usize)> {
    let (part, rest) = postcard::take_from_bytes(bytes).ok()?;
    Some((part, bytes.len() - rest.len()))
}

/// Appends the encoded `part` to `out`.
pub(crate) fn write<P: Serialize>(part: &P, out: &mut Vec<u8>) {
    *out = postcard::to_extend(part, std::mem::take(out)).expect("plain data can always be written to a vector");
}

impl Record for Value {
    fn encode(&self, out: &mut Vec<u8>) {
        self.write(out);
    }

    fn decode(kind: Kind, bytes: &[u8]) -> Option<(Self, usize)> {
        Self::read(kind, bytes)
    }

    fn understands(kind: Kind, bytes: &[u8]) -> bool {
        Self::read(kind, bytes).is_some()
    }

    fn deadline(&self) -> Time {
        match self {
            Self::Extension(extension) => extension.audit,
            Self::Caller(caller) => caller.offer.as_ref().map_or(Time::NEVER, |standing| standing.due),
            Self::Answered(answered) => answered.until,
            Self::Agent(_) | Self::Post(_) | Self::Mail(_) => Time::NEVER,
        }
    }

    fn aliases(&self) -> Aliases {
        Aliases::new()
    }
}

pub(crate) const fn caller_key(call: CallNumber) -> RecordKey {
    RecordKey::new(CALLER, call.0)
}

pub(crate) fn agent_key(id: &str) -> RecordKey {
    RecordKey::new(AGENT, hash64(id.as_bytes()))
}

pub(crate) fn extension_key(number: &str) -> RecordKey {
    RecordKey::new(EXTENSION, hash64(number.as_bytes()))
}
