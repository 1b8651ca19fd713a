//! Virtual addresses that cannot be had: what is wrong stands in the status, and everything else goes on.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use network::address::VirtualAddress;
use network::rehearsal::{Network, Place};
use serde_json::Value;

use crate::Test;
use crate::net::Net;

pub(crate) const TESTS: &[Test] = &[
    ("a right that is missing for an address is named", missing_right),
    ("an address that cannot be given up is named", not_given_up),
    ("somebody who holds an address keeps it until he lets go", held_by_somebody),
    ("whoever is promoted takes an address that somebody holds", promoted),
];

/// The address of whoever serves.
const ADDRESS: &str = "10.77.0.201/24@access";
/// Where somebody is who has taken it.
const SOMEWHERE: Place = Place::Carriers;
/// Longer than anything here takes in a network that is whole.
const PATIENCE: Duration = Duration::from_secs(20);

/// One machine that is the whole solution.
fn one(name: &str) -> Net {
    let net = Net::new(name, 1);
    let init = "everline host init --host h1=10.77.1.1/24 --address 10.77.0.201/24@access";
    let told = net.fails(1, init);
    assert!(told.contains("one host cannot keep a pair apart"), "{told}");
    let text = "[sip]\nlisten = [\"udp:10.77.0.201:5060\", \"tcp:10.77.0.201:5060\"]\ndomain = \"10.77.0.201\"\n\n\
                [[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n\n\
                [[host]]\nname = \"h1\"\naddresses = [\"10.77.1.1\"]\n\n\
                [[address]]\naddress = \"10.77.0.201/24@access\"\n\n\
                [place]\nsame-host = true\n";
    std::fs::write(net.folder(1).join("everline.toml"), text).expect("written");
    net.does(1, "everline host init");
    net
}

fn missing_right() {
    let net = one("rights");
    let _running = net.start(1, "exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin everline host run");
    // As long as both sides can be killed at once they take turns.
    let told = |row: &Value, key: &str| row["trouble"][key].as_str().unwrap_or_default().to_owned();
    let row = of_pair(&net, |row| told(row, "what").contains("cannot take the address 10.77.0.201/24@access"));
    assert!(told(&row, "what").contains("lacks CAP_NET_ADMIN"), "{row}");
    assert!(told(&row, "do").contains("AmbientCapabilities="), "{row}");
    // What needs no address goes on.
    net.until(1, "routing-a", |row| row["ready"] == true);
}

fn not_given_up() {
    let net = one("kept");
    // Somebody may have been killed who had it.
    net.does(1, "ip address add 10.77.0.201/24 dev access");
    let _running = net.start(1, "exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin everline host run");
    let is_named = |row: &Value| note(row).contains("cannot give the address 10.77.0.201/24@access up");
    let row = of_pair(&net, is_named);
    assert!(note(&row).contains("lacks CAP_NET_ADMIN"), "{row}");
    assert!(note(&row).contains("`ip address del 10.77.0.201/24 dev access`"), "{row}");
    net.does(1, "ip address del 10.77.0.201/24 dev access");
    net.until(1, "sip-a", |row| !is_named(row));
    net.until(1, "sip-b", |row| !is_named(row));
}

fn held_by_somebody() {
    let net = one("held");
    let somebody = Somebody::takes_it(&net);
    somebody.is_reached();
    let mut running = net.start(1, "exec everline host run");
    let waiting = of_pair(&net, |row| note(row).contains("10.77.0.201 is held by somebody else, who has the Ethernet"));
    assert!(waiting["role"].is_null() && waiting["ready"] == false, "{waiting}");
    assert!(net.does(1, "everline status").contains("take the address from it"));
    // It goes on asking, and disturbs nobody.
    somebody.is_reached();
    assert!(!has_address(&net), "it is left alone");
    somebody.lets_go();
    running.is_ready();
    primary(&net, |note| note.is_none());
    assert!(has_address(&net));
    answers(&net);
    // Whoever takes it now is told, and has to give way.
    let thief = Somebody::takes_it(&net);
    let told = primary(&net, |note| note.is_some_and(|note| note.contains("is held by somebody else too")));
    assert!(told.contains("Ethernet address"), "{told}");
    assert!(net.does(1, "everline status").contains("take the address from it"));
    thief.lets_go();
    primary(&net, |note| note.is_none());
}

