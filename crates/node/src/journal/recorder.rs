//! Writes to a journal in a thread of its own, for a server that goes on whatever its disk does.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use management::helpers::Wait;

use super::{Entry, Journal, Stamp};
use crate::pulse::threads::{Helper, NAP};
use crate::wire::Trouble;

/// Entries that could not be written are tried again after this time.
const RETRY: Duration = Duration::from_secs(1);
/// A disk that has not taken something for this long is told as an alarm.
const STALL: Duration = Duration::from_secs(2);

/// The newest entries, by key.
type Entries = BTreeMap<Vec<u8>, (Stamp, Option<Vec<u8>>)>;

/// A journal whose disk nobody waits for. What is not written yet waits in memory, the newest entry of each key only, so
/// it needs no more room than the records themselves.
#[derive(Debug)]
pub struct Recorder {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// What the server and the thread share. Neither holds it while it waits for anything.
#[derive(Debug)]
struct Desk {
    work: Mutex<Work>,
    wake: Condvar,
    path: PathBuf,
}

#[derive(Debug, Default)]
struct Work {
    waiting: Entries,
    /// How many entries the thread is writing, and since when.
    writing: Option<(usize, Instant)>,
    /// What was wrong with the disk when the thread was done last.
    trouble: Option<Trouble>,
    ended: bool,
}

impl Recorder {
    /// Records to this journal, until this is dropped and everything that the disk takes is written.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(journal: Journal) -> io::Result<Self> {
        let path = journal.path().to_owned();
        let desk = Arc::new(Desk { work: Mutex::default(), wake: Condvar::new(), path });
        let for_thread = Arc::clone(&desk);
        let thread = thread::Builder::new().name("recorder".into()).spawn(move || for_thread.write(journal))?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Has the entry written behind those that wait, and returns at once. What is not written when the process is killed
    /// is lost; that is a moment's worth, unless the disk is in [`trouble`](Self::trouble).
    pub fn record(&self, Entry { key, stamp, value }: Entry<'_>) {
        let entry = (stamp, value.map(<[u8]>::to_vec));
        self.desk.lock().waiting.insert(key.to_vec(), entry);
        self.desk.wake.notify_one();
    }

    /// How many entries are not written yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let work = self.desk.lock();
        work.waiting.len() + work.writing.map_or(0, |(count, _)| count)
    }

    /// What is wrong with the journal's disk, if anything is.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let work = self.desk.lock();
        let stalled = work.writing.is_some_and(|(_, since)| since.elapsed() > STALL);
        let trouble = || {
            let what = format!("cannot write {}: the disk does not answer", self.desk.path.display());
            Trouble::new(what, "look at the disk and at the system's log; calls go on meanwhile")
        };
        work.trouble.clone().or_else(|| stalled.then(trouble))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.desk.lock().ended = true;
        self.desk.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's life.
    fn write(&self, mut journal: Journal) {
        let helper = Helper::begin("recorder");
        let mut work = self.lock();
        loop {
            helper.beat();
            if work.waiting.is_empty() && !work.is_unsure() {
                if work.ended {
                    return;
                }
                work = self.wake.wait_timeout(work, NAP).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let entries = std::mem::take(&mut work.waiting);
            work.writing = Some((entries.len(), Instant::now()));
            drop(work);
            let written = helper.waits(Wait::Disk, || append(&mut journal, &entries));
            work = self.lock();
            (work.writing, work.trouble) = (None, journal.trouble());
            if written.is_err() {
                entries.into_iter().for_each(|(key, entry)| {
                    work.waiting.entry(key).or_insert(entry);
                });
            }
            if work.trouble.is_some() {
                if work.ended {
                    return;
                }
                work = self.rest(work, &helper);
            }
        }
    }

    /// Waits before the next attempt. Everything that is recorded meanwhile wakes this thread, which is no reason to make it sooner.
    fn rest<'a>(&'a self, mut work: MutexGuard<'a, Work>, helper: &Helper) -> MutexGuard<'a, Work> {
        let until = Instant::now() + RETRY;
        while !work.ended && Instant::now() < until {
            work = self.wake.wait_timeout(work, NAP).unwrap_or_else(PoisonError::into_inner).0;
            helper.beat();
        }
        work
    }
}

impl Work {
    /// The journal is to be asked again how its disk does.
    fn is_unsure(&self) -> bool {
        self.trouble.is_some() && !self.ended
    }
}

/// Writes the entries in the order in which they came to be.
fn append(journal: &mut Journal, entries: &Entries) -> Result<(), Trouble> {
    let mut ordered: Vec<_> =
        entries.iter().map(|(key, (stamp, value))| Entry { key, stamp: *stamp, value: value.as_deref() }).collect();
    ordered.sort_by_key(|entry| entry.stamp);
    journal.append(ordered)
}

#[cfg(test)]
mod tests {
    use model::Epoch;

    use super::super::{Opened, Settings, read};
    use super::*;

    #[test]
    fn a_disk_that_does_not_answer_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.journal");
        let Opened { journal, .. } = Journal::open(&path, Settings::default()).unwrap();
        // Whoever appends needs this.
        let desk = journal.desk();
        let recorder = Recorder::start(journal).unwrap();
        let record = |key: &str, sequence| {
            let stamp = Stamp { epoch: Epoch(1), sequence };
            recorder.record(Entry { key: key.as_bytes(), stamp, value: Some(b"a value") });
        };
        let held = desk.lock();
        record("anna", 1);
        record("ben", 2);
        record("anna", 3);
        assert!((2..=3).contains(&recorder.waiting()), "nothing is written, and of each key the newest waits");
        assert_eq!(read(&path).unwrap().0.entries().count(), 0);
        drop(held);
        drop(recorder);
        let contents = read(&path).unwrap().0;
        let stamps: Vec<_> = contents.entries().map(|entry| (entry.key.to_vec(), entry.stamp.sequence)).collect();
        assert_eq!(stamps, [(b"anna".to_vec(), 3), (b"ben".to_vec(), 2)]);
    }
}
