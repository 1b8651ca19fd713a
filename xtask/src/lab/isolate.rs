//! A network namespace of our own: no port can be taken there, nobody else's packets are captured, and
//! whoever may not capture packets on this machine may do so there.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Set in the process that runs inside.
const INSIDE: &str = "EVERLINE_XTASK_ISOLATED";

/// Whether this process runs inside.
pub(crate) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Starts this program again, with the same arguments, in a network namespace whose only device is a
/// loopback; returns only when that has happened, or where the machine does not allow it.
pub(crate) fn enter() -> Result<()> {
    if is_inside() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        anyhow::ensure!(
            up.context("cannot run `ip` (package iproute2)")?.success(),
            "the loopback device of the new network namespace does not come up"
        );
        return Ok(());
    }
    let root = rustix::process::geteuid().is_root();
    // As oneself and not as a mapped root: tcpdump would try to become somebody else, and may not.
    let flags: &[&str] = if root { &["--net"] } else { &["--user", "--map-current-user", "--keep-caps", "--net"] };
    let allowed = Command::new("unshare")
        .args(flags)
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        eprintln!("  no network namespace to be had here; going on in the machine's own");
        return Ok(());
    }
    let own = env::current_exe().context("this program does not know its own path")?;
    let error = Command::new("unshare").args(flags).arg(own).args(env::args_os().skip(1)).env(INSIDE, "1").exec();
    Err(error).context("cannot start again in a network namespace")
}
