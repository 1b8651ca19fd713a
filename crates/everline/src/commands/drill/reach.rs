//! How a drill reaches the solution from this machine.

use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drill::hands::{self, Orders};
use drill::site::Site;
use model::Trouble;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use node::channel::Channel;
use node::local;
use node::wire::{FromLca, Harm, ToLca, Victim};

use crate::control::Control;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::hosts::agent_of;

/// A local control agent answers at once, over whichever network; so long it may take to find one that answers.
const PATIENCE: Duration = Duration::from_secs(3);

/// The control servers of the hosts.
pub(super) struct Reach {
    /// Each with its name and its folder.
    pub(super) hosts: Vec<(String, Folder)>,
}

impl Reach {
    fn folder(&self, host: &str) -> Result<&Folder, Trouble> {
        let found = self.hosts.iter().find(|(name, _)| name == host).map(|(_, folder)| folder);
        found.ok_or_else(|| Trouble::new(format!("there is no host {host}"), "`everline status` lists the hosts"))
    }
}

impl Site for Reach {
    fn hosts(&self) -> Vec<String> {
        self.hosts.iter().map(|(name, _)| name.clone()).collect()
    }

    fn get(&self, host: &str, path: &str) -> Result<String, Trouble> {
        Control::new(self.folder(host)?).get_briefly(path).map_err(trouble)
    }

    fn post(&self, host: &str, path: &str) -> Result<(), Trouble> {
        Control::new(self.folder(host)?).post_at_once(path).map(drop).map_err(trouble)
    }

    fn logs(&self, host: &str) -> Option<PathBuf> {
        let folder = self.folder(host).ok()?;
        folder.log("sip-a").parent().map(Path::to_path_buf)
    }
}

fn trouble(failure: Failure) -> Trouble {
    Trouble::new(failure.what(), failure.remedy().unwrap_or("look at the logs"))
}

/// The local control agents of all hosts, as they are reached from one of them.
pub(super) struct Agents {
    /// The name of this host.
    pub(super) here: String,
    /// Its folder.
    pub(super) folder: Folder,
}

/// A conversation with one.
struct Line<'a> {
    host: &'a str,
    channel: Channel,
}

impl Orders for Agents {
    fn give(&self, orders: &[(String, hands::Harm)]) -> Result<(), Trouble> {
        let mut lines = orders.iter().map(|(host, _)| self.line(host)).collect::<Result<Vec<_>, _>>()?;
        // Whatever one of them would refuse, none of them does.
        say(&mut lines, orders.iter().map(|(_, harm)| Harm::Ask(victims(harm))))?;
        say(&mut lines, orders.iter().map(|(_, harm)| told(harm)))
    }
}

impl Agents {
    fn line<'a>(&self, host: &'a str) -> Result<Line<'a>, Trouble> {
        let socket = if host == self.here { "lca".to_owned() } else { agent_of(host) };
        let opened = local::connect(&self.folder.socket(&socket));
        Ok(Line { host, channel: Channel::new(opened.map_err(|error| unreachable(host, &error.to_string()))?) })
    }
}

/// Says something to each of them, and hears all answers.
fn say(lines: &mut [Line<'_>], harms: impl Iterator<Item = Harm>) -> Result<(), Trouble> {
    for (line, harm) in lines.iter_mut().zip(harms) {
        let sent = line.channel.send(&ToLca::Harm(harm));
        sent.map_err(|error| unreachable(line.host, &error.to_string()))?;
    }
    lines.iter_mut().try_for_each(Line::answer)
}

impl Line<'_> {
    fn answer(&mut self) -> Result<(), Trouble> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.channel.receive() {
                Ok(Some((FromLca::Harmed(None), _))) => return Ok(()),
                Ok(Some((FromLca::Harmed(Some(Trouble { what, remedy })), _))) => {
                    return Err(Trouble::new(format!("{}: {what}", self.host), remedy));
                }
                Ok(Some(_)) => {}
                Ok(None) if Instant::now() > end => {
                    return Err(unreachable(self.host, &io::Error::from(io::ErrorKind::TimedOut).to_string()));
                }
                Ok(None) => {
                    let left = end.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
                    let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
                    // Whatever keeps it from waiting is met again when it reads.
                    let _ = poll(&mut [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)], left);
                }
                Err(error) => return Err(unreachable(self.host, &error.to_string())),
            }
        }
    }
}

fn unreachable(host: &str, why: &str) -> Trouble {
    let what = format!("the local control agent of {host} does not answer: {why}");
    Trouble::new(what, "`everline status` says whether it runs; drill when everything is level")
}

/// Who is struck by it.
fn victims(harm: &hands::Harm) -> Vec<Victim> {
    let victim = |one: &hands::Victim| Victim { application: one.application.clone(), pid: one.pid };
    match harm {
        hands::Harm::Kill(victims) | hands::Harm::Freeze(victims, _) => victims.iter().map(victim).collect(),
        hands::Harm::Fail(_) | hands::Harm::Repair => Vec::new(),
    }
}

fn told(harm: &hands::Harm) -> Harm {
    let millis = |span: &Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    match harm {
        hands::Harm::Kill(_) => Harm::Kill(victims(harm)),
        hands::Harm::Freeze(_, span) => Harm::Freeze(victims(harm), millis(span)),
        hands::Harm::Fail(span) => Harm::Fail(millis(span)),
        hands::Harm::Repair => Harm::Repair,
    }
}
