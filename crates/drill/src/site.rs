//! How a drill reaches the solution.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;
use model::Trouble;
use serde::{Deserialize, Serialize};

use crate::history::Nanos;
use crate::status::Status;

/// The solution, as whoever drills it reaches it. An answer must come within some seconds: hosts that are drilled may not
/// answer at all.
pub trait Site: Send + Sync {
    /// The names of its hosts that can be asked from here.
    fn hosts(&self) -> Vec<String>;

    /// `GET` of a path of the control server of a host.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    fn get(&self, host: &str, path: &str) -> Result<String, Trouble>;

    /// `POST` of an order to the control server of a host.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn post(&self, host: &str, path: &str) -> Result<(), Trouble>;

    /// The folder with the logs of a host, where it can be read from here.
    fn logs(&self, host: &str) -> Option<PathBuf>;
}

/// An agent, as the solution lists it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

#[derive(Deserialize)]
struct Agents {
    agents: Vec<Agent>,
}

/// Something that a server wrote into its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// When, in nanoseconds since 1970.
    pub at_ns: Nanos,
    /// The application.
    pub application: String,
    /// What it says.
    pub what: String,
}

/// What a server writes when it takes its primary for gone, and when it serves.
const MARKS: [&str; 2] = ["the primary is gone", "serves as primary"];

/// Every host says of its own applications how they are, of others only what it has heard; where a host does not answer, the
/// word of another counts. A member of the coordinator is missing that any host cannot ask.
pub(crate) fn status(site: &Arc<dyn Site>) -> Result<Status, Trouble> {
    let hosts = site.hosts();
    let ask = |host: &String| {
        let (site, host) = (Arc::clone(site), host.clone());
        thread::spawn(move || {
            let text = site.get(&host, "/v1/status")?;
            serde_json::from_str::<Status>(&text).map_err(|error| {
                let what = format!("the status of {host} is not understood: {error}");
                Trouble::new(what, "the solution runs another version: stop it and start this one")
            })
        })
    };
    let asked: Vec<_> = hosts.iter().map(ask).collect();
    let (mut all, mut trouble) = (Status::default(), None);
    let mut answered = Vec::new();
    for (host, asked) in hosts.iter().zip(asked) {
        match asked.join() {
            Ok(Ok(status)) => answered.push((host, status)),
            Ok(Err(why)) => trouble = trouble.or(Some(why)),
            Err(_) => {}
        }
    }
    if answered.is_empty() {
        let gone = || Trouble::new("no host of the solution answers", "start it with `everline up`");
        return Err(trouble.unwrap_or_else(gone));
    }
    for (host, status) in &answered {
        let own = |one: &&crate::status::Application| hosts.len() == 1 || one.host == **host;
        all.applications.extend(status.applications.iter().filter(own).cloned());
        all.coordinator.members_missing.extend(status.coordinator.members_missing.iter().cloned());
    }
    for (_, status) in &answered {
        for one in &status.applications {
            let known = all.applications.iter().any(|known| known.name == one.name && known.host == one.host);
            if !known && hosts.len() > 1 {
                all.applications.push(one.clone());
            }
        }
    }
    Ok(all)
}

/// The agents, as the solution knows them.
pub(crate) fn agents(site: &Arc<dyn Site>) -> Result<Vec<Agent>, Trouble> {
    let mut trouble = None;
    for host in site.hosts() {
        match site.get(&host, "/v1/agents").map(|text| serde_json::from_str::<Agents>(&text)) {
            Ok(Ok(found)) => return Ok(found.agents),
            Ok(Err(error)) => {
                trouble = Some(Trouble::new(format!("the agents are not understood: {error}"), "report it"));
            }
            Err(why) => trouble = Some(why),
        }
    }
    Err(trouble.unwrap_or_else(|| Trouble::new("no host of the solution answers", "start it with `everline up`")))
}

/// What the servers have noted of changes of roles between two moments, in order of time. The clock of one host may have been
/// ahead by so many seconds for a part of that.
pub(crate) fn noted(site: &Arc<dyn Site>, between: (Nanos, Nanos), moved: Option<&(String, i64)>) -> Vec<Noted> {
    let mut found = Vec::new();
    for host in site.hosts() {
        let ahead = moved.filter(|(moved, _)| *moved == host).map_or(0, |(_, ahead)| *ahead);
        for application in ["sip-a", "sip-b", "sip-c", "routing-a", "routing-b", "routing-c"] {
            let Some(folder) = site.logs(&host) else { continue };
            let text = fs::read(folder.join(format!("{application}.log"))).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            // The newest lines are the last ones.
            let lines = text.lines().rev().map_while(|line| within(read(line)?, between, ahead));
            let marked = lines.filter(|(_, what)| MARKS.iter().any(|mark| what.contains(mark)));
            found.extend(marked.map(|(at_ns, what)| Noted { at_ns, application: application.to_owned(), what }));
        }
    }
    found.sort_by_key(|noted| noted.at_ns);
    found
}

