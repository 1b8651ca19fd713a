//! What lives already in a folder whose `up` does not: it is watched over, not started a second time.

use std::fs::{self, File, TryLockError};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use node::channel::Channel;
use node::local;
use node::wire::{FromLca, ToLca};

use crate::folder::Folder;

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
    /// Servers without a local control agent; a new one will find them.
    Servers,
    /// The local control agent with this process id.
    Agent(u32),
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
    while is_any_locked(folder) {
        if Instant::now() > end {
            return Found::Servers;
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

/// Whether a run of an application holds its lock. Nobody is there to be disturbed by a lock that is taken to look: the
/// local control agent, which takes them in earnest, does not live.
fn is_any_locked(folder: &Folder) -> bool {
    let locks = fs::read_dir(folder.path().join("run")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut locks = locks.filter(|path| path.extension().is_some_and(|ending| ending == "lock"));
    locks.any(|path| File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock))))
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
        assert_eq!(look(&folder), Found::Servers);
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
