//! The state of the model: two replicas, one link, one coordinator with requests on their way, and what is left of the
//! faults.

use std::collections::{BTreeMap, VecDeque};

use model::{Epoch, Incarnation, Span, Time};
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};
use redundancy::hot_standby::{Commit, Replica, RoleName, Sabotage, Settings, Stamp};

use super::mini::Mini;
use crate::checkers::one_primary::OnePrimary;

/// How much of everything the search may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// When a checkpoint counts as safe.
    pub commit: Commit,
    /// The broken rule.
    pub sabotage: Sabotage,
    /// Inputs.
    pub inputs: u8,
    /// Kills, between any two effects.
    pub kills: u8,
    /// Breaks of the link.
    pub breaks: u8,
    /// Breaks of a connection to the coordinator, with requests on their way.
    pub losses: u8,
    /// Times that a server looks at its clock and finds that much of it has passed.
    pub ticks: u8,
    /// Planned switchovers.
    pub switchovers: u8,
}

impl Budget {
    /// What is explored for a way to commit: several small worlds, each rich in another kind of fault, because one that
    /// is rich in all of them has no end.
    #[must_use]
    pub fn ladder(commit: Commit) -> Vec<Self> {
        let none = Self {
            commit,
            sabotage: Sabotage::None,
            inputs: 0,
            kills: 0,
            breaks: 0,
            losses: 0,
            ticks: 0,
            switchovers: 0,
        };
        // On one host a link ends with one of its ends only, and what it had accepted is read before that.
        let breaks = u8::from(commit == Commit::Acknowledged);
        vec![
            Self { inputs: 2, kills: 1, losses: 1, ..none },
            Self { inputs: 1, kills: 2, ticks: 1, ..none },
            Self { inputs: 1, breaks, losses: 1, ticks: 2, ..none },
            Self { inputs: 1, kills: 1, switchovers: 1, ticks: 1, ..none },
            Self { kills: 1, losses: 1, switchovers: 1, ..none },
            Self { inputs: 2, kills: 1, breaks, losses: 1, ticks: 1, ..none },
        ]
    }
}

/// One process.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) me: Incarnation,
    pub(super) replica: Replica<Mini>,
    /// Its own clock; it stands still but for ticks.
    pub(super) clock: Time,
    pub(super) dialling: Option<Incarnation>,
    pub(super) linked: bool,
    /// Requests that the coordinator has not seen.
    pub(super) requests: VecDeque<Request>,
    /// Answers that the server has not seen.
    pub(super) replies: VecDeque<Reply>,
    pub(super) watches: bool,
    /// Ends that it has not been told of, with their last words.
    pub(super) facts: VecDeque<(Incarnation, Option<u64>)>,
    /// The pledge that outlives it (rule 18).
    pub(super) pledge: Option<u64>,
    /// The last checkpoint that it kept as a backup.
    pub(super) kept: Stamp,
    /// The epoch in which it has served last.
    pub(super) serves: Epoch,
}

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) budget: Budget,
    pub(super) servers: [Option<Server>; 2],
    pub(super) runs: [u64; 2],
    /// Frames towards each side.
    pub(super) pipes: [VecDeque<Vec<u8>>; 2],
    /// Each side is to see the end of the link behind the frames.
    pub(super) ends: [bool; 2],
    pub(super) accepted: Stamp,
    /// A living side has let go of a link.
    pub(super) parted: bool,
    pub(super) entry: Option<Versioned>,
    pub(super) revision: u64,
    /// Requests whose senders have given them up; each may be carried out at any time, or never.
    pub(super) loose: Vec<Request>,
    /// The pledges of those that have ended.
    pub(super) last_words: BTreeMap<Incarnation, u64>,
    pub(super) one_primary: OnePrimary,
    pub(super) broken: Option<String>,
}

/// Both applications, by side.
pub(super) const NAMES: [&str; 2] = ["a", "b"];

impl Server {
    pub(super) fn new(side: usize, run: u64, budget: &Budget) -> Self {
        let me = Incarnation::new(NAMES[side], run);
        let mut settings = Settings::new(me.clone(), Some(NAMES[1 - side].to_owned()), budget.commit, 1);
        settings.sabotage = budget.sabotage;
        Self {
            me,
            replica: Replica::new(Mini::default(), settings),
            clock: Time::ZERO + Span::from_secs(1),
            dialling: None,
            linked: false,
            requests: VecDeque::new(),
            replies: VecDeque::new(),
            watches: false,
            facts: VecDeque::new(),
            pledge: None,
            kept: Stamp::default(),
            serves: Epoch::default(),
        }
    }

    pub(super) fn fork(&self) -> Self {
        Self {
            me: self.me.clone(),
            replica: self.replica.fork(),
            clock: self.clock,
            dialling: self.dialling.clone(),
            linked: self.linked,
            requests: self.requests.clone(),
            replies: self.replies.clone(),
            watches: self.watches,
            facts: self.facts.clone(),
            pledge: self.pledge,
            kept: self.kept,
            serves: self.serves,
        }
    }

    pub(super) fn note_kept(&mut self) {
        let status = self.replica.status();
        if status.role == RoleName::Backup {
            self.kept = Stamp { epoch: status.epoch, sequence: status.sequence };
        }
    }
}

impl State {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            servers: [None, None],
            runs: [0, 0],
            pipes: [VecDeque::new(), VecDeque::new()],
            ends: [false, false],
            accepted: Stamp::default(),
            parted: false,
            entry: None,
            revision: 0,
            loose: Vec::new(),
            last_words: BTreeMap::new(),
            one_primary: OnePrimary::default(),
            broken: None,
        }
    }

    pub(super) fn fork(&self) -> Self {
        Self {
            budget: self.budget,
            servers: [0, 1].map(|side| self.servers[side].as_ref().map(Server::fork)),
            runs: self.runs,
            pipes: self.pipes.clone(),
            ends: self.ends,
            accepted: self.accepted,
            parted: self.parted,
            entry: self.entry.clone(),
            revision: self.revision,
            loose: self.loose.clone(),
            last_words: self.last_words.clone(),
            one_primary: self.one_primary.clone(),
            broken: self.broken.clone(),
        }
    }

    pub(super) fn entry(&self) -> Option<&PairEntry> {
        self.entry.as_ref().map(|versioned| &versioned.entry)
    }

    pub(super) fn server_of(&self, who: &Incarnation) -> Option<&Server> {
        self.servers.iter().flatten().find(|server| server.me == *who)
    }

    /// Up to which checkpoint of `epoch` a living incarnation holds the records.
    pub(super) fn holds(&self, who: &Incarnation, epoch: Epoch) -> Option<u64> {
        let server = self.server_of(who)?;
        let status = server.replica.status();
        let kept = match status.role {
            RoleName::Backup => Stamp { epoch: status.epoch, sequence: status.sequence },
            _ => server.kept,
        };
        let published = (self.budget.commit == Commit::Published && server.linked).then_some(self.accepted);
        let known = [Some(kept), published].into_iter().flatten().filter(|one| one.epoch == epoch);
        Some(known.map(|one| one.sequence).max().unwrap_or(0))
    }
}
