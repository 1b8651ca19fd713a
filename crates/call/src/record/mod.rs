//! The records of the SIP Server: its whole state.

mod connection;
mod registration;

use model::route::News;
use model::{Alias, Kind, RecordKey, Time, hash64};
use redundancy::change::Aliases;
use redundancy::mailbox::Mailbox;
use redundancy::store::Record;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use sip::transaction::ServerRequest;

use crate::call::Call;
use crate::hop::Hop;
use crate::limits::ROUTING_PATIENCE;
pub(crate) use connection::{Connection, Lost, alias_of, alias_of_former};
pub(crate) use registration::{Binding, Registration, same_contact};

pub(crate) const CALL: Kind = Kind(1);
pub(crate) const REGISTRATION: Kind = Kind(2);
pub(crate) const STANDALONE: Kind = Kind(3);
pub(crate) const CONNECTION: Kind = Kind(4);
pub(crate) const PRESENCE: Kind = Kind(5);
pub(crate) const WAITING: Kind = Kind(6);
pub(crate) const ROUTING: Kind = Kind(7);
pub(crate) const LETTER: Kind = Kind(8);
pub(crate) const LOST: Kind = Kind(9);
pub(crate) const MOVED: Kind = Kind(10);

/// The only record of its kind.
pub(crate) const ROUTING_KEY: RecordKey = RecordKey::new(ROUTING, 0);

/// The only record of its kind.
pub(crate) const MOVED_KEY: RecordKey = RecordKey::new(MOVED, 0);

/// The value of one record.
#[derive(Debug)]
pub struct Value(pub(crate) Content);

#[derive(Debug)]
pub(crate) enum Content {
    /// A call with all its legs, transactions and deadlines.
    Call(Box<Call>),
    /// Where an extension is reached; its number is the hash of the extension's. Survives both sides.
    Registration(Box<Registration>),
    /// A request outside of calls that was answered; its number is drawn.
    Standalone(Box<Standalone>),
    /// A TCP connection.
    Connection(Box<Connection>),
    /// The calls of an agent's extension; its number is the hash of the extension's.
    Presence(Presence),
    /// A caller waits; its number is that of the call.
    Waiting,
    /// The talk with the Routing Server.
    Routing(Routing),
    /// A message to the Routing Server that is not confirmed yet; its number is that of the message.
    Letter(News),
    /// A TCP connection that is no more; its number is that of the connection.
    Lost(Lost),
    /// Another host has taken over, and goes through its calls.
    Moved(Moved),
}

/// How far a host with an address of its own has come that takes over the calls of another one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) due: Time,
    /// The last call that was looked at.
    pub(crate) seen: Option<u64>,
    /// Those that were another host's.
    pub(crate) calls: u32,
}

/// A request that was answered, for its repetitions (RFC 3261 17.2.2).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Standalone {
    pub(crate) tx: ServerRequest,
    pub(crate) hop: Hop,
    #[serde(with = "serde_bytes")]
    pub(crate) key: Box<[u8]>,
    #[serde(with = "serde_bytes")]
    pub(crate) reply: Box<[u8]>,
}

/// The calls in which an agent's extension has a leg.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Presence {
    pub(crate) extension: Box<str>,
    pub(crate) calls: Vec<u64>,
}

/// The talk with the Routing Server, and whether it is there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Routing {
    pub(crate) mailbox: Mailbox,
    pub(crate) line: Line,
}

/// How the connection with the Routing Server stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    Up,
    /// Not there, but perhaps back in a moment.
    Gone {
        since: Time,
    },
    /// Missed: those who wait are being sent to the default targets, as far as this call.
    Diverting {
        after: Option<u64>,
    },
    /// Missed, and nobody waits who could be sent elsewhere.
    #[default]
    Missed,
}

impl Line {
    /// True once the patience with the Routing Server is at its end.
    pub(crate) const fn is_missed(self) -> bool {
        matches!(self, Self::Diverting { .. } | Self::Missed)
    }

