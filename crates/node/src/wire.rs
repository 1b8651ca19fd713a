//! Every message between the processes of one host.
//!
//! | socket in `run/` | who listens | what is said |
//! |---|---|---|
//! | `lca.sock` | the local control agent (LCA) | [`ToLca`], [`FromLca`] |
//! | `coordinator.sock` | the control server | [`CoordinatorRequest`], [`CoordinatorReply`] |
//! | `sip-a.sock`, one for each server | that server | [`Opening`], then for control [`ControlRequest`], [`ControlReply`] |
//!
//! Each message is one frame ([`crate::frames`]). A running process keeps its version when the program file is
//! replaced, so an enum here grows at its end only, and a struct not at all: a new message takes its place.

use crate::last_word::Key;
pub use model::Trouble;
use model::{Epoch, Incarnation};
use redundancy::coordinator::{Reply, Request};
use serde::{Deserialize, Serialize};

/// What a process says to the LCA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToLca {
    /// First message of an application; the descriptor of its [`Pulse`](crate::pulse::Pulse) travels with it, as the last one,
    /// behind that of its helper [`threads`](crate::pulse::threads) if it has any.
    Hello(Incarnation),
    /// How the server stands, whenever something but the counts has changed.
    Report(ServerReport),
    /// The application serves, or is ready to take over.
    Ready,
    /// The application cannot start, and ends now.
    Fatal(Trouble),
    /// Tell me the applications now, and again whenever something has changed.
    Follow,
    /// End all applications, then yourself.
    StopAll,
    /// From the LCA of another host: tell me of each application which run of it has certainly ended, now and whenever one does.
    Watch,
    /// From the control server of the same host: these, and the runs before them, have certainly ended, as their host was fenced or taken out.
    Fenced(Vec<Incarnation>),
    /// An application has noticed something.
    Noticed(Sighting),
    /// Tell me once what has been noticed on this host.
    Detections,
    /// All connections of the server to the other side of its pair on another host, whenever they change; their descriptors
    /// travel with it.
    Connections,
    /// From a drill, on this host or on another one: a fault that is to be made here.
    Harm(Harm),
    /// The same as `Connections`, with what the last word on each of them is to be signed with.
    Entrusted(Vec<Key>),
}

/// A fault that a drill asks for. The agent undoes what does not heal by itself, after the time that is named with it in
/// milliseconds, whether anybody asks for that or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Harm {
    /// None yet: whether it would be made.
    Ask(Vec<Victim>),
    /// Kill these at once.
    Kill(Vec<Victim>),
    /// Stop these, with all processes that they have started.
    Freeze(Vec<Victim>, u64),
    /// End everything that runs on this host at once, and start nothing.
    Fail(u64),
    /// Undo everything that is not undone yet.
    Repair,
}

/// An application that is to be struck, and its process: by now it may be another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Victim {
    /// Its name; `lca` is the agent itself.
    pub application: String,
    /// The process; none is known of an agent by other hosts.
    pub pid: Option<u32>,
}

/// Something that an application has noticed, or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What, as [`management::Detection`] names it; a name that is not known is left out.
    pub what: String,
    /// What is not as it should be: an application, a thread of one, a network, an address.
    pub about: String,
    /// True at its end.
    pub is_over: bool,
    /// In microseconds: at its beginning since the last good sign, at its end since its beginning.
    pub after: u64,
}

/// What has been noticed on a host, of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectionRow {
    /// What, as [`management::Detection`] names it.
    pub what: String,
    /// The application that has noticed it.
    pub by: String,
    /// What was not as it should be.
    pub about: String,
    /// How often.
    pub count: u64,
    /// From the last good sign to when it was noticed, the last time, in microseconds.
    pub last: u64,
    /// The same, the longest time.
    pub max: u64,
    /// When it was noticed last, in microseconds since 1970-01-01 UTC.
    pub at: u64,
    /// It is so now, for all that is known.
    pub is_on: bool,
    /// How long it lasted, the last time that it came to an end, in microseconds.
    pub lasted: Option<u64>,
}

/// What the LCA says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromLca {
    /// Every incarnation of this application up to this run has certainly ended. All that is known follows `Hello` and
    /// `Watch`, and what happens later comes at once.
    Ended(Incarnation),
    /// End cleanly.
    Stop,
    /// The answer to `Follow`.
    Applications(Vec<ApplicationRow>),
    /// Let the backup become primary.
    HandOver,
    /// The answer to `Detections`.
    Detections(Vec<DetectionRow>),
    /// The answer to `Harm`: why it is not made, if it is not. What strikes the way of this answer itself is made when the
    /// connection has ended.
    Harmed(Option<Trouble>),
}

/// Which part of a pair a server plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It serves.
    Primary,
    /// It could take over.
    Backup,
}

