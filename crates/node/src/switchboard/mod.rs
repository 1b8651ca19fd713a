//! The switchboard of a host: lets the processes of this host talk to those of the others as if they were here.
//!
//! For each application of another host it listens at the place in `run/` where the application itself would, and carries what
//! is said there to that host's switchboard, over TLS and over whichever network answers; that one passes it on to the
//! application's own socket. So whoever talks to a server, the control server to any of them, one pair to the other, one
//! local control agent to its like, knows nothing of hosts. Who talks that way connects again when a connection breaks, and repeats
//! what was not answered. The link of a pair does not go through here (`server::far`): no record waits for this process.

mod calls;
mod guests;
mod notice;
mod renewal;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Incarnation;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpStream;

use self::notice::Notice;
use crate::folder::Folder;
use crate::identity::{Identity, Keyring};
use crate::life;
use crate::process;
use crate::pulse::threads;
use crate::wire::Trouble;

/// How long a network may take to answer a connection.
const CONNECT_PATIENCE: Duration = Duration::from_millis(300);
/// A connection on which nothing is confirmed for so long is given up, in milliseconds (`tcp(7)`, `TCP_USER_TIMEOUT`).
const SILENCE: u32 = 1_000;

/// What a switchboard must know.
#[derive(Clone, Debug)]
pub struct SwitchboardSettings {
    /// The contact centre.
    pub folder: Folder,
    /// This run of it.
    pub me: Incarnation,
    /// The file with the identity of this host.
    pub identity: PathBuf,
    /// Where other hosts connect: one address in each network.
    pub listen: Vec<SocketAddr>,
    /// Sockets in `run/` that other hosts may reach.
    pub offers: Vec<String>,
    /// The other hosts.
    pub others: Vec<OtherHost>,
    /// From which address of this host the authority is reached at which, in each network.
    pub authority: Vec<(SocketAddr, SocketAddr)>,
}

/// Another host, as seen from this one.
#[derive(Clone, Debug)]
pub struct OtherHost {
    /// The name in its certificate.
    pub name: String,
    /// Over each network: from which address of this host, to which of the other one.
    pub networks: Vec<(SocketAddr, SocketAddr)>,
    /// For each socket: its name in `run/` here, and there.
    pub sockets: Vec<(String, String)>,
}

/// The identity of this host, for everybody here.
#[derive(Clone, Debug)]
struct Keys(Arc<Mutex<Keyring>>);

impl Keys {
    fn client(&self) -> Arc<ClientConfig> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).client()
    }

    fn identity(&self) -> Identity {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).identity().clone()
    }

    fn server(&self) -> Arc<ServerConfig> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).server()
    }
}

/// Runs the switchboard until the LCA asks it to end.
///
/// # Errors
/// If it cannot listen, or this host has no identity; the LCA has been told why.
pub fn run(settings: SwitchboardSettings) -> Result<(), Trouble> {
    let _log = process::begin(&settings.folder, &settings.me)?;
    let (folder, me) = (settings.folder.clone(), settings.me.clone());
    serve(settings).inspect_err(|trouble| process::fail(&folder, &me, trouble))
}

fn serve(settings: SwitchboardSettings) -> Result<(), Trouble> {
    let no_resources = |error| Trouble::new(format!("the switchboard cannot begin: {error}"), "see `ulimit -a`");
    let keys = Keys(Arc::new(Mutex::new(Keyring::open(&settings.identity)?)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_resources)?;
    runtime.block_on(async {
        threads::watch_runtime("runtime");
        guests::listen(&settings, &keys).await?;
        let notice = Notice::default();
        calls::listen(&settings, &keys, &notice)?;
        let end = life::begin(&settings.folder, &settings.me, notice.clone())?;
        tokio::spawn(renewal::keep(Arc::new(settings), keys, notice));
        // It ends in no other way.
        let _ = end.await;
        Ok(())
    })
}

/// Notices a dead network within about two seconds, on a connection that is idle as well.
fn look_after(stream: &TcpStream) -> std::io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    stream.set_nodelay(true)?;
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &1)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &1)?;
    setsockopt(stream, sockopt::TcpKeepCount, &2)?;
    Ok(setsockopt(stream, sockopt::TcpUserTimeout, &SILENCE)?)
}
