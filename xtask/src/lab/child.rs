//! A child process that does not outlive us.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// How often a child is asked whether it has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// A child that is killed, and waited for, when this is dropped.
pub(crate) struct Guard {
    name: String,
    child: Child,
}

impl Guard {
    /// Starts the command; `name` is what messages call it.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child itself, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal, unless the child has ended.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)
                .with_context(|| format!("cannot send a signal to {}", self.name))?;
        }
        Ok(())
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end; one that has not ended by then is killed, and there is no status.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            sleep(GLANCE);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(None)
    }

    /// Says why it ended although it should be running.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.ended()? {
            let how = status.signal().map_or_else(|| status.to_string(), |signal| format!("signal {signal}"));
            anyhow::bail!("{} has ended: {how}", self.name);
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended already, and nobody is left to tell of a failure.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
