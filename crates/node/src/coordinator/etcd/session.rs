//! What lasts from a connection to a member of etcd until it is lost: the member was checked, all entries were read, and
//! every change since is told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redundancy::coordinator::Versioned;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use super::cluster::Cluster;
use super::connection::{Connection, Watch};
use super::entries::Entries;
use super::messages::{STATUS, StatusRequest, StatusResponse, WatchResponse};
use super::problem::Problem;
use crate::coordinator::member::{self, TlsFiles, Version};

/// How often the member is asked whether it lives. Not by the pings of HTTP/2: etcd ends a connection that has more than
/// one of them in 5 s (its `--grpc-keepalive-min-time`), which would notice a loss much too late.
const BEAT: Duration = Duration::from_millis(300);
/// A member that is silent for this long is given up: two beats, so that a loss is noticed within a second.
const SILENCE: Duration = Duration::from_millis(700);

/// A member that can be asked.
#[derive(Debug)]
pub(super) struct Session {
    /// The entries, by way of this member.
    pub(super) entries: Entries,
    /// Its number in etcd.
    pub(super) member: u64,
    /// The revision of the store when they were all read.
    pub(super) revision: u64,
    /// How they stood at that revision.
    pub(super) found: Vec<(String, Versioned)>,
    watch: Watch,
    beat: Interval,
    heard: Instant,
}

impl Session {
    /// Connects to the member at `address`, checks it, and reads all entries, none of which may be older than `seen`.
    pub(super) async fn begin(
        address: &str,
        tls: Option<&TlsFiles>,
        solution: &str,
        cluster: &Mutex<Cluster>,
        seen: u64,
    ) -> Result<Self, Problem> {
        let connection = Connection::open(address, tls).await?;
        let StatusResponse { header, version, .. } = connection.ask(STATUS, StatusRequest {}).await?;
        check_version(&version)?;
        let header = header.unwrap_or_default();
        let (id, member) = (header.cluster_id, header.member_id);
        noted(cluster).check(id)?;
        let entries = Entries::new(connection.clone(), solution);
        // It also shows that this member hears of the others, and is one of a majority.
        let (revision, found) = entries.all().await?;
        check_revision(revision, seen)?;
        noted(cluster).note(id)?;
        // No change is lost between the read and the watch, nor between two sessions: the read has what was before it.
        let mut watch = connection.watch(entries.changes(revision + 1)).await?;
        let created = watch.next().await?;
        if !created.created || created.canceled {
            return Err(cancelled(&created));
        }
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tracing::info!("the coordinator stands on etcd {version} at {address}, cluster {id:016x}, revision {revision}");
        Ok(Self { entries, member, revision, found, watch, beat, heard: Instant::now() })
    }

    /// The changes that come next, of which there may be none; an error ends the session. Nothing is lost if this is given up
    /// and called again.
    pub(super) async fn changes(&mut self) -> Result<Vec<(String, Versioned)>, Problem> {
        loop {
            tokio::select! {
                answer = timeout_at(self.heard + SILENCE, self.watch.next()) => {
                    let silent = |_| Problem::lost(format!("it has not answered for {} ms", SILENCE.as_millis()));
                    let answer = answer.map_err(silent)??;
                    self.heard = Instant::now();
                    if answer.canceled {
                        return Err(cancelled(&answer));
                    }
                    return Ok(answer.events.iter().filter_map(|event| self.entries.change(event)).collect());
                }
                _ = self.beat.tick() => self.watch.nudge()?,
            }
        }
    }
}

fn noted(cluster: &Mutex<Cluster>) -> MutexGuard<'_, Cluster> {
    cluster.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A watch that etcd has ended: the next session reads all entries, so it does not matter which revisions are gone.
fn cancelled(answer: &WatchResponse) -> Problem {
    match answer.compact_revision {
        0 => Problem::lost(format!("it has ended the watch: {}", answer.cancel_reason)),
        oldest => Problem::lost(format!("the watch fell behind: what was before revision {oldest} is compacted")),
    }
}

fn check_version(version: &str) -> Result<(), Problem> {
    match Version::parse(version) {
        Some(known) if known >= member::OLDEST => Ok(()),
        _ => Err(Problem::refused(
            format!("it is etcd {version}, and Everline needs {} or newer", member::OLDEST),
            "install a newer one; the data can stay",
        )),
    }
}

/// A store that was put back to an earlier state has forgotten who became primary since.
fn check_revision(revision: u64, seen: u64) -> Result<(), Problem> {
    if revision >= seen {
        return Ok(());
    }
    Err(Problem::refused(
        format!("its store has gone back to revision {revision}, after {seen} was seen: it was restored from a copy"),
        "put the newer data back; if there is none, stop the solution on all hosts and start it again",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etcd_that_is_too_old_is_refused_by_its_version() {
        check_version("3.4.23").unwrap();
        check_version("3.6.1").unwrap();
        for version in ["3.3.27", "2.3.8", ""] {
            let refused = check_version(version);
            assert!(
                matches!(&refused, Err(Problem::Refused(trouble)) if trouble.what.contains("needs 3.4")),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn a_store_that_has_gone_back_is_refused() {
        check_revision(7, 7).unwrap();
        let refused = check_revision(6, 7);
        assert!(
            matches!(&refused, Err(Problem::Refused(trouble)) if trouble.what.contains("revision 6")),
            "{refused:?}"
        );
    }
}
