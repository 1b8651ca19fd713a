//! A time of day of its own for each host, by libfaketime: Linux has namespaces for every clock but that one.
//!
//! The library stands before the C library in the programs of a host and reads a file to know by how much its clock is off, at
//! the first reading in each second. The monotonic clock and the times of files stay as they are. Programs that ask the
//! kernel themselves, as those in Go do (etcd), go by the machine's clock.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::Trouble;

/// For programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// Where the library is.
pub(super) fn library() -> Result<PathBuf, Trouble> {
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let places = ["/usr/lib", "/usr/lib64"].into_iter().map(PathBuf::from).chain(below);
    places.map(|place| place.join(LIBRARY)).find(|path| path.exists()).ok_or_else(|| {
        let what = "a clock of their own for hosts needs the library `libfaketime`, which is not installed";
        Trouble::new(what, "install it as root: apt-get install faketime; or rehearse without `--clocks`")
    })
}

/// Lets a program go by the clock that this file describes.
pub(super) fn follow(command: &mut Command, library: &Path, file: &Path) {
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", file);
    command.envs([("FAKETIME_CACHE_DURATION", "0"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("NO_FAKE_STAT", "1")]);
}

/// Sets how many seconds the clock is ahead of the machine's.
pub(super) fn set(file: &Path, ahead: i64) -> Result<(), Trouble> {
    // In one step: a program that reads it finds the one or the other.
    let new = file.with_added_extension("new");
    let written = fs::write(&new, format!("{ahead:+}\n")).and_then(|()| fs::rename(&new, file));
    written.map_err(|error| Trouble::of_file("write", file, &error))
}
