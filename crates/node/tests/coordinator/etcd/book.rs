//! The configuration that all hosts share, in etcd.

use std::collections::BTreeMap;
use std::time::SystemTime;

use node::configuration::Document;
use node::coordinator::{Book, Change, EtcdSettings};
use node::wire::Trouble;
use tempfile::TempDir;

use super::Host;
use super::members::Members;

/// The control server of one host, as far as it knows of the configuration.
struct Reader {
    book: Book,
    _folder: TempDir,
}

impl Reader {
    fn new(members: &Members) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = EtcdSettings {
            addresses: members.addresses(),
            seats: Vec::new(),
            hosts: Vec::new(),
            solution: "centre".into(),
            cluster: folder.path().join("coordinator.cluster"),
            tls: members.tls(),
        };
        Self { book: Book::new(settings), _folder: folder }
    }

    fn read(&self) -> Result<Option<Document>, Trouble> {
        wait(self.book.read())
    }

    fn change(&self, new: &Document) -> Result<Change, Trouble> {
        wait(self.book.change(new))
    }

    /// What stands there, as soon as a majority answers.
    fn read_at_last(&self, members: &Members) -> Option<Document> {
        drop(Host::with_tls(members.addresses(), members.tls()).connected("sip"));
        self.read().expect("a majority")
    }
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn version(version: u64, text: &str) -> Document {
    let (files, variables) = (BTreeMap::new(), BTreeMap::new());
    Document {
        version,
        by: "h1".into(),
        at: SystemTime::UNIX_EPOCH,
        text: text.into(),
        files,
        variables,
        revoked: None,
        moved: BTreeMap::new(),
    }
}

/// Of two hosts that change one version only one succeeds, and the other one learns what stands there.
pub(super) fn of_two_changes_of_one_version_one_is_made() {
    let members = Members::start(1, &[]);
    let (one, other) = (Reader::new(&members), Reader::new(&members));
    assert_eq!(one.read_at_last(&members), None);
    assert_eq!(one.change(&version(1, "first")), Ok(Change::Made));
    assert_eq!(other.read(), Ok(Some(version(1, "first"))));
    assert_eq!(other.change(&version(2, "second")), Ok(Change::Made));
    assert_eq!(one.change(&version(2, "another second")), Ok(Change::Moved(Some(version(2, "second")))));
    assert_eq!(one.change(&version(1, "first again")), Ok(Change::Moved(Some(version(2, "second")))));
    let outcomes = std::thread::scope(|scope| {
        let racers = [&one, &other].map(|reader| scope.spawn(|| reader.change(&version(3, "third")).unwrap()));
        racers.map(|racer| racer.join().unwrap())
    });
    let made = outcomes.iter().filter(|outcome| **outcome == Change::Made).count();
    assert_eq!(made, 1, "{outcomes:?}");
    assert!(outcomes.contains(&Change::Moved(Some(version(3, "third")))), "{outcomes:?}");
}

/// Nothing is changed while only a minority is left.
pub(super) fn a_minority_changes_nothing_and_says_so() {
    let mut members = Members::start(3, &[]);
    let reader = Reader::new(&members);
    reader.read_at_last(&members);
    assert_eq!(reader.change(&version(1, "first")), Ok(Change::Made));
    members.kill(1);
    members.kill(2);
    for refused in [reader.read().err(), reader.change(&version(2, "second")).err()] {
        let refused = refused.expect("no majority");
        assert!(refused.what.contains("a minority of the coordinator's members"), "{refused}");
        assert!(refused.remedy.contains("nothing was changed"), "{refused}");
    }
    members.run(1);
    assert_eq!(reader.read_at_last(&members), Some(version(1, "first")));
}

/// However often a long one is changed, etcd does not get full, which would keep roles from changing.
pub(super) fn many_changes_do_not_fill_it() {
    let members = Members::start(1, &[]);
    let reader = Reader::new(&members);
    reader.read_at_last(&members);
    let long = "x".repeat(1_200_000);
    for number in 1..=80 {
        let outcome = reader.change(&version(number, &long));
        assert!(matches!(outcome, Ok(Change::Made)), "the change {number}: {:?}", outcome.err());
    }
    let too_long = "x".repeat(1_500_000);
    assert!(reader.change(&version(81, &too_long)).is_err_and(|why| why.what.contains("1400000 at most")));
}
