//! A program of the operator that moves an address where the network believes no announcements, as in most clouds.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{io, thread};

use model::{Span, Time, Trouble};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::VirtualAddress;

/// How much of what a hook said last is quoted, in bytes.
const QUOTED: u64 = 400;

/// What happens to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// This host takes it.
    Claim,
    /// This host gives it up.
    Release,
}

impl Deed {
    /// The word for it, as the hook is told.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
        }
    }
}

/// A program that is told of every claim and release.
///
/// It is called as `PROGRAM claim|release ADDRESS/PREFIX INTERFACE`, with the environment of this process and
/// `EVERLINE_DEED`, `EVERLINE_ADDRESS`, `EVERLINE_PREFIX` and `EVERLINE_INTERFACE` in addition; its standard input is empty, and
/// what it writes is quoted if it fails. Exit code 0 means that the address is moved (or was already, as calls are repeated). It
/// leads a process group of its own, which is killed as a whole when its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The program, absolute or relative to the working folder.
    pub program: PathBuf,
}

impl Hook {
    /// Starts the program, and does not wait for it. At `now` + `limit` it is killed.
    ///
    /// # Errors
    /// The program does not exist or may not be run, or there is no room for another process.
    pub fn start(&self, deed: Deed, address: &VirtualAddress, now: Time, limit: Span) -> Result<HookRun, Trouble> {
        let name = self.program.display().to_string();
        let what = format!("{name} {} {}/{} {}", deed.word(), address.address, address.prefix, address.interface);
        let run = self.spawn(deed, address).map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => "create that program, or name another one",
                io::ErrorKind::PermissionDenied => "make it executable for this user: `chmod +x`",
                _ => "look at the program and at the system's log",
            };
            Trouble::new(format!("cannot start the hook `{what}`: {error}"), remedy)
        })?;
        let (child, pidfd, said) = run;
        Ok(HookRun { child: Some(child), pidfd, said, what, deadline: now + limit, limit })
    }

    fn spawn(&self, deed: Deed, address: &VirtualAddress) -> io::Result<(Child, OwnedFd, File)> {
        // In memory, as a pipe that nobody reads would stop the program.
        let said = File::from(memfd_create("hook", MemfdFlags::CLOEXEC)?);
        let mut command = Command::new(&self.program);
        command.arg(deed.word()).arg(format!("{}/{}", address.address, address.prefix)).arg(&address.interface);
        command.env("EVERLINE_DEED", deed.word()).env("EVERLINE_ADDRESS", address.address.to_string());
        command.env("EVERLINE_PREFIX", address.prefix.to_string()).env("EVERLINE_INTERFACE", &address.interface);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said.try_clone()?).process_group(0);
        let mut child = command.spawn()?;
        let pidfd =
            id(&child).ok_or(io::ErrorKind::InvalidData.into()).and_then(|id| Ok(pidfd_open(id, PidfdFlags::empty())?));
        match pidfd {
            Ok(pidfd) => Ok((child, pidfd, said)),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }
}

/// A hook that runs. Its descriptor is readable when the program has ended. Dropping this ends the program.
#[derive(Debug)]
pub struct HookRun {
    /// None once its end is known.
    child: Option<Child>,
    pidfd: OwnedFd,
    said: File,
    what: String,
    deadline: Time,
    limit: Span,
}

impl HookRun {
    /// When its time is over; [`Time::NEVER`] once its end is known.
    #[must_use]
    pub fn deadline(&self) -> Time {
        if self.child.is_some() { self.deadline } else { Time::NEVER }
    }

    /// How it ended, once; `None` while it runs, and after its end was told. Kills it when its time is over. Does not wait.
    pub fn poll(&mut self, now: Time) -> Option<Result<(), Trouble>> {
        let child = self.child.as_mut()?;
        match child.try_wait() {
            Ok(None) if now < self.deadline => None,
            Ok(None) => {
                self.leave();
                let what = format!("the hook `{}` took longer than {} and was killed", self.what, self.limit);
                Some(Err(Trouble::new(what, format!("run it by hand to see what it waits for{}", self.quoted()))))
            }
            Ok(Some(status)) => {
                // What it has left running is its own affair.
                self.child = None;
                Some(if status.success() { Ok(()) } else { Err(self.failed(status)) })
            }
            Err(error) => {
                self.child = None;
                let what = format!("the end of the hook `{}` cannot be told: {error}", self.what);
                Some(Err(Trouble::new(what, "look at the system's log")))
            }
        }
    }

    fn failed(&mut self, status: ExitStatus) -> Trouble {
        Trouble::new(
            format!("the hook `{}` has failed: {status}", self.what),
            format!("run it by hand{}", self.quoted()),
        )
    }

    /// The last that it said.
    fn quoted(&mut self) -> String {
        let length = self.said.metadata().map_or(0, |data| data.len());
        let mut last = Vec::new();
        // What cannot be read is not quoted.
        let _ = self.said.seek(SeekFrom::Start(length.saturating_sub(QUOTED)));
        let _ = self.said.by_ref().take(QUOTED).read_to_end(&mut last);
        match String::from_utf8_lossy(&last).trim() {
            "" => "; it said nothing".into(),
            last => format!("; it said: {last}"),
        }
    }

    /// Kills what still runs of it, and leaves taking leave of it to a thread.
    fn leave(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill(&child);
            // Without a thread the program stays a zombie until this process ends.
            let _ = thread::Builder::new().name("hook".into()).spawn(move || child.wait());
        }
    }
}

impl AsFd for HookRun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for HookRun {
    fn drop(&mut self) {
        self.leave();
    }
}

fn id(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().cast_signed())
}

/// Kills the process group of a child that nobody has taken leave of yet, so that the number is still its own.
fn kill(child: &Child) {
    if let Some(group) = id(child) {
        // An error says that it has ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn end(child: &mut Child) {
    kill(child);
    let _ = child.wait();
}
