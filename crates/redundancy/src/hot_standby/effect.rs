//! What a replica asks its shell to do.

use model::{Epoch, Incarnation, RecordKey, Span};

use super::{Released, Stamp};
use crate::coordinator;

/// One thing for the shell to do, in order.
#[derive(Debug)]
pub enum Effect<O> {
    /// Write this frame to the link.
    Frame {
        /// The frame.
        bytes: Vec<u8>,
        /// The checkpoint that it carries: tell [`Replica::published`](super::Replica::published) when the link has
        /// accepted the whole of it.
        checkpoint: Option<Stamp>,
    },
    /// Send this output.
    Release(Released<O>),
    /// Backup only: keep in mind that the primary wrote this output to a stream. What the stream has not taken by the
    /// time of a takeover is for the successor to write.
    Shadow(O),
    /// Primary only: from now on, and before any effect that follows, whoever finds that this process has ended also finds this
    /// revision, or that there is none (see [`Replica::last_word`](super::Replica::last_word)).
    Pledge(Option<u64>),
    /// Ask the coordinator.
    Ask(coordinator::Request),
    /// Connect to the primary.
    Dial(Incarnation),
    /// End the link, or give up dialling; there will be no call of [`Replica::link_down`](super::Replica::link_down)
    /// for it.
    HangUp,
    /// Append to the journal of durable records, before any output that follows in this list is sent.
    Journal {
        /// Epoch and number of the checkpoint.
        stamp: (Epoch, u64),
        /// The record.
        key: RecordKey,
        /// The change (see [`crate::change`]).
        change: Vec<u8>,
    },
    /// No incarnation of the pair is left: read the journals and call
    /// [`Replica::cold_start`](super::Replica::cold_start), at once or later, as long as the replica
    /// [waits for it](super::Replica::awaits_journals).
    ReadJournals,
    /// Primary from now on: open the doors.
    Serve(Serve),
    /// Backup from now on, after a planned switchover: stop reading inputs.
    StandBy,
    /// This incarnation is over: end the process, it comes back as another one.
    Retire(Retirement),
    /// Something that an operator may want to know.
    Tell(Remark),
}

/// How a replica became primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// The epoch that begins.
    pub epoch: Epoch,
    /// The primary before, if this is a takeover. Feed the inputs that it had read and not covered, then what waits in
    /// the sockets, then call [`Replica::inputs_taken`](super::Replica::inputs_taken).
    pub after: Option<Predecessor>,
}

/// The primary before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Who it was; its input ring holds what it read.
    pub incarnation: Incarnation,
    /// Inputs of that ring up to this number are covered. Number your own inputs on from the last one of that ring, or
    /// from here if the ring is out of reach: numbers only grow as long as the records live.
    pub mark: u64,
    /// False if it may have let out and read more than this side was sent (rule 15): byte streams that were half written
    /// or half read make no sense any more then, and are to be ended first.
    pub complete: bool,
}

/// Why an incarnation ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// Another one is primary at a later epoch.
    Superseded(Epoch),
    /// Its records are not those of its primary: the state hash differs.
    Diverged,
    /// Its primary sent what it cannot keep: damaged, or written by a newer version.
    CannotKeep,
    /// It fell out of the pair and would have to begin anew.
    Outdated,
}

/// News for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A backup was taken on and is being sent the records.
    Joining(Incarnation),
    /// The backup holds every record and is in sync.
    Level(Incarnation),
    /// The backup was lost; the primary goes on alone.
    Solo,
    /// The backup has suspected its primary and asks for the next epoch.
    Suspects(Incarnation),
    /// The primary has ended, and asked the coordinator for nothing at the end: takes over at once (rule 18).
    Inherits(Incarnation),
    /// An input made the engine panic; its calls were dropped and it will be refused from now on.
    Panicked {
        /// The input.
        fingerprint: u64,
        /// Records that it had touched.
        touched: Vec<RecordKey>,
    },
    /// A planned switchover did not come about within this time.
    SwitchoverFailed(Span),
    /// Everybody in sync has ended: began with what this side holds up to this checkpoint, without having been admitted
    /// (rule 15). What left after it is lost.
    BeganWithHeld(Stamp),
    /// Began without a predecessor, with so many durable records.
    ColdStart {
        /// How many records were read back.
        records: usize,
        /// The hosts of those that were in sync at the end, which did not begin in time, hold newer ones.
        is_behind: bool,
    },
}
