//! The file of a journal.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{FallocateFlags, fallocate};

use super::keeper::{self, Compacted, Keeper, Part};
use super::reading::{Index, Sorted, note, owner_of};
use super::scan::{self, OWNER, TITLE};
use super::{Contents, Entry, Stamp};
use crate::wire::Trouble;

/// Garbage in bytes up to which a file is not written anew.
const MOST_GARBAGE: u64 = 1 << 20;
/// Damaged or foreign files that are kept aside at most.
const MOST_ASIDE: u32 = 100;

/// How a journal is kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The least time from one sync to the next: a loss of power costs no more than what came in that time.
    pub sync_every: Duration,
    /// Room on the disk in bytes that is kept for this journal alone, so that it goes on for a while on a full disk.
    pub reserve: u64,
}

impl Default for Settings {
    /// For the durable records of a server.
    fn default() -> Self {
        Self { sync_every: Duration::from_secs(1), reserve: 64 << 10 }
    }
}

/// A journal that was opened, and what it held.
#[derive(Debug)]
pub struct Opened {
    /// To append to.
    pub journal: Journal,
    /// What it held.
    pub contents: Contents,
    /// What was wrong with the file, for people.
    pub warnings: Vec<String>,
    /// There was none, or it was empty: nobody has opened it before.
    pub is_new: bool,
}

/// A file to which this process alone appends.
pub struct Journal {
    path: PathBuf,
    settings: Settings,
    file: Arc<File>,
    keeper: Keeper,
    /// Where the next entry goes; bytes behind it are remains of a write that failed.
    length: u64,
    has_remains: bool,
    reserved: u64,
    /// The newest entry of each key, and where it stands.
    index: Index,
    /// Bytes of all parts in the index.
    live: u64,
    /// While the file is being written anew: its length when that began.
    compacting: Option<u64>,
    /// Length at which an attempt to write it anew is worth its while.
    compact_at: u64,
    buffer: Vec<u8>,
    /// Why the last entries could not be written.
    unwritten: Option<Trouble>,
    /// Why the file could not be synced or written anew, until that has succeeded.
    unkept: Option<Trouble>,
}

