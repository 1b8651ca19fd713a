//! The embedded coordinator: the conformance test, and what only it can meet.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use model::Incarnation;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use node::channel::Channel;
use node::client::Event;
use node::coordinator::{Coordinator, CoordinatorServer, EmbeddedCoordinator};
use node::local;
use node::wire::{CoordinatorReply, CoordinatorRequest};
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};
use tempfile::TempDir;

use crate::Test;
use crate::conformance::{self, Played, Site, entry};
use crate::serving::Serving;

pub(crate) const TESTS: &[Test] = &[
    ("embedded::it_keeps_the_contract", it_keeps_the_contract),
    ("embedded::a_journal_that_is_not_whole_makes_revisions_leap", a_journal_that_is_not_whole_makes_revisions_leap),
    (
        "embedded::who_asks_too_much_or_nonsense_is_left_and_the_others_are_served",
        who_asks_too_much_or_nonsense_is_left_and_the_others_are_served,
    ),
    (
        "embedded::a_watcher_that_reads_nothing_is_given_up_and_the_others_are_served",
        a_watcher_that_reads_nothing_is_given_up_and_the_others_are_served,
    ),
];

/// The words by which this program is started again to check the contract.
pub(crate) const CONTRACT: [&str; 2] = ["contract", "embedded"];
/// Changes after which a journal must have been written anew: it is when a MiB of it is of no use any more.
const MOST_CHANGES: usize = 100_000;

/// A coordinator on a folder of its own.
struct Embedded {
    folder: TempDir,
    serving: Option<Serving>,
    warnings: Vec<String>,
}

impl Embedded {
    fn new() -> Self {
        let mut site = Self { folder: tempfile::tempdir().unwrap(), serving: None, warnings: Vec::new() };
        site.start();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&mut self) {
        let (server, warnings) = CoordinatorServer::open(&self.path("journal"), &self.path("sock")).unwrap();
        self.warnings = warnings;
        self.serving = Some(Serving::start(Box::new(server)));
    }

    fn stop(&mut self) {
        self.serving = None;
    }

    /// Bytes of its journal.
    fn length(&self) -> u64 {
        fs::metadata(self.path("journal")).unwrap().len()
    }
}

/// Lets no file of this process grow beyond so many bytes; none: as far as it may. It stands for a full disk, and any user may do it.
fn limit_files(bytes: Option<u64>) {
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, bytes.unwrap_or(most), most).unwrap();
}

/// About a KiB of it.
fn large() -> PairEntry {
    PairEntry { in_sync: vec![Incarnation::new("x".repeat(60), 1); 16], ..entry(1) }
}

impl Site for Embedded {
    fn name(&self) -> &'static str {
        "the embedded coordinator"
    }

    fn connect(&self, pair: &str) -> Box<dyn Coordinator> {
        Box::new(EmbeddedCoordinator::new(self.path("sock"), pair).unwrap())
    }

    fn restart(&mut self) {
        self.stop();
        self.start();
    }

    fn fill(&mut self) -> Played {
        limit_files(Some(self.length()));
        Ok(())
    }

    fn make_room(&mut self) {
        limit_files(None);
    }

    fn compact(&mut self, pair: &str, mut now: Versioned) -> Played<Versioned> {
        let mut writer = conformance::connected(self, pair);
        let mut longest = 0;
        for _ in 0..MOST_CHANGES {
            let (done, new) = conformance::swap(&mut *writer, Some(now.revision), large());
            assert!(done);
            now = new.expect("it stands there");
            if self.length() < longest {
                self.restart();
                assert!(self.warnings.is_empty(), "{:?}", self.warnings);
                return Ok(now);
            }
            longest = self.length();
        }
        panic!("its journal is {longest} bytes long, and is not written anew");
    }

    fn change_leader(&mut self) -> Played {
        self.restart();
        Ok(())
    }

    fn impostor(&mut self) -> Played {
        Err("its entries lie in a file of its own host, and nobody else is asked for them")
    }

    fn dismiss(&mut self) {}
}

fn it_keeps_the_contract() {
    // The limit that stands for a full disk holds for a whole process, so the test runs in one of its own.
    let output = Command::new(std::env::current_exe().unwrap()).args(CONTRACT).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    eprint!("{said}");
}

/// The child.
pub(crate) fn contract() {
    // SAFETY: ignoring a signal runs no code.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.unwrap();
    conformance::conformance(&mut Embedded::new());
}

fn a_journal_that_is_not_whole_makes_revisions_leap() {
    let mut site = Embedded::new();
    let mut member = conformance::connected(&site, "sip");
    let (_, first) = conformance::swap(&mut *member, None, entry(1));
    let (_, second) = conformance::swap(&mut *member, Some(first.unwrap().revision), entry(2));
    site.stop();
    let journal = File::options().write(true).open(site.path("journal")).unwrap();
    journal.set_len(fs::metadata(site.path("journal")).unwrap().len() - 1).unwrap();
    site.start();
    assert_eq!(site.warnings.len(), 1);
    assert_eq!(conformance::event(&mut *member), Event::Disconnected);
    assert_eq!(conformance::event(&mut *member), Event::Connected);
    let Reply::Entry(Some(now)) = conformance::ask(&mut *member, Request::Watch) else { panic!("the first is left") };
    assert_eq!(now.entry, entry(1));
    let (_, third) = conformance::swap(&mut *member, Some(now.revision), entry(3));
    assert!(third.unwrap().revision > second.unwrap().revision, "no revision is given twice");
}

fn who_asks_too_much_or_nonsense_is_left_and_the_others_are_served() {
    let site = Embedded::new();
    let mut greedy = conformance::connected(&site, "sip");
    let new = PairEntry { primary: Incarnation::new("x".repeat(1_000), 1), ..entry(1) };
    assert!(greedy.send(Request::CompareAndSwap { expected: None, new }));
    assert_eq!(conformance::event(&mut *greedy), Event::Disconnected);
    let mut talker = Channel::new(local::connect(&site.path("sock")).unwrap());
    talker.send(&"nonsense").unwrap();
    talker.socket().set_nonblocking(false).unwrap();
    let end = std::io::Read::read(&mut talker.socket(), &mut [0; 10]);
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    let mut member = conformance::connected(&site, "sip");
    assert_eq!(conformance::ask(&mut *member, Request::Watch), Reply::Entry(None));
}

fn a_watcher_that_reads_nothing_is_given_up_and_the_others_are_served() {
    let site = Embedded::new();
    let mut sleeper = Channel::new(local::connect(&site.path("sock")).unwrap());
    sleeper.send(&CoordinatorRequest { pair: "sip".into(), request: Request::Watch }).unwrap();
    let mut member = conformance::connected(&site, "sip");
    let mut revision = None;
    // More than a connection may have waiting.
    for _ in 0..10_000 {
        let (done, now) = conformance::swap(&mut *member, revision, large());
        assert!(done);
        revision = now.map(|now| now.revision);
    }
    let got = std::iter::from_fn(|| sleeper.receive::<CoordinatorReply>().ok().flatten()).count();
    assert!(got < 10_000, "the sleeper was given up");
}
