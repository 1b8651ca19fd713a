//! What `everline status --json` says, as far as a drill wants to know it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The whole solution.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Status {
    /// Its applications.
    pub applications: Vec<Application>,
    /// Its coordinator, where there are several hosts.
    #[serde(default)]
    pub coordinator: Coordinator,
}

/// The coordinator of several hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Coordinator {
    /// The hosts whose members of it some host cannot ask: such a host may be back, and its member is not yet.
    pub members_missing: BTreeSet<String>,
}

/// One running application.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// The pair that it belongs to.
    pub pair: Option<String>,
    /// `primary` or `backup`.
    pub role: Option<String>,
    /// `started` and the like.
    pub state: String,
    /// Its process, where that is known.
    pub pid: Option<u32>,
    /// The host that it runs on; empty where there is one only.
    #[serde(default)]
    pub host: String,
    /// It serves, or could take over.
    #[serde(default)]
    pub ready: bool,
    /// The epoch that it follows.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The hash of its records.
    #[serde(default)]
    pub state_hash: Option<String>,
    /// How many they are.
    #[serde(default)]
    pub records: Option<u64>,
    /// Of a member of a pair: both sides hold the same.
    #[serde(default)]
    pub level: Option<bool>,
    /// Of a primary: how long its answers wait for its backup.
    #[serde(default)]
    pub hold: Option<Hold>,
}

/// How long the answers of a primary waited for its backup, times in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Hold {
    /// Half of the last ones waited no longer.
    pub p50_ms: f64,
    /// The way to the backup and back, as the link measures it; none on one host.
    pub round_trip_ms: Option<f64>,
}

/// The pairs of a new solution.
pub const PAIRS: [&str; 2] = ["sip", "routing"];

impl Status {
    /// The process of the first application of this name whose process is known.
    #[must_use]
    pub fn pid_of(&self, name: &str) -> Option<u32> {
        self.applications.iter().filter(|application| application.name == name).find_map(|application| application.pid)
    }

    /// The application that has this role in this pair.
    #[must_use]
    pub fn in_role(&self, pair: &str, role: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.pair.as_deref() == Some(pair) && application.role.as_deref() == Some(role))
    }

    /// Whether every application runs, and every pair has a primary and a backup that could take over.
    #[must_use]
    pub fn is_level(&self) -> bool {
        // A spare that nobody needs is stopped, as it was asked to be.
        let runs = |application: &Application| {
            // Of the agent of another host only that is known that it answers.
            let has_process = application.pid.is_some() || application.name == "lca";
            application.state == "stopped" || application.state == "started" && has_process
        };
        let could = |application: &Application| application.ready && application.level != Some(false);
        let has = |pair, role| self.in_role(pair, role).is_some_and(could);
        self.applications.iter().all(runs)
            && self.coordinator.members_missing.is_empty()
            && PAIRS.iter().all(|pair| has(pair, "primary") && has(pair, "backup"))
            && ["control", "lca"].iter().all(|name| self.pid_of(name).is_some())
    }

    /// How many applications of this pair say that they are its primary.
    #[must_use]
    pub fn primaries(&self, pair: &str) -> usize {
        let is_one = |one: &&Application| one.pair.as_deref() == Some(pair) && one.role.as_deref() == Some("primary");
        self.applications.iter().filter(is_one).count()
    }

    /// Whether both sides of every pair have the same records now.
    #[must_use]
    pub fn is_same(&self) -> bool {
        PAIRS.iter().all(|pair| {
            let hash = |role| self.in_role(pair, role).and_then(|one| one.state_hash.clone());
            hash("primary").is_some() && hash("primary") == hash("backup")
        })
    }

    /// What is not as it should be, in a few words each.
    #[must_use]
    pub fn lacks(&self) -> Vec<String> {
        let name = |one: &Application| match one.host.as_str() {
            "" => one.name.clone(),
            host => format!("{}@{host}", one.name),
        };
        let mut lacks: Vec<String> = Vec::new();
        for one in self.applications.iter().filter(|one| !matches!(one.state.as_str(), "started" | "stopped")) {
            lacks.push(format!("{} is {}", name(one), one.state));
        }
        let missing: Vec<&str> = self.coordinator.members_missing.iter().map(String::as_str).collect();
        if !missing.is_empty() {
            lacks.push(format!("the coordinator lacks its member on {}", missing.join(", ")));
        }
        for pair in PAIRS {
            match self.primaries(pair) {
                1 => {}
                0 => lacks.push(format!("{pair} has no primary")),
                count => lacks.push(format!("{pair} has {count} primaries")),
            }
            match self.in_role(pair, "backup") {
                None => lacks.push(format!("{pair} has no backup")),
                Some(one) if !one.ready => lacks.push(format!("{} is not level", name(one))),
                Some(_) => {}
            }
            if self.in_role(pair, "primary").is_some_and(|one| one.level == Some(false)) {
                lacks.push(format!("{pair}.primary has no level backup"));
            }
        }
        lacks
    }

    /// One line for a message about a wait that was in vain.
    #[must_use]
    pub fn summary(&self) -> String {
        let words = self.applications.iter().map(|application| {
            let role = application.role.as_deref().unwrap_or("-");
            let ready = if application.ready { "ready" } else { "not ready" };
            format!("{} {role} {} {ready}", application.name, application.state)
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: &str = r#"{"solution": "x", "applications": [
        {"name": "lca", "pair": null, "role": null, "state": "started", "pid": 1, "ready": true},
        {"name": "control", "pair": null, "role": null, "state": "started", "pid": 2, "ready": true},
        {"name": "sip-a", "pair": "sip", "role": "primary", "state": "started", "pid": 3, "ready": true, "epoch": 7},
        {"name": "sip-b", "pair": "sip", "role": "backup", "state": "started", "pid": 4, "ready": true},
        {"name": "routing-a", "pair": "routing", "role": "backup", "state": "started", "pid": 5, "ready": true},
        {"name": "routing-b", "pair": "routing", "role": "primary", "state": "started", "pid": 6, "ready": true}]}"#;

    fn status(text: &str) -> Status {
        serde_json::from_str(text).expect("the text follows the interface")
    }

    #[test]
    fn a_solution_is_level_when_every_backup_could_take_over() {
        assert!(status(LEVEL).is_level());
        assert_eq!(status(LEVEL).in_role("routing", "primary").and_then(|found| found.pid), Some(6));
    }

    #[test]
    fn a_solution_that_lacks_anything_is_not_level() {
        assert!(
            status(&LEVEL.replacen(": [", ": [{\"name\": \"lca\", \"state\": \"started\", \"host\": \"h2\"}, ", 1))
                .is_level()
        );
        for (from, to) in [("\"pid\": 4", "\"pid\": null"), ("\"backup\"", "\"primary\""), ("started", "starting")] {
            assert!(!status(&LEVEL.replacen(from, to, 1)).is_level(), "{from} -> {to}");
        }
        assert!(!status(&LEVEL.replace("\"pid\": 4, \"ready\": true", "\"pid\": 4, \"ready\": false")).is_level());
    }

    #[test]
    fn a_solution_whose_coordinator_lacks_a_member_is_not_level() {
        let of = |missing: &str| {
            let coordinator = format!("\"x\", \"coordinator\": {{\"members_missing\": [{missing}]}},");
            status(&LEVEL.replacen("\"x\",", &coordinator, 1))
        };
        assert!(of("").is_level());
        let lacking = of("\"h2\", \"h1\", \"h2\"");
        assert!(!lacking.is_level());
        assert_eq!(lacking.lacks(), ["the coordinator lacks its member on h1, h2"]);
    }
}
