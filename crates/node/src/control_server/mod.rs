//! The control server: the coordinator of the host, and the interface for people and programs.
//!
//! Two threads that share nothing but the end and what is to be told: one serves the [coordinator](crate::coordinator) and never waits for a
//! person, one answers HTTP on `run/control.sock`. No call depends on either while roles stay as they are.

mod api;
mod configuration;
mod coordination;
mod fence;
mod line;
mod place;
mod probe;
mod probe_call;
mod refusal;
mod rows;
mod servers;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Incarnation;

pub use fence::FenceSettings;
pub use place::Place;

use crate::coordinator::EtcdSettings;
use crate::folder::Folder;
use crate::local;
use crate::process;
use crate::pulse::threads;
use crate::wire::Trouble;

/// What the control server must know.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// The contact centre.
    pub folder: Folder,
    /// This run of the control server.
    pub me: Incarnation,
    /// The contact centre's name.
    pub solution: String,
    /// This host's name.
    pub host: String,
    /// Its addresses in the networks between the hosts.
    pub addresses: Vec<IpAddr>,
    /// The other hosts.
    pub others: Vec<OtherHost>,
    /// The pair that holds the calls.
    pub sip: Pair,
    /// The pair that holds the agents.
    pub routing: Pair,
    /// Where it is asked by UDP whether somebody serves: each address that whoever serves takes, or all those of which it has one.
    pub probed: Vec<Place>,
    /// How often a call is made there.
    pub probe_call: Duration,
    /// The secret of the SIP Servers, by which they know such a call.
    pub secret: [u8; 32],
    /// Where the coordinator keeps the entries of the pairs; none: in the journal of this host, which is the only one.
    pub etcd: Option<EtcdSettings>,
    /// The host of each member of a pair, where there are several hosts.
    pub places: BTreeMap<String, String>,
    /// Of each of them that has moved there from another host, the number of that move.
    pub moved: BTreeMap<String, u64>,
    /// How hosts are ended that nobody can reach, if they are.
    pub fence: Option<FenceSettings>,
    /// The version of the configuration that this host runs with, if several hosts share it.
    pub version: Option<u64>,
}

/// Another host.
#[derive(Clone, Debug)]
pub struct OtherHost {
    /// Its name.
    pub name: String,
    /// The name of the socket by which its local control agent is reached from here.
    pub agent: String,
    /// Its addresses in the networks between the hosts.
    pub addresses: Vec<IpAddr>,
}

/// A pair of servers, or one without a standby.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Its name, `sip`.
    pub name: String,
    /// Its applications, `sip-a` and `sip-b`.
    pub members: Vec<String>,
}

/// Runs the control server until the LCA asks it to end.
///
/// # Errors
/// If it was not started by the LCA, or cannot begin; the LCA has been told why.
pub fn run(settings: ControlSettings) -> Result<(), Trouble> {
    let _log = process::begin(&settings.folder, &settings.me)?;
    let (folder, me) = (settings.folder.clone(), settings.me.clone());
    serve(settings).inspect_err(|trouble| process::fail(&folder, &me, trouble))
}

fn serve(settings: ControlSettings) -> Result<(), Trouble> {
    let no_resources = |error| Trouble::new(format!("the control server cannot begin: {error}"), "see `ulimit -a`");
    let path = settings.folder.socket("control");
    let listener = local::listen(&path).map_err(|error| Trouble::of_file("listen at", &path, &error))?;
    let unanswered = probe::Unanswered::default();
    let alarm = fence::Alarm::default();
    let missing = coordination::Missing::default();
    let says = (unanswered.clone(), alarm.clone(), missing.clone());
    let end = coordination::begin(&settings.folder, &settings.me, settings.etcd.as_ref(), says)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_resources)?;
    runtime.block_on(async {
        threads::watch_runtime("http");
        let listener = tokio::net::UnixListener::from_std(listener).map_err(no_resources)?;
        let settings = Arc::new(settings);
        probe::begin(&settings, &unanswered);
        fence::begin(&settings, &unanswered, &alarm);
        api::serve(listener, settings, missing, end).await.map_err(no_resources)
    })
}
