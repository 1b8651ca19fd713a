//! The number of the last run of each application: no number is ever given twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use model::Epoch;

use crate::journal::{Entry, Journal, Opened, Settings, Stamp};
use crate::wire::Trouble;

/// Each process syncs the journal itself before it takes part; the room is for thousands of starts on a full disk.
const SETTINGS: Settings = Settings { sync_every: Duration::from_millis(100), reserve: 256 << 10 };
/// Numbers that are left out when the journal was not whole.
const SKIPPED: u64 = 1_000;

/// The last run of each application.
#[derive(Debug)]
pub(super) struct Runs {
    journal: Journal,
    last: BTreeMap<String, u64>,
    /// Runs up to this one may have been, whatever the journal says.
    floor: u64,
}

impl Runs {
    /// Opens the journal at `path`; gives warnings about it for people.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<String>), Trouble> {
        let Opened { journal, contents, warnings, .. } = Journal::open(path, SETTINGS)?;
        let name = |entry: Entry<'_>| String::from_utf8_lossy(entry.key).into_owned();
        let last = contents.entries().map(|entry| (name(entry), entry.stamp.sequence)).collect();
        let floor = if warnings.is_empty() { 0 } else { contents.newest().sequence + SKIPPED };
        Ok((Self { journal, last, floor }, warnings))
    }

    /// The last run of an application, zero if there was none.
    pub(super) fn last(&self, application: &str) -> u64 {
        self.last.get(application).copied().unwrap_or_default().max(self.floor)
    }

    /// A living process says which run it is; the journal may have lost that.
    pub(super) fn learn(&mut self, application: &str, run: u64) {
        self.last.insert(application.to_owned(), self.last(application).max(run));
    }

    /// Draws the next run of an application.
    pub(super) fn next(&mut self, application: &str) -> Result<u64, Trouble> {
        let run = self.last(application) + 1;
        let stamp = Stamp { epoch: Epoch(0), sequence: run };
        self.journal.append([Entry { key: application.as_bytes(), stamp, value: Some(&[]) }])?;
        self.last.insert(application.to_owned(), run);
        Ok(run)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn no_number_is_given_twice_whatever_happens_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.journal");
        let open = || Runs::open(&path).unwrap().0;
        let mut runs = open();
        assert_eq!([runs.last("sip-a"), runs.next("sip-a").unwrap(), runs.next("sip-a").unwrap()], [0, 1, 2]);
        assert_eq!(runs.next("sip-b").unwrap(), 1);
        drop(runs);
        let mut runs = open();
        runs.learn("sip-b", 7);
        runs.learn("sip-a", 1);
        assert_eq!([runs.next("sip-a").unwrap(), runs.next("sip-b").unwrap()], [3, 8]);
        drop(runs);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(fs::metadata(&path).unwrap().len() - 1).unwrap();
        let mut runs = open();
        let next = ["sip-a", "sip-b"].map(|name| runs.next(name).unwrap());
        assert!(next.iter().all(|run| *run > 1_000), "{next:?}");
        assert_eq!(open_again(runs, &path), next.map(|run| run + 1));
    }

    fn open_again(runs: Runs, path: &Path) -> [u64; 2] {
        drop(runs);
        let mut runs = Runs::open(path).unwrap().0;
        ["sip-a", "sip-b"].map(|name| runs.next(name).unwrap())
    }
}
