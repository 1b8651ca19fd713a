//! What people see. For the side that serves: a backup derives nothing from its records.

use super::Engine;
use crate::index::DeskAt;
use crate::record::{Agent, Chosen, Extension};
use crate::request::{AgentRow, QueueRow, State};

/// Why an unreachable agent is unreachable: the extension has no contact.
const NOT_REACHABLE: &str = "not reachable";
/// Why an unreachable agent is unreachable: the extension has contacts, and none of them could be reached.
const NO_CONTACT_ANSWERS: &str = "no contact answers";

impl Engine {
    /// All agents, in the order of the settings.
    pub fn agents(&mut self) -> Vec<AgentRow> {
        (0..self.index.desks.len()).filter_map(|desk| self.row(desk)).collect()
    }

    /// All queues, in the order of the settings.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueRow> {
        let rows = self.settings.queues.iter().zip(&self.index.lines);
        rows.map(|(settings, line)| QueueRow {
            number: settings.number.clone(),
            waiting: line.waiting.len(),
            ringing: line.callers - line.waiting.len(),
            ready: line.ready.len(),
        })
        .collect()
    }

    pub(super) fn row(&mut self, at: DeskAt) -> Option<AgentRow> {
        let desk = &self.index.desks[at];
        let (agent, extension, state) = (desk.agent, desk.extension, desk.state);
        let chosen = self.get::<Agent>(agent)?.chosen.clone();
        let extension = self.get::<Extension>(extension)?;
        let reason = match (state, &chosen) {
            (State::NotReady, Chosen::NotReady(reason)) => reason.text(),
            (State::Unreachable, _) if extension.failed.is_some() => Some(NO_CONTACT_ANSWERS),
            (State::Unreachable, _) => Some(NOT_REACHABLE),
            _ => None,
        };
        let reason = reason.map(str::to_owned);
        let since = extension.since;
        let settings = &self.settings.agents[at];
        Some(AgentRow { id: settings.id.clone(), extension: settings.extension.clone(), state, reason, since })
    }
}
