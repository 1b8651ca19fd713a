//! A rehearsal for one test, and datagrams between its places.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::Deref;
use std::process::Command;
use std::time::{Duration, Instant};

use network::rehearsal::{Change, Id, Network, Place, Rehearsal, Stretch};

/// Longer than anything here takes on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const H1: Place = Place::Host(1);
pub(crate) const H2: Place = Place::Host(2);

/// A rehearsal that ends with the test.
pub(crate) struct Net {
    pub(crate) id: Id,
    rehearsal: Rehearsal,
}

impl Net {
    pub(crate) fn new(id: &str, hosts: u8) -> Self {
        let id: Id = id.parse().expect("a name");
        let rehearsal = Rehearsal::make(&id, hosts).expect("made");
        Self { id, rehearsal }
    }

    /// What `work` gives in the namespace of a place.
    pub(crate) fn at<T: Send>(&self, place: Place, work: impl FnOnce() -> T + Send) -> T {
        self.inside(place, work).expect("inside")
    }

    /// What a program says in the namespace of a place.
    pub(crate) fn says(&self, place: Place, line: &str) -> String {
        let mut words = line.split(' ');
        said(self.command(place, words.next().expect("a program")).args(words))
    }

    /// A socket at an address of a place.
    pub(crate) fn socket(&self, place: Place, address: impl Into<IpAddr>) -> UdpSocket {
        let address = SocketAddr::new(address.into(), 0);
        let socket = self.at(place, || UdpSocket::bind(address).expect("an address that can be used"));
        socket.set_read_timeout(Some(PATIENCE)).expect("set");
        socket
    }

    /// Both know each other's Ethernet address for good, so that only what a test sends passes between them.
    pub(crate) fn acquaint(&self, one: Place, other: Place, network: Network) {
        for (place, peer) in [(one, other), (other, one)] {
            let Place::Host(number) = peer else { panic!("only hosts have numbers") };
            let networks = Network::ALL.iter().position(|each| *each == network).expect("one of them");
            let mac = format!("02:77:00:00:{networks:02x}:{number:02x}");
            for address in [IpAddr::from(peer.ipv4(network)), peer.ipv6(network).into()] {
                self.says(place, &format!("ip neigh replace {address} lladdr {mac} dev {network} nud permanent"));
            }
        }
    }

    /// A way for datagrams, in IPv4.
    pub(crate) fn way(&self, from: Place, to: Place, network: Network) -> Way {
        Way::new(self.socket(from, from.ipv4(network)), self.socket(to, to.ipv4(network)))
    }

    /// The same in IPv6.
    pub(crate) fn way6(&self, from: Place, to: Place, network: Network) -> Way {
        Way::new(self.socket(from, from.ipv6(network)), self.socket(to, to.ipv6(network)))
    }

    pub(crate) fn set(&self, stretch: &Stretch, change: Change) {
        self.change(stretch, change).expect("changed");
    }
}

impl Deref for Net {
    type Target = Rehearsal;
    fn deref(&self) -> &Rehearsal {
        &self.rehearsal
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let torn_down = Rehearsal::tear_down(&self.id);
        assert!(std::thread::panicking() || torn_down.is_ok(), "{torn_down:?}");
    }
}

/// A way for numbered datagrams.
pub(crate) struct Way {
    pub(crate) from: UdpSocket,
    pub(crate) to: UdpSocket,
    sent: Cell<u32>,
}

impl Way {
    pub(crate) fn new(from: UdpSocket, to: UdpSocket) -> Self {
        from.connect(to.local_addr().expect("bound")).expect("connected");
        Self { from, to, sent: Cell::new(0) }
    }

    /// Sends a datagram of so many bytes, headers of IPv4 and UDP included, and says its number.
    pub(crate) fn send(&self, length: usize) -> u32 {
        self.sent.set(self.sent.get() + 1);
        let mut bytes = vec![0x55; length - 28];
        bytes[..4].copy_from_slice(&self.sent.get().to_be_bytes());
        self.from.send(&bytes).expect("sent");
        self.sent.get()
    }

    /// The number of the next datagram that arrives.
    pub(crate) fn next(&self) -> u32 {
        let mut room = [0; 2_000];
        let length = self.to.recv(&mut room).expect("something arrives");
        assert!(room[4..length].iter().all(|byte| *byte == 0x55), "it arrives as it was sent");
        u32::from_be_bytes(room[..4].try_into().expect("four bytes"))
    }

    /// Whether a datagram arrives; one behind another on the same way, so that nobody has to wait for what is lost.
    pub(crate) fn passes(&self) {
        let number = self.send(100);
        assert_eq!(self.next(), number);
    }
}

/// The standard output of a program that must succeed.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().expect("started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Waits until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::yield_now();
    }
}
