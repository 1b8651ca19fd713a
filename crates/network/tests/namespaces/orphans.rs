//! A host dies, and whoever had a TCP connection with it and says nothing is told by its successor.

use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use network::address::VirtualAddress;
use network::orphans::Orphans;
use network::rehearsal::{Place, virtual_addresses};

use crate::Test;
use crate::net::{H1, H2, Net};

pub(crate) const TESTS: &[Test] = &[
    ("orphans::a_silent_peer_learns_that_its_connection_is_gone", a_silent_peer),
    ("orphans::a_connection_that_lives_is_not_harmed", a_living_one),
];

const PORT: u16 = 5_060;

fn both() -> [VirtualAddress; 2] {
    let (ipv4, ipv6) = virtual_addresses(1);
    [(IpAddr::from(ipv4), 24), (ipv6.into(), 64)].map(|(address, prefix)| VirtualAddress {
        address,
        prefix,
        interface: "access".into(),
        hook: None,
    })
}

/// A connection of a phone with a host that has the address.
fn connected(net: &Net, host: Place, address: &VirtualAddress) -> (TcpStream, TcpStream) {
    let at = SocketAddr::new(address.address, PORT);
    net.at(host, || drop(address.claim().expect("claimed")));
    let listener = net.at(host, || TcpListener::bind(at).expect("an address that can be used"));
    let phone = net.at(Place::Phones, || TcpStream::connect(at).expect("connected"));
    (phone, listener.accept().expect("accepted").0)
}

fn a_silent_peer() {
    let net = Net::new("orphan", 2);
    for address in both() {
        let (mut phone, _lost) = connected(&net, H1, &address);
        net.fail(1).expect("failed");
        let _listener = net.at(H2, || {
            drop(address.claim().expect("claimed"));
            TcpListener::bind((address.address, PORT)).expect("an address that can be used")
        });
        let peer = phone.local_addr().expect("bound");
        net.at(H2, || Orphans::of(address.address).and_then(|orphans| orphans.tell(PORT, peer)).expect("told"));
        let heard = phone.read(&mut [0; 10]).expect_err("nobody says anything");
        assert_eq!(heard.kind(), ErrorKind::ConnectionReset);
        net.repair(1).expect("repaired");
        net.at(H1, || address.release().expect("released"));
    }
}

fn a_living_one() {
    let net = Net::new("living", 1);
    for address in both() {
        let (mut phone, mut server) = connected(&net, H1, &address);
        let peer = phone.local_addr().expect("bound");
        net.at(H1, || Orphans::of(address.address).and_then(|orphans| orphans.tell(PORT, peer)).expect("told"));
        let mut room = [0; 5];
        std::io::Write::write_all(&mut server, b"hello").expect("sent");
        phone.read_exact(&mut room).expect("it lives");
        std::io::Write::write_all(&mut phone, b"hello").expect("sent");
        server.read_exact(&mut room).expect("both ways");
    }
}
