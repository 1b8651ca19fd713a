//! What is derived from settings and records so that a decision costs no search.

use std::collections::{BTreeMap, BTreeSet};

use model::route::CallNumber;
use model::{RecordKey, Time};

use crate::record::{agent_key, extension_key};
use crate::request::State;
use crate::settings::Settings;

/// Position of an agent in the settings.
pub(crate) type DeskAt = usize;
/// Position of a queue in the settings.
pub(crate) type LineAt = usize;

/// Who is ready and who waits, in the order in which they are served.
#[derive(Debug, Default)]
pub(crate) struct Index {
    agents: BTreeMap<String, DeskAt>,
    extensions: BTreeMap<String, DeskAt>,
    queues: BTreeMap<String, LineAt>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) lines: Vec<Line>,
    /// How many callers there are in all queues.
    pub(crate) callers: usize,
    /// How many answered requests are remembered.
    pub(crate) answered: usize,
}

/// One agent.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) agent: RecordKey,
    pub(crate) extension: RecordKey,
    pub(crate) state: State,
    /// The call that the agent rings for.
    pub(crate) offer: Option<CallNumber>,
    lines: Vec<LineAt>,
    /// Under which time the agent stands among the ready.
    ready: Option<Time>,
}

/// One queue.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Callers for whom nobody rings.
    pub(crate) waiting: BTreeSet<(Time, CallNumber)>,
    /// Agents who could take a caller, the longest idle first.
    pub(crate) ready: BTreeSet<(Time, DeskAt)>,
    /// Callers in the queue, those for whom an agent rings included.
    pub(crate) callers: usize,
}

impl Index {
    /// Nobody is ready and nobody waits yet.
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut index = Self::default();
        for (at, agent) in settings.agents.iter().enumerate() {
            index.agents.insert(agent.id.clone(), at);
            index.extensions.insert(agent.extension.clone(), at);
            index.desks.push(Desk {
                agent: agent_key(&agent.id),
                extension: extension_key(&agent.extension),
                state: State::Unreachable,
                offer: None,
                lines: Vec::new(),
                ready: None,
            });
        }
        for (at, queue) in settings.queues.iter().enumerate() {
            index.queues.insert(queue.number.clone(), at);
            index.lines.push(Line::default());
            let serving: BTreeSet<DeskAt> = queue.agents.iter().filter_map(|id| index.desk_of(id)).collect();
            for desk in serving {
                index.desks[desk].lines.push(at);
            }
        }
        index
    }

    /// Forgets who is ready, who waits and who rings.
    pub(crate) fn clear(&mut self) {
        self.lines.fill_with(Line::default);
        for desk in &mut self.desks {
            (desk.state, desk.offer, desk.ready) = (State::Unreachable, None, None);
        }
        (self.callers, self.answered) = (0, 0);
    }

    pub(crate) fn desk_of(&self, agent: &str) -> Option<DeskAt> {
        self.agents.get(agent).copied()
    }

    pub(crate) fn desk_at(&self, extension: &str) -> Option<DeskAt> {
        self.extensions.get(extension).copied()
    }

    pub(crate) fn line_of(&self, queue: &str) -> Option<LineAt> {
        self.queues.get(queue).copied()
    }

    /// Puts the agent among the ready, idle since that time, or takes the agent out. Returns the queues that the
    /// agent can serve from now on, none if the agent was there already.
    pub(crate) fn set_ready(&mut self, at: DeskAt, ready: Option<Time>) -> &[LineAt] {
        let desk = &mut self.desks[at];
        let before = std::mem::replace(&mut desk.ready, ready);
        if before == ready {
            return &[];
        }
        for line in &desk.lines {
            let line = &mut self.lines[*line];
            if let Some(since) = before {
                line.ready.remove(&(since, at));
            }
            if let Some(since) = ready {
                line.ready.insert((since, at));
            }
        }
        if ready.is_some() { &desk.lines } else { &[] }
    }
}
