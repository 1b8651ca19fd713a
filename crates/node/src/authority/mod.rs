//! The application `authority`: lets hosts join the solution, and renews their certificates.
//!
//! It runs on the host that has `data/authority.json`, and no call depends on it. `door` listens in each network between the
//! hosts; `visit` is the other side: a host that joins, or wants its certificate renewed. A host that joins knows the
//! authority by the fingerprint in its `token` before it shows anything else, and shows the token to nobody else; it makes its
//! key itself, which never travels. A host that is in shows its certificate. The one that has the authority issues its `own`.

mod door;
mod files;
mod own;
#[cfg(test)]
mod tests;
mod token;
mod visit;
mod words;

use std::net::{IpAddr, SocketAddr};

use model::Incarnation;

pub use files::{Joined, Shut, joined, make, read, shut};
pub use own::{issue_own, renew_own};
pub use token::{Comes, MOST_MINUTES, Token};
pub use visit::{Welcome, join, join_again, renew};

use crate::folder::Folder;
use crate::life;
use crate::process;
use crate::pulse::threads;
use crate::wire::Trouble;

/// The port of its door.
pub const PORT: u16 = 7_700 + 9;

/// What the authority must know.
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    /// The contact centre.
    pub folder: Folder,
    /// This run of it.
    pub me: Incarnation,
    /// Where hosts reach it: one address in each network.
    pub listen: Vec<SocketAddr>,
    /// The hosts of the solution with their addresses, which stand in their certificates.
    pub hosts: Vec<(String, Vec<IpAddr>)>,
}

/// Runs the authority until the LCA asks it to end.
///
/// # Errors
/// If it cannot listen, or its file is not there or broken; the LCA has been told why.
pub fn run(settings: AuthoritySettings) -> Result<(), Trouble> {
    let _log = process::begin(&settings.folder, &settings.me)?;
    let (folder, me) = (settings.folder.clone(), settings.me.clone());
    serve(settings).inspect_err(|trouble| process::fail(&folder, &me, trouble))
}

fn serve(settings: AuthoritySettings) -> Result<(), Trouble> {
    let no_resources = |error| Trouble::new(format!("the authority cannot begin: {error}"), "see `ulimit -a`");
    let authority = read(&settings.folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_resources)?;
    runtime.block_on(async {
        threads::watch_runtime("runtime");
        let (folder, me) = (settings.folder.clone(), settings.me.clone());
        door::listen(settings, authority).await?;
        let end = life::begin(&folder, &me, ())?;
        // It ends in no other way.
        let _ = end.await;
        Ok(())
    })
}
