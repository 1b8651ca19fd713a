//! What a run is made of: the layout, the delays, and every fault with its time.
//!
//! A plan is drawn from a seed ([`Plan::draw`]), is written as text that people can read and change
//! ([`std::fmt::Display`], [`std::str::FromStr`]), and can be made smaller while it still fails (see
//! [`crate::shrink`]). Everything that chance decides later (a delay, a lost datagram) comes from its seed.

mod draw;
mod fault;
mod kinds;
mod read;
mod scene;
mod script;
mod word;
mod write;

pub use fault::{Act, Direction, Fault, Ill, Kind, Moment, Point, Reach, Target, Who};
pub use read::BadPlan;
pub use scene::{Scene, Victims};
pub use script::{AGENTS, CallPlan, FORKED, Manner, Method, PhonePlan, QUEUE, Says};
pub use word::{name_of, name_of_world, sabotage_named, world_named};

use model::{Span, Time};
use redundancy::hot_standby::{Commit, Sabotage};

use crate::kernel::{Clock, Delay};

/// Where the two sides of a pair run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Both on one host: commit by publication, takeover when the primary has certainly ended (rule 16).
    OneHost,
    /// On two hosts: commit by acknowledgement, takeover on suspicion (rules 4 and 6). One connection joins them, the
    /// coordinator is one store, and the address of the pair follows whoever serves: the protocol alone.
    TwoHosts,
    /// On two of three hosts, with what lies around the protocol there (see [`crate::hosts`]): two networks under each
    /// link, a member of the coordinator on each host, an address that is claimed, announced and given up.
    ThreeHosts,
}

impl Layout {
    /// When a checkpoint counts as safe in this layout.
    #[must_use]
    pub const fn commit(self) -> Commit {
        match self {
            Self::OneHost => Commit::Published,
            Self::TwoHosts | Self::ThreeHosts => Commit::Acknowledged,
        }
    }
}

/// The network between clients and servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Datagrams lost, of a thousand.
    pub loss: u32,
    /// Datagrams that come twice, of a thousand.
    pub duplicates: u32,
    /// How long one takes; a wide range reorders them.
    pub delay: Delay,
}

impl Network {
    /// True if every datagram arrives once.
    #[must_use]
    pub const fn is_faithful(&self) -> bool {
        self.loss == 0 && self.duplicates == 0
    }
}

/// What runs in the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The toy server (see [`crate::toy`]): the protocol alone.
    Toy,
    /// The SIP Server and the Routing Server, with telephones (see [`crate::calls`]).
    Calls,
    /// The toy server on several hosts.
    ToyHosts,
    /// The SIP Server and the Routing Server on several hosts, with telephones.
    Hosts,
    /// The same, where each host serves at an address of its own: telephones know both, and what they say in a call goes to
    /// the one that they were told last.
    OwnAddresses,
}

impl World {
    /// True if it has telephones.
    #[must_use]
    pub const fn has_calls(self) -> bool {
        matches!(self, Self::Calls | Self::Hosts | Self::OwnAddresses)
    }
}

/// Everything that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where chance begins.
    pub seed: u64,
    /// What runs in the pairs.
    pub world: World,
    /// The broken rule, if any.
    pub sabotage: Sabotage,
    /// Where the servers run.
    pub layout: Layout,
    /// The telephones, in a world of calls.
    pub phones: Vec<PhonePlan>,
    /// The calls, in a world of calls.
    pub calls: Vec<CallPlan>,
    /// How many clients there are, in a world of the toy.
    pub clients: u8,
    /// Clients repeat nothing: only where nothing may be lost on the way (one host, a faithful network).
    pub patient: bool,
    /// The network to the clients.
    pub network: Network,
    /// Delay of a frame on the link.
    pub link: Delay,
    /// Frames that the link does not accept at once, of a thousand.
    pub stalls: u32,
    /// Delay of a request to the coordinator and of its answer, each.
    pub control: Delay,
    /// From the end of a process to its next start.
    pub restart: Delay,
    /// Until the other side is told that a process has ended.
    pub telling: Delay,
    /// Between something that wakes a process and its next turn.
    pub scheduler: Delay,
    /// The clocks of the hosts.
    pub clocks: [Clock; 2],
    /// When the faults stop: from then on everything must come to rest.
    pub calm: Time,
    /// The faults, in the order of their times.
    pub faults: Vec<Fault>,
    /// What strikes at the moment at which a trap gives its signal.
    pub signalled: Vec<Kind>,
}

impl Plan {
    /// A plan in which everything works: the point from which cases are built by hand.
    #[must_use]
    pub fn quiet(seed: u64, layout: Layout) -> Self {
        Self {
            seed,
            world: World::Toy,
            sabotage: Sabotage::None,
            layout,
            phones: Vec::new(),
            calls: Vec::new(),
            clients: 2,
            patient: layout == Layout::OneHost,
            network: Network { loss: 0, duplicates: 0, delay: Delay::micros(200, 1_000) },
            link: Delay::micros(20, 200),
            stalls: 0,
            control: Delay::micros(100, 1_000),
            restart: Delay::micros(20_000, 60_000),
            telling: Delay::micros(100, 500),
            scheduler: Delay::micros(0, 30),
            clocks: [Clock { offset: 0, drift: 0, wall: 1_795_500_000_000_000 }; 2],
            calm: Time::ZERO + Span::from_secs(1),
            faults: Vec::new(),
            signalled: Vec::new(),
        }
    }
}