impl Journal {
    /// Opens the journal at `path` to append to it, and makes it if there is none. A torn end is cut off; a file that
    /// is damaged in its middle is kept aside and replaced by what could be read of it; one that belongs to another
    /// owner is kept aside and replaced by an empty one.
    ///
    /// # Errors
    /// If the file cannot be read or written, is in use, or was written by a newer version.
    pub fn open(path: &Path, settings: Settings) -> Result<Opened, Trouble> {
        let failed = |error: io::Error| Trouble::of_file("open", path, &error);
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            let what = format!("{} is not a file", path.display());
            return Err(Trouble::new(what, "move it away: a file belongs in its place, and is made if there is none"));
        }
        let mut options = File::options();
        let file =
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed)?;
        file.try_lock().map_err(|_| {
            let what = format!("{} is in use by another process", path.display());
            Trouble::new(what, "end the process that uses it; a folder serves one contact centre at a time")
        })?;
        let mut bytes = Vec::new();
        (&file).read_to_end(&mut bytes).map_err(failed)?;
        let sorted = Sorted::of(path, &bytes)?;
        let mut warnings: Vec<_> = sorted.describe(path, bytes.len()).into_iter().collect();
        let Sorted { contents, index, found, foreign } = sorted;
        let is_new = index.is_empty() && warnings.is_empty();
        let live = index.values().map(|(_, part)| u64::from(part.1)).sum();
        let file = Arc::new(file);
        let keeper = Keeper::start(Arc::clone(&file), path, settings.sync_every).map_err(failed)?;
        let mut journal = Self {
            path: path.to_owned(),
            settings,
            file,
            keeper,
            length: found.end as u64,
            has_remains: found.end < bytes.len(),
            reserved: 0,
            index,
            live,
            compacting: None,
            compact_at: 0,
            buffer: Vec::new(),
            unwritten: None,
            unkept: None,
        };
        let unusable = foreign.is_some().then_some("foreign").or((!found.damaged.is_empty()).then_some("damaged"));
        if let Some(why) = unusable {
            let aside = journal.set_aside(why).map_err(failed)?;
            warnings.push(format!("the {why} file was kept as {}", aside.display()));
        } else {
            journal.prepare().map_err(failed)?;
        }
        if !journal.index.contains_key(OWNER) {
            let owner = owner_of(path);
            journal.append([Entry { key: OWNER, stamp: Stamp::default(), value: Some(owner.as_bytes()) }])?;
        }
        journal.reserve();
        Ok(Opened { journal, contents, warnings, is_new })
    }

    /// Appends the entries: all of them, or none. When this returns they survive the end of the process.
    ///
    /// # Errors
    /// If the disk is full or broken. The journal goes on, and the caller may try again.
    pub fn append<'a>(&mut self, entries: impl IntoIterator<Item = Entry<'a>> + Clone) -> Result<(), Trouble> {
        self.attend();
        self.buffer.clear();
        let mut parts = Vec::new();
        for entry in entries.clone() {
            let start = self.buffer.len();
            scan::append(&entry, &mut self.buffer)
                .map_err(|error| Trouble::new(error.to_string(), "report this as an error of Everline"))?;
            parts.push((self.length + start as u64, (self.buffer.len() - start) as u32));
        }
        if parts.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.write() {
            let trouble = Trouble::of_file("write", &self.path, &error);
            self.unwritten = Some(trouble.clone());
            return Err(trouble);
        }
        self.unwritten = None;
        for (entry, part) in entries.into_iter().zip(parts) {
            self.live += u64::from(part.1);
            self.live -= u64::from(note(&mut self.index, entry, part));
        }
        self.keeper.written();
        self.reserve();
        self.compact_if(|garbage, live| garbage > MOST_GARBAGE && garbage > live);
        Ok(())
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What an append needs to get hold of.
    #[cfg(test)]
    pub(super) fn desk(&self) -> Arc<keeper::Desk> {
        self.keeper.desk()
    }

    /// What is wrong with the disk, if anything is.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.unwritten.clone().or_else(|| self.unkept.clone())
    }

    /// Writes the buffer at the end of the file.
    fn write(&mut self) -> io::Result<()> {
        self.prepare()?;
        self.has_remains = true;
        let written = self.file.write_all_at(&self.buffer, self.length);
        if written.is_ok() {
            self.length += self.buffer.len() as u64;
            self.has_remains = false;
        } else {
            let _ = self.prepare();
        }
        written
    }

    /// Cuts off what does not belong to the file, and begins an empty one.
    fn prepare(&mut self) -> io::Result<()> {
        if self.has_remains {
            self.file.set_len(self.length)?;
            self.has_remains = false;
            self.reserved = 0;
        }
        if self.length == 0 {
            self.file.write_all_at(TITLE, 0)?;
            self.length = TITLE.len() as u64;
        }
        Ok(())
    }

    /// Keeps room on the disk. Where the file system cannot do that, the journal does without.
    fn reserve(&mut self) {
        if self.reserved < self.length + self.settings.reserve / 2 {
            let (start, length) = (self.length.cast_signed(), self.settings.reserve.cast_signed());
            let _ = fallocate(&self.file, FallocateFlags::FALLOC_FL_KEEP_SIZE, start, length);
            self.reserved = self.length + self.settings.reserve;
        }
    }

    /// Takes in what the thread has found out.
    fn attend(&mut self) {
        if let Some(error) = self.keeper.sync_failed() {
            // The kernel may have dropped what it could not write (fsync(2)), so everything is written anew.
            self.unkept = Some(Trouble::of_file("sync", &self.path, &error));
            self.compact_if(|_, _| true);
        }
        match self.keeper.compacted() {
            Some(Ok(compacted)) => {
                if let Err(error) = self.replace(compacted) {
                    self.give_up_compaction(&error);
                }
            }
            Some(Err(error)) => self.give_up_compaction(&error),
            None => {}
        }
    }

    /// Begins to write the file anew, if it is worth it and not under way.
    fn compact_if(&mut self, worth: impl FnOnce(u64, u64) -> bool) {
        let garbage = self.length - TITLE.len() as u64 - self.live;
        if self.compacting.is_none() && self.length >= self.compact_at && worth(garbage, self.live) {
            self.keeper.compact(self.parts());
            self.compacting = Some(self.length);
        }
    }

    fn give_up_compaction(&mut self, error: &io::Error) {
        let _ = fs::remove_file(keeper::new_path(&self.path));
        self.unkept = Some(Trouble::of_file("compact", &self.path, error));
        self.compacting = None;
        self.compact_at = self.length.saturating_mul(2);
    }

    /// Puts the new file in the place of the old one, with what was appended meanwhile.
    fn replace(&mut self, Compacted { file, parts }: Compacted) -> io::Result<()> {
        let from = self.compacting.unwrap_or(self.length);
        let moved = TITLE.len() as u64 + parts.iter().map(|part| u64::from(part.1)).sum::<u64>();
        let mut tail = vec![0; (self.length - from) as usize];
        self.file.read_exact_at(&mut tail, from)?;
        file.write_all_at(&tail, moved)?;
        fs::rename(keeper::new_path(&self.path), &self.path)?;
        let new_places: BTreeMap<u64, u64> = parts
            .iter()
            .scan(TITLE.len() as u64, |end, (old, length)| {
                let place = *end;
                *end += u64::from(*length);
                Some((*old, place))
            })
            .collect();
        for (_, (offset, _)) in self.index.values_mut() {
            *offset = new_places.get(offset).copied().unwrap_or_else(|| *offset - from + moved);
        }
        self.file = Arc::new(file);
        self.length = moved + tail.len() as u64;
        (self.has_remains, self.reserved, self.compacting, self.compact_at) = (false, 0, None, 0);
        self.unkept = None;
        self.keeper.replaced(Arc::clone(&self.file));
        self.reserve();
        Ok(())
    }

    /// Keeps the file aside and puts a sound one in its place. Runs before anything waits for this journal.
    fn set_aside(&mut self, why: &str) -> io::Result<PathBuf> {
        let aside = (1..MOST_ASIDE)
            .map(|number| self.path.with_added_extension(format!("{why}-{number}")))
            .find(|path| !path.exists())
            .ok_or_else(|| {
                io::Error::other(format!("too many {why} files lie beside it: look at them and remove them"))
            })?;
        let parts = self.parts();
        let file = keeper::compact(&self.file, &parts, &keeper::new_path(&self.path))?;
        fs::hard_link(&self.path, &aside)?;
        self.compacting = Some(self.length);
        self.replace(Compacted { file, parts })?;
        Ok(aside)
    }

    /// The parts in use, in the order of the file.
    fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<_> = self.index.values().map(|(_, part)| *part).collect();
        parts.sort_unstable();
        parts
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.path).field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
