//! A solution of our own: its folder, `everline up` on it, and its end.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use drill::status::Status;
use rustix::process::{Pid, Signal, kill_process};

use super::child::Guard;
use super::isolate;
use crate::process::{bound, cargo, run, target};

/// From `everline up` to the line `ready`. Generous: it only bounds how long a broken start is waited for.
const START_LIMIT: Duration = Duration::from_secs(60);
/// What is allowed from Ctrl-C to the end of everything, with room for a busy machine.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// How often the status is asked for.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Set in everything that a solution starts, so that what it leaves behind can be found.
const MARK: &str = "EVERLINE_DRILL_FOLDER";

/// A running solution; dropping it leaves no process behind.
pub(crate) struct Everline {
    folder: PathBuf,
    up: Guard,
    keep_folder: bool,
}

/// Names another binary than the one that is built here, to drill a version as it was shipped.
const BINARY: &str = "EVERLINE_BINARY";

/// Builds the release binary, once: not again in the network namespace, where no crate can be fetched.
pub(crate) fn build() -> Result<()> {
    if isolate::is_inside() || env::var_os(BINARY).is_some() {
        return Ok(());
    }
    run(&mut cargo(["build", "--quiet", "--release", "--package", "everline"]))
}

fn binary() -> PathBuf {
    env::var_os(BINARY).map_or_else(|| target().join("release/everline"), PathBuf::from)
}

impl Everline {
    /// Writes the configuration into a new folder and waits until `everline up` says `ready`.
    /// All of it runs on `core`, if one is given.
    pub(crate) fn start(name: &str, configuration: &str, core: Option<usize>) -> Result<Self> {
        // Not below `target`: the path of a local socket has room for 107 bytes.
        let folder = env::temp_dir().join(format!("everline-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(folder.join("everline.toml"), configuration)?;
        let mut command = bound(binary(), "INT", core);
        command.arg("up").arg("--dir").arg(&folder).env(MARK, &folder).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(folder.join("up.err"))?);
        let up = Guard::start("everline up", &mut command)?;
        let mut everline = Self { folder, up, keep_folder: false };
        if let Err(error) = everline.wait_ready() {
            everline.keep_folder();
            let folder = everline.folder.display();
            return Err(error.context(format!("everline up did not become ready; its folder is {folder}")));
        }
        Ok(everline)
    }

    /// Reads what `up` prints, to its end, so that it never blocks on a full pipe.
    fn wait_ready(&mut self) -> Result<()> {
        let output = self.up.child().stdout.take().context("the output of everline up is not piped")?;
        let (say_ready, ready) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.trim() == "ready" {
                    // Nobody listens any more once the wait is over.
                    say_ready.send(()).ok();
                }
            }
        });
        let begun = Instant::now();
        while ready.recv_timeout(ASK_EVERY).is_err() {
            self.up.check_alive()?;
            ensure!(begun.elapsed() < START_LIMIT, "no line `ready` within {} s", START_LIMIT.as_secs());
        }
        Ok(())
    }

    /// The folder of the solution.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves the folder where it is, for a person to look at.
    pub(crate) fn keep_folder(&mut self) {
        self.keep_folder = true;
    }

    /// Runs `everline ARGS... --dir FOLDER` to its end.
    pub(crate) fn command(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(binary());
        command.args(args).arg("--dir").arg(&self.folder);
        command.output().with_context(|| format!("cannot run everline {}", args.join(" ")))
    }

    /// What `everline status --json` says now.
    pub(crate) fn status(&self) -> Result<Status> {
        let output = self.command(&["status", "--json"])?;
        ensure!(output.status.success(), "everline status failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        serde_json::from_slice(&output.stdout).context("everline status --json does not follow the interface")
    }

    /// Waits until the status is as wanted. A status that cannot be had meanwhile is asked for again: the
    /// control server may be the one that was killed.
    pub(crate) fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Status) -> bool,
    ) -> Result<Status> {
        let begun = Instant::now();
        loop {
            self.up.check_alive()?;
            let status = self.status();
            match status {
                Ok(status) if wanted(&status) => return Ok(status),
                _ if begun.elapsed() < limit => sleep(ASK_EVERY),
                Ok(status) => bail!("not {what} within {} s: {}", limit.as_secs(), status.summary()),
                Err(error) => return Err(error.context(format!("not {what} within {} s", limit.as_secs()))),
            }
        }
    }

    /// Ends it as Ctrl-C does, and says how long that took.
    ///
    /// # Errors
    /// If it does not end in time, fails, or leaves a process behind.
    pub(crate) fn stop(mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.up.signal(Signal::INT)?;
        let status = self.up.wait(STOP_LIMIT)?;
        let took = begun.elapsed();
        let left = marked(&self.folder);
        ensure!(left.is_empty(), "everline up left processes behind: {left:?}");
        match status {
            Some(status) if status.success() => Ok(took),
            Some(status) => bail!("everline up ended badly on Ctrl-C: {status}"),
            None => bail!("everline up had not ended {} s after Ctrl-C", STOP_LIMIT.as_secs()),
        }
    }
}

impl Drop for Everline {
    fn drop(&mut self) {
        // The failure that led here is on its way already; what remains is to leave nothing behind.
        self.up.signal(Signal::INT).ok();
        self.up.wait(STOP_LIMIT).ok();
        for pid in marked(&self.folder) {
            kill_process(pid, Signal::KILL).ok();
        }
        if !self.keep_folder {
            fs::remove_dir_all(&self.folder).ok();
        }
    }
}

/// Every process whose environment carries the mark of this folder.
fn marked(folder: &Path) -> Vec<Pid> {
    let mark = format!("{MARK}={}", folder.display());
    let carries = |pid: &Pid| {
        let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).filter(carries).collect()
}
