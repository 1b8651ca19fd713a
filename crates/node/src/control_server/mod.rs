//! The control server: the coordinator's home, and the door for people and programs (HTTP/1.1 with JSON on
//! `run/control.sock`). No call depends on it: it can be killed at any time, and comes back.
//!
//! One thread keeps the coordinator and is watched by the local control agent; the others serve requests and may take
//! their time.

mod answers;
mod api;
mod ask;

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use model::Incarnation;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::coordinator::CoordinatorServer;
use crate::lca::{LcaLink, News};
use crate::local;
use crate::pulse::Pulse;
use crate::wire::{ServerReport, Trouble};

/// The coordinator's thread turns at least this often, in milliseconds, so that the LCA sees its pulse.
const LONGEST_TURN: u16 = 25;

/// How the control server runs.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// This run of this process.
    pub me: Incarnation,
    /// The contact centre's folder.
    pub dir: PathBuf,
    /// The name that `everline status` shows.
    pub solution: String,
}

/// Runs the control server until it is asked to end.
///
/// # Errors
/// If it cannot start, with the reason for people.
pub fn run(settings: ControlSettings) -> Result<(), Trouble> {
    let cannot = |error: io::Error| {
        Trouble::new(
            format!("the control server cannot start: {error}"),
            "see the folder's rights and the limits of the process",
        )
    };
    let (pulse, descriptor) = Pulse::create().map_err(cannot)?;
    pulse.hold().map_err(cannot)?;
    let socket = |name: &str| settings.dir.join("run").join(name);
    let mut lca = LcaLink::new(socket("lca.sock"), settings.me.clone(), descriptor).map_err(cannot)?;
    let journal = settings.dir.join("data/coordinator.journal");
    let (mut coordinator, warnings) =
        CoordinatorServer::open(&journal, &socket("coordinator.sock")).inspect_err(|trouble| {
            lca.fatal(trouble.clone());
        })?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let door = local::listen(&socket("control.sock")).map_err(cannot)?;
    let serving = settings.clone();
    std::thread::Builder::new().name("api".into()).spawn(move || api::serve(door, serving)).map_err(cannot)?;
    lca.ready();
    lca.report(ServerReport { ready: true, ..ServerReport::default() });
    loop {
        let mut ready =
            [PollFd::new(coordinator.as_fd(), PollFlags::POLLIN), PollFd::new(lca.as_fd(), PollFlags::POLLIN)];
        // An interrupted wait is a wait that found nothing.
        let _ = poll(&mut ready, PollTimeout::from(LONGEST_TURN));
        pulse.beat();
        coordinator.serve();
        while let Some(news) = lca.poll() {
            if news == News::Stop {
                return Ok(());
            }
        }
    }
}
