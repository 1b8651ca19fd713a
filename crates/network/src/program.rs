//! A program of the operator that is run for its exit code, and never waited for.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use model::{Span, Time, Trouble};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// How much of what a program said last is quoted, in bytes.
const QUOTED: u64 = 400;

/// Starts a program, and does not wait for it. At `now` + `limit` it is killed. Its standard input is empty, and what it writes is
/// quoted if it fails. It leads a process group of its own, which is killed as a whole when its time is over. `what` names it for
/// people: "the hook `move claim`".
///
/// # Errors
/// The program does not exist or may not be run, or there is no room for another process.
pub fn start(command: &mut Command, what: &str, now: Time, limit: Span) -> Result<Run, Trouble> {
    let (child, pidfd, said) = spawn(command).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "create that program, or name another one",
            io::ErrorKind::PermissionDenied => "make it executable for this user: `chmod +x`",
            _ => "look at the program and at the system's log",
        };
        Trouble::new(format!("cannot start {what}: {error}"), remedy)
    })?;
    Ok(Run { child: Some(child), pidfd, said, what: what.to_owned(), deadline: now + limit, limit })
}

fn spawn(command: &mut Command) -> io::Result<(Child, OwnedFd, File)> {
    // In memory, as a pipe that nobody reads would stop the program.
    let said = File::from(memfd_create("said", MemfdFlags::CLOEXEC)?);
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

/// A program that runs. Its descriptor is readable when the program has ended. Dropping this ends the program.
#[derive(Debug)]
pub struct Run {
    /// None once its end is known.
    child: Option<Child>,
    pidfd: OwnedFd,
    said: File,
    what: String,
    deadline: Time,
    limit: Span,
}

impl Run {
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
                let what = format!("{} took longer than {} and was killed", self.what, self.limit);
                Some(Err(Trouble::new(what, format!("run it by hand to see what it waits for{}", self.quoted()))))
            }
            Ok(Some(status)) => {
                // What it has left running is its own affair.
                self.child = None;
                Some(if status.success() { Ok(()) } else { Err(self.failed(status)) })
            }
            Err(error) => {
                self.child = None;
                let what = format!("the end of {} cannot be told: {error}", self.what);
                Some(Err(Trouble::new(what, "look at the system's log")))
            }
        }
    }

    fn failed(&mut self, status: ExitStatus) -> Trouble {
        Trouble::new(format!("{} has failed: {status}", self.what), format!("run it by hand{}", self.quoted()))
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
            let _ = thread::Builder::new().name("program".into()).spawn(move || child.wait());
        }
    }
}

impl AsFd for Run {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Run {
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
