//! One member of etcd: a session with it whenever it can be had.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redundancy::coordinator::Versioned;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use super::cluster::Cluster;
use super::entries::Entries;
use super::problem::Problem;
use super::session::Session;
use crate::coordinator::member::TlsFiles;

/// How long a member may take until it has shown that it can be asked.
const ATTEMPT: Duration = Duration::from_millis(500);
/// First pause after it was tried in vain; it doubles.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// What is heard of a member.
pub(super) enum Word {
    /// It can be asked from now on.
    Begun {
        /// The entries, by way of it.
        entries: Entries,
        /// Its number in etcd.
        member: u64,
        /// How they stood.
        found: Vec<(String, Versioned)>,
    },
    /// Entries have changed.
    Changed(Vec<(String, Versioned)>),
    /// It cannot be asked any more.
    Lost(Problem),
    /// It cannot be asked now.
    Cannot(Problem),
    /// How the cluster stands.
    Status {
        /// The alarms that it knows, of any member.
        alarms: BTreeSet<String>,
        /// The number of the member that leads, 0 if none does.
        leader: u64,
    },
}

/// Who visits a member.
pub(super) struct Visit {
    /// Its place among all.
    pub(super) number: usize,
    pub(super) address: String,
    pub(super) solution: String,
    pub(super) tls: Option<TlsFiles>,
    pub(super) cluster: Arc<Mutex<Cluster>>,
    /// The newest revision that was seen at any member.
    pub(super) seen: Arc<AtomicU64>,
    pub(super) words: mpsc::Sender<(usize, Word)>,
    /// Ends the session.
    pub(super) doubt: Arc<Notify>,
}

impl Visit {
    /// Has one session after the other, for ever.
    pub(super) async fn live(self) {
        let mut pause = PAUSE;
        loop {
            let seen = self.seen.load(Ordering::Relaxed);
            let attempt = Session::begin(&self.address, self.tls.as_ref(), &self.solution, &self.cluster, seen);
            let late = |_| Err(Problem::lost(format!("it cannot be asked within {} ms", ATTEMPT.as_millis())));
            match timeout(ATTEMPT, attempt).await.unwrap_or_else(late) {
                Ok(session) => {
                    pause = PAUSE;
                    let problem = self.stay(session).await;
                    self.say(Word::Lost(problem)).await;
                }
                Err(problem) => {
                    self.say(Word::Cannot(problem)).await;
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Tells what changes until the session ends, and why it did.
    async fn stay(&self, mut session: Session) -> Problem {
        self.seen.fetch_max(session.revision, Ordering::Relaxed);
        let found = std::mem::take(&mut session.found);
        self.say(Word::Begun { entries: session.entries.clone(), member: session.member, found }).await;
        loop {
            tokio::select! {
                changes = session.changes() => match changes {
                    Ok(changes) => {
                        let newest = changes.iter().map(|(_, now)| now.revision).max().unwrap_or_default();
                        self.seen.fetch_max(newest, Ordering::Relaxed);
                        self.say(Word::Changed(changes)).await;
                    }
                    Err(problem) => return problem,
                },
                () = self.doubt.notified() => return Problem::lost("a request had no answer"),
            }
        }
    }

    async fn say(&self, word: Word) {
        // Refused only if nobody wants to know any more.
        let _ = self.words.send((self.number, word)).await;
    }
}
