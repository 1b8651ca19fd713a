//! The folder of one contact centre, as far as only this program knows what lies in it.

use std::path::{Path, PathBuf};

pub(crate) use node::folder::Folder;

use crate::failure::{Failure, Kind};

/// The folder at `path`; its full path is kept, so that every process of the solution names it alike.
///
/// # Errors
/// If the path is empty or that of a file, or the current folder is not known.
pub(crate) fn at(path: &Path) -> Result<Folder, Failure> {
    let wrong = |what: String, help| Err(Failure::new(Kind::Wrong, what).help(help));
    if path.as_os_str().is_empty() {
        let help = "name it by --dir or in the variable EVERLINE_DIR, or leave both away for ./everline";
        return wrong("the folder has an empty name".into(), help);
    }
    match std::path::absolute(path) {
        Err(error) => wrong(format!("the folder has no path: {error}"), "go to a folder that exists"),
        Ok(path) if path.metadata().is_ok_and(|there| !there.is_dir()) => {
            wrong(format!("{} is not a folder", path.display()), "--dir names the folder of a contact centre")
        }
        Ok(path) => Ok(Folder::new(path)),
    }
}

/// How a command that somebody copies names this folder, if it needs to: ` --dir /srv/everline`.
pub(crate) fn option(folder: &Folder) -> String {
    let usual = std::env::current_dir().is_ok_and(|here| folder.path() == here.join("everline"));
    if usual { String::new() } else { format!(" --dir {}", folder.path().display()) }
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
    folder.nonce_key()
}
