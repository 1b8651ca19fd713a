//! Errors for people.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// An error for people: what happened and where, and what they can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what} ({remedy})")]
pub struct Trouble {
    /// What happened, and where.
    pub what: String,
    /// What to do about it.
    #[serde(rename = "do")]
    pub remedy: String,
}

impl Trouble {
    /// An error that says what happened and what to do.
    #[must_use]
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    /// The system refused to do something with a file: `doing` is "read", "write" and the like.
    #[must_use]
    pub fn of_file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on that disk",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "let this user write there",
            io::ErrorKind::NotFound => "create the folder, or name another one with --dir",
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "a file stands where a folder should be: move it, or name another one with --dir"
            }
            _ => "look at the disk and at the system's log",
        };
        Self::new(format!("cannot {doing} {}: {error}", path.display()), remedy)
    }
}
