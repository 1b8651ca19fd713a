//! What lives already in a folder whose `up` does not: it is watched over, not started a second time.

use std::env;
use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use node::channel::Channel;
use node::local;
use node::process;
use node::wire::{FromLca, ToLca};
use rustix::process::geteuid;

use crate::failure::Failure;
use crate::folder::Folder;
use crate::output::remark;

/// What was killed may take this long to be gone.
const DYING: Duration = Duration::from_millis(500);

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A local control agent that takes longer than this to say something lives and hangs, in milliseconds.
const SILENCE: u16 = 2_000;

/// What lives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// Servers without a local control agent; a new one will find them. The process id of one of them, if it has said so already.
    Servers(Option<u32>),
    /// The local control agent with this process id.
    Agent(u32),
}

impl Found {
    /// Becomes the program that runs here, if that is another one: a new version is installed, and the old one still runs. Whoever watches
    /// over it starts its agent again, which must read and say what the servers do.
    ///
    /// # Errors
    /// If that program cannot be started.
    pub(super) fn become_its_program(&self) -> Result<(), Failure> {
        let (Self::Servers(Some(pid)) | Self::Agent(pid)) = self else { return Ok(()) };
        // Nobody runs what is another user's.
        let is_own = fs::metadata(format!("/proc/{pid}")).is_ok_and(|process| process.uid() == geteuid().as_raw());
        let file = |of: &dyn Display| fs::metadata(format!("/proc/{of}/exe")).map(|file| (file.dev(), file.ino())).ok();
        let (theirs, ours) = (file(pid), file(&"self"));
        if !is_own || theirs.is_none() || theirs == ours {
            return Ok(());
        }
        remark("What runs here is another version of everline, which goes on until `everline stop`.");
        let error = process::program_of(pid).args(env::args_os().skip(1)).exec();
        let what = format!("another version of everline runs here, and cannot be started to watch over it: {error}");
        Err(Failure::failed(what).help("`everline stop` ends what runs; then start it again"))
    }
}

/// Looks what lives in the folder. Processes that were killed a moment ago count as dead.
pub(super) fn look(folder: &Folder) -> Found {
    // One that was killed has a socket until it is gone. Each turn waits for the end of one.
    while let Ok(stream) = local::connect(&folder.socket("lca")) {
        let pid = local::peer(&stream).ok();
        if let Some(pid) = pid.filter(|_| speaks(stream)) {
            return Found::Agent(pid);
        }
    }
    let end = Instant::now() + DYING;
    while let Some(lock) = held(folder) {
        if Instant::now() > end {
            return Found::Servers(holder(&lock));
        }
        sleep(LOOK);
    }
    Found::Nothing
}

/// Whether the local control agent says something before its connection ends.
fn speaks(stream: UnixStream) -> bool {
    let mut channel = Channel::new(stream);
    if channel.send(&ToLca::Follow).is_err() {
        return false;
    }
    let told = poll(&mut [PollFd::new(channel.as_fd(), PollFlags::POLLIN)], PollTimeout::from(SILENCE));
    let is_silent = told == Ok(0);
    is_silent || matches!(channel.receive::<FromLca>(), Ok(Some(_)))
}

/// The lock of an application that a run holds. Nobody is there to be disturbed by a lock that is taken to look: the
/// local control agent, which takes them in earnest, does not live.
fn held(folder: &Folder) -> Option<PathBuf> {
    let locks = fs::read_dir(folder.path().join("run")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut locks = locks.filter(|path| path.extension().is_some_and(|ending| ending == "lock"));
    locks.find(|path| File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))))
}

/// The process that holds a lock, which stands in it behind the number of the run.
fn holder(lock: &Path) -> Option<u32> {
    fs::read_to_string(lock).ok()?.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(place.path());
        folder.create().expect("made");
        (place, folder)
    }

    #[test]
    fn nothing_lives_where_only_traces_are() {
        let (_place, folder) = folder();
        fs::write(folder.lock("sip-a"), "1 1\n").expect("written");
        drop(UnixListener::bind(folder.socket("lca")).expect("bound"));
        assert_eq!(look(&folder), Found::Nothing);
    }

    #[test]
    fn a_lock_that_is_held_has_a_server_behind_it() {
        let (_place, folder) = folder();
        let lock = File::create(folder.lock("sip-a")).expect("made");
        lock.try_lock().expect("free");
        assert_eq!(look(&folder), Found::Servers(None));
        fs::write(folder.lock("sip-a"), "3 42\n").expect("written");
        assert_eq!(look(&folder), Found::Servers(Some(42)));
    }

    #[test]
    fn an_agent_that_dies_while_it_is_asked_is_none() {
        let (_place, folder) = folder();
        let listener = UnixListener::bind(folder.socket("lca")).expect("bound");
        let dying = std::thread::spawn(move || drop(listener.accept()));
        assert_eq!(look(&folder), Found::Nothing);
        dying.join().expect("it accepted one");
    }
}
