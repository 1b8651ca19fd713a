//! The load of the bench: one SIPp that calls, one that answers, each on a core that the subject has not.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::subject::CORE;
use crate::lab::child::Guard;
use crate::lab::ports::Ports;
use crate::lab::sipp::{Outcome, Plan, Role, Sipp, Transport};
use crate::lab::{PHONES, SERVER, TRUNKS};
use crate::process::pinned;

/// The number that every call goes to.
pub(super) const CALLED: &str = "1050";
/// Beyond the planned length of a load: SIPp in overload ends late, or never.
const GRACE: Duration = Duration::from_secs(60);

/// Where everybody is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) server: SocketAddr,
    pub(super) caller: SocketAddr,
    pub(super) phone: SocketAddr,
}

impl Places {
    pub(super) fn find() -> Result<Self> {
        let mut ports = Ports::default();
        Ok(Self { server: ports.take(SERVER)?, caller: ports.take(TRUNKS)?, phone: ports.take(PHONES)? })
    }
}

/// A load: so many calls at so many a second, each held for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) rate: u64,
    pub(super) calls: u64,
    pub(super) hold: Duration,
}

impl Load {
    /// How long it takes if nothing is late.
    pub(super) fn planned(&self) -> Duration {
        Duration::from_millis(self.calls * 1_000 / self.rate) + self.hold
    }

    /// Starts the phone and the caller.
    pub(super) fn start(&self, places: &Places, folder: &Path) -> Result<Both> {
        let cores = available_parallelism().map_or(1, usize::from);
        ensure!(cores > 1, "the bench needs two cores: one for the subject, one for the load");
        let role = Role::Caller {
            server: places.server,
            number: CALLED,
            own_number: "7",
            password: "",
            rate: self.rate as f64,
            calls: self.calls,
            hold: self.hold,
        };
        let start = |name, scenario, own, core: usize, role| {
            let core = Some(core);
            let transport = Transport::Udp;
            Sipp::start(&Plan { name, scenario, own, connection_each: false, transport, role, core }, folder)
        };
        let phone = start("bench-phone", "bench-phone", places.phone, CORE + cores - 1, Role::Phone)?;
        let caller = start("bench-caller", "bench-caller", places.caller, CORE + 1, role)?;
        Ok(Both { caller, phone, planned: self.planned() })
    }
}

/// A load that runs.
pub(super) struct Both {
    caller: Sipp,
    phone: Sipp,
    planned: Duration,
}

impl Both {
    /// Waits until all calls are over; what the caller counted, and what the phone did.
    pub(super) fn finish(self) -> Result<(Outcome, Outcome)> {
        let Self { caller, mut phone, planned } = self;
        let called = caller.finish(planned + GRACE)?;
        phone.drain()?;
        Ok((called, phone.finish(GRACE)?))
    }

    /// What the caller has counted up to the last second.
    pub(super) fn called(&self) -> Result<Outcome> {
        self.caller.counted()
    }
}

/// Keeps every core awake at the lowest priority there is, so that none falls asleep between two packets and
/// no run pays for the waking of another.
pub(super) fn burners() -> Result<Vec<Guard>> {
    let cores = available_parallelism().map_or(1, usize::from);
    let burner = |core: usize| {
        let mut command = pinned(Some(core), "nice".as_ref());
        command.args(["-n", "19", "chrt", "--idle", "0", "sh", "-c", "while :; do :; done"]).stdin(Stdio::null());
        Guard::start("nice and chrt", &mut command)
    };
    (0..cores).map(burner).collect()
}
