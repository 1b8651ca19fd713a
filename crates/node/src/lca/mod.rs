//! The local control agent (LCA): starts, watches and ends the applications of one host.
//!
//! It decides nothing: `management::host` does. It holds no socket and no state of a call, so its own death disturbs
//! nobody: the applications live on, each holding its `lock`, by which a new agent finds them, and introduce
//! themselves to it. What it knows for certain, that a process has ended, is what a takeover may rest on.

mod agent;
mod alone;
mod elsewhere;
mod farewell;
mod link;
mod lock;
mod runs;
mod spares;
mod supervised;
mod usage;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

pub use link::{LcaLink, News};
pub(crate) use lock::claim;
pub use management::Description;
use model::Span;
use network::address::VirtualAddress;

use self::agent::Agent;
use crate::folder::Folder;
use crate::log;
use crate::wire::Trouble;

/// What the agent is to run.
#[derive(Clone, Debug)]
pub struct LcaSettings {
    /// The contact centre.
    pub folder: Folder,
    /// The applications, in the order in which they are started and listed. Each is the program of the agent itself:
    /// `PROGRAM --dir DIR run APPLICATION --run-number N`.
    pub applications: Vec<Description>,
    /// Of each application that has moved here from another host, the number of that move; see [`model::Incarnation::before_first`].
    pub moved: BTreeMap<String, u64>,
    /// Virtual addresses, each with the application that takes it while it serves: its process cannot give it up any more when it
    /// has ended.
    pub addresses: Vec<(String, VirtualAddress)>,
    /// Where the agents of other hosts are reached, each with the members of pairs that are placed there.
    pub others: Vec<(PathBuf, Vec<String>)>,
    /// If this host reaches nobody for so long, it stops its servers; none: it goes on.
    pub isolated: Option<Span>,
    /// A drill may make faults on this host.
    pub may_harm: bool,
}

/// Runs the agent until everything was asked to end and has ended.
///
/// # Errors
/// If an agent runs already in this folder, or the folder cannot be used.
pub fn run(settings: LcaSettings) -> Result<(), Trouble> {
    settings.folder.create()?;
    let path = settings.folder.lock("lca");
    let lock = lock::take(&path).map_err(|error| Trouble::of_file("lock", &path, &error))?;
    let Some(lock) = lock else {
        let holder = lock::holder(&path).map_or(String::new(), |(_, pid)| format!(" (process {pid})"));
        let what = format!("this contact centre is running already{holder}");
        return Err(Trouble::new(what, "`everline stop` ends it; --dir names another one"));
    };
    let _log = log::begin(Some(settings.folder.log("lca")));
    lock::sign(&lock, 0).map_err(|error| Trouble::of_file("write", &path, &error))?;
    let of_one = |name: &str| [settings.folder.socket(name), settings.folder.mail(name)];
    let sockets: Vec<_> = settings.applications.iter().flat_map(|one| of_one(&one.name)).collect();
    let others = ["coordinator", "lca"].map(|name| settings.folder.socket(name));
    Agent::new(settings)
        .inspect_err(|trouble| tracing::error!("the local control agent cannot start: {trouble}"))?
        .run();
    for socket in sockets.iter().chain(&others) {
        let _ = fs::remove_file(socket);
    }
    tracing::info!("everything has ended");
    Ok(())
}
