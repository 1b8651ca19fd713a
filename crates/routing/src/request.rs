//! What people ask the Routing Server, what it answers, and what it shows them.

use std::fmt;

use model::Time;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest reason that an agent may give, in octets.
pub const REASON_MAX: usize = 128;

/// The number of a request, drawn at random by whoever asks; a repeated request bears the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestNumber(pub u64);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// An agent wants to take calls, or wants to be left alone.
    SetAgent {
        /// The agent's id or extension.
        agent: String,
        /// What the agent chooses.
        choice: Choice,
    },
}

/// What an agent chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// Takes calls.
    Ready,
    /// Takes no calls: at once if idle or ringing, after the call if talking.
    NotReady {
        /// Why, for supervisors and reports; at most [`REASON_MAX`] octets.
        reason: Option<String>,
    },
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The request.
    pub request: RequestNumber,
    /// The agent as it is now, or why nothing was done.
    pub result: Result<AgentRow, Refusal>,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Refusal {
    /// No agent has this id or extension.
    #[error("no agent has this id or extension; `everline agents` lists those there are")]
    UnknownAgent,
    /// The reason is too long.
    #[error("the reason is longer than {REASON_MAX} octets; say it shorter")]
    ReasonTooLong,
    /// More requests were answered within a minute than the server remembers.
    #[error("too many requests within a minute; try again in a minute")]
    TooManyRequests,
}

/// What an agent is doing, in the words that `everline agents` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waits for a caller.
    Ready,
    /// The extension rings for a caller of a queue.
    Ringing,
    /// The extension has a call, of a queue or not.
    Busy,
    /// Takes no calls, by choice or because the last one was not answered.
    NotReady,
    /// The extension has no contact that could ring.
    Unreachable,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Ringing => "ringing",
            Self::Busy => "busy",
            Self::NotReady => "not-ready",
            Self::Unreachable => "unreachable",
        })
    }
}

/// One agent, as `everline agents` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The agent's id.
    pub id: String,
    /// The agent's extension.
    pub extension: String,
    /// What the agent is doing.
    pub state: State,
    /// Why, where the state asks for a reason.
    pub reason: Option<String>,
    /// Since when, in pair time.
    pub since: Time,
}

/// One queue, as people look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// The queue's number.
    pub number: String,
    /// Callers for whom nobody rings yet.
    pub waiting: usize,
    /// Callers for whom an agent rings.
    pub ringing: usize,
    /// Agents who could take a caller now.
    pub ready: usize,
}
