//! `everline agents` and `everline agent`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::cli::{AgentState, Listing};
use crate::config::suggest;
use crate::control::Control;
use crate::failure::{Failure, Kind};
use crate::output::{self, age, good, optional, plain, table};

/// The answer to `GET /v1/agents`.
#[derive(Debug, Deserialize)]
struct Agents {
    agents: Vec<Agent>,
}

#[derive(Debug, Deserialize)]
struct Agent {
    id: String,
    extension: String,
    state: String,
    reason: Option<String>,
    since: String,
}

/// Shows the agents.
///
/// # Errors
/// If the control server does not answer.
pub(crate) fn run(control: &Control<'_>, listing: Listing) -> Result<(), Failure> {
    super::list(control, "/v1/agents", listing, |agents: &Agents| {
        let now = Timestamp::now();
        let row = |agent: &Agent| {
            let Agent { id, extension, state, reason, since } = agent;
            let state = if state == "ready" { good(state) } else { plain(state) };
            [plain(id), plain(extension), state, optional(reason.as_deref()), plain(age(since, now))]
        };
        let rows: Vec<_> = agents.agents.iter().map(row).collect();
        table(["ID", "EXTENSION", "STATE", "REASON", "FOR"], &rows, "no agents")
    })
}

/// Puts the agent with this id or extension into a state, and says what became of it.
///
/// # Errors
/// If the reason makes no sense, there is no such agent, or the control server refuses or does not answer.
pub(crate) fn set(control: &Control<'_>, number: &str, state: AgentState, reason: Option<&str>) -> Result<(), Failure> {
    match (state, reason.map(str::trim)) {
        (AgentState::Ready, Some(_)) => return wrong("--reason goes with not-ready: who is ready needs none"),
        (AgentState::NotReady, Some("")) => return wrong("--reason is empty: say why, or leave it away"),
        _ => {}
    }
    let id = find(&agents(control)?, number)?.id.clone();
    let request_id = name()?;
    let (verb, body) = match state {
        AgentState::Ready => ("ready", json!({ "request_id": request_id })),
        AgentState::NotReady => ("not-ready", json!({ "request_id": request_id, "reason": reason })),
    };
    control.post_named(&format!("/v1/agents/{id}/{verb}"), &body)?;
    let agents = agents(control)?;
    output::result(&format!("agent {id} {}\n", outcome(find(&agents, &id)?, state)))
}

fn wrong(what: &str) -> Result<(), Failure> {
    Err(Failure::new(Kind::Wrong, what).help("see `everline agent --help`"))
}

fn agents(control: &Control<'_>) -> Result<Agents, Failure> {
    super::understand(&control.get("/v1/agents")?)
}

/// What the agent is, or will be, after the order to be `wanted`.
fn outcome(agent: &Agent, wanted: AgentState) -> String {
    let extension = &agent.extension;
    let words = if wanted == AgentState::Ready { "ready" } else { "not ready" };
    match (agent.state.as_str(), wanted) {
        ("ready", AgentState::Ready) | ("not-ready", AgentState::NotReady) => format!("is {words}"),
        ("unreachable", AgentState::Ready) => format!("will be {words} when {extension} can be reached"),
        ("unreachable", AgentState::NotReady) => format!("is {words}, and {extension} cannot be reached"),
        ("busy" | "ringing", _) => format!("will be {words} when the call at {extension} has ended"),
        (now, _) => format!("was put {words}, and is {now} again already"),
    }
}

/// A name that no other order has.
fn name() -> Result<String, Failure> {
    let number = getrandom::u64();
    let number = number.map_err(|error| Failure::failed(format!("the system has no random numbers: {error}")))?;
    Ok(format!("{number:016x}"))
}

fn find<'a>(agents: &'a Agents, number: &str) -> Result<&'a Agent, Failure> {
    let agents = &agents.agents;
    let found = agents.iter().find(|agent| agent.id == number);
    if let Some(agent) = found.or_else(|| agents.iter().find(|agent| agent.extension == number)) {
        return Ok(agent);
    }
    let known = agents.iter().flat_map(|agent| [agent.id.as_str(), agent.extension.as_str()]);
    let failure = Failure::failed(format!("there is no agent with the id or extension \"{number}\""));
    Err(match suggest(number, known) {
        Some(meant) => failure.help(format!("did you mean \"{meant}\"? `everline agents` lists all")),
        None => failure.help("`everline agents` lists all"),
    })
}
