//! What the interface answers, field by field. Others rely on these names.

use jiff::Timestamp;
use serde::Serialize;

use crate::wire::{AgentRow, ApplicationRow, CallRow, DetectionRow, Hold, Role, ServerReport, Trouble};

/// `GET /v1/status`
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) solution: String,
    pub(super) applications: Vec<Application>,
    /// Of several hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coordinator: Option<Coordinator>,
    /// Of the configuration that several hosts share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configuration: Option<Versions>,
    /// What was noticed since the local control agents began.
    pub(super) detections: Vec<Detection>,
}

/// The coordinator of several hosts, as the host that answers sees it.
#[derive(Debug, Serialize)]
pub(super) struct Coordinator {
    /// The hosts of its members that cannot be asked, or where these are, if somebody else keeps them.
    pub(super) members_missing: Vec<String>,
}

/// What was noticed of one thing, times in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Detection {
    /// What, as `docs/hot-standby.md` names it: `exit`.
    name: String,
    /// The host where it was noticed.
    host: String,
    /// The application that has noticed it.
    application: String,
    /// What was not as it should be: an application, a thread of one, a network, an address.
    about: String,
    /// How often.
    count: u64,
    /// From the last good sign to when it was noticed, the last time.
    last_ms: f64,
    /// The same, the longest time.
    max_ms: f64,
    /// When it was noticed last (RFC 3339).
    last_at: String,
    /// It is so now, for all that is known.
    on: bool,
    /// How long it lasted, the last time that it came to an end.
    lasted_ms: Option<f64>,
}

impl Detection {
    /// What was noticed on `host`.
    pub(super) fn new(row: DetectionRow, host: &str) -> Self {
        let DetectionRow { what, by, about, count, last, max, at, is_on, lasted } = row;
        Self {
            name: what,
            host: host.to_owned(),
            application: by,
            about,
            count,
            last_ms: millis(last),
            max_ms: millis(max),
            last_at: date(at),
            on: is_on,
            lasted_ms: lasted.map(millis),
        }
    }
}

/// Microseconds as milliseconds.
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// Versions of the configuration, as far as this host knows.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Versions {
    /// The newest one that it has seen.
    pub(super) newest: u64,
    /// The one that its processes run with.
    pub(super) running: u64,
}

/// One application. What only servers in pairs have is null for the others.
#[derive(Debug, Serialize)]
pub(super) struct Application {
    pub(super) name: String,
    pub(super) pair: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) state: String,
    pub(super) pid: Option<u32>,
    pub(super) host: String,
    pub(super) run: Option<u64>,
    pub(super) epoch: Option<u64>,
    pub(super) ready: bool,
    pub(super) level: Option<bool>,
    pub(super) lag: Option<u64>,
    pub(super) records: Option<u64>,
    pub(super) state_hash: Option<String>,
    /// How long answers of a primary wait for its backup.
    pub(super) hold: Option<Holding>,
    pub(super) note: Option<String>,
    pub(super) trouble: Option<Trouble>,
}

impl Application {
    /// An application of `host` as the LCA there sees it, with what it says of itself now.
    pub(super) fn new(row: ApplicationRow, now: Option<ServerReport>, host: &str) -> Self {
        let noted = row.report.as_ref().and_then(|report| report.note.clone());
        let told = now.or(row.report);
        // The agent knows what the application says of itself, and more.
        let note = noted.or_else(|| told.as_ref().and_then(|report| report.note.clone()));
        let report = told.filter(|_| row.pair.is_some());
        let is_started = row.state == "started";
        let ready = if row.pair.is_some() { report.as_ref().is_some_and(|report| report.ready) } else { true };
        Self {
            ready: is_started && ready,
            name: row.name,
            pair: row.pair,
            role: report.as_ref().and_then(|report| report.role),
            state: row.state,
            pid: row.pid,
            host: host.to_owned(),
            run: (row.run > 0).then_some(row.run),
            epoch: report.as_ref().map(|report| report.epoch.0),
            level: report.as_ref().map(|report| report.level),
            lag: report.as_ref().map(|report| report.lag),
            records: report.as_ref().map(|report| report.records),
            state_hash: report.as_ref().map(|report| format!("{:016x}", report.state_hash)),
            hold: report.as_ref().and_then(|report| report.hold).map(Holding::from),
            note,
            trouble: row.trouble,
        }
    }
}

/// How long answers waited for the backup, times in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Holding {
    /// Half of them waited no longer.
    p50_ms: f64,
    /// 99 of 100 waited no longer.
    p99_ms: f64,
    max_ms: f64,
    /// The way to the backup and back, if that is on another host.
    round_trip_ms: Option<f64>,
}

impl From<Hold> for Holding {
    fn from(hold: Hold) -> Self {
        let Hold { median, p99, longest, round_trip } = hold;
        Self {
            p50_ms: millis(median),
            p99_ms: millis(p99),
            max_ms: millis(longest),
            round_trip_ms: round_trip.map(millis),
        }
    }
}

/// `GET /v1/hosts`
#[derive(Debug, Serialize)]
pub(super) struct Hosts {
    pub(super) hosts: Vec<Host>,
}

/// One host.
#[derive(Debug, Serialize)]
pub(super) struct Host {
    pub(super) name: String,
    /// It is the one that answers.
    pub(super) here: bool,
    /// Its local control agent answers.
    pub(super) reachable: bool,
    /// One in each network between the hosts.
    pub(super) addresses: Vec<String>,
    /// The servers that are known to be there.
    pub(super) applications: Vec<String>,
}

/// `GET /v1/health`
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// Every pair has a primary that serves.
    pub(super) healthy: bool,
    pub(super) pairs: Vec<PairHealth>,
}

/// One pair.
#[derive(Debug, Serialize)]
pub(super) struct PairHealth {
    pub(super) name: String,
    /// The application that serves.
    pub(super) primary: Option<String>,
    /// The backup could take over now.
    pub(super) level: bool,
}

impl PairHealth {
    /// The pair of this name, among the applications.
    pub(super) fn new(name: &str, applications: &[Application]) -> Self {
        let of_pair = || applications.iter().filter(|one| one.pair.as_deref() == Some(name) && one.ready);
        let primary = of_pair().find(|one| one.role == Some(Role::Primary));
        let level =
            of_pair().any(|one| one.role == Some(Role::Backup)) && primary.is_some_and(|one| one.level == Some(true));
        Self { name: name.into(), primary: primary.map(|one| one.name.clone()), level }
    }
}

/// `GET /v1/calls`
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
}

/// One call.
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

/// `GET /v1/agents`
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

/// Microseconds since 1970 as people and programs write it (RFC 3339), to the second.
pub(super) fn date(micros: u64) -> String {
    let seconds = i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_to_the_second() {
        assert_eq!(date(1_795_510_800_999_999), "2026-11-24T09:00:00Z");
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(u64::MAX), "9999-12-30T22:00:00.999999999Z");
    }
}
