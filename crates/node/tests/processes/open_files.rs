//! A process that may open nothing more.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{Resource, setrlimit};
use node::hub::Hub;
use node::local;

pub(crate) const TESTS: &[(&str, fn())] =
    &[("open_files::whoever_cannot_be_accepted_is_turned_away", whoever_cannot_be_accepted_is_turned_away)];

/// Files that the child may have open.
const MOST: u64 = 40;

fn whoever_cannot_be_accepted_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    // The limit holds for a whole process, so the test runs in one of its own.
    let mut command = Command::new(std::env::current_exe().unwrap());
    assert!(command.arg("open-files").arg(folder.path().join("hub.sock")).status().unwrap().success());
}

/// The child.
pub(crate) fn run(path: &str) {
    let path = Path::new(path);
    let mut hub = Hub::<()>::listen(path).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, MOST, MOST).unwrap();
    let mut callers = Vec::new();
    while let Ok(caller) = local::connect(path) {
        callers.push(caller);
    }
    assert!(callers.len() > 10, "there was room for callers");
    for caller in &mut callers {
        hub.ready();
        assert_eq!(caller.read(&mut [0]).unwrap(), 0, "it is hung up on, and does not wait for ever");
    }
    callers.clear();
    let _caller = local::connect(path).unwrap();
    hub.ready();
    assert_eq!(hub.whose(|()| true).len(), 1, "there is room again");
}
