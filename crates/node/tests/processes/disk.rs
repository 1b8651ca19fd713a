//! A disk that takes no more: stands for a full one by a limit on the size of files, which any user may set.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use model::Epoch;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use node::journal::{Contents, Entry, Journal, Recorder, Settings, Stamp, read};

pub(crate) const TESTS: &[(&str, fn())] =
    &[("disk::what_a_full_disk_did_not_take_is_written_later", what_a_full_disk_did_not_take_is_written_later)];

fn what_a_full_disk_did_not_take_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.journal");
    // The limit holds for a whole process, so the test runs in one of its own.
    let mut command = Command::new(std::env::current_exe().unwrap());
    assert!(command.arg("disk").arg(&path).status().unwrap().success());
}

/// The child.
pub(crate) fn run(path: &str) {
    let path = Path::new(path);
    // SAFETY: ignoring a signal runs no code.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.unwrap();
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let opened = Journal::open(path, Settings { sync_every: Duration::ZERO, reserve: 0 }).unwrap();
    let recorder = Recorder::start(opened.journal).unwrap();
    let value = [7; 1_000];
    let entry = |key: &'static str, sequence| Entry {
        key: key.as_bytes(),
        stamp: Stamp { epoch: Epoch(1), sequence },
        value: Some(&value),
    };
    let keys = |contents: &Contents| contents.entries().map(|entry| entry.key.to_vec()).collect::<Vec<_>>();

    let until = |wanted: &dyn Fn() -> bool| {
        while !wanted() {
            std::thread::yield_now();
        }
    };
    recorder.record(entry("anna", 1));
    until(&|| recorder.waiting() == 0);
    // Room for a half of the next entry.
    setrlimit(Resource::RLIMIT_FSIZE, std::fs::metadata(path).unwrap().len() + 500, most).unwrap();
    recorder.record(entry("ben", 2));
    until(&|| recorder.trouble().is_some());
    let trouble = recorder.trouble().unwrap();
    assert!(trouble.what.starts_with(&format!("cannot write {}", path.display())), "{trouble}");
    assert_eq!(recorder.waiting(), 1);
    recorder.record(entry("carl", 3));
    recorder.record(entry("ben", 4));
    assert_eq!(recorder.waiting(), 2, "only the newest entry of each key waits");
    let (contents, warnings) = read(path).unwrap();
    assert_eq!((keys(&contents), warnings), (vec![b"anna".to_vec()], vec![]), "no remains");

    setrlimit(Resource::RLIMIT_FSIZE, most, most).unwrap();
    until(&|| (recorder.waiting(), recorder.trouble()) == (0, None));
    let (contents, warnings) = read(path).unwrap();
    assert_eq!(
        (keys(&contents), warnings),
        (["anna", "ben", "carl"].map(|key| key.as_bytes().to_vec()).into(), vec![])
    );
    assert_eq!(contents.newest().sequence, 4);
}
