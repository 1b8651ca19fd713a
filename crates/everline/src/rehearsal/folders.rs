//! What each host of a rehearsal finds in its folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::SystemTime;

use network::address::VirtualAddress;
use network::rehearsal::{Network, Place, Rehearsal, virtual_addresses};
use node::identity::{self, Authority, HOST_LIFETIME};
use node::wire::Trouble;

use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::{self, Folder};
use crate::hosts::{self, Address, Coordinator, Host, Hosts};
use crate::settings::Settings;

use super::Wanted;

/// The two networks between the hosts.
const NETWORKS: [Network; 2] = [Network::A, Network::B];

/// Members of etcd where there are as many hosts.
const MEMBERS: usize = 3;

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
pub(super) fn write(folder: &Folder, settings: &Settings, wanted: &Wanted) -> Result<Vec<HostFolder>, Failure> {
    let authority = authority(folder, &settings.solution)?;
    let all: Vec<Host> = (1..=wanted.hosts).map(|number| host(number, wanted.ipv6)).collect();
    let mut written = Vec::new();
    for number in 1..=wanted.hosts {
        let place = Place::Host(number);
        let here = of_host(folder, place);
        here.create()?;
        let identity = authority.issue(
            &place.to_string(),
            &host(number, wanted.ipv6).networks,
            SystemTime::now(),
            HOST_LIFETIME,
        )?;
        identity::install(&here, &identity)?;
        copy(&folder::nonce_key(folder), &folder::nonce_key(&here))?;
        let told = Settings { hosts: Some(placed(place.to_string(), all.clone(), wanted)), ..settings.clone() };
        told.write(&folder::settings(&here))?;
        if number == 1 {
            write_json(&here.authority(), &authority)?;
        }
        written.push((place, here));
    }
    Ok(written)
}

/// The sides of both pairs on the first two hosts. The coordinator on three, as fewer survive no loss of one; if there are only
/// two, on the second one.
fn placed(here: String, all: Vec<Host>, wanted: &Wanted) -> Hosts {
    let sides = || ["h1".to_owned(), "h2".to_owned()];
    let members = if all.len() < MEMBERS { &all[all.len() - 1..] } else { &all[..MEMBERS] };
    let coordinator = Coordinator::Members(members.iter().map(|host| host.name.clone()).collect());
    let spares = hosts::spares(all.iter().skip(2).map(|host| host.name.as_str()), &coordinator);
    Hosts {
        here,
        all,
        networks: NETWORKS.map(|network| network.to_string()).into(),
        sip: sides(),
        routing: sides(),
        spares,
        coordinator,
        authority: "h1".into(),
        addresses: if wanted.own_addresses {
            Vec::new()
        } else {
            vec![Address { text: virtual_address(wanted.ipv6), hook: None }]
        },
        version: None,
        moved: BTreeMap::new(),
    }
}

fn host(number: u8, ipv6: bool) -> Host {
    let place = Place::Host(number);
    let networks = NETWORKS.map(|network| address_of(place, network, ipv6)).into();
    Host { name: place.to_string(), networks, sip: vec![address_of(place, Network::Access, ipv6)] }
}

/// Whoever kept data here before were the same hosts: members of etcd know each other from their first start.
///
/// # Errors
/// If they were others.
pub(super) fn is_of_these(folder: &Folder, wanted: &Wanted) -> Result<(), Failure> {
    let told = Settings::read(&folder::settings(&of_host(folder, Place::Host(1)))).ok();
    let Some(before) = told.and_then(|told| told.hosts) else { return Ok(()) };
    let now: Vec<Host> = (1..=wanted.hosts).map(|number| host(number, wanted.ipv6)).collect();
    if before.all == now {
        return Ok(());
    }
    let kind = |all: &[Host]| {
        let speaks = if all.iter().flat_map(|host| &host.networks).any(IpAddr::is_ipv6) { "IPv6" } else { "IPv4" };
        format!("{} hosts with {speaks}", all.len())
    };
    let place = folder.path().join("hosts");
    let what = format!(
        "{} is what a rehearsal of {} has left, and this is to be one of {}",
        place.display(),
        kind(&before.all),
        kind(&now)
    );
    Err(Failure::new(Kind::Wrong, what).help(format!(
        "start it with the same options, in another folder (--dir), or remove {} with what calls, phones and agents are known there",
        place.display()
    )))
}

/// Those of these places that are hosts.
pub(super) fn hosts(places: impl Iterator<Item = Place>, ipv6: bool) -> Vec<Host> {
    places.filter_map(|place| if let Place::Host(number) = place { Some(host(number, ipv6)) } else { None }).collect()
}

/// The address of somebody in a network.
pub(super) fn address_of(place: Place, network: Network, ipv6: bool) -> IpAddr {
    if ipv6 { place.ipv6(network).into() } else { place.ipv4(network).into() }
}

/// The address of whoever serves, with its network.
fn virtual_address(ipv6: bool) -> String {
    let (ipv4_address, ipv6_address) = virtual_addresses(1);
    if ipv6 {
        format!("{ipv6_address}/64@{}", Network::Access)
    } else {
        format!("{ipv4_address}/24@{}", Network::Access)
    }
}

/// The addresses of whoever serves in the rehearsal that runs in this folder, each with its network; none where each host serves at
/// its own.
///
/// # Errors
/// If what its hosts were told cannot be read.
pub(super) fn addresses(folder: &Folder) -> Result<Vec<String>, Trouble> {
    let path = folder::settings(&of_host(folder, Place::Host(1)));
    let told = Settings::read(&path).map_err(|why| Trouble::new(why, "start the rehearsal again"))?;
    Ok(told.hosts.into_iter().flat_map(|hosts| hosts.addresses).map(|address| address.text).collect())
}

/// Takes the virtual addresses from a host, as the loss of its power does.
///
/// # Errors
/// If the kernel does not let us.
pub(super) fn lose_addresses(folder: &Folder, net: &Rehearsal, place: Place) -> Result<(), Trouble> {
    let addresses = addresses(folder)?;
    net.inside(place, || addresses.iter().try_for_each(|text| text.parse::<VirtualAddress>()?.release()))?
}

/// The authority of this rehearsal, which outlives it.
fn authority(folder: &Folder, solution: &str) -> Result<Authority, Trouble> {
    let path = folder.authority();
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
