//! What each host of a rehearsal finds in its folder.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::SystemTime;

use network::rehearsal::{Network, Place, virtual_addresses};
use node::identity::{Authority, HOST_LIFETIME};
use node::wire::Trouble;

use crate::failure::Failure;
use crate::files;
use crate::folder::{self, Folder};
use crate::hosts::{self, Host, Hosts};
use crate::settings::Settings;

/// The two networks between the hosts.
const NETWORKS: [Network; 2] = [Network::A, Network::B];

/// A host and its folder.
pub(super) type HostFolder = (Place, Folder);

/// The folder of a host.
pub(super) fn of_host(folder: &Folder, place: Place) -> Folder {
    Folder::new(folder.path().join("hosts").join(place.to_string()))
}

/// Writes everything that the hosts need, and says where.
///
/// # Errors
/// If something cannot be written.
pub(super) fn write(folder: &Folder, settings: &Settings, hosts: u8) -> Result<Vec<HostFolder>, Failure> {
    let authority = authority(folder, &settings.solution)?;
    let all: Vec<Host> = (1..=hosts).map(host).collect();
    let mut written = Vec::new();
    for number in 1..=hosts {
        let place = Place::Host(number);
        let here = of_host(folder, place);
        here.create()?;
        let identity = authority.issue(&place.to_string(), &[], SystemTime::now(), HOST_LIFETIME)?;
        write_json(&hosts::identity(&here), &identity)?;
        copy(&folder::nonce_key(folder), &folder::nonce_key(&here))?;
        let told = Settings { hosts: Some(placed(place.to_string(), all.clone())), ..settings.clone() };
        told.write(&folder::settings(&here))?;
        written.push((place, here));
    }
    Ok(written)
}

/// The sides of both pairs on the first two hosts; the coordinator on the last one.
fn placed(here: String, all: Vec<Host>) -> Hosts {
    let sides = || ["h1".to_owned(), "h2".to_owned()];
    let coordinator = all.last().map_or_else(String::new, |host| host.name.clone());
    let (address, _) = virtual_addresses(1);
    let addresses = vec![format!("{address}/24@{}", Network::Access)];
    Hosts { here, all, sip: sides(), routing: sides(), coordinator, addresses }
}

fn host(number: u8) -> Host {
    let place = Place::Host(number);
    let networks = NETWORKS.map(|network| IpAddr::from(place.ipv4(network))).into();
    Host { name: place.to_string(), networks }
}

/// The authority of this rehearsal, which outlives it.
fn authority(folder: &Folder, solution: &str) -> Result<Authority, Trouble> {
    let path = folder.path().join("data/authority.json");
    if let Ok(text) = fs::read(&path)
        && let Ok(known) = serde_json::from_slice::<Authority>(&text)
        && known.solution() == solution
    {
        return Ok(known);
    }
    let authority = Authority::create(solution, SystemTime::now())?;
    write_json(&path, &authority)?;
    Ok(authority)
}

fn write_json(path: &Path, what: &impl serde::Serialize) -> Result<(), Trouble> {
    let written =
        serde_json::to_vec_pretty(what).map_err(io::Error::other).and_then(|text| files::replace(path, &text));
    written.map_err(|error| Trouble::of_file("write", path, &error))
}

fn copy(from: &Path, to: &Path) -> Result<(), Trouble> {
    let bytes = fs::read(from).map_err(|error| Trouble::of_file("read", from, &error))?;
    files::replace(to, &bytes).map_err(|error| Trouble::of_file("write", to, &error))
}
