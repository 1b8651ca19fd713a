//! How many files and sockets this process may have open, and what is done when there are no more.

use std::fs::File;
use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process open as many files as the system's hard limit allows: the soft one is often 1024, for the sake of
/// programs that use `select(2)`.
pub fn raise_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Refused only if the limit has been lowered in between; then the lower one counts.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// How many files this process may have open.
#[must_use]
pub fn most() -> usize {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| usize::try_from(soft).unwrap_or(usize::MAX))
}

/// Whether the system has refused to open something because too much is open already.
#[must_use]
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// A file that is open for nothing but to be closed: then one more can be opened, if only to be closed as well. A
/// listener that cannot accept would wake its process for ever otherwise.
#[derive(Debug)]
pub struct Spare(Option<File>);

impl Spare {
    /// Opens it.
    ///
    /// # Errors
    /// If too much is open already.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Some(File::open("/dev/null")?)))
    }

    /// Lets `act` open something, which it must close again.
    pub fn lend(&mut self, act: impl FnOnce()) {
        self.0 = None;
        act();
        self.0 = File::open("/dev/null").ok();
    }
}
