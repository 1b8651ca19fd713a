//! What is done to the servers, and to which one.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use drill::history::Nanos;
use drill::status::Status;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Serialize;

use crate::lab::everline::Everline;
use crate::lab::now;

/// The kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Nothing is done: what the load and the machine look like by themselves.
    None,
    /// kill -9 of the SIP Server's primary.
    SipKill,
    /// The SIP Server's primary is stopped and never goes on: a hang.
    SipHang,
    /// The SIP Server's primary is frozen for 20 to 400 ms: shorter and longer than the detector waits.
    SipFreeze,
    /// kill -9 of the SIP Server's primary, and of its successor as soon as the pair is level.
    SipTwice,
    /// `everline switchover sip`.
    Switchover,
    /// kill -9 of the SIP Server's backup.
    BackupKill,
    /// The SIP Server's backup hangs.
    BackupHang,
    /// kill -9 of the Routing Server's primary.
    RoutingKill,
    /// The Routing Server's primary hangs.
    RoutingHang,
    /// kill -9 of the control server.
    ControlKill,
    /// kill -9 of the Local Control Agent.
    LcaKill,
}

/// What is done to the victim.
enum Deed {
    Nothing,
    Kill,
    Hang,
    Freeze(Duration),
    Switchover,
}

/// A hung process must be killed by its control agent; later than this it never will be.
const DEATH_LIMIT: Duration = Duration::from_secs(20);

/// One fault as it happened.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The application that it happened to; empty for [`Kind::None`].
    pub(crate) victim: String,
    /// The moment of the deed.
    pub(crate) at: Nanos,
    /// When its victim was certainly gone, or the command had ended.
    pub(crate) certain: Nanos,
    /// From then until everything was level again, in milliseconds.
    pub(crate) level_after_ms: u64,
}

impl Fault {
    /// The end of the time in which a silence of the server is this fault's doing.
    pub(crate) const fn watched_until(&self) -> Nanos {
        self.certain + self.kind.aftermath().as_nanos() as Nanos
    }
}

impl Kind {
    /// How long the server is watched after the end of its victim. The successor of a primary speaks soon; what
    /// the loss of another process does to calls may take as long as its detection.
    pub(crate) const fn aftermath(self) -> Duration {
        match self {
            Self::None | Self::SipKill | Self::SipHang | Self::SipFreeze | Self::SipTwice | Self::Switchover => {
                Duration::from_millis(50)
            }
            _ => Duration::from_millis(500),
        }
    }

    /// The longest service gaps that are allowed, where there is a goal, each with its percentile.
    pub(crate) const fn gap_limits(self) -> &'static [(usize, Duration)] {
        match self {
            Self::SipKill | Self::SipTwice => {
                const { &[(50, Duration::from_millis(1)), (99, Duration::from_millis(20))] }
            }
            Self::SipHang => const { &[(99, Duration::from_millis(250))] },
            Self::Switchover => const { &[(99, Duration::from_millis(10))] },
            _ => &[],
        }
    }

    fn deed(self, chance: &mut model::Chance) -> Deed {
        match self {
            Self::None => Deed::Nothing,
            Self::SipHang | Self::BackupHang | Self::RoutingHang => Deed::Hang,
            Self::SipFreeze => Deed::Freeze(Duration::from_millis(20 + chance.below(380))),
            Self::Switchover => Deed::Switchover,
            _ => Deed::Kill,
        }
    }

    /// Name and process of the victim.
    fn victim(self, status: &Status) -> Result<(String, u32)> {
        let (pair, role) = match self {
            Self::None | Self::Switchover | Self::SipKill | Self::SipHang | Self::SipFreeze | Self::SipTwice => {
                ("sip", "primary")
            }
            Self::BackupKill | Self::BackupHang => ("sip", "backup"),
            Self::RoutingKill | Self::RoutingHang => ("routing", "primary"),
            Self::ControlKill => ("", "control"),
            Self::LcaKill => ("", "lca"),
        };
        let found = if pair.is_empty() {
            status.pid_of(role).map(|pid| (role.to_owned(), pid))
        } else {
            status.in_role(pair, role).and_then(|found| Some((found.name.clone(), found.pid?)))
        };
        found.with_context(|| format!("there is no {pair} {role}: {}", status.summary()))
    }

    /// Does it; returns when the victim has certainly ended, or what was asked for is done.
    pub(crate) fn inflict(self, everline: &Everline, status: &Status, chance: &mut model::Chance) -> Result<Fault> {
        let (victim, pid) = self.victim(status)?;
        let deed = self.deed(chance);
        let process = Pid::from_raw(pid.try_into()?).context("an application has the process id 0")?;
        let handle = pidfd_open(process, PidfdFlags::empty())
            .with_context(|| format!("{victim}, process {pid}, does not run"))?;
        let at = now();
        match deed {
            Deed::Nothing => {}
            Deed::Kill => {
                pidfd_send_signal(&handle, Signal::KILL)?;
                ensure!(ends(&handle, DEATH_LIMIT)?, "{victim} survived kill -9");
            }
            Deed::Hang => {
                pidfd_send_signal(&handle, Signal::STOP)?;
                ensure!(ends(&handle, DEATH_LIMIT)?, "{victim} hangs, and nobody ended it");
            }
            Deed::Freeze(span) => {
                pidfd_send_signal(&handle, Signal::STOP)?;
                if !ends(&handle, span)? {
                    // It may be killed between the look and the signal: then there is nobody to wake.
                    pidfd_send_signal(&handle, Signal::CONT).ok();
                }
            }
            Deed::Switchover => {
                let output = everline.command(&["switchover", "sip"])?;
                let said = String::from_utf8_lossy(&output.stderr);
                ensure!(output.status.success(), "everline switchover sip: {}", said.trim());
            }
        }
        let victim = if self == Self::None { String::new() } else { victim };
        Ok(Fault { kind: self, victim, at, certain: now(), level_after_ms: 0 })
    }

    /// Whether the status shows that the fault is over: everything runs, and the victim is a new process.
    pub(crate) fn is_over(self, before: &Status, after: &Status) -> bool {
        let Ok((victim, pid)) = self.victim(before) else { return false };
        let replaced = match self {
            Self::None | Self::SipFreeze => true,
            Self::Switchover => after.in_role("sip", "primary").is_some_and(|now| now.name != victim),
            _ => after.pid_of(&victim).is_some_and(|now| now != pid),
        };
        replaced && after.is_level()
    }
}

/// Waits for the end of a process that is not our child.
fn ends(process: &OwnedFd, limit: Duration) -> Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut wait = [PollFd::new(process, PollFlags::IN)];
        match poll(&mut wait, Some(&Timespec::try_from(left)?)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
