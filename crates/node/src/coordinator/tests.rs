//! The embedded coordinator: the conformance test, and what only it can meet.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use model::{Epoch, Incarnation};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;
use redundancy::coordinator::{PairEntry, Reply, Request};
use tempfile::TempDir;

use super::conformance::{self, Site};
use super::{Coordinator, CoordinatorServer, EmbeddedCoordinator};
use crate::client::Event;
use crate::local;
use crate::wire::CoordinatorRequest;

/// A coordinator in a thread, on a folder of its own.
struct Embedded {
    folder: TempDir,
    running: Option<(Arc<EventFd>, JoinHandle<()>)>,
    warnings: Vec<String>,
}

impl Embedded {
    fn new() -> Self {
        let mut site = Self { folder: tempfile::tempdir().unwrap(), running: None, warnings: Vec::new() };
        site.start();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&mut self) {
        let (mut server, warnings) = CoordinatorServer::open(&self.path("journal"), &self.path("sock")).unwrap();
        self.warnings = warnings;
        let stop = Arc::new(EventFd::new().unwrap());
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            loop {
                let mut waiting = [&server.as_fd(), &stopping.as_fd()].map(|fd| PollFd::new(*fd, PollFlags::POLLIN));
                poll(&mut waiting, PollTimeout::NONE).unwrap();
                if waiting[1].any() == Some(true) {
                    return;
                }
                server.serve();
            }
        });
        self.running = Some((stop, thread));
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.write(1).unwrap();
            thread.join().unwrap();
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Site for Embedded {
    fn connect(&self, pair: &str) -> Box<dyn Coordinator> {
        Box::new(EmbeddedCoordinator::new(self.path("sock"), pair).unwrap())
    }

    fn restart(&mut self) {
        self.stop();
        self.start();
    }
}

fn entry(epoch: u64) -> PairEntry {
    let primary = Incarnation::new("sip-a", epoch);
    PairEntry { epoch: Epoch(epoch), in_sync: vec![primary.clone()], primary }
}

#[test]
fn the_embedded_coordinator_keeps_the_contract() {
    conformance::conformance(&mut Embedded::new());
}

#[test]
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

#[test]
fn who_asks_too_much_or_nonsense_is_left_and_the_others_are_served() {
    let site = Embedded::new();
    let mut greedy = conformance::connected(&site, "sip");
    let new = PairEntry { primary: Incarnation::new("x".repeat(1_000), 1), ..entry(1) };
    assert!(greedy.send(Request::CompareAndSwap { expected: None, new }));
    assert_eq!(conformance::event(&mut *greedy), Event::Disconnected);
    let mut talker = crate::channel::Channel::new(local::connect(&site.path("sock")).unwrap());
    talker.send(&"nonsense").unwrap();
    talker.socket().set_nonblocking(false).unwrap();
    let end = std::io::Read::read(&mut talker.socket(), &mut [0; 10]);
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    let mut member = conformance::connected(&site, "sip");
    assert_eq!(conformance::ask(&mut *member, Request::Watch), Reply::Entry(None));
}

#[test]
fn a_watcher_that_reads_nothing_is_given_up_and_the_others_are_served() {
    let site = Embedded::new();
    let mut sleeper = crate::channel::Channel::new(local::connect(&site.path("sock")).unwrap());
    sleeper.send(&CoordinatorRequest { pair: "sip".into(), request: Request::Watch }).unwrap();
    let mut member = conformance::connected(&site, "sip");
    let many = PairEntry { in_sync: vec![Incarnation::new("x".repeat(60), 1); 16], ..entry(1) };
    let mut revision = None;
    // 1 KiB each: more than a connection may have waiting.
    for _ in 0..10_000 {
        let (done, now) = conformance::swap(&mut *member, revision, many.clone());
        assert!(done);
        revision = now.map(|now| now.revision);
    }
    let got = std::iter::from_fn(|| sleeper.receive::<crate::wire::CoordinatorReply>().ok().flatten()).count();
    assert!(got < 10_000, "the sleeper was given up");
}
