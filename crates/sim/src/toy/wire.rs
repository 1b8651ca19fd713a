//! What clients and server say to each other.

use model::{RecordKey, Span, hash64};
use redundancy::hot_standby::Output;
use serde::{Deserialize, Serialize};

use super::engine::session_key;

/// A client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Add to the sum of a session; the first one begins it.
    Ask {
        /// The client, where the answer goes.
        client: u8,
        /// The session.
        session: u64,
        /// Counts the requests of the session from 1.
        number: u32,
        /// What to add.
        amount: u32,
        /// When the answer is wanted; zero: at once.
        wait: Span,
    },
    /// The answer that was waited for has come.
    Ack {
        /// The session.
        session: u64,
        /// The request.
        number: u32,
    },
    /// The session ends.
    Bye {
        /// The client.
        client: u8,
        /// The session.
        session: u64,
    },
    /// Count one up in the durable record of the client.
    Enter {
        /// The client.
        client: u8,
        /// What the count becomes.
        number: u32,
    },
    /// Makes the engine panic with the session in hand.
    Poison {
        /// The session.
        session: u64,
    },
    /// Ends the process.
    Abort {
        /// The session.
        session: u64,
    },
}

impl Request {
    /// Names the content.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let bytes: Vec<u8> = postcard::to_allocvec(self).unwrap_or_default();
        hash64(&bytes)
    }
}

/// The server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// To whom.
    pub client: u8,
    /// The session, or the client for its durable record.
    pub session: u64,
    /// What.
    pub answer: Answer,
}

/// What the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The request is taken, its answer comes later: do not repeat it.
    Heard(u32),
    /// The request is done; `repeats` until it is acknowledged, if it was waited for.
    Done {
        /// The request.
        number: u32,
        /// The sum of the session.
        total: u64,
        /// The server repeats it by itself.
        repeats: bool,
    },
    /// The session is over.
    Gone,
    /// The durable count stands here.
    Entered(u32),
    /// The session or count has only got so far: something is missing.
    Missing {
        /// The request.
        number: u32,
        /// The last one that is known.
        known: u32,
    },
}

impl Output for Reply {
    fn record(&self) -> Option<RecordKey> {
        (!matches!(self.answer, Answer::Entered(_))).then(|| session_key(self.session))
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn may_repeat(&self) -> bool {
        !matches!(self.answer, Answer::Done { repeats: true, .. })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Ok(bytes) = postcard::to_allocvec(self) {
            out.extend_from_slice(&bytes);
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
