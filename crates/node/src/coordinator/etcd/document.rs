//! The configuration in etcd: one key, `/everline/SOLUTION/configuration`, whose value is the document as JSON.

use tokio::time::timeout;

use super::EtcdSettings;
use super::connection::Connection;
use super::messages::{COMPACT, CompactionRequest, CompactionResponse};
use super::problem::Problem;
use super::slate::{Held, PATIENCE, Slate};
use crate::configuration::Document;
use crate::wire::Trouble;

/// How much of etcd's room old versions may take, in bytes, before they are compacted: a fourth of what a member keeps.
const HISTORY: usize = 16 << 20;

/// The way to the configuration in the coordinator.
#[derive(Debug)]
pub struct Book(Slate);

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Made,
    /// Another version stands there than the one that was expected; none if there is none yet.
    Moved(Option<Document>),
}

impl Book {
    /// The way to it; nothing is asked yet.
    #[must_use]
    pub fn new(settings: EtcdSettings) -> Self {
        Self(Slate::new(settings, "configuration", "the configuration"))
    }

    /// The newest version, if there is any.
    ///
    /// # Errors
    /// If no majority of the coordinator answers, or it holds something else.
    pub async fn read(&self) -> Result<Option<Document>, Trouble> {
        Ok(self.0.read().await?.1.map(|held| held.value))
    }

    /// Puts a version in the place of the one before it, if that stands there still.
    ///
    /// # Errors
    /// If no majority of the coordinator answers; then nothing was changed, or that is not known.
    pub async fn change(&self, new: &Document) -> Result<Change, Trouble> {
        let value = new.stored()?;
        let (connection, held) = self.0.read::<Document>().await?;
        // An empty coordinator takes what a host has kept.
        if held.as_ref().is_some_and(|held| held.value.version != new.version.saturating_sub(1)) {
            return Ok(Change::Moved(held.map(|Held { value, .. }| value)));
        }
        let length = value.len();
        match self.0.swap(&connection, held.map_or(0, |held| held.revision), value).await {
            Ok(Some(revision)) => {
                compact(&connection, revision, length).await;
                Ok(Change::Made)
            }
            Ok(None) => Ok(Change::Moved(self.read().await?)),
            Err(Problem::Refused(trouble)) => Err(trouble),
            Err(Problem::Lost(why)) => Err(unknown(&why)),
        }
    }
}

/// Forgets old versions, which would fill etcd.
async fn compact(connection: &Connection, revision: i64, length: usize) {
    let kept = i64::try_from(HISTORY / length.max(1)).unwrap_or(i64::MAX).max(1);
    if revision <= kept {
        return;
    }
    let request = CompactionRequest { revision: revision - kept };
    let done = timeout(PATIENCE, connection.ask::<_, CompactionResponse>(COMPACT, request)).await;
    // That it is compacted already is told as an error too.
    if let Ok(Err(problem)) = done {
        tracing::debug!("old versions of the configuration are not compacted: {problem}");
    }
}

fn unknown(why: &str) -> Trouble {
    Trouble::new(
        format!("the coordinator has not said whether it has taken the change: {why}"),
        "`everline config show` tells which version stands there; calls go on",
    )
}
