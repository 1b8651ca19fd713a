//! What a rehearsal has left: names of namespaces, and processes in them.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use model::Trouble;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

use super::names::Id;
use super::programs::{NAMES, path_of};

/// How long the end of a killed process is waited for.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// The namespaces of a rehearsal that have a name.
pub(super) fn namespaces(id: &Id) -> Result<Vec<String>, Trouble> {
    let folder = Path::new(NAMES);
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::of_file("list", folder, &error)),
    };
    let names = listed.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| name.starts_with(&id.prefix())).collect())
}

/// Kills whatever runs in these namespaces, but not this process.
pub(super) fn kill_residents(namespaces: &[String]) -> Result<(), Trouble> {
    let homes: Vec<(u64, u64)> = namespaces.iter().filter_map(|name| identity(&path_of(name))).collect();
    let is_resident = |pid: Pid| identity(&format!("/proc/{pid}/ns/net")).is_some_and(|home| homes.contains(&home));
    // Whoever was just started by one that is killed is found by looking again.
    for _ in 0..PASSES {
        let found: Vec<(Pid, OwnedFd)> = processes()
            .filter(|pid| *pid != getpid() && is_resident(*pid))
            .filter_map(|pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?)))
            // The number may have passed to another process before the descriptor was opened.
            .filter(|(pid, _)| is_resident(*pid))
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        for (pid, process) in &found {
            kill(*pid, process)?;
        }
    }
    Err(Trouble::new(
        "new processes keep appearing in the rehearsal",
        "end whatever starts them, then tear it down again",
    ))
}

const PASSES: usize = 20;

fn kill(pid: Pid, process: &OwnedFd) -> Result<(), Trouble> {
    // An error says that it has ended.
    let _ = pidfd_send_signal(process, Signal::KILL);
    let ended = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&PATIENCE));
    if matches!(ended, Ok(0)) {
        return Err(Trouble::new(
            format!("process {pid} of the rehearsal does not end"),
            "look at it with `ps`: it may wait for a disk",
        ));
    }
    Ok(())
}

fn processes() -> impl Iterator<Item = Pid> {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    listed.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// What tells a namespace from all others.
fn identity(path: &str) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|data| (data.dev(), data.ino()))
}
