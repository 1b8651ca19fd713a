//! The faults that a run can suffer.

use model::{Span, Time};

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it strikes.
    pub at: Time,
    /// What it does.
    pub kind: Kind,
}

/// Which process, at the time of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The pair.
    pub pair: u8,
    /// The side of the pair.
    pub who: Who,
}

/// One side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The first application.
    A,
    /// The second application.
    B,
    /// Whoever is primary according to the coordinator.
    Primary,
    /// The other one.
    Backup,
}

/// A step of a server, before or after which it can be struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A checkpoint is given to the link.
    Checkpoint,
    /// Any other frame is given to the link.
    Frame,
    /// An output is sent.
    Release,
    /// The coordinator is asked for a change.
    Ask,
    /// A durable record is written down.
    Journal,
    /// It begins to serve.
    Serve,
}

/// Before or after the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The step is not done.
    Before,
    /// The step is done.
    After,
}

/// What is done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `kill -9`.
    Kill,
    /// `SIGSTOP`, and after so long `SIGCONT`.
    Pause(Span),
    /// Nothing by itself: what the plan says for this moment strikes, in the middle of what the process does.
    Signal,
}

/// Which way of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first side to the second.
    AToB,
    /// From the second side to the first.
    BToA,
    /// Both.
    Both,
}

impl Direction {
    /// True if it holds for frames that side `from` sends.
    #[must_use]
    pub const fn covers(self, from: usize) -> bool {
        match self {
            Self::AToB => from == 0,
            Self::BToA => from == 1,
            Self::Both => true,
        }
    }
}

/// Which part of the networks between hosts; hosts are counted from 0 and written from `h1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The network; `None` for each of them.
    pub network: Option<u8>,
    /// The two hosts; of a direction, the first one is the first side.
    pub hosts: [u8; 2],
    /// Which way.
    pub way: Direction,
}

/// What a network does to what goes over it by TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ill {
    /// Nothing passes; what is sent arrives afterwards.
    Cut,
    /// So many packets of a thousand are lost: their stream stalls until they were sent again.
    Loses(u32),
    /// Everything takes so much longer.
    Slows(Span),
    /// Heartbeats pass and nothing else; the rest arrives afterwards.
    CarriesBeats,
    /// Long packets do not pass, nor what is behind them in their stream.
    CarriesShort,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process is struck.
    Strike(Target, Act),
    /// A process is struck at the n-th time that it comes to a step.
    Trap(Target, Moment, Point, u32, Act),
    /// The control server ends and comes back after so long.
    ControlCrash(Span),
    /// The connection of a process to the coordinator breaks; what is on its way may still be done, up to so much
    /// later.
    ControlBreak(Target, Span),
    /// The connection between the pair breaks.
    LinkBreak(u8),
    /// Nothing passes the link in this direction for so long.
    LinkCut(u8, Direction, Span),
    /// The host of a process loses its power for so long (two hosts only).
    HostCrash(Target, Span),
    /// The host of a process is cut off from everything for so long (two hosts only).
    Isolate(Target, Span),
    /// The control agents neither notice nor start anything for so long.
    AgentsDown(Span),
    /// The monotonic clock of the host of a process jumps forward.
    ClockJump(Target, Span),
    /// The wall clock of the host of a process is set forward.
    WallForward(Target, Span),
    /// The wall clock of the host of a process is set back.
    WallBack(Target, Span),
    /// A planned switchover is asked for.
    Switchover(u8),
    /// The backup is sent away, as when a spare makes way for the member that it stood in for.
    Dismissal(u8),
    /// A client sends something that makes the engine panic.
    Poison(u8),
    /// A client sends something that ends the process.
    Abort(u8),
    /// The network loses so many datagrams of a thousand for so long.
    Storm(u32, Span),
    /// Nothing passes between this telephone and the servers for so long; the telephone is the first side. What goes by
    /// TCP arrives afterwards.
    PhoneCut(u8, Direction, Span),
    /// Nothing passes between a process and the coordinator for so long, and nobody notices; the process is the first
    /// side. What is sent meanwhile arrives afterwards.
    ControlCut(Target, Direction, Span),
    /// The connection between the two servers breaks, and what is on its way is lost.
    MailBreak,
    /// Nothing passes between the two servers for so long; the SIP Server is the first side. What is sent meanwhile
    /// arrives afterwards.
    MailCut(Direction, Span),
    /// Something is wrong with a network between two hosts for so long (several hosts only, like all that follow).
    Net(Reach, Ill, Span),
    /// A host loses its power for so long.
    Power(u8, Span),
    /// A host stands still for so long, with everything on it, and goes on.
    Freeze(u8, Span),
    /// The member of the coordinator on this host is down for so long.
    MemberDown(u8, Span),
    /// The coordinator forgets old revisions: who watches must read anew.
    Compaction,
    /// Nothing passes between one corner of the access network and a host for so long; the corner is the first side.
    AccessCut(u8, u8, Direction, Span),
}
