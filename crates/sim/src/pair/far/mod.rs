//! The link of a pair on two hosts, as its shell makes it (`node::server::far` and `remote`): the real [`Bundle`] over one
//! connection through each network, with the same first words, the same pauses and the same patience.

mod cable;
mod greeting;
mod needed;
mod turn;

use std::collections::{BTreeMap, VecDeque};

use model::{Span, Time, hash64};
use redundancy::bundle::{Bundle, Door};
use redundancy::hot_standby::Sabotage;

pub(super) use cable::Cables;

use super::Side;
use crate::checkers::Verdict;
use crate::hosts::NETWORKS;

/// Time between heartbeats on each network.
const HEARTBEAT: Span = Span::from_millis(50);
/// Pause before a network is tried again.
const RETRY: Span = Span::from_millis(50);
/// How long a connection may take to stand.
const CONNECT_PATIENCE: Span = Span::from_millis(500);
/// Octets that may wait for the other side.
const ROOM: usize = 8 << 20;

/// What joins the process of a side to the other host.
#[derive(Debug, Default)]
pub(super) struct Far {
    /// Connections that have not said yet what they are for, and whether they were answered.
    guests: BTreeMap<u64, bool>,
    remote: Option<Remote>,
    /// The link was dialled from here, and is not known to stand yet.
    dials: bool,
    /// How many links were dialled from here.
    dialled: u64,
    /// Which links of the other side were taken.
    door: Door,
}

/// One connection of a link.
#[derive(Clone, Copy, Debug)]
enum Path {
    /// There is none; who dialled tries again then.
    Down {
        retry: Time,
    },
    /// It is being made, until then at the latest.
    Opening {
        cable: u64,
        until: Time,
    },
    Stands(u64),
}

/// The link.
#[derive(Debug)]
struct Remote {
    link: Link,
    dialled: bool,
    bundle: Bundle,
    paths: [Path; NETWORKS],
    came: VecDeque<Vec<u8>>,
    /// It has stood; once it stands no more, it is over.
    has_stood: bool,
}

impl Path {
    const fn cable(self) -> Option<u64> {
        match self {
            Self::Down { .. } => None,
            Self::Opening { cable, .. } | Self::Stands(cable) => Some(cable),
        }
    }
}

impl Remote {
    fn new(link: Link, dialled: bool, sabotage: Sabotage) -> Self {
        let retry = if dialled { Time::ZERO } else { Time::NEVER };
        let mut bundle = Bundle::new(NETWORKS, HEARTBEAT, ROOM);
        bundle.break_rule(sabotage);
        let paths = [Path::Down { retry }; NETWORKS];
        Self { link, dialled, bundle, paths, came: VecDeque::new(), has_stood: false }
    }

    fn is_over(&self, now: Time) -> bool {
        let fails = |path: &Path| match path {
            Path::Down { .. } => true,
            Path::Opening { until, .. } => *until <= now,
            Path::Stands(_) => false,
        };
        self.bundle.is_down() && self.came.is_empty() && (self.has_stood || self.paths.iter().all(fails))
    }

    /// When it has something to do, if nothing comes.
    fn deadline(&self) -> Time {
        let of_path = |path: &Path| match path {
            Path::Down { .. } if self.has_stood && self.bundle.is_down() => Time::NEVER,
            Path::Down { retry } => *retry,
            Path::Opening { until, .. } => *until,
            Path::Stands(_) => Time::NEVER,
        };
        self.paths.iter().map(of_path).fold(self.bundle.deadline(), Time::min)
    }
}

impl Far {
    /// When it has something to do, by the clock of its host.
    pub(super) fn deadline(&self) -> Time {
        self.remote.as_ref().map_or(Time::NEVER, Remote::deadline)
    }

    /// True while the link stands, over whichever network.
    pub(super) fn is_linked(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| !remote.bundle.is_down())
    }

    /// Every connection that it holds.
    pub(super) fn cables(&self) -> Vec<u64> {
        let paths = self.remote.iter().flat_map(|remote| remote.paths).filter_map(Path::cable);
        self.guests.keys().copied().chain(paths).collect()
    }
}

/// A link: the side that has dialled it, the run of its process, and how many that one has dialled.
type Link = (Side, u64, u64);

/// What was said on each link and has not been heard, in order: a link of several networks brings each message once.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<Link, [VecDeque<u64>; 2]>);

impl Ledger {
    fn says(&mut self, link: Link, side: Side, message: &[u8]) {
        self.0.entry(link).or_default()[side].push_back(hash64(message));
    }

    fn hears(&mut self, link: Link, from: Side, message: &[u8]) -> Verdict {
        let next = self.0.entry(link).or_default()[from].pop_front();
        crate::checkers::link::brings(next == Some(hash64(message)))
    }
}