/// How a server stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerReport {
    /// Its role; none while it does not know yet.
    pub role: Option<Role>,
    /// The epoch that it follows.
    pub epoch: Epoch,
    /// A primary: it serves. A backup: it could take over now without losing a call.
    pub ready: bool,
    /// Checkpoints that the other side has not acknowledged (primary) or that are known but not kept (backup).
    pub lag: u64,
    /// Records that it holds.
    pub records: u64,
    /// Hash over all of them; the same on both sides when `lag` is zero.
    pub state_hash: u64,
    /// A primary: its backup is in sync. A backup: it is in sync.
    pub level: bool,
    /// What people should know, an alarm for example.
    pub note: Option<String>,
    /// How long answers wait for the other side; only in the answer to [`ControlRequest::Status`].
    pub hold: Option<Hold>,
}

impl ServerReport {
    /// True of a backup that holds every record and could not serve, as its host lacks something: the note says what.
    #[must_use]
    pub fn is_hindered(&self) -> bool {
        self.role == Some(Role::Backup) && self.level && !self.ready
    }
}

/// How long outputs waited from when their checkpoint was given to the link until they left (rule 2): of the last thousand checkpoints
/// of a primary that had any. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Half of them waited no longer.
    pub median: u64,
    /// 99 of 100 waited no longer.
    pub p99: u64,
    /// The longest of them.
    pub longest: u64,
    /// The smoothed way to the other side and back, if that is on another host.
    pub round_trip: Option<u64>,
}

/// One application, as the LCA sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// Its name, `sip-a`.
    pub name: String,
    /// The pair that it belongs to, `sip`.
    pub pair: Option<String>,
    /// The run that lives, or lived last.
    pub run: u64,
    /// Its state, as the crate `management` names it: `started`.
    pub state: String,
    /// The process, if it lives.
    pub pid: Option<u32>,
    /// What it reported last.
    pub report: Option<ServerReport>,
    /// Why it does not run, or what its last start died of.
    pub trouble: Option<Trouble>,
}

/// A request to the coordinator about one pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoordinatorRequest {
    /// The pair, `sip`.
    pub pair: String,
    /// What is asked.
    pub request: Request,
}

/// The coordinator's answer about one pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoordinatorReply {
    /// The pair.
    pub pair: String,
    /// What is answered.
    pub reply: Reply,
}

/// First message on a connection to a server: what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opening {
    /// The link of a pair: the other side of the pair calls.
    Peer,
    /// Messages between two pairs.
    Mailbox {
        /// The calling pair.
        from: String,
    },
    /// Questions and orders of the control server.
    Control,
}

/// What the control server asks of a server; the answers come in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlRequest {
    /// How do you stand?
    Status,
    /// The calls in progress behind the place `after`, at most `limit` of them.
    Calls {
        /// Where the last page ended; none for the first one.
        after: Option<u64>,
        /// Rows that are wanted at most.
        limit: u32,
    },
    /// The agents behind the place `after`, at most `limit` of them.
    Agents {
        /// Where the last page ended; none for the first one.
        after: Option<u64>,
        /// Rows that are wanted at most.
        limit: u32,
    },
    /// Put an agent ready or not ready. Repeated with the same id, it is done once.
    SetAgent {
        /// Names this request, so that a repeated one gets the same answer.
        request: u64,
        /// The agent's id, `anna`.
        agent: String,
        /// Ready or not.
        ready: bool,
        /// Why not ready.
        reason: Option<String>,
    },
    /// Let the backup become primary.
    Switchover {
        /// Names this request, so that a repeated one gets the same answer.
        request: u64,
    },
    /// Serve although others may do so, for all that is known.
    Promote {
        /// The operator knows what may be lost; without that the answer says who is in doubt.
        loss_is_accepted: bool,
    },
}

/// What a server answers to the control server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlReply {
    /// To `Status`.
    Status(ServerReport),
    /// To `Calls`.
    Calls(Page<CallRow>),
    /// To `Agents`.
    Agents(Page<AgentRow>),
    /// The order was carried out.
    Done,
    /// This server is not the primary: ask the other one.
    NotPrimary,
    /// The order cannot be carried out.
    Refused(Trouble),
    /// To `Promote`, if the loss is not accepted: those of whom nobody knows whether they have ended.
    InDoubt(Vec<Incarnation>),
}

/// A part of a long list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<Row> {
    /// The rows of this part.
    pub rows: Vec<Row>,
    /// The place to go on behind; none if this was the last part.
    pub next: Option<u64>,
}

/// A call in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRow {
    /// Names the call for ever.
    pub id: String,
    /// Its state, `ringing`.
    pub state: String,
    /// Who called.
    pub from: String,
    /// Whom.
    pub to: String,
    /// The queue that it came through.
    pub queue: Option<String>,
    /// The agent who has it.
    pub agent: Option<String>,
    /// When it came, in microseconds since 1970-01-01 UTC.
    pub since: u64,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The agent's id, `anna`.
    pub id: String,
    /// The extension where calls reach the agent.
    pub extension: String,
    /// The state, `ready`.
    pub state: String,
    /// Why not ready.
    pub reason: Option<String>,
    /// Since when, in microseconds since 1970-01-01 UTC.
    pub since: u64,
}
