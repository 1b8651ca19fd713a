//! The number of the last run of each application: no number is ever given twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use model::{Ended, Epoch, Incarnation};

use crate::journal::{Entry, Journal, Opened, Settings, Stamp};
use crate::wire::Trouble;

/// Each process syncs the journal itself before it takes part; the room is for thousands of starts on a full disk.
const SETTINGS: Settings = Settings { sync_every: Duration::from_millis(100), reserve: 256 << 10 };
/// Numbers that are left out when the journal was not whole.
const SKIPPED: u64 = 1_000;
/// Stands in keys between the name of an application and the number of the move that brought it here.
const PLACE: char = '#';

/// The last run of each application.
#[derive(Debug)]
pub(super) struct Runs {
    journal: Journal,
    /// The last run of each, also where it was before it moved away and came back.
    last: Ended,
    /// So many runs since a move may have been, whatever the journal says.
    floor: u64,
    /// Of each application that has moved here, the number of that move.
    moved: BTreeMap<String, u64>,
}

impl Runs {
    /// Opens the journal at `path`; gives warnings about it for people.
    pub(super) fn open(path: &Path, moved: BTreeMap<String, u64>) -> Result<(Self, Vec<String>), Trouble> {
        let Opened { journal, contents, warnings, .. } = Journal::open(path, SETTINGS)?;
        let name = |entry: &Entry<'_>| {
            let key = String::from_utf8_lossy(entry.key);
            key.split_once(PLACE).map_or(key.as_ref(), |(name, _)| name).to_owned()
        };
        let all = contents.entries().map(|entry| Incarnation::new(name(&entry), entry.stamp.sequence));
        let last = Ended::from(all.collect::<Vec<_>>());
        let since_move = |who: Incarnation| who.run - Incarnation::before_first(who.move_number());
        let skipped = || last.iter().map(since_move).max().unwrap_or_default() + SKIPPED;
        let floor = if warnings.is_empty() { 0 } else { skipped() };
        Ok((Self { journal, last, floor, moved }, warnings))
    }

    /// The number of the move that brought an application here.
    pub(super) fn moved(&self, application: &str) -> u64 {
        self.moved.get(application).copied().unwrap_or_default()
    }

    /// The last run of an application where it is now; there may have been none.
    pub(super) fn last(&self, application: &str) -> u64 {
        let moved = self.moved(application);
        let least = Incarnation::before_first(moved) + self.floor;
        self.last.last(application, moved).map_or(least, |run| run.max(least))
    }

    /// The last run of each application that has been on this host, wherever it is now, and of each time that it was here.
    pub(super) fn all(&self) -> impl Iterator<Item = Incarnation> {
        self.last.iter()
    }

    /// A living process says which run it is; the journal may have lost that.
    pub(super) fn learn(&mut self, application: &str, run: u64) {
        self.last.learn(&Incarnation::new(application, run));
    }

    /// Draws the next run of an application.
    pub(super) fn next(&mut self, application: &str) -> Result<u64, Trouble> {
        let next = Incarnation::new(application, self.last(application) + 1);
        let stamp = Stamp { epoch: Epoch(0), sequence: next.run };
        let key = match next.move_number() {
            0 => application.to_owned(),
            moved => format!("{application}{PLACE}{moved}"),
        };
        self.journal.append([Entry { key: key.as_bytes(), stamp, value: Some(&[]) }])?;
        self.last.learn(&next);
        Ok(next.run)
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
        let open = || Runs::open(&path, BTreeMap::new()).unwrap().0;
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

    #[test]
    fn whoever_moves_here_is_counted_above_where_it_was_and_that_is_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.journal");
        let open = |moved: &[(&str, u64)]| {
            let moved = moved.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
            Runs::open(&path, moved).unwrap().0
        };
        assert_eq!(open(&[]).next("sip-b").unwrap(), 1);
        let mut runs = open(&[("sip-b", 4), ("sip-c", 4)]);
        let first = Incarnation::before_first(4) + 1;
        assert_eq!(
            [runs.next("sip-b").unwrap(), runs.next("sip-c").unwrap(), runs.next("sip-a").unwrap()],
            [first, first, 1]
        );
        drop(runs);
        let runs = open(&[("sip-b", 6)]);
        assert_eq!(runs.last("sip-b"), Incarnation::before_first(6));
        let all = [("sip-a", 1), ("sip-b", 1), ("sip-b", first), ("sip-c", first)];
        assert!(runs.all().eq(all.map(|(name, run)| Incarnation::new(name, run))));
    }

    fn open_again(runs: Runs, path: &Path) -> [u64; 2] {
        drop(runs);
        let mut runs = Runs::open(path, BTreeMap::new()).unwrap().0;
        ["sip-a", "sip-b"].map(|name| runs.next(name).unwrap())
    }
}
