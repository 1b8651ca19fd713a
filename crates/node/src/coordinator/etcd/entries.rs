//! The entries of a solution in etcd: how they are read, changed, and told from what else is there.
//!
//! Each pair has one key, `/everline/SOLUTION/pairs/PAIR`; its value is the entry as JSON, so that people can read it with
//! `etcdctl get --prefix /everline`. The revision of an entry is etcd's `mod_revision` of its key.

use redundancy::coordinator::{PairEntry, Request, Versioned};

use super::connection::Connection;
use super::messages::{
    Compare, CompareTarget, Event, EventType, KeyValue, Operation, PutRequest, RANGE, RangeRequest, RangeResponse,
    RequestOp, TXN, TxnRequest, TxnResponse, WatchCreateRequest, Wish,
};
use super::problem::Problem;
use crate::coordinator::guest::{Answer, Seen};
use crate::wire::CoordinatorRequest;

/// The entries, by way of one member. Every read is linearizable: what a member believes by itself may be old.
#[derive(Clone, Debug)]
pub(super) struct Entries {
    connection: Connection,
    prefix: String,
}

impl Entries {
    /// The entries of a solution.
    pub(super) fn new(connection: Connection, solution: &str) -> Self {
        Self { connection, prefix: format!("/everline/{solution}/pairs/") }
    }

    /// The connection to the member.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The revision of the whole store, and all entries at that revision.
    pub(super) async fn all(&self) -> Result<(u64, Vec<(String, Versioned)>), Problem> {
        let request = RangeRequest { key: self.prefix.clone().into(), range_end: self.end() };
        let RangeResponse { header, kvs } = self.connection.ask(RANGE, request).await?;
        let entries = kvs.iter().filter_map(|pair| self.readable(pair)).collect();
        Ok((revision(header.unwrap_or_default().revision), entries))
    }

    /// The wish to hear of all changes from this revision on.
    pub(super) fn changes(&self, from: u64) -> Wish {
        let start_revision = i64::try_from(from).unwrap_or(i64::MAX);
        Wish::Create(WatchCreateRequest { key: self.prefix.clone().into(), range_end: self.end(), start_revision })
    }

    /// What has changed. That a person has removed an entry is not told: no coordinator does that, and who asks is told.
    pub(super) fn change(&self, event: &Event) -> Option<(String, Versioned)> {
        if event.r#type == EventType::Put as i32 { self.readable(event.kv.as_ref()?) } else { None }
    }

    /// Carries out what a member of a pair asks.
    pub(super) async fn carry_out(
        &self,
        CoordinatorRequest { pair, request }: CoordinatorRequest,
    ) -> Result<Answer, Problem> {
        match request {
            Request::Watch => self.read(&pair).await.map(Answer::Entry),
            Request::CompareAndSwap { expected, new } => self.swap(&pair, expected, new).await,
        }
    }

    async fn read(&self, pair: &str) -> Result<Seen, Problem> {
        let answer = self.connection.ask(RANGE, self.range(pair)).await?;
        self.seen(answer)
    }

    async fn swap(&self, pair: &str, expected: Option<u64>, new: PairEntry) -> Result<Answer, Problem> {
        let key: Vec<u8> = format!("{}{pair}", self.prefix).into();
        let value =
            serde_json::to_vec(&new).map_err(|error| Problem::lost(format!("an entry that is no JSON: {error}")))?;
        // A key that is not there has the revision 0.
        let expected = i64::try_from(expected.unwrap_or(0)).unwrap_or(i64::MAX);
        let operation = |request| RequestOp { request: Some(request) };
        let request = TxnRequest {
            compare: vec![Compare {
                target: CompareTarget::Mod.into(),
                key: key.clone(),
                mod_revision: Some(expected),
            }],
            success: vec![operation(Operation::Put(PutRequest { key, value }))],
            failure: vec![operation(Operation::Range(self.range(pair)))],
        };
        let TxnResponse { header, succeeded, responses } = self.connection.ask(TXN, request).await?;
        if succeeded {
            let revision = revision(header.unwrap_or_default().revision);
            return Ok(Answer::Swapped(true, Seen { revision, entry: Some(new) }));
        }
        let found = responses.into_iter().find_map(|response| response.response_range);
        let found = found.ok_or_else(|| Problem::lost("an answer without the entry that stands there"))?;
        // The answers within a transaction have no header of their own.
        let now = self.seen(RangeResponse { header, ..found })?;
        // Nobody else writes such an entry, so it was this request, when it was asked before and its answer was lost.
        let done = now.entry.as_ref() == Some(&new);
        Ok(Answer::Swapped(done, now))
    }

    fn range(&self, pair: &str) -> RangeRequest {
        RangeRequest { key: format!("{}{pair}", self.prefix).into(), range_end: Vec::new() }
    }

    /// The first key behind those with the prefix, which ends with a slash.
    fn end(&self) -> Vec<u8> {
        let mut end: Vec<u8> = self.prefix.clone().into();
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        end
    }

    fn seen(&self, RangeResponse { header, kvs }: RangeResponse) -> Result<Seen, Problem> {
        match kvs.first() {
            Some(pair) => self.parse(pair).map(|(_, versioned)| versioned.into()),
            None => Ok(Seen { revision: revision(header.unwrap_or_default().revision), entry: None }),
        }
    }

    /// An entry; one that cannot be read is passed over, with a line in the log.
    fn readable(&self, pair: &KeyValue) -> Option<(String, Versioned)> {
        self.parse(pair).inspect_err(|problem| tracing::error!("{problem}")).ok()
    }

    fn parse(&self, KeyValue { key, mod_revision, value }: &KeyValue) -> Result<(String, Versioned), Problem> {
        let key = String::from_utf8_lossy(key);
        let entry = serde_json::from_slice(value).map_err(|error| {
            let what = format!("the key {key} in etcd holds no entry of a pair: {error}");
            Problem::refused(what, "who has written that? Put back what was there, or stop the pair and remove the key")
        })?;
        let pair = key.strip_prefix(&self.prefix).unwrap_or(&key).to_owned();
        Ok((pair, Versioned { revision: revision(*mod_revision), entry }))
    }
}

/// A revision of etcd, which is never negative.
fn revision(revision: i64) -> u64 {
    revision.unsigned_abs()
}
