//! One key of a solution in etcd beside the entries of its pairs, `/everline/SOLUTION/NAME`, whose value is JSON.
//!
//! It is asked for by the control server, on connections of its own: no member of a pair waits for it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::EtcdSettings;
use super::cluster::Cluster;
use super::connection::Connection;
use super::messages::{
    Compare, CompareTarget, KeyValue, Operation, PutRequest, RANGE, RangeRequest, RangeResponse, RequestOp, TXN,
    TxnRequest, TxnResponse,
};
use super::problem::Problem;
use crate::wire::Trouble;

/// How long a member may take to connect, and to answer. One that is cut off from the majority never answers.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The way to the key.
#[derive(Debug)]
pub(super) struct Slate {
    settings: EtcdSettings,
    /// The last part of the key.
    name: &'static str,
    /// What it holds, for people.
    what: &'static str,
    /// The connection that answered last.
    last: Mutex<Option<Connection>>,
}

/// A value as etcd holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held<T> {
    /// The store's revision of its last change.
    pub(super) revision: i64,
    /// The value.
    pub(super) value: T,
}

impl Slate {
    /// The way to it; nothing is asked yet.
    pub(super) fn new(settings: EtcdSettings, name: &'static str, what: &'static str) -> Self {
        Self { settings, name, what, last: Mutex::new(None) }
    }

    /// What stands there, and a connection to a member of the majority.
    ///
    /// # Errors
    /// If no majority of the coordinator answers, or something else stands there.
    pub(super) async fn read<T: DeserializeOwned>(&self) -> Result<(Connection, Option<Held<T>>), Trouble> {
        let (connection, held) = self.bytes().await?;
        let Some((revision, bytes)) = held else { return Ok((connection, None)) };
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Trouble::new(
                format!("the key {} in etcd does not hold {}: {error}", self.key(), self.what),
                "who has written that? Remove the key, and the hosts put back what they have kept",
            )
        })?;
        Ok((connection, Some(Held { revision, value })))
    }

    /// Puts a value in the place of the one with that revision, 0 if there is none: the store's revision after that, or `None`
    /// if another one stands there.
    ///
    /// # Errors
    /// If it was refused, or it is not known what has become of it.
    pub(super) async fn swap(
        &self,
        connection: &Connection,
        expected: i64,
        value: Vec<u8>,
    ) -> Result<Option<i64>, Problem> {
        let key: Vec<u8> = self.key().into();
        let compare = Compare { target: CompareTarget::Mod.into(), key: key.clone(), mod_revision: Some(expected) };
        let put = RequestOp { request: Some(Operation::Put(PutRequest { key, value })) };
        let request = TxnRequest { compare: vec![compare], success: vec![put], failure: Vec::new() };
        let answer = timeout(PATIENCE * 2, connection.ask::<_, TxnResponse>(TXN, request)).await;
        let TxnResponse { succeeded, header, .. } = answer.map_err(|_| Problem::lost("no answer in time"))??;
        Ok(succeeded.then(|| header.unwrap_or_default().revision))
    }

    async fn bytes(&self) -> Result<(Connection, Option<(i64, Vec<u8>)>), Trouble> {
        let mut last = self.last.lock().await;
        if let Some(connection) = last.take()
            && let Ok(held) = ask(&connection, &self.settings, self.key()).await
        {
            *last = Some(connection.clone());
            return Ok((connection, held));
        }
        let mut asked = JoinSet::new();
        for address in self.settings.addresses.clone() {
            asked.spawn(connect(address, self.settings.clone(), self.key()));
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
            Some(_) => self.minority(),
            None => self.unreachable(),
        })
    }

    fn key(&self) -> String {
        format!("/everline/{}/{}", self.settings.solution, self.name)
    }

    /// A member was reached, and none that is one of a majority.
    fn minority(&self) -> Trouble {
        Trouble::new(
            format!(
                "only a minority of the coordinator's members can be reached, so {} cannot be read or changed",
                self.what
            ),
            "nothing was changed and calls go on; bring a majority of those hosts back, or repair the links to them",
        )
    }

    fn unreachable(&self) -> Trouble {
        Trouble::new(
            format!("no member of the coordinator can be reached, so {} cannot be read or changed", self.what),
            "nothing was changed and calls go on; `everline status` shows on which hosts etcd does not run",
        )
    }
}

/// Asks one member; no problem is told if it cannot be reached.
async fn connect(
    address: String,
    settings: EtcdSettings,
    key: String,
) -> Result<(Connection, Option<(i64, Vec<u8>)>), Option<Problem>> {
    let opened = timeout(PATIENCE, Connection::open(&address, settings.tls.as_ref())).await;
    let connection = match opened {
        Ok(Ok(connection)) => connection,
        Ok(Err(why @ Problem::Refused(_))) => return Err(Some(why)),
        Ok(Err(Problem::Lost(_))) | Err(_) => return Err(None),
    };
    let held = ask(&connection, &settings, key).await.map_err(Some)?;
    Ok((connection, held))
}

async fn ask(connection: &Connection, settings: &EtcdSettings, key: String) -> Result<Option<(i64, Vec<u8>)>, Problem> {
    let request = RangeRequest { key: key.into(), range_end: Vec::new() };
    let asked = timeout(PATIENCE, connection.ask::<_, RangeResponse>(RANGE, request)).await;
    let RangeResponse { header, kvs } = asked.map_err(|_| Problem::lost("no answer in time"))??;
    let cluster = Cluster::open(&settings.cluster).map_err(Problem::Refused)?;
    cluster.check(header.unwrap_or_default().cluster_id)?;
    Ok(kvs.into_iter().next().map(|KeyValue { mod_revision, value, .. }| (mod_revision, value)))
}
