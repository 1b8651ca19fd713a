//! What people may see of the calls.

use std::net::SocketAddr;

use model::{RecordKey, Time};

use super::Engine;
use crate::call::Call;
use crate::hop::ConnectionId;
use crate::record::{CALL, CONNECTION, Content, Value};
use crate::settings::ListenerId;

/// Records that a count of the calls reads at most, of those that were not read yet.
const LOOKS: usize = 256;

/// One call in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Its number.
    pub call: u64,
    /// `trying`, `ringing`, `queued`, `answered` or `talking`.
    pub state: &'static str,
    /// The caller's number.
    pub from: String,
    /// The number that was called.
    pub to: String,
    /// The queue that the call waits in or came through.
    pub queue: Option<String>,
    /// The id of the agent who rings or has answered.
    pub agent: Option<String>,
    /// When the call began, in pair time.
    pub since: Time,
}

impl Engine {
    /// How many calls there are. Records that have ended and linger are none; but those that nobody has looked at since they came
    /// from the other side are counted as calls, but for `LOOKS` at each time, so that a takeover does not wait for the count.
    pub fn calls_in_progress(&mut self) -> usize {
        let unseen = self.store.values(CALL).filter(|(_, value)| value.is_none()).map(|(key, _)| key);
        let unseen: Vec<RecordKey> = unseen.take(LOOKS).collect();
        for key in unseen {
            self.store.get(key);
        }
        let is_over = |value: &Value| value.as_call().is_none_or(Call::has_ended);
        self.store.values(CALL).filter(|(_, value)| !value.is_some_and(is_over)).count()
    }

    /// At most `limit` calls with numbers above `after`, in the order of their numbers. Calls that have ended and
    /// linger are left out, so a shorter list does not mean the end: go on behind the second value until it is `None`.
    pub fn calls(&mut self, after: Option<u64>, limit: usize) -> (Vec<CallRow>, Option<u64>) {
        let keys: Vec<RecordKey> = self.store.keys(CALL, after).take(limit).collect();
        let next = keys.last().filter(|_| keys.len() == limit).map(|key| key.id);
        let rows = keys.into_iter().filter_map(|key| self.store.get(key).and_then(Value::as_call)?.row());
        (rows.collect(), next)
    }
}

/// What the shell compares with the descriptors that it holds.
impl Engine {
    /// Who has opened the connections that the records know, and at which listener.
    pub fn connected(&mut self) -> Vec<(ListenerId, SocketAddr)> {
        let keys: Vec<RecordKey> = self.store.keys(CONNECTION, None).collect();
        let of = |key| match self.store.get(key) {
            Some(Value(Content::Connection(one))) if !one.ours => Some((one.listener, one.peer)),
            _ => None,
        };
        keys.into_iter().filter_map(of).collect()
    }

    /// The connections that the records know.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionId> {
        self.store.keys(CONNECTION, None).map(|key| ConnectionId(key.id)).collect()
    }
}
