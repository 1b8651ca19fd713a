//! What `everline status --json` says.

use serde::Deserialize;

/// The whole solution.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) applications: Vec<Application>,
}

/// One running application.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) pair: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) state: String,
    pub(crate) pid: Option<u32>,
    #[serde(default)]
    pub(crate) ready: bool,
    /// Of a member of a pair: both sides hold the same.
    #[serde(default)]
    pub(crate) level: Option<bool>,
}

/// The pairs of a new solution.
pub(crate) const PAIRS: [&str; 2] = ["sip", "routing"];

impl Status {
    /// The process of the application of this name, if it runs.
    pub(crate) fn pid_of(&self, name: &str) -> Option<u32> {
        self.applications.iter().find(|application| application.name == name)?.pid
    }

    /// The application that has this role in this pair.
    pub(crate) fn in_role(&self, pair: &str, role: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.pair.as_deref() == Some(pair) && application.role.as_deref() == Some(role))
    }

    /// Whether every application runs, and every pair has a primary and a backup that could take over.
    pub(crate) fn is_level(&self) -> bool {
        let runs = |application: &Application| application.state == "started" && application.pid.is_some();
        let could = |application: &Application| application.ready && application.level != Some(false);
        let has = |pair, role| self.in_role(pair, role).is_some_and(could);
        self.applications.iter().all(runs)
            && PAIRS.iter().all(|pair| has(pair, "primary") && has(pair, "backup"))
            && ["control", "lca"].iter().all(|name| self.pid_of(name).is_some())
    }

    /// One line for a message about a wait that was in vain.
    pub(crate) fn summary(&self) -> String {
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
        for (from, to) in [("\"pid\": 4", "\"pid\": null"), ("\"backup\"", "\"primary\""), ("started", "starting")] {
            assert!(!status(&LEVEL.replacen(from, to, 1)).is_level(), "{from} -> {to}");
        }
        assert!(!status(&LEVEL.replace("\"pid\": 4, \"ready\": true", "\"pid\": 4, \"ready\": false")).is_level());
    }
}
