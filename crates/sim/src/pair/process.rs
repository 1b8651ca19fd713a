//! One run of one server.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::net::SocketAddr;

use model::{Epoch, Incarnation, Time};
use network::address::Announcer;
use redundancy::coordinator::Reply;
use redundancy::hot_standby::{Effect, Engine, Replica, RoleName, Stamp, Taken};

use super::Side;
use super::far::Far;
use super::link::OnLink;
use super::streams::{Account, StreamAction};

/// What kind of server runs in a pair.
pub trait Service: Debug + Sized {
    /// Its decisions.
    type Engine: Engine<Output: Debug>;
    /// What comes out of its sockets, by way of the input ring.
    type Datagram: Clone + Debug;
    /// What comes on other ways and is repeated by whoever sent it if this process ends.
    type Aside: Debug;

    /// The engine of a fresh process on this side.
    fn engine(&self, side: Side) -> Self::Engine;

    /// Names the content of a datagram.
    fn fingerprint(datagram: &Self::Datagram) -> u64;

    /// Hands a datagram to the engine.
    fn feed(replica: &mut Replica<Self::Engine>, local: Time, mark: u64, datagram: &Self::Datagram) -> Taken;

    /// Hands something that came on another way to the engine.
    fn aside(replica: &mut Replica<Self::Engine>, local: Time, aside: &Self::Aside) -> Taken;

    /// The number of the `count`-th connection that is accepted in `epoch`.
    fn accepted_number(_epoch: Epoch, count: u64) -> u64 {
        count
    }

    /// Bytes of a connection, as an input for the ring.
    fn stream_bytes(_number: u64, _bytes: Vec<u8>) -> Option<Self::Datagram> {
        None
    }

    /// The end of a connection, as an input for the ring.
    fn stream_end(_number: u64) -> Option<Self::Datagram> {
        None
    }

    /// A connection stands; `accepted` from this address, or opened by this side.
    fn stream_opened(_: &mut Replica<Self::Engine>, _local: Time, _number: u64, _accepted: Option<SocketAddr>) {}

    /// A connection is gone.
    fn stream_closed(_: &mut Replica<Self::Engine>, _local: Time, _number: u64) {}

    /// A connection is gone with a predecessor.
    fn stream_lost(_: &mut Replica<Self::Engine>, _local: Time, _number: u64) {}

    /// The connections that the records know.
    fn connections(_: &Self::Engine) -> Vec<u64> {
        Vec::new()
    }

    /// What an output does to a connection; `None` if it is for something else.
    fn stream_action(_: &OutputOf<Self>) -> Option<StreamAction> {
        None
    }

    /// True if the last datagram ended the process.
    fn died(replica: &mut Replica<Self::Engine>) -> bool;

    /// The datagram, for the ladder.
    fn describe_datagram(datagram: &Self::Datagram) -> String;
}

/// The output type of a service.
pub(super) type OutputOf<S> = <<S as Service>::Engine as Engine>::Output;

/// News from the coordinator, as they wait in the socket.
#[derive(Debug)]
pub(super) enum FromControl {
    /// The connection stands.
    Up,
    /// The connection is gone.
    Down,
    /// An answer, or a change that was watched for.
    Says(Reply),
}

/// One run of one server.
pub struct Process<S: Service> {
    /// Which run.
    pub me: Incarnation,
    /// Its side of the protocol.
    pub replica: Replica<S::Engine>,
    /// Stopped by a signal.
    pub(super) stopped: bool,
    /// When it will be given the processor.
    pub(super) wake_at: Time,
    /// Effects that are not carried out yet.
    pub(super) todo: VecDeque<Effect<OutputOf<S>>>,
    /// Incarnations that have ended, not read yet.
    pub(super) facts: VecDeque<Incarnation>,
    /// What the coordinator said, and when it arrives.
    pub(super) from_control: VecDeque<(Time, FromControl)>,
    /// What came on other ways, and when it arrives.
    pub(super) asides: VecDeque<(Time, S::Aside)>,
    /// It has opened its doors.
    pub(super) is_open: bool,
    /// The pledge that outlives it.
    pub(super) pledge: Option<u64>,
    /// Links that wait to be accepted.
    pub(super) incoming: VecDeque<u64>,
    /// The link to the other side.
    pub(super) link: Option<u64>,
    /// What a link had taken for it that lasted as long as its writer did.
    pub(super) promised: Stamp,
    /// It is being connected with this peer.
    pub(super) dialling: Option<Incarnation>,
    /// The dialled link stands since the last turn.
    pub(super) answered: bool,
    /// Dialling or the link failed since the last turn.
    pub(super) failed_to_dial: bool,
    /// Frames that the link has not accepted yet, with their checkpoint; they die with the process.
    pub(super) unaccepted: VecDeque<(OnLink, Option<u64>)>,
    /// Until when the link accepts nothing.
    pub(super) stalled_until: Time,
    /// The TCP connections by number.
    pub(super) streams: BTreeMap<u64, Account>,
    /// Connections of an earlier link that the present one has not named.
    pub(super) stale: BTreeSet<u64>,
    /// Bytes that the primary wrote to connections that have not been handed over yet.
    pub(super) early: BTreeMap<u64, Vec<u8>>,
    /// How many connections it has accepted.
    pub(super) accepted: u64,
    /// What joins it to the other host.
    pub(super) far: Far,
    /// Says when the address is to be announced, while this process has it.
    pub(super) announcer: Option<Announcer>,
    /// The revision of the entry that it was told last.
    pub(super) told: u64,
    /// The connection to the coordinator.
    pub(super) session: Option<u64>,
    /// The journals are read and wait to be taken in.
    pub(super) journals_read: bool,
    /// The last checkpoint that it kept as a backup.
    pub(super) kept: Stamp,
    /// The epoch in which it has served last.
    pub(super) serves: Epoch,
}

impl<S: Service> Process<S> {
    pub(super) fn new(me: Incarnation, replica: Replica<S::Engine>) -> Self {
        Self {
            me,
            replica,
            stopped: false,
            wake_at: Time::NEVER,
            todo: VecDeque::new(),
            facts: VecDeque::new(),
            from_control: VecDeque::new(),
            asides: VecDeque::new(),
            is_open: false,
            pledge: None,
            incoming: VecDeque::new(),
            link: None,
            promised: Stamp::default(),
            dialling: None,
            answered: false,
            failed_to_dial: false,
            unaccepted: VecDeque::new(),
            stalled_until: Time::ZERO,
            streams: BTreeMap::new(),
            stale: BTreeSet::new(),
            early: BTreeMap::new(),
            accepted: 0,
            far: Far::default(),
            announcer: None,
            told: 0,
            session: None,
            journals_read: false,
            kept: Stamp::default(),
            serves: Epoch::default(),
        }
    }

    /// Notes what it keeps, before it may stop being a backup.
    pub(super) fn note_kept(&mut self) {
        let status = self.replica.status();
        if status.role == RoleName::Backup {
            self.kept = Stamp { epoch: status.epoch, sequence: status.sequence };
        }
    }

    /// True if it has nothing in hand.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.stopped && self.todo.is_empty() && self.unaccepted.is_empty()
    }
}
