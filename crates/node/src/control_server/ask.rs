//! Questions and orders to the other processes of the host.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::{Channel, ChannelError};
use crate::local;
use crate::wire::{ApplicationRow, ControlReply, ControlRequest, FromLca, Opening, ToLca, Trouble};

/// How long one server may take for an answer.
const ANSWER: Duration = Duration::from_secs(2);

/// How long a pair may be without a primary before a request to it is given up: longer than any takeover.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pause between two attempts.
const RETRY: Duration = Duration::from_millis(20);

/// The local sockets of a solution.
#[derive(Clone, Debug)]
pub(super) struct Sockets {
    dir: PathBuf,
}

impl Sockets {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.join("run") }
    }

    /// The applications, as the LCA sees them.
    pub(super) fn applications(&self) -> Result<Vec<ApplicationRow>, Trouble> {
        let told = || -> Result<Vec<ApplicationRow>, ChannelError> {
            let stream = local::connect(&self.dir.join("lca.sock"))?;
            let agent = local::peer(&stream)?;
            let mut channel = Channel::new(stream);
            channel.send(&ToLca::Follow)?;
            loop {
                if let FromLca::Applications(mut rows) = wait(&mut channel)? {
                    rows.insert(0, itself(agent));
                    return Ok(rows);
                }
            }
        };
        until(PATIENCE, told).map_err(|error| {
            Trouble::new(
                format!("the local control agent does not answer: {error}"),
                "it is restarted by itself; ask again in a moment",
            )
        })
    }

    /// Asks the LCA to end everything.
    pub(super) fn stop_all(&self) -> Result<(), Trouble> {
        let told = || -> Result<(), ChannelError> {
            let mut channel = Channel::new(local::connect(&self.dir.join("lca.sock"))?);
            channel.send(&ToLca::StopAll)
        };
        until(PATIENCE, told).map_err(|error| {
            Trouble::new(format!("the local control agent cannot be reached: {error}"), "ask again in a moment")
        })
    }

    /// What one server says; nothing if it cannot be asked now.
    pub(super) fn one(&self, application: &str, request: &ControlRequest) -> Option<ControlReply> {
        exchange(&self.dir.join(format!("{application}.sock")), request).ok()
    }

    /// What the primary of a pair says, asked again through a takeover.
    pub(super) fn primary(&self, pair: &str, request: &ControlRequest) -> Result<ControlReply, Trouble> {
        let sides = ["a", "b"].map(|side| format!("{pair}-{side}"));
        let asked = || {
            let replies = sides.iter().filter_map(|side| self.one(side, request));
            replies.into_iter().find(|reply| *reply != ControlReply::NotPrimary).ok_or(())
        };
        until(PATIENCE, asked).map_err(|()| {
            Trouble::new(
                format!("no primary of the pair {pair} answers"),
                "`everline status` shows its two sides, log/ says what they do",
            )
        })
    }
}

/// The LCA among the applications that it lists: it answers, so it runs.
fn itself(pid: u32) -> ApplicationRow {
    ApplicationRow {
        name: "lca".to_owned(),
        pair: None,
        run: 0,
        state: "started".to_owned(),
        pid: Some(pid),
        report: None,
        trouble: None,
    }
}

/// Tries until it succeeds or `patience` is at its end.
fn until<T, E>(patience: Duration, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let end = Instant::now() + patience;
    loop {
        match attempt() {
            Err(_) if Instant::now() < end => std::thread::sleep(RETRY),
            outcome => return outcome,
        }
    }
}

fn exchange(path: &Path, request: &impl Serialize) -> Result<ControlReply, ChannelError> {
    let mut channel = Channel::new(local::connect(path)?);
    channel.send(&Opening::Control)?;
    channel.send(request)?;
    wait(&mut channel)
}

fn wait<T: DeserializeOwned>(channel: &mut Channel) -> Result<T, ChannelError> {
    let end = Instant::now() + ANSWER;
    loop {
        if let Some((message, _)) = channel.receive()? {
            return Ok(message);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [PollFd::new(channel.as_fd(), PollFlags::POLLIN)], left);
    }
}
