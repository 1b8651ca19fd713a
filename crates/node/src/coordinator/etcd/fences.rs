//! What hosts tell each other about fencing: one key in etcd, `/everline/SOLUTION/fences`.

use std::collections::BTreeMap;

use management::fence::Attempt;
use model::{Ended, Incarnation};
use redundancy::coordinator::PairEntry;
use serde::{Deserialize, Deserializer, Serialize};

use super::EtcdSettings;
use super::connection::Connection;
use super::problem::Problem;
use super::slate::{Held, Slate};
use crate::wire::Trouble;

/// The attempt that is under way, and what earlier ones have made certain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fences {
    /// The attempt.
    pub attempt: Option<Written>,
    /// How many there were.
    pub count: u64,
    /// Why the last one was called off, if it was.
    pub objection: Option<String>,
    /// Who has certainly ended, as a host was fenced or taken out of the solution.
    #[serde(deserialize_with = "list_or_map")]
    pub ended: Ended,
}

/// Reads also what was written before applications moved: a map from the application to its last run.
fn list_or_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ended, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Ended),
        Map(BTreeMap<String, u64>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::List(ended) => ended,
        Either::Map(runs) => {
            let all = runs.into_iter().map(|(application, run)| Incarnation::new(application, run));
            Ended::from(all.collect::<Vec<_>>())
        }
    })
}

/// An attempt as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The host that makes it.
    pub by: String,
    /// The host that is to end.
    pub host: String,
    /// Its number.
    pub number: u64,
    /// The program was started, or was about to be.
    pub begun: bool,
}

/// The way to it in the coordinator.
#[derive(Debug)]
pub struct FenceBook(Slate);

/// What stands there, and what it takes to change that.
#[derive(Debug)]
pub struct Page {
    connection: Connection,
    revision: i64,
    /// What stands there.
    pub fences: Fences,
}

impl Fences {
    /// The attempt, as those see it who decide about it.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        let Written { by, host, number, begun } = self.attempt.clone()?;
        Some(Attempt { by, host, number, begun })
    }

    /// An attempt of the host `by` in the place of whatever there is.
    #[must_use]
    pub fn announced(&self, by: &str, host: &str) -> Self {
        let number = self.count + 1;
        let attempt = Written { by: by.into(), host: host.into(), number, begun: false };
        Self { attempt: Some(attempt), count: number, objection: None, ..self.clone() }
    }

    /// The attempt begins.
    #[must_use]
    pub fn begun(&self) -> Self {
        let attempt = self.attempt.clone().map(|attempt| Written { begun: true, ..attempt });
        Self { attempt, ..self.clone() }
    }

    /// The attempt is called off.
    #[must_use]
    pub fn called_off(&self, objection: Option<String>) -> Self {
        Self { attempt: None, objection, ..self.clone() }
    }

    /// The attempt with that number is over, and these have certainly ended.
    #[must_use]
    pub fn over(&self, number: u64, ended: &[Incarnation]) -> Self {
        let mut new = self.clone();
        new.attempt = new.attempt.filter(|attempt| attempt.number != number);
        for who in ended {
            new.ended.learn(who);
        }
        new
    }

    /// What fencing has made certain.
    #[must_use]
    pub fn certain(&self) -> Vec<Incarnation> {
        self.ended.iter().collect()
    }
}

/// Notes that all of these `applications`, each at the place to which the move of that number has brought it, have certainly ended that the
/// entries of pairs name, as their host is out of the solution. It may be noted again.
///
/// # Errors
/// If no majority of the coordinator answers.
pub async fn note_gone(settings: &EtcdSettings, applications: &[(String, u64)]) -> Result<(), Trouble> {
    let mut ended = Vec::new();
    for key in ["pairs/sip", "pairs/routing"] {
        let (_, held) = Slate::new(settings.clone(), key, "the entry of a pair").read::<PairEntry>().await?;
        let named = held.into_iter().flat_map(|held| held.value.in_sync.into_iter().chain([held.value.primary]));
        ended.extend(named.filter(|who| applications.contains(&(who.application.clone(), who.move_number()))));
    }
    let book = FenceBook::new(settings.clone());
    loop {
        let page = book.read().await?;
        let new = Fences { ended: page.fences.over(0, &ended).ended, ..page.fences.clone() };
        if new == page.fences || book.change(&page, &new).await? {
            return Ok(());
        }
    }
}

impl FenceBook {
    /// The way to it; nothing is asked yet.
    #[must_use]
    pub fn new(settings: EtcdSettings) -> Self {
        Self(Slate::new(settings, "fences", "what was fenced"))
    }

    /// What stands there now: that it can be read shows a majority.
    ///
    /// # Errors
    /// If no majority of the coordinator answers, or something else stands there.
    pub async fn read(&self) -> Result<Page, Trouble> {
        let (connection, held) = self.0.read().await?;
        let (revision, fences) = held.map_or((0, Fences::default()), |Held { revision, value }| (revision, value));
        Ok(Page { connection, revision, fences })
    }

    /// Changes it, if it stands as it was read: whether that was done.
    ///
    /// # Errors
    /// If that is not known.
    pub async fn change(&self, page: &Page, new: &Fences) -> Result<bool, Trouble> {
        let value = serde_json::to_vec(new).map_err(|error| unknown(&error.to_string()))?;
        match self.0.swap(&page.connection, page.revision, value).await {
            Ok(done) => Ok(done.is_some()),
            Err(Problem::Refused(trouble)) => Err(trouble),
            Err(Problem::Lost(why)) => Err(unknown(&why)),
        }
    }
}

fn unknown(why: &str) -> Trouble {
    Trouble::new(
        format!("the coordinator has not said whether it has taken what was to be written about fencing: {why}"),
        "calls go on; `everline status` shows how etcd stands",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_certain_stays_and_only_grows() {
        let before = Fences::default().announced("h2", "h1").begun();
        assert_eq!(before.attempt.as_ref().map(|attempt| (attempt.number, attempt.begun)), Some((1, true)));
        let after = before.over(1, &[Incarnation::new("sip-a", 5), Incarnation::new("routing-a", 3)]);
        assert_eq!(after.attempt, None);
        let next = after.announced("h3", "h2");
        assert_eq!(next.count, 2);
        // The first one is told once more, late: that takes nothing of the second one away.
        let late = next.over(1, &[Incarnation::new("sip-a", 4)]);
        assert_eq!(late, next);
        assert_eq!(late.certain(), [Incarnation::new("routing-a", 3), Incarnation::new("sip-a", 5)]);
        let off = late.called_off(Some("h3 reaches it".into()));
        assert_eq!((off.attempt.clone(), off.certain().len(), off.count), (None, 2, 2));
        let written = serde_json::to_string(&off).unwrap();
        assert_eq!(serde_json::from_str::<Fences>(&written).unwrap(), off);
        let older = r#"{"attempt":null,"count":2,"objection":"h3 reaches it","ended":{"routing-a":3,"sip-a":5}}"#;
        assert_eq!(serde_json::from_str::<Fences>(older).unwrap(), off);
    }
}
