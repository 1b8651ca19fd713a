//! What the file of a journal says, and what people should know about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::keeper::Part;
use super::scan::{self, OWNER, OtherVersion, Scan};
use super::{Contents, Entry, Stamp};
use crate::wire::Trouble;

/// Where the newest entry of each key stands.
pub(super) type Index = BTreeMap<Vec<u8>, (Stamp, Part)>;

/// What the bytes of a file say.
pub(super) struct Sorted {
    pub(super) contents: Contents,
    pub(super) index: Index,
    pub(super) found: Scan,
    /// Whose file it is, if it belongs to somebody else.
    pub(super) foreign: Option<String>,
}

/// Reads a journal that another process may be writing; a file that does not exist is empty.
///
/// # Errors
/// If the file cannot be read, or was written by a newer version.
pub fn read(path: &Path) -> Result<(Contents, Vec<String>), Trouble> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Trouble::of_file("read", path, &error)),
    };
    parse(path, &bytes)
}

/// Reads the bytes of the journal that stands at `path`.
///
/// # Errors
/// If they were written by a newer version.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<(Contents, Vec<String>), Trouble> {
    let sorted = Sorted::of(path, bytes)?;
    let warnings = sorted.describe(path, bytes.len()).into_iter().collect();
    Ok((sorted.contents, warnings))
}

/// Notes where an entry stands, if it is the newest of its key; says how many bytes are garbage by that.
pub(super) fn note(index: &mut Index, entry: Entry<'_>, part: Part) -> u32 {
    match index.get_mut(entry.key) {
        Some((stamp, _)) if *stamp > entry.stamp => part.1,
        Some(known) => std::mem::replace(known, (entry.stamp, part)).1.1,
        None => {
            index.insert(entry.key.to_vec(), (entry.stamp, part));
            0
        }
    }
}

fn part(range: &Range<usize>) -> Part {
    (range.start as u64, range.len() as u32)
}

fn newer(path: &Path) -> Trouble {
    let what = format!("{} was written by a newer version of Everline", path.display());
    Trouble::new(what, "start the newer version, or move the file away and lose what it holds")
}

/// Whose journal belongs at this place: the name of the file without the side of a pair.
pub(super) fn owner_of(path: &Path) -> String {
    let name = path.file_stem().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.split_once('-').map_or(&*name, |(pair, _)| pair).to_owned()
}

impl Sorted {
    pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<Self, Trouble> {
        let (mut contents, mut index, mut owner) = (Contents::default(), Index::new(), None);
        let found = scan::scan(bytes, |range, entry| {
            note(&mut index, entry, part(&range));
            if entry.key == OWNER {
                owner = entry.value.map(String::from_utf8_lossy);
            } else {
                contents.take(entry);
            }
        });
        let found = found.map_err(|OtherVersion| newer(path))?;
        let foreign = owner.filter(|owner| *owner != owner_of(path)).map(Cow::into_owned);
        if foreign.is_some() {
            (contents, index) = Default::default();
        }
        Ok(Self { contents, index, found, foreign })
    }

    /// What people should know about a file that was not whole, or is another one.
    pub(super) fn describe(&self, path: &Path, length: usize) -> Option<String> {
        let (Self { found, foreign, .. }, entries) = (self, self.contents.count());
        let path = path.display();
        if let Some(owner) = foreign {
            return Some(format!("{path} is a journal of {owner}, and nothing in it is used"));
        }
        if let Some(first) = found.damaged.first() {
            let bytes: usize = found.damaged.iter().map(Range::len).sum();
            let (places, start) = (found.damaged.len(), first.start);
            return Some(format!(
                "{path} is damaged at byte {start} ({bytes} bytes in {places} places cannot be read); {entries} entries \
                 were kept"
            ));
        }
        let (end, torn) = (found.end, length - found.end);
        (torn > 0).then(|| {
            format!("{path} ends within an entry at byte {end}: {torn} bytes were dropped, {entries} entries kept")
        })
    }
}
