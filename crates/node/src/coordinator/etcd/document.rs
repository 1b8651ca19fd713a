//! The configuration in etcd: one key, `/everline/SOLUTION/configuration`, whose value is the document as JSON.
//!
//! It is asked for by the control server, on connections of its own: no member of a pair waits for it.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::EtcdSettings;
use super::cluster::Cluster;
use super::connection::Connection;
use super::messages::{
    COMPACT, CompactionRequest, CompactionResponse, Compare, CompareTarget, KeyValue, Operation, PutRequest, RANGE,
    RangeRequest, RangeResponse, RequestOp, TXN, TxnRequest, TxnResponse,
};
use super::problem::Problem;
use crate::configuration::Document;
use crate::wire::Trouble;

/// How long a member may take to connect, and to answer. One that is cut off from the majority never answers.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of etcd's room old versions may take, in bytes, before they are compacted: a fourth of what a member keeps.
const HISTORY: usize = 16 << 20;

/// The way to the configuration in the coordinator.
#[derive(Debug)]
pub struct Book {
    settings: EtcdSettings,
    /// The connection that answered last.
    last: Mutex<Option<Connection>>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Made,
    /// Another version stands there than the one that was expected; none if there is none yet.
    Moved(Option<Document>),
}

/// A document as etcd holds it.
struct Held {
    revision: i64,
    document: Document,
}

impl Book {
    /// The way to it; nothing is asked yet.
    #[must_use]
    pub fn new(settings: EtcdSettings) -> Self {
        Self { settings, last: Mutex::new(None) }
    }

    /// The newest version, if there is any.
    ///
    /// # Errors
    /// If no majority of the coordinator answers, or it holds something else.
    pub async fn read(&self) -> Result<Option<Document>, Trouble> {
        Ok(self.held().await?.1.map(|held| held.document))
    }

    /// Puts a version in the place of the one before it, if that stands there still.
    ///
    /// # Errors
    /// If no majority of the coordinator answers; then nothing was changed, or that is not known.
    pub async fn change(&self, new: &Document) -> Result<Change, Trouble> {
        let value = new.stored()?;
        let (connection, held) = self.held().await?;
        // An empty coordinator takes what a host has kept.
        if held.as_ref().is_some_and(|held| held.document.version != new.version.saturating_sub(1)) {
            return Ok(Change::Moved(held.map(|held| held.document)));
        }
        let key = self.key();
        let length = value.len();
        let request = TxnRequest {
            compare: vec![Compare {
                target: CompareTarget::Mod.into(),
                key: key.clone(),
                mod_revision: Some(held.map_or(0, |held| held.revision)),
            }],
            success: vec![RequestOp { request: Some(Operation::Put(PutRequest { key, value })) }],
            failure: Vec::new(),
        };
        let answer = timeout(PATIENCE * 2, connection.ask::<_, TxnResponse>(TXN, request)).await;
        match answer {
            Ok(Ok(TxnResponse { succeeded: true, header, .. })) => {
                self.compact(&connection, header.unwrap_or_default().revision, length).await;
                Ok(Change::Made)
            }
            Ok(Ok(_)) => Ok(Change::Moved(self.read().await?)),
            Ok(Err(Problem::Refused(trouble))) => Err(trouble),
            Ok(Err(Problem::Lost(why))) => Err(unknown(&why)),
            Err(_) => Err(unknown("no answer in time")),
        }
    }

    /// Forgets old versions, which would fill etcd.
    async fn compact(&self, connection: &Connection, revision: i64, length: usize) {
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

    /// What stands there, and a connection to a member of the majority.
    async fn held(&self) -> Result<(Connection, Option<Held>), Trouble> {
        let mut last = self.last.lock().await;
        if let Some(connection) = last.take()
            && let Ok(held) = ask(&connection, &self.settings).await
        {
            *last = Some(connection.clone());
            return Ok((connection, held));
        }
        let mut asked = JoinSet::new();
        for address in self.settings.addresses.clone() {
            asked.spawn(connect(address, self.settings.clone()));
        }
        let mut problem = None;
        while let Some(outcome) = asked.join_next().await {
            match outcome {
                Ok(Ok(found)) => {
                    *last = Some(found.0.clone());
                    return Ok(found);
                }
                Ok(Err(Some(why @ Problem::Refused(_)))) => problem = Some(why),
                Ok(Err(Some(why))) => problem = problem.or(Some(why)),
                Ok(Err(None)) | Err(_) => {}
            }
        }
        Err(match problem {
            Some(Problem::Refused(trouble)) => trouble,
            Some(_) => minority(),
            None => unreachable_at_all(),
        })
    }

    fn key(&self) -> Vec<u8> {
        key(&self.settings)
    }
}

/// Asks one member; no problem is told if it cannot be reached.
async fn connect(address: String, settings: EtcdSettings) -> Result<(Connection, Option<Held>), Option<Problem>> {
    let opened = timeout(PATIENCE, Connection::open(&address, settings.tls.as_ref())).await;
    let connection = match opened {
        Ok(Ok(connection)) => connection,
        Ok(Err(why @ Problem::Refused(_))) => return Err(Some(why)),
        Ok(Err(Problem::Lost(_))) | Err(_) => return Err(None),
    };
    let held = ask(&connection, &settings).await.map_err(Some)?;
    Ok((connection, held))
}

async fn ask(connection: &Connection, settings: &EtcdSettings) -> Result<Option<Held>, Problem> {
    let request = RangeRequest { key: key(settings), range_end: Vec::new() };
    let asked = timeout(PATIENCE, connection.ask::<_, RangeResponse>(RANGE, request)).await;
    let RangeResponse { header, kvs } = asked.map_err(|_| Problem::lost("no answer in time"))??;
    let cluster = Cluster::open(&settings.cluster).map_err(Problem::Refused)?;
    cluster.check(header.unwrap_or_default().cluster_id)?;
    let Some(KeyValue { mod_revision, value, .. }) = kvs.into_iter().next() else { return Ok(None) };
    let document = serde_json::from_slice(&value).map_err(|error| {
        Problem::refused(
            format!("the key /everline/{}/configuration in etcd holds no configuration: {error}", settings.solution),
            "who has written that? Remove the key, and the hosts put back what they have kept",
        )
    })?;
    Ok(Some(Held { revision: mod_revision, document }))
}

fn key(settings: &EtcdSettings) -> Vec<u8> {
    format!("/everline/{}/configuration", settings.solution).into()
}

/// A member was reached, and none that is one of a majority.
fn minority() -> Trouble {
    Trouble::new(
        "only a minority of the coordinator's members can be reached, so the configuration cannot be read or changed",
        "nothing was changed and calls go on; bring a majority of those hosts back, or repair the links to them",
    )
}

fn unreachable_at_all() -> Trouble {
    Trouble::new(
        "no member of the coordinator can be reached, so the configuration cannot be read or changed",
        "nothing was changed and calls go on; `everline status` shows on which hosts etcd does not run",
    )
}

fn unknown(why: &str) -> Trouble {
    Trouble::new(
        format!("the coordinator has not said whether it has taken the change: {why}"),
        "`everline config show` tells which version stands there; calls go on",
    )
}
