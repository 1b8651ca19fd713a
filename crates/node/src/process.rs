//! How an application of the host is started, what it does before anything else, and what it says if it cannot start.

use std::env;
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use model::Incarnation;

use crate::channel::Channel;
use crate::folder::Folder;
use crate::lca;
use crate::local;
use crate::log::{self, Log};
use crate::open_files;
use crate::wire::{ToLca, Trouble};

/// A command that starts the program which a process runs, `self` being this one: the file itself, whatever lies at its path by now
/// (`proc(5)`, `/proc/pid/exe`). So a solution stays of one version for as long as it runs, also when the next one is installed. In
/// listings of processes it has the name under which this one was started.
#[must_use]
pub fn program_of(process: impl Display) -> Command {
    let mut command = Command::new(format!("/proc/{process}/exe"));
    if let Some(name) = env::args_os().next() {
        command.arg0(name);
    }
    command
}

/// Begins the life of an incarnation that the LCA has started: its log, and its claim to be the only run of its
/// application that lives. Keep what is returned until the end of the process.
///
/// # Errors
/// If the process was not started by the LCA of this folder.
pub fn begin(folder: &Folder, me: &Incarnation) -> Result<Log, Trouble> {
    lca::claim(&folder.lock(&me.application), me.run)?;
    open_files::raise_limit();
    let log = log::begin(Some(folder.log(&me.application)));
    // The run's number must be durable before it stands in the entry of a pair; the LCA itself does not wait for that.
    if let Err(error) = File::open(folder.runs()).and_then(|runs| runs.sync_data()) {
        tracing::warn!("{}", Trouble::of_file("sync", &folder.runs(), &error));
    }
    tracing::info!("{me} begins as process {}", std::process::id());
    Ok(log)
}

/// Tells the log and the LCA why an incarnation cannot go on; the caller ends the process next.
pub fn fail(folder: &Folder, me: &Incarnation, trouble: &Trouble) {
    tracing::error!("{me} cannot go on: {trouble}");
    let told = || -> io::Result<()> {
        let mut channel = Channel::new(local::connect(&folder.socket("lca"))?);
        let told = channel.send(&ToLca::Hello(me.clone())).and_then(|()| channel.send(&ToLca::Fatal(trouble.clone())));
        told.map_err(io::Error::other)
    };
    if let Err(error) = told() {
        tracing::warn!("the local control agent does not learn of that: {error}");
    }
}