/// A line with its true time, if that lies between two moments: it may be stamped by a clock that is ahead by so many seconds.
fn within((at, what): (Nanos, String), (begin, end): (Nanos, Nanos), ahead: i64) -> Option<(Nanos, String)> {
    let shift = Nanos::try_from(ahead.unsigned_abs()).unwrap_or(Nanos::MAX).saturating_mul(1_000_000_000);
    let true_at = if ahead < 0 { at.saturating_add(shift) } else { at.saturating_sub(shift) };
    let at = [at, true_at].into_iter().find(|at| (begin..=end).contains(at))?;
    Some((at, what))
}

/// A line of a log: when, and what it says behind the level.
fn read(line: &str) -> Option<(Nanos, String)> {
    let (time, rest) = line.split_once(' ')?;
    let at = time.parse::<Timestamp>().ok()?.as_nanosecond();
    let what = rest.trim_start().split_once(' ').map_or(rest, |(_, what)| what);
    Some((Nanos::try_from(at).ok()?, what.trim().to_owned()))
}

/// When the other side took the primary of `pair` for gone, and when it served, of what was noted after a fault.
pub(crate) fn takeover(noted: &[Noted], pair: &str) -> (Option<Nanos>, Option<Nanos>) {
    let of_pair = |one: &&Noted| one.application.strip_prefix(pair).is_some_and(|rest| rest.starts_with('-'));
    let serves = noted.iter().filter(of_pair).find(|one| one.what.contains(MARKS[1]));
    let limit = serves.map_or(Nanos::MAX, |one| one.at_ns);
    let gone = noted.iter().filter(of_pair).filter(|one| one.at_ns <= limit).rfind(|one| one.what.contains(MARKS[0]));
    (gone.map(|one| one.at_ns), serves.map(|one| one.at_ns))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Two hosts of which the second one cannot ask a member of the coordinator.
    struct Two;

    impl Site for Two {
        fn hosts(&self) -> Vec<String> {
            ["h1", "h2"].map(str::to_owned).into()
        }

        fn get(&self, host: &str, _: &str) -> Result<String, Trouble> {
            let missing = if host == "h2" { "\"h3\"" } else { "" };
            Ok(format!("{{\"applications\": [], \"coordinator\": {{\"members_missing\": [{missing}]}}}}"))
        }

        fn post(&self, _: &str, _: &str) -> Result<(), Trouble> {
            Ok(())
        }

        fn logs(&self, _: &str) -> Option<PathBuf> {
            None
        }
    }

    #[test]
    fn a_member_of_the_coordinator_is_missing_that_one_host_cannot_ask() {
        let two: Arc<dyn Site> = Arc::new(Two);
        let missing = status(&two).expect("both answer").coordinator.members_missing;
        assert_eq!(missing, BTreeSet::from(["h3".to_owned()]));
    }

    #[test]
    fn lines_of_a_log_are_read_with_their_time() {
        let line = "2026-11-28T17:57:48.698797Z  INFO serves as primary epoch=2 takeover=true";
        let (at, what) = read(line).expect("it is a line of a log");
        assert_eq!(at % 1_000_000_000, 698_797_000);
        assert_eq!(what, "serves as primary epoch=2 takeover=true");
        assert_eq!(read("thread panicked"), None);
    }

    #[test]
    fn a_line_counts_by_its_true_time() {
        let hour = 3_600_000_000_000;
        let at = |at: Nanos, ahead| within((at, String::new()), (2 * hour, 2 * hour + 9), ahead).map(|(at, _)| at);
        assert_eq!([at(2 * hour + 1, 0), at(2 * hour + 10, 0), at(2 * hour - 1, 0)], [Some(2 * hour + 1), None, None]);
        assert_eq!([at(3 * hour + 1, 3_600), at(2 * hour + 1, 3_600)], [Some(2 * hour + 1); 2]);
        assert_eq!([at(hour + 1, -3_600), at(hour + 10, -3_600)], [Some(2 * hour + 1), None]);
    }

    #[test]
    fn detection_and_takeover_are_those_of_the_pair() {
        let note =
            |at_ns, application: &str, what: &str| Noted { at_ns, application: application.into(), what: what.into() };
        let noted = [
            note(5, "routing-b", "the primary is gone, asks for the next epoch"),
            note(6, "sip-b", "the primary is gone, asks for the next epoch"),
            note(7, "routing-b", "serves as primary epoch=2 takeover=true"),
            note(9, "sip-b", "serves as primary epoch=2 takeover=true"),
        ];
        assert_eq!(takeover(&noted, "sip"), (Some(6), Some(9)));
        assert_eq!(takeover(&noted, "other"), (None, None));
    }
}
