//! tcpdump, while something happens.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::child::Guard;
use crate::process::find_program;

/// Kernel buffer in KiB: some seconds of the heaviest load.
const BUFFER_KIB: &str = "131072";
/// The kernel hands packets over in blocks, the last one after a second; what is still there is lost.
const LINGER: Duration = Duration::from_millis(1_500);
/// tcpdump writes what it holds and ends.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running capture of the loopback device.
pub(crate) struct Capture {
    tcpdump: Guard,
    file: PathBuf,
    log: Option<thread::JoinHandle<Vec<String>>>,
}

impl Capture {
    /// Starts, and returns when packets are being captured. `snap` is how much of each is kept.
    pub(crate) fn start(file: &Path, filter: &str, snap: usize) -> Result<Self> {
        let program = find_program("tcpdump").context("tcpdump is not installed: run `cargo xtask setup`")?;
        let mut command = Command::new(program);
        command.args(["-i", "lo", "-n", "--time-stamp-precision=nano", "-B", BUFFER_KIB]);
        command.args(["-s", &snap.to_string(), "-w"]).arg(file);
        if rustix::process::geteuid().is_root() {
            // Else it becomes a user who may not write into our folder.
            command.args(["-Z", "root"]);
        }
        command.arg(filter).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut tcpdump = Guard::start("tcpdump", &mut command)?;
        let output = tcpdump.child().stderr.take().context("the output of tcpdump is not piped")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let said: Vec<String> = lines.by_ref().take_while(|line| !line.contains("listening on")).collect();
        if tcpdump.ended()?.is_some() {
            anyhow::bail!("tcpdump does not capture (it needs root, or user namespaces): {}", said.join("; "));
        }
        let log = thread::spawn(move || lines.collect());
        Ok(Self { tcpdump, file: file.to_owned(), log: Some(log) })
    }

    /// Ends the capture and opens the file.
    ///
    /// # Errors
    /// If the kernel dropped packets: a history with holes proves nothing.
    pub(crate) fn stop(mut self) -> Result<BufReader<File>> {
        thread::sleep(LINGER);
        self.tcpdump.signal(Signal::INT)?;
        ensure!(self.tcpdump.wait(STOP_LIMIT)?.is_some(), "tcpdump does not end");
        let log = self.log.take().and_then(|log| log.join().ok()).unwrap_or_default();
        let dropped = log.iter().find(|line| line.contains("dropped by kernel")).cloned().unwrap_or_default();
        ensure!(dropped.starts_with("0 "), "the capture has holes: tcpdump says `{dropped}`");
        let file = File::open(&self.file).with_context(|| format!("no capture {}", self.file.display()))?;
        Ok(BufReader::with_capacity(1 << 20, file))
    }
}