    fn deadline(self) -> Time {
        match self {
            Self::Up | Self::Missed => Time::NEVER,
            Self::Gone { since } => since + ROUTING_PATIENCE,
            Self::Diverting { .. } => Time::ZERO,
        }
    }
}

impl Value {
    pub(crate) fn as_call(&self) -> Option<&Call> {
        match &self.0 {
            Content::Call(call) => Some(call),
            _ => None,
        }
    }
}

impl Record for Value {
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Content::Call(call) => pack(call, out),
            Content::Registration(registration) => pack(registration, out),
            Content::Standalone(standalone) => pack(standalone, out),
            Content::Connection(connection) => pack(connection, out),
            Content::Presence(presence) => pack(presence, out),
            Content::Waiting => {}
            Content::Routing(routing) => pack(routing, out),
            Content::Letter(news) => pack(news, out),
            Content::Lost(lost) => pack(lost, out),
            Content::Moved(moved) => pack(moved, out),
        }
    }

    fn decode(kind: Kind, bytes: &[u8]) -> Option<(Self, usize)> {
        let (content, known) = match kind {
            CALL => unpack(bytes, Content::Call),
            REGISTRATION => unpack(bytes, Content::Registration),
            STANDALONE => unpack(bytes, Content::Standalone),
            CONNECTION => unpack(bytes, Content::Connection),
            PRESENCE => unpack(bytes, Content::Presence),
            WAITING => Some((Content::Waiting, 0)),
            ROUTING => unpack(bytes, Content::Routing),
            LETTER => unpack(bytes, Content::Letter),
            LOST => unpack(bytes, Content::Lost),
            MOVED => unpack(bytes, Content::Moved),
            _ => None,
        }?;
        Some((Self(content), known))
    }

    fn understands(kind: Kind, bytes: &[u8]) -> bool {
        Self::decode(kind, bytes).is_some()
    }

    fn deadline(&self) -> Time {
        match &self.0 {
            Content::Call(call) => call.deadline(),
            Content::Registration(registration) => registration.deadline(),
            Content::Standalone(standalone) => standalone.tx.deadline(),
            Content::Connection(connection) => connection.deadline(),
            Content::Routing(routing) => routing.line.deadline(),
            Content::Lost(lost) => lost.due,
            Content::Moved(moved) => moved.due,
            Content::Presence(_) | Content::Waiting | Content::Letter(_) => Time::NEVER,
        }
    }

    fn aliases(&self) -> Aliases {
        match &self.0 {
            Content::Call(call) => call.aliases(),
            Content::Standalone(standalone) => [Alias(hash64(&standalone.key))].into_iter().collect(),
            Content::Connection(connection) => connection.alias().into_iter().collect(),
            Content::Registration(registration) => registration.aliases(),
            _ => Aliases::new(),
        }
    }
}

/// Writes a value behind what stands in `out`.
pub(crate) fn pack<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Only a value of unknown length fails, and records have none.
    let _ = postcard::serialize_with_flavor(value, Behind(out));
}

fn unpack<T: DeserializeOwned>(bytes: &[u8], content: impl FnOnce(T) -> Content) -> Option<(Content, usize)> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    Some((content(value), bytes.len() - rest.len()))
}

/// Reads a moment that was appended to a record: one of an older version ends before it (docs/decisions/0005).
pub(crate) fn never_if_absent<'de, D: Deserializer<'de>>(record: D) -> Result<Time, D::Error> {
    Ok(Time::deserialize(record).unwrap_or(Time::NEVER))
}

/// The same for something that is false, or empty, before a later version.
pub(crate) fn default_if_absent<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    record: D,
) -> Result<T, D::Error> {
    Ok(T::deserialize(record).unwrap_or_default())
}

/// Lets postcard write behind what stands in a vector, whole slices at once.
struct Behind<'o>(&'o mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Behind<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
