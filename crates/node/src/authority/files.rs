//! The files of the authority: its key, and who has joined.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::files::replace;
use crate::folder::Folder;
use crate::identity::Authority;
use crate::wire::Trouble;

/// A host that has joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// When, the last time.
    pub since: SystemTime,
    /// Its addresses then.
    pub addresses: Vec<IpAddr>,
}

/// The authority in a folder.
///
/// # Errors
/// If there is none here, or its file is broken.
pub fn read(folder: &Folder) -> Result<Authority, Trouble> {
    let path = folder.authority();
    let text = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::new(
            format!("the authority of the solution is not on this host: there is no {}", path.display()),
            "give the command on the host where `everline host init` was given; or put a copy of that file here",
        ),
        _ => Trouble::of_file("read", &path, &error),
    })?;
    serde_json::from_slice(&text).map_err(|error| {
        Trouble::new(format!("{} is no authority: {error}", path.display()), "put a copy of it in its place")
    })
}

/// Writes a new authority into a folder.
///
/// # Errors
/// If there is one, or it cannot be written.
pub fn keep(folder: &Folder, authority: &Authority) -> Result<(), Trouble> {
    let path = folder.authority();
    write_new(&path, authority).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Trouble::new(
            format!("there is an authority in {} already", path.display()),
            "`everline host token HOST` lets another host join it",
        ),
        _ => Trouble::of_file("write", &path, &error),
    })
}

/// Whether a host has joined, as the authority in this folder knows.
#[must_use]
pub fn joined(folder: &Folder, host: &str) -> Option<Joined> {
    serde_json::from_slice(&fs::read(of_host(folder, host)).ok()?).ok()
}

/// Notes that a host has joined.
pub(super) fn note(folder: &Folder, host: &str, addresses: &[IpAddr], now: SystemTime) -> Result<(), Trouble> {
    let path = of_host(folder, host);
    let joined = Joined { since: now, addresses: addresses.to_vec() };
    let written = || {
        DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap_or(Path::new(".")))?;
        replace(&path, &serde_json::to_vec_pretty(&joined)?)
    };
    written().map_err(|error| Trouble::of_file("write", &path, &error))
}

fn of_host(folder: &Folder, host: &str) -> PathBuf {
    folder.path().join("data/joined").join(host)
}

/// Writes a file that must not be there, for its owner only, and makes its folder if it has to.
pub(super) fn write_new(path: &Path, what: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec_pretty(what)?)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}
