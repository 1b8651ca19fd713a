//! What is measured: Everline with its backup, without, and Kamailio.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;

use super::cost::family;
use super::load::{CALLED, Places};
use crate::lab::child::Guard;
use crate::lab::everline::Everline;
use crate::process::{bound, find_program, root};
use drill::status::Status;

/// The core of the subject; the load has the others.
pub(super) const CORE: usize = 0;
/// Generous: it only bounds how long a broken start is waited for.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Kamailio has no sign of being ready; it is long before this.
const KAMAILIO_STARTS: Duration = Duration::from_secs(2);

/// The subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Everline as it is: a hot standby pair.
    Pair,
    /// Everline with `standby = false`: no backup.
    Solo,
    /// Kamailio, a stateful proxy with record-route and dialogs, one worker.
    Kamailio,
}

impl Kind {
    pub(super) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    pub(super) const fn is_everline(self) -> bool {
        matches!(self, Self::Pair | Self::Solo)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pair => "everline, pair on",
            Self::Solo => "everline, pair off",
            Self::Kamailio => "kamailio",
        }
    }
}

/// A subject that runs.
pub(super) enum Subject {
    Everline(Box<Everline>),
    Kamailio(Guard),
}

/// The processes of a subject, by what they are for.
#[derive(Clone, Debug)]
pub(super) struct Processes {
    /// Those that carry calls: the primary, or all of Kamailio.
    pub(super) primary: Vec<u32>,
    pub(super) backup: Vec<u32>,
    /// Everything else that runs beside them.
    pub(super) rest: Vec<u32>,
}

impl Subject {
    /// Starts it on its core, with the phone as the place where every call goes.
    pub(super) fn start(kind: Kind, places: &Places, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        if kind.is_everline() {
            let configuration = configuration(places, kind == Kind::Pair);
            let mut everline = Everline::start("bench", &configuration, Some(CORE))?;
            if kind == Kind::Pair {
                everline.wait_until("level", START_LIMIT, Status::is_level)?;
            }
            return Ok(Self::Everline(Box::new(everline)));
        }
        kamailio(places.server, places.phone, folder).map(Self::Kamailio)
    }

    /// Its processes, now.
    pub(super) fn processes(&self) -> Result<Processes> {
        match self {
            Self::Kamailio(guard) => {
                Ok(Processes { primary: family(guard.pid()), backup: Vec::new(), rest: Vec::new() })
            }
            Self::Everline(everline) => {
                let status = everline.status()?;
                let of = |role| status.in_role("sip", role).and_then(|found| found.pid);
                let primary = of("primary").context("there is no primary of the pair sip")?;
                let backup = of("backup");
                let all = status.applications.iter().filter_map(|application| application.pid);
                let rest = all.filter(|pid| *pid != primary && Some(*pid) != backup).collect();
                Ok(Processes { primary: vec![primary], backup: backup.into_iter().collect(), rest })
            }
        }
    }

    /// Ends it.
    pub(super) fn stop(self) -> Result<()> {
        match self {
            Self::Everline(everline) => everline.stop().map(drop),
            Self::Kamailio(mut guard) => {
                guard.signal(rustix::process::Signal::TERM)?;
                ensure!(guard.wait(START_LIMIT)?.is_some(), "kamailio does not end");
                Ok(())
            }
        }
    }
}

fn configuration(places: &Places, standby: bool) -> String {
    let Places { server, caller, phone } = places;
    format!(
        "[sip]\ndomain = \"127.0.0.1\"\nlisten = [\"udp:{server}\"]\nstandby = {standby}\n\n\
         [[extension]]\nnumber = \"{CALLED}\"\ncontact = \"sip:{CALLED}@{phone}\"\n\n\
         [[trunk]]\nname = \"bench\"\naddress = \"{caller}\"\n"
    )
}

fn kamailio(server: SocketAddr, phone: SocketAddr, folder: &Path) -> Result<Guard> {
    let program = find_program("kamailio").context("kamailio is not installed: run `cargo xtask setup --bench`")?;
    let log = File::create(folder.join("kamailio.log"))?;
    let mut command = bound(&program, "TERM", Some(CORE));
    command.arg("-f").arg(root().join("interop/kamailio.cfg"));
    command.args(["-DD", "-x", "tlsf", "-X", "tlsf", "-m", "2048", "-M", "64"]);
    command.args(["-l", &format!("udp:{server}"), "-A", &format!("PHONE=sip:{phone}")]);
    command.arg("-Y").arg(folder).arg("-P").arg(folder.join("kamailio.pid"));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut guard = Guard::start("kamailio", &mut command)?;
    sleep(KAMAILIO_STARTS);
    guard.check_alive().with_context(|| format!("see {}", folder.join("kamailio.log").display()))?;
    Ok(guard)
}
