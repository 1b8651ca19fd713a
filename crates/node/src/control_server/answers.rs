//! The JSON that programs rely on: names stay, fields are only added.

use jiff::Timestamp;
use serde::Serialize;

use crate::wire::{AgentRow, ApplicationRow, CallRow, Role, Trouble};

/// `GET /v1/status`.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) solution: String,
    pub(super) applications: Vec<Application>,
}

/// One process of the solution.
#[derive(Debug, Serialize)]
pub(super) struct Application {
    name: String,
    pair: Option<String>,
    role: Option<Role>,
    state: String,
    pid: Option<u32>,
    run: u64,
    host: &'static str,
    epoch: Option<u64>,
    ready: Option<bool>,
    level: Option<bool>,
    lag: Option<u64>,
    records: Option<u64>,
    state_hash: Option<String>,
    note: Option<String>,
}

impl From<ApplicationRow> for Application {
    fn from(row: ApplicationRow) -> Self {
        let paired = row.pair.is_some();
        let report = row.report.filter(|_| paired);
        let report = report.as_ref();
        Self {
            role: report.and_then(|report| report.role),
            epoch: report.map(|report| report.epoch.0),
            ready: report.map(|report| report.ready),
            level: report.map(|report| report.level),
            lag: report.map(|report| report.lag),
            records: report.map(|report| report.records),
            state_hash: report.map(|report| format!("{:016x}", report.state_hash)),
            note: report.and_then(|report| report.note.clone()).or(row.trouble.map(|trouble| trouble.to_string())),
            name: row.name,
            pair: row.pair,
            state: row.state,
            pid: row.pid,
            run: row.run,
            host: "h1",
        }
    }
}

/// `GET /v1/calls`.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
}

/// One call in progress.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    id: String,
    state: String,
    from: String,
    to: String,
    queue: Option<String>,
    agent: Option<String>,
    since: String,
}

impl From<CallRow> for Call {
    fn from(row: CallRow) -> Self {
        let CallRow { id, state, from, to, queue, agent, since } = row;
        Self { id, state, from, to, queue, agent, since: date(since) }
    }
}

/// `GET /v1/agents`.
#[derive(Debug, Serialize)]
pub(super) struct Agents {
    pub(super) agents: Vec<Agent>,
}

/// One agent.
#[derive(Debug, Serialize)]
pub(super) struct Agent {
    id: String,
    extension: String,
    state: String,
    reason: Option<String>,
    since: String,
}

impl From<AgentRow> for Agent {
    fn from(row: AgentRow) -> Self {
        let AgentRow { id, extension, state, reason, since } = row;
        Self { id, extension, state, reason, since: date(since) }
    }
}

/// An order was carried out.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) done: bool,
}

/// An error.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    pub(super) error: Trouble,
}

/// A time of day as RFC 3339 has it, in UTC, to the second.
fn date(micros: u64) -> String {
    let seconds = i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_interface() {
        assert_eq!(date(1_795_510_800_123_456), "2026-11-24T09:00:00Z");
    }
}
