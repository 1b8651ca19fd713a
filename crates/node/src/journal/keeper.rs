//! The thread beside a journal: syncs the file, and writes it anew when it holds too much garbage.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use management::helpers::Wait;

use super::scan::TITLE;
use crate::pulse::threads::{Helper, NAP};

/// Some bytes of a journal: where they begin, and how many they are.
pub(super) type Part = (u64, u32);

/// A new file that holds some parts of the old one, in their order.
pub(super) struct Compacted {
    pub(super) file: File,
    pub(super) parts: Vec<Part>,
}

/// What the thread is asked to do, and what it has found out.
pub(super) struct Duty {
    file: Arc<File>,
    unsynced: bool,
    renamed: bool,
    compact: Option<Vec<Part>>,
    ended: bool,
    compacted: Option<io::Result<Compacted>>,
    sync_failed: Option<io::Error>,
}

/// What the journal and its thread share.
pub(super) struct Desk {
    duty: Mutex<Duty>,
    wake: Condvar,
    /// Where the journal stands.
    path: PathBuf,
    /// The least time from one sync to the next.
    pause: Duration,
}

/// The thread, which ends when this is dropped and everything is synced.
pub(super) struct Keeper {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where the new file of a compaction is written.
pub(super) fn new_path(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

impl Keeper {
    /// Starts the thread for the journal `file`, which stands at `path`.
    pub(super) fn start(file: Arc<File>, path: &Path, pause: Duration) -> io::Result<Self> {
        let duty = Duty {
            file,
            unsynced: true,
            renamed: true,
            compact: None,
            ended: false,
            compacted: None,
            sync_failed: None,
        };
        let desk = Arc::new(Desk { duty: Mutex::new(duty), wake: Condvar::new(), path: path.to_owned(), pause });
        let for_thread = Arc::clone(&desk);
        let thread = thread::Builder::new().name("journal".into()).spawn(move || for_thread.keep())?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// What an append needs to get hold of.
    #[cfg(test)]
    pub(super) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
    }

    /// Asks for a sync: something was written.
    pub(super) fn written(&self) {
        let mut duty = self.desk.lock();
        if !duty.unsynced {
            duty.unsynced = true;
            self.desk.wake.notify_one();
        }
    }

    /// Asks for a new file with only these parts of the current one.
    pub(super) fn compact(&self, parts: Vec<Part>) {
        self.desk.lock().compact = Some(parts);
        self.desk.wake.notify_one();
    }

    /// Tells that another file has taken the place of the old one.
    pub(super) fn replaced(&self, file: Arc<File>) {
        let mut duty = self.desk.lock();
        duty.file = file;
        duty.renamed = true;
        duty.unsynced = true;
        self.desk.wake.notify_one();
    }

    /// The outcome of a compaction, once.
    pub(super) fn compacted(&self) -> Option<io::Result<Compacted>> {
        self.desk.lock().compacted.take()
    }

    /// Why a sync has failed, once.
    pub(super) fn sync_failed(&self) -> Option<io::Error> {
        self.desk.lock().sync_failed.take()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.desk.lock().ended = true;
        self.desk.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    pub(super) fn lock(&self) -> MutexGuard<'_, Duty> {
        self.duty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's life.
    fn keep(&self) {
        let helper = Helper::begin("journal");
        let mut next_sync = Instant::now();
        let mut duty = self.lock();
        loop {
            let pause = next_sync.saturating_duration_since(Instant::now());
            if let Some(parts) = duty.compact.take() {
                let file = Arc::clone(&duty.file);
                drop(duty);
                let outcome = helper.waits(Wait::Disk, || compact(&file, &parts, &new_path(&self.path)));
                let outcome = outcome.map(|file| Compacted { file, parts });
                duty = self.lock();
                duty.compacted = Some(outcome);
            } else if duty.unsynced && (pause.is_zero() || duty.ended) {
                let file = Arc::clone(&duty.file);
                let folder = std::mem::take(&mut duty.renamed).then(|| self.path.parent()).flatten();
                duty.unsynced = false;
                drop(duty);
                let sync = || file.sync_data().and_then(|()| folder.map_or(Ok(()), sync_folder));
                let outcome = helper.waits(Wait::Disk, sync);
                next_sync = Instant::now() + self.pause;
                duty = self.lock();
                duty.sync_failed = outcome.err().or_else(|| duty.sync_failed.take());
            } else if duty.ended {
                return;
            } else {
                let nap = if duty.unsynced { pause.min(NAP) } else { NAP };
                duty = self.wake.wait_timeout(duty, nap).unwrap_or_else(PoisonError::into_inner).0;
                helper.beat();
            }
        }
    }
}

/// Makes the names of the files in a folder survive a loss of power.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_data()
}

/// Copies parts of a journal into a new file at `path`, and makes that survive a loss of power.
pub(super) fn compact(from: &File, parts: &[Part], path: &Path) -> io::Result<File> {
    let copy = || {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.try_lock()?;
        let mut out = BufWriter::with_capacity(1 << 16, &file);
        out.write_all(TITLE)?;
        let mut bytes = Vec::new();
        for (offset, length) in parts {
            bytes.resize(*length as usize, 0);
            from.read_exact_at(&mut bytes, *offset)?;
            out.write_all(&bytes)?;
        }
        out.flush()?;
        drop(out);
        file.sync_data()?;
        Ok(file)
    };
    copy().inspect_err(|_| drop(fs::remove_file(path)))
}
