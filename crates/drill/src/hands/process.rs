//! Processes that are not our children.

use std::fs;
use std::time::{Duration, Instant};

use model::Trouble;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::status::Application;

/// A process that can be killed and stopped; it stays the same one although its number may be given to another.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    handle: OwnedFd,
}

impl Process {
    /// The process of an application.
    pub(super) fn of(one: &Application) -> Result<Self, Trouble> {
        let name = super::named(one);
        let pid =
            one.pid.ok_or_else(|| Trouble::new(format!("the process of {name} is not known"), "wait until it runs"))?;
        Self::open(name, pid)
    }

    fn open(name: String, pid: u32) -> Result<Self, Trouble> {
        let opened = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(rustix::io::Errno::SRCH);
        let opened = opened.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()));
        match opened {
            Ok(handle) => Ok(Self { name, handle }),
            Err(error) => {
                Err(Trouble::new(format!("{name}, process {pid}, cannot be reached: {error}"), remedy(error)))
            }
        }
    }

    /// It and the processes that it has started.
    pub(super) fn with_children(one: &Application) -> Result<Vec<Self>, Trouble> {
        let mut all = vec![Self::of(one)?];
        let pid = one.pid.unwrap_or_default();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            all.push(Self::open(format!("a process of {}", super::named(one)), child)?);
        }
        Ok(all)
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), Trouble> {
        pidfd_send_signal(&self.handle, signal)
            .map_err(|error| Trouble::new(format!("{} cannot be signalled: {error}", self.name), remedy(error)))
    }

    /// Waits for its end, so long at most.
    pub(super) fn ends(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(left) = Timespec::try_from(left) else { return false };
            match poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], Some(&left)) {
                Ok(count) => return count > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

const fn remedy(error: rustix::io::Errno) -> &'static str {
    match error {
        rustix::io::Errno::PERM | rustix::io::Errno::ACCESS => "drill as the user who started the solution, or as root",
        _ => "it may have ended by itself; look at its log",
    }
}
