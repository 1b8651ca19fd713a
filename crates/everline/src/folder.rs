//! The folder of one contact centre, as far as only this program knows what lies in it.

use std::path::{Path, PathBuf};

pub(crate) use node::folder::Folder;

use crate::failure::{Failure, Kind};

/// The folder at `path`; its full path is kept, so that every process of the solution names it alike.
///
/// # Errors
/// If the path is empty, or the current folder is not known.
pub(crate) fn at(path: &Path) -> Result<Folder, Failure> {
    let path = std::path::absolute(path);
    path.map(Folder::new).map_err(|error| Failure::new(Kind::Wrong, format!("the folder has no path: {error}")))
}

/// What people write.
pub(crate) fn configuration(folder: &Folder) -> PathBuf {
    folder.path().join("everline.toml")
}

/// What the servers read instead.
pub(crate) fn settings(folder: &Folder) -> PathBuf {
    folder.path().join("run/settings.bin")
}

/// The key of the digest's nonces.
pub(crate) fn nonce_key(folder: &Folder) -> PathBuf {
    folder.path().join("data/nonce.key")
}