fn promoted() {
    let net = one("promoted");
    let _somebody = Somebody::takes_it(&net);
    let _running = net.start(1, "exec everline host run");
    let waiting = of_pair(&net, |row| note(row).contains("is held by somebody else, who"));
    // The other side does not know before long that it could serve.
    let order = || net.run(1, "everline promote sip --accept-loss").code == Some(0);
    assert!((0..500).any(|_| order()), "nobody is promoted");
    let serves = of_pair(&net, |row| row["role"] == "primary");
    assert_ne!(serves["name"], waiting["name"], "an operator has decided against it");
    assert!(has_address(&net));
}

/// Somebody in the network who has the address, and a phone that talks to him.
struct Somebody<'a> {
    net: &'a Net,
    address: VirtualAddress,
    socket: UdpSocket,
}

impl<'a> Somebody<'a> {
    fn takes_it(net: &'a Net) -> Self {
        let address: VirtualAddress = ADDRESS.parse().expect("an address");
        let take = || {
            drop(address.claim().expect("claimed"));
            UdpSocket::bind((address.address, 5_060)).expect("a port")
        };
        let socket = net.net.inside(SOMEWHERE, take).expect("there");
        socket.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Self { net, address, socket }
    }

    fn is_reached(&self) {
        phone(self.net).send_to(b"who is there?", (self.address.address, 5_060)).expect("sent");
        let mut room = [0; 100];
        // The probe of the control server comes there as well.
        while !room.starts_with(b"who is there?") {
            self.socket.recv(&mut room).expect("the phone");
        }
    }

    fn lets_go(self) {
        self.net.net.inside(SOMEWHERE, || self.address.release().expect("released")).expect("there");
    }
}

fn phone(net: &Net) -> UdpSocket {
    let here: IpAddr = Place::Phones.ipv4(Network::Access).into();
    let socket = net.net.inside(Place::Phones, || UdpSocket::bind((here, 0)).expect("a port")).expect("there");
    socket.set_read_timeout(Some(PATIENCE)).expect("a limit");
    socket
}

/// A phone that asks for a sign of life at the address gets one.
fn answers(net: &Net) {
    let phone = phone(net);
    let here = phone.local_addr().expect("bound");
    let asked = format!(
        "OPTIONS sip:10.77.0.201 SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:1002@10.77.0.201>;tag=1\r\nTo: <sip:10.77.0.201>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    phone.send_to(asked.as_bytes(), "10.77.0.201:5060").expect("sent");
    let mut room = [0; 2_048];
    let length = phone.recv(&mut room).expect("an answer");
    assert!(room[..length].starts_with(b"SIP/2.0 "), "{}", String::from_utf8_lossy(&room[..length]));
}

/// Whether the one machine has the address.
fn has_address(net: &Net) -> bool {
    net.does(1, "ip address show dev access").contains(" 10.77.0.201/24 ")
}

/// What a row of the status says besides.
fn note(row: &Value) -> &str {
    row["note"].as_str().unwrap_or_default()
}

/// A member of the pair `sip`, once one is as it should be.
fn of_pair(net: &Net, wanted: impl Fn(&Value) -> bool) -> Value {
    net.ask(1, "everline status --json", |status| {
        let mut rows = status["applications"].as_array()?.iter();
        rows.find(|row| row["pair"] == "sip" && wanted(row)).cloned()
    })
}

/// What the primary of the pair `sip` says besides, once it is as it should be.
fn primary(net: &Net, wanted: impl Fn(Option<&str>) -> bool) -> String {
    let row = of_pair(net, |row| row["role"] == "primary" && wanted(row["note"].as_str()));
    note(&row).to_owned()
}
