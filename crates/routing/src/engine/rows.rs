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
        let auto_ready = self.settings.agents[at].auto_ready;
        let extension = self.get::<Extension>(extension)?;
        let reason = match (state, &chosen) {
            (State::NotReady, Chosen::NotReady(reason)) => reason.text().map(str::to_owned),
            (State::Unreachable, _) if extension.failed.is_some() => {
                Some(format!("{NO_CONTACT_ANSWERS}, {}", then(&chosen)))
            }
            // The return of the extension undoes what the agent has not chosen.
            (State::Unreachable, chosen) if auto_ready && chosen.is_imposed() => {
                Some(format!("{NOT_REACHABLE}, {}", then(&Chosen::Ready)))
            }
            (State::Unreachable, chosen) => Some(format!("{NOT_REACHABLE}, {}", then(chosen))),
            (State::Busy | State::Ringing, chosen @ Chosen::NotReady(_)) => Some(then(chosen)),
            _ => None,
        };
        let since = extension.since;
        let settings = &self.settings.agents[at];
        Some(AgentRow { id: settings.id.clone(), extension: settings.extension.clone(), state, reason, since })
    }
}

/// What the agent will be when nothing stands against it any more.
fn then(chosen: &Chosen) -> String {
    match chosen {
        Chosen::Ready => "then ready".into(),
        Chosen::NotReady(reason) => {
            reason.text().map_or_else(|| "then not ready".into(), |why| format!("then not ready: {why}"))
        }
    }
}
