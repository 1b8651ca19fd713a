//! The lock of an application: held by its living run, and by nobody else.
//!
//! The LCA locks the file, and the process that it starts inherits the locked description as standard input. So from
//! before the process exists until it has ended the lock is held, whatever happens to the LCA in between: who can
//! lock the file knows that every run has ended. The process writes its run and its process id into the file, by
//! which a new LCA finds it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::wire::Trouble;

/// Locks the file; `None` if a living run has it.
pub(super) fn take(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Run and process id of the holder; `None` while it has not written them.
pub(super) fn holder(path: &Path) -> Option<(u64, u32)> {
    let text = fs::read_to_string(path).ok()?;
    let (run, pid) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((run.parse().ok()?, pid.parse().ok()?))
}

/// Writes run and process id into a file that the caller holds.
pub(super) fn sign(file: &File, run: u64) -> io::Result<()> {
    file.write_all_at(format!("{run} {}\n", std::process::id()).as_bytes(), 0)
}

/// Makes this process the living run of the application whose lock is at `path`.
///
/// # Errors
/// If the lock was not inherited as standard input: the process was not started by the LCA.
pub(crate) fn claim(path: &Path, run: u64) -> Result<(), Trouble> {
    let claimed = || -> io::Result<bool> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let (inherited, named) = (file.metadata()?, fs::metadata(path)?);
        if (inherited.dev(), inherited.ino()) != (named.dev(), named.ino()) {
            return Ok(false);
        }
        // The lock belongs to the inherited description, so this takes what is held already.
        let is_held = file.try_lock().is_ok();
        is_held.then(|| sign(&file, run)).transpose().map(|signed| signed.is_some())
    };
    match claimed() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Trouble::new(
            "applications are started by the local control agent, not by hand",
            "start the contact centre with `everline up`",
        )),
        Err(error) => Err(Trouble::of_file("lock", path, &error)),
    }
}
