//! A rehearsal that speaks IPv6.

use std::net::{Ipv6Addr, UdpSocket};
use std::time::Duration;

use network::rehearsal::{Network, Place as At, virtual_addresses};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

use crate::Solution;
use crate::phone::Phone;
use crate::stopped::can_stop;
use crate::support::Place;

pub(crate) fn a_call_goes_on() {
    let address = virtual_addresses(1).1;
    let solution = Solution::with(Place::new(), "", "--ipv6", address.into());
    let (host, epoch) = solution.level();
    assert!(solution.has_address(&host));
    let domain = format!("[{address}]");
    let mut caller = Phone::from(solution.phone(), solution.server);
    caller.domain.clone_from(&domain);
    let call = caller.wait_in(&format!("sip:9000@{domain}"), "long enough");
    if can_stop() {
        solution.survives_stopped_threads(&host);
    } else {
        eprintln!("not tested: threads that stop in the processes of a host (needs the right to trace)");
    }
    let neighbour = solution.net.inside(At::Phones, Neighbour::new).expect("there");
    solution.play(&format!("host fail {host}"));
    let survivor = if host == "h1" { At::Host(2) } else { At::Host(1) };
    neighbour.hears(address, &solution.shows(survivor, &["link", "show", "dev", &Network::Access.to_string()]));
    caller.give_up(&call);
    solution.is_reached();
    solution.play(&format!("host repair {host}"));
    assert_eq!(solution.level(), (survivor.to_string(), epoch + 1));
    assert!(!solution.has_address(&host), "it gave it up with its power");
}

/// Somebody in the access network who listens to what neighbours say of themselves.
struct Neighbour(UdpSocket);

impl Neighbour {
    fn new() -> Self {
        let (family, flags) = (AddressFamily::Inet6, SockFlag::SOCK_CLOEXEC);
        let socket = UdpSocket::from(socket(family, SockType::Raw, flags, SockProtocol::IcmpV6).expect("the right"));
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
        Self(socket)
    }

    /// Waits until the interface that `ip` shows so announces the address as its own, unasked and in the place of whoever had it (RFC
    /// 4861 4.4: flag O and not S; 7.2.6).
    fn hears(&self, address: Ipv6Addr, shown: &str) {
        let mut room = [0; 1_500];
        loop {
            let length = self.0.recv(&mut room).expect("an advertisement in time");
            let [136, 0, _, _, flags, _, _, _, rest @ ..] = &room[..length] else { continue };
            let Some((target, [2, 1, mac @ ..])) = rest.split_at_checked(16) else { continue };
            let mac = mac.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":");
            if flags & 0x60 == 0x20 && target == address.octets() && shown.contains(&mac) {
                return;
            }
        }
    }
}
