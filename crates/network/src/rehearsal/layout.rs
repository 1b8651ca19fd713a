//! The namespaces, bridges and cables of a rehearsal, as lines for `ip -batch`.

use std::fmt::Write as _;

use model::Trouble;

use super::conditions::Conditions;
use super::names::{Id, Network, Place};
use super::{programs, ruleset};

/// Everybody in a rehearsal of that many hosts.
pub(super) fn places(hosts: u8) -> impl Iterator<Item = Place> {
    (1..=hosts).map(Place::Host).chain([Place::Phones, Place::Carriers, Place::Stranger])
}

/// Makes all of it; what fails half-way is left for the caller to clean up.
pub(super) fn make(id: &Id, hosts: u8) -> Result<(), Trouble> {
    programs::ip(None, &namespaces(id, hosts))?;
    programs::ip(Some(&id.switch()), &switch(id, hosts))?;
    programs::nft(&id.switch(), &ruleset::ruleset(&Conditions::default()))?;
    places(hosts).try_for_each(|place| programs::ip(Some(&id.namespace(place)), &home(place)))
}

/// Lines that take these names away; a namespace goes with its last process and its last descriptor.
pub(super) fn removal(namespaces: &[String]) -> String {
    namespaces.iter().map(|name| format!("netns delete {name}\n")).collect()
}

fn namespaces(id: &Id, hosts: u8) -> String {
    let names = places(hosts).map(|place| id.namespace(place)).chain([id.switch()]);
    names.map(|name| format!("netns add {name}\n")).collect()
}

/// The bridges, and a cable to everybody in each network. A bridge learns from the first frame (no delay of forwarding) and
/// floods what is for groups; it has no addresses.
fn switch(id: &Id, hosts: u8) -> String {
    let mut lines = String::new();
    for network in Network::ALL {
        let bridge = format!("br-{network}");
        let _ = writeln!(lines, "link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0");
        let _ = writeln!(lines, "link set dev {bridge} addrgenmode none");
        let _ = writeln!(lines, "link set dev {bridge} up");
        for place in places(hosts).filter(|place| place.networks().contains(&network)) {
            let (port, mac, namespace) = (place.port(network), place.mac(network), id.namespace(place));
            let _ = writeln!(lines, "link add {port} type veth peer name {network} address {mac} netns {namespace}");
            let _ = writeln!(lines, "link set dev {port} addrgenmode none");
            let _ = writeln!(lines, "link set dev {port} master {bridge} up");
        }
    }
    lines
}

/// The interfaces of a place. Each frame is one packet, as on a cable, so that lengths and losses count as they would there; and
/// the addresses can be used at once.
fn home(place: Place) -> String {
    let mut lines = String::from("link set dev lo up\n");
    for network in place.networks() {
        let _ = writeln!(lines, "link set dev {network} gso_max_segs 1 up");
        let _ = writeln!(lines, "address add {}/24 dev {network}", place.ipv4(*network));
        let _ = writeln!(lines, "address add {}/64 dev {network} nodad", place.ipv6(*network));
    }
    lines
}
