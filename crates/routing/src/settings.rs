//! What the Routing Server is configured with, as plain data.

use model::Span;
use serde::{Deserialize, Serialize};

/// The agents and queues of one contact centre.
///
/// An agent's id and an extension are each used once; of two agents that share one, the engine knows the first
/// only. Whoever reads the configuration refuses it with the line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Who takes calls; of two agents that have waited equally long, the one who stands first here is rung first.
    pub agents: Vec<AgentSettings>,
    /// The routing points that callers wait at.
    pub queues: Vec<QueueSettings>,
}

/// An agent and the telephone on the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// The agent's id, `anna`.
    pub id: String,
    /// The extension that rings, `1001`.
    pub extension: String,
    /// Ready as soon as the extension can be reached, unless the agent chose otherwise.
    pub auto_ready: bool,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSettings {
    /// The number that callers dial, `9000`.
    pub number: String,
    /// Ids of the agents who serve it. Ids that no agent has are passed over.
    pub agents: Vec<String>,
    /// Callers that may wait, those for whom an agent rings included; the next one is refused with 486.
    pub capacity: usize,
    /// How long an agent's extension rings before the call counts as not answered.
    pub no_answer: Span,
}

impl Settings {
    /// The settings without agents and queues that repeat the id, extension or number of an earlier one.
    pub(crate) fn without_repeats(mut self) -> Self {
        let mut ids = std::collections::BTreeSet::new();
        let mut extensions = std::collections::BTreeSet::new();
        self.agents.retain(|agent| {
            let free = !ids.contains(&agent.id) && !extensions.contains(&agent.extension);
            free && ids.insert(agent.id.clone()) && extensions.insert(agent.extension.clone())
        });
        let mut numbers = std::collections::BTreeSet::new();
        self.queues.retain(|queue| numbers.insert(queue.number.clone()));
        self
    }
}
