//! The application `etcd` of a host: keeps one member of etcd, so that the local control agent starts, watches and ends it as it
//! does its own programs.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use model::Incarnation;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::member::{self, Member, PROGRAM};
use crate::folder::Folder;
use crate::life;
use crate::process;
use crate::pulse::threads;
use crate::wire::Trouble;

/// How long a member that was asked to end may take to, less than the LCA waits for us.
const PATIENCE: Duration = Duration::from_millis(300);
/// Pause between two looks whether a member has data.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a member until the LCA asks for its end, or it ends by itself.
///
/// # Errors
/// If it cannot be started, or has ended by itself; the LCA has been told why.
pub fn keep(folder: &Folder, me: &Incarnation, member: &Member) -> Result<(), Trouble> {
    let _log = process::begin(folder, me)?;
    run(folder, me, member).inspect_err(|trouble| process::fail(folder, me, trouble))
}

fn run(folder: &Folder, me: &Incarnation, member: &Member) -> Result<(), Trouble> {
    let version = member::installed()?;
    tracing::info!("etcd {version} begins as the member {} of {}", member.name, member.cluster.len());
    let cannot = |error| Trouble::new(format!("cannot keep a member of etcd: {error}"), "see `ulimit -a`");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    runtime.block_on(async {
        threads::watch_runtime("runtime");
        member.note().map_err(cannot)?;
        let mut child = start(member).map_err(cannot)?;
        let end = life::begin(folder, me, ())?;
        if member.is_late {
            tokio::spawn(note_data(member.clone()));
        }
        tokio::select! {
            ended = child.wait() => Err(has_ended(ended.map_err(cannot)?, &folder.log(&me.application))),
            _ = end => stop(child).await.map_err(cannot),
        }
    })
}

/// Notes that a member that came late has data, as soon as it has: without them it must not begin once more as one that never had any.
async fn note_data(member: Member) {
    loop {
        sleep(LOOK).await;
        match member.note_if_begun() {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => tracing::error!("cannot note that this member of etcd has data: {error}"),
        }
    }
}

/// Starts the program; it ends with this process, whatever that dies of.
fn start(member: &Member) -> std::io::Result<Child> {
    let mut command = Command::new(PROGRAM);
    // It would read them as options.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ETCD_")) {
        command.env_remove(name);
    }
    command.args(member.arguments()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    // SAFETY: `prctl(2)` is one system call, which may be made between fork and exec.
    unsafe {
        command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?));
    }
    command.spawn()
}

/// Ends it in order; what it has written is durable all the same.
async fn stop(mut child: Child) -> std::io::Result<()> {
    if let Some(pid) = child.id() {
        // An error says that it has ended.
        let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM);
    }
    match timeout(PATIENCE, child.wait()).await {
        Ok(ended) => ended.map(drop),
        Err(_) => child.kill().await,
    }
}

fn has_ended(how: ExitStatus, log: &Path) -> Trouble {
    Trouble::new(
        format!("the member of etcd has ended by itself: {how}"),
        format!("its last lines in {} say why", log.display()),
    )
}
