//! A process that the LCA watches, whether it has started it or found it running.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use management::Doing;
use model::Span;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};

/// A process that lives, or has ended and was not taken leave of.
#[derive(Debug)]
pub(super) struct Supervised {
    pid: u32,
    /// Readable when the process has certainly ended, all its threads included; never means another process.
    pidfd: OwnedFd,
}

impl Supervised {
    /// The process with this id.
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        let id = Pid::from_raw(pid.cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { pid, pidfd: pidfd_open(id, PidfdFlags::empty())? })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks it to end (SIGTERM).
    pub(super) fn ask_to_end(&self) {
        // An error says that it has ended.
        let _ = pidfd_send_signal(&self.pidfd, Signal::TERM);
    }

    /// Kills it.
    pub(super) fn kill(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Stops it (SIGSTOP), until it is woken.
    pub(super) fn freeze(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.pidfd, Signal::STOP)?)
    }

    /// Lets it go on, if it was stopped.
    pub(super) fn wake(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::CONT);
    }

    /// The processes that it has started itself (`proc(5)`: `children`).
    pub(super) fn children(&self) -> Vec<Self> {
        let text = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).unwrap_or_default();
        text.split_whitespace().filter_map(|pid| Self::open(pid.parse().ok()?).ok()).collect()
    }

    /// Takes leave of a process that has ended, and says how; that is told to its parent only.
    pub(super) fn how_it_ended(self) -> String {
        match waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED) {
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(0), _) => "it has ended by itself".into(),
                (Some(code), _) => format!("it has ended with exit code {code}"),
                (None, Some(signal)) => format!("it was ended by {}", name_of(signal)),
                (None, None) => "it has ended".into(),
            },
            _ => "it has ended".into(),
        }
    }

    /// What one of its threads is doing (`proc(5)`: `stat`, `schedstat`).
    pub(super) fn doing(&self, thread: u32) -> Doing {
        let read = |file| fs::read_to_string(format!("/proc/{}/task/{thread}/{file}", self.pid)).unwrap_or_default();
        let stat = read("stat");
        match stat.rsplit_once(") ").and_then(|(_, fields)| fields.chars().next()) {
            Some('T' | 't') => Doing::Stopped,
            Some('D') => Doing::Uninterruptible,
            Some('R') => {
                let used = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok());
                Doing::Running { used: Span::from_micros(used.unwrap_or_default() / 1_000) }
            }
            _ => Doing::Sleeping,
        }
    }

    /// The same of a helper thread. One that sleeps while another thread of the process waits for a processor may wait for what that
    /// one holds, and has not hung: it counts as if it waited for a disk. `siblings` is the processor time of those at the last look.
    pub(super) fn doing_helper(&self, thread: u32, siblings: &mut BTreeMap<u32, Span>) -> Doing {
        let doing = self.doing(thread);
        if doing != Doing::Sleeping {
            return doing;
        }
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let numbers =
            tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).filter(|number| *number != thread);
        let running: BTreeMap<u32, Span> = numbers
            .filter_map(|number| match self.doing(number) {
                Doing::Running { used } => Some((number, used)),
                Doing::Sleeping | Doing::Stopped | Doing::Uninterruptible => None,
            })
            .collect();
        let starves = running.iter().any(|(number, used)| siblings.get(number).is_none_or(|before| before == used));
        *siblings = running;
        if starves { Doing::Uninterruptible } else { doing }
    }
}

impl AsFd for Supervised {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

fn name_of(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}
