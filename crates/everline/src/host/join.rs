//! `everline host join`: makes this machine a host of a solution.

use std::net::{IpAddr, SocketAddr};

use node::authority::{self, PORT, Token};
use node::configuration;
use node::coordinator::member::Member;
use node::identity::{self, Identity, Keyring};

use super::apply::set_base;
use super::{cannot_write, document, is_member};
use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::{self, Folder};
use crate::hosts::data_of_etcd;
use crate::lock::Lock;
use crate::output::{self, remark};
use crate::up;

/// Joins the solution whose authority is at `address`. A machine that is a host of it already stays that one.
///
/// # Errors
/// If this machine is a host already and runs or is to be another one, the authority cannot be reached or is another one, or it refuses the
/// token.
pub(crate) fn join(folder: &Folder, address: &str, token: &str) -> Result<(), Failure> {
    folder.create()?;
    let own = own(folder)?;
    let address = authority_at(address)?;
    let token: Token = token.parse()?;
    let (identity, welcome) = match &own {
        Some((own, _)) => authority::join_again(address, &token, own)?,
        None => authority::join(address, &token)?,
    };
    let shared = welcome.configuration;
    let key = folder.nonce_key();
    files::replace(&key, &welcome.nonce_key).map_err(|error| cannot_write(&key, &error))?;
    configuration::keep(folder, &shared)?;
    if let Some(cluster) = welcome.cluster {
        let path = folder.cluster();
        files::replace(&path, cluster.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
        let data = data_of_etcd(folder);
        Member::lay_aside(&data).map_err(|error| cannot_write(&data, &error))?;
    }
    let path = folder::configuration(folder);
    match files::create(&path, shared.text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => remark(&format!(
            "{} exists and is left as it is; `everline config show` prints the configuration that counts",
            path.display()
        )),
        done => {
            done.map_err(|error| cannot_write(&path, &error))?;
            set_base(folder, shared.version)?;
        }
    }
    // Last, as it says that this machine is a host.
    identity::install(folder, &identity)?;
    let (host, solution) = (&identity.host, &identity.solution);
    let settings = document::settings(&shared, host)?;
    let missing: Vec<String> = settings
        .hosts
        .iter()
        .filter_map(|hosts| hosts.host(host))
        .flat_map(|host| &host.networks)
        .filter(|address| !is_here(**address))
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        remark(&format!(
            "warning: {host} is to have {}, which this machine has not; `host run` will not start before it has",
            missing.join(", ")
        ));
    }
    for address in settings.hosts.iter().flat_map(|hosts| &hosts.addresses) {
        if let Err(trouble) = address.read()?.has_place() {
            remark(&format!("warning: {host} could not serve at {}: {trouble}", address.text));
        }
    }
    output::result(&format!("This is {host}, a host of {solution}. `everline host run` runs it.\n"))
}

/// What this machine is already, if it is a host. Nothing of it runs then, nor can be started while the lock is held.
fn own(folder: &Folder) -> Result<Option<(Identity, Lock)>, Failure> {
    if !folder.identity().exists() {
        return Ok(None);
    }
    let Some(lock) = up::quiet(folder) else { return is_member(folder).map(|()| None) };
    let keyring = Keyring::open(folder.identity())?;
    Ok(Some((keyring.identity().clone(), lock)))
}

/// Where the authority is: an address, with a port or at the usual one.
fn authority_at(text: &str) -> Result<SocketAddr, Failure> {
    let at_port = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)).ok();
    at_port.or_else(|| text.parse().ok()).ok_or_else(|| {
        Failure::new(Kind::Wrong, format!("\"{text}\" is no IP address"))
            .help("copy the line that `everline host token` says as a whole")
    })
}

/// Whether this machine has the address.
fn is_here(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}
