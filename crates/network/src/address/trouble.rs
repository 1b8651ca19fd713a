//! What can be wrong, in words for people.

use std::io;

use model::Trouble;

use super::VirtualAddress;

/// How a program gets the rights of this module.
const GRANT: &str = "let it run as root, write `AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW` into its systemd unit, or run \
                     `setcap cap_net_admin,cap_net_raw+ep` on the program file";

pub(super) fn no_such_interface(name: &str) -> Trouble {
    Trouble::new(format!("this host has no interface {name}"), "name one of those that `ip link` lists")
}

pub(super) fn is_down(name: &str) -> Trouble {
    Trouble::new(
        format!("the interface {name} is down"),
        format!("`ip link set dev {name} up`, or name another interface"),
    )
}

pub(super) fn no_ethernet(name: &str) -> Trouble {
    let remedy = "name an interface of an Ethernet, a bond, a bridge or a VLAN, or use a hook that moves the address";
    Trouble::new(format!("the interface {name} has no Ethernet address, so nothing can be announced there"), remedy)
}

/// An address could not be removed.
pub(super) fn is_kept(address: &VirtualAddress, Trouble { what, remedy }: Trouble) -> Trouble {
    let VirtualAddress { address: ip, prefix, interface, .. } = address;
    let consequence = "phones may reach this host there although another one serves";
    let by_hand = format!("take the address away by hand: `ip address del {ip}/{prefix} dev {interface}`");
    Trouble::new(format!("cannot give the address {address} up: {what}: {consequence}"), format!("{by_hand}; {remedy}"))
}

/// The right `capability` is missing.
pub(super) fn lacks(capability: &str, doing: &str) -> Trouble {
    Trouble::new(format!("this process may not {doing}: it lacks {capability}"), GRANT)
}

/// The system refused to do something that has to do with raw packets.
pub(crate) fn of_packets(doing: &str, error: &io::Error) -> Trouble {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => lacks("CAP_NET_RAW", doing),
        Some(libc::EADDRNOTAVAIL) => {
            Trouble::new(format!("cannot {doing}: {error}"), "this host must have the address that they were at")
        }
        _ => Trouble::new(format!("cannot {doing}: {error}"), "look at the network and at the system's log"),
    }
}

/// The system refused to do something that has to do with raw frames.
pub(super) fn of_frames(doing: &str, interface: &str, error: &io::Error) -> Trouble {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => lacks("CAP_NET_RAW", &format!("{doing} on {interface}")),
        Some(libc::ENETDOWN) => is_down(interface),
        Some(libc::ENXIO | libc::ENODEV) => no_such_interface(interface),
        Some(libc::EAFNOSUPPORT) => {
            Trouble::new(format!("cannot {doing} on {interface}: {error}"), "use a kernel with CONFIG_PACKET")
        }
        _ => Trouble::new(
            format!("cannot {doing} on {interface}: {error}"),
            "look at the interface and at the system's log",
        ),
    }
}
