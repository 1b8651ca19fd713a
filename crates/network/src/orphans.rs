//! TCP connections that a host has taken with it when it died: their peers are told.
//!
//! The peer of such a connection learns of it when it says something: whoever has the address now answers with a reset. A phone
//! that is silent, and waits for a call, would learn of it minutes later, by its own keep-alive (RFC 5626 4.4). So the host that
//! has taken the address over says something first: a SYN that belongs to the connection's two ends. In its state the peer must
//! answer that with an acknowledgment (RFC 5961 4.2), to which this host, which knows no such connection, answers with the
//! reset that fits (RFC 9293 3.10.7.1). Where the connection does live, all of that changes nothing.

use std::net::{IpAddr, SocketAddr};

use model::Trouble;
use socket2::{Domain, Protocol, Socket, Type};

use crate::address::{checksum, of_packets};

/// Length of a TCP header without options, in octets (RFC 9293 3.1).
const HEADER: usize = 20;
/// The flag SYN.
const SYN: u8 = 0x02;

/// Speaks for connections that once ended at one address.
#[derive(Debug)]
pub struct Orphans {
    socket: Socket,
    address: IpAddr,
}

impl Orphans {
    /// For connections that ended at `address`, which this host has now.
    ///
    /// # Errors
    /// The process lacks `CAP_NET_RAW`, or the host does not have the address.
    pub fn of(address: IpAddr) -> Result<Self, Trouble> {
        let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let open = || {
            let socket = Socket::new(domain, Type::RAW.nonblocking().cloexec(), Some(Protocol::TCP))?;
            socket.bind(&SocketAddr::new(address, 0).into())?;
            // It is never read: what the kernel gives to every such socket is not kept.
            socket.set_recv_buffer_size(0)?;
            Ok(socket)
        };
        let socket = open().map_err(|error| of_packets("speak for lost connections", &error))?;
        Ok(Self { socket, address })
    }

    /// Has the peer of the connection between our `port` and `peer` find out that it is gone.
    ///
    /// # Errors
    /// The kernel refuses; then the peer finds out by itself.
    pub fn tell(&self, port: u16, peer: SocketAddr) -> Result<(), Trouble> {
        let segment = syn(SocketAddr::new(self.address, port), peer);
        let sent = self.socket.send_to(&segment, &SocketAddr::new(peer.ip(), 0).into());
        sent.map(drop).map_err(|error| of_packets("speak for a lost connection", &error))
    }
}

/// The segment; its sequence number does not matter.
fn syn(from: SocketAddr, to: SocketAddr) -> [u8; HEADER] {
    let mut segment = [0; HEADER];
    segment[..2].copy_from_slice(&from.port().to_be_bytes());
    segment[2..4].copy_from_slice(&to.port().to_be_bytes());
    segment[12] = (HEADER as u8 / 4) << 4;
    segment[13] = SYN;
    let mut summed = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => [from.octets(), to.octets()].concat(),
        (from, to) => [octets(from), octets(to)].concat(),
    };
    // The rest of the pseudo header, whose order does not matter to the sum (RFC 9293 3.1, RFC 8200 8.1).
    summed.extend([0, 6, 0, HEADER as u8]);
    summed.extend(segment);
    segment[16..18].copy_from_slice(&checksum(&summed));
    segment
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_segment_is_one_that_a_kernel_takes() {
        for (from, to) in [("10.0.0.5:5060", "10.0.0.9:40000"), ("[fd00::5]:5060", "[fd00::9]:40000")] {
            let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
            let segment = syn(from, to);
            assert_eq!((&segment[..4], segment[12], segment[13]), (&[0x13, 0xc4, 0x9c, 0x40][..], 0x50, 2));
            let mut whole = match (from.ip(), to.ip()) {
                (IpAddr::V4(from), IpAddr::V4(to)) => [from.octets(), to.octets()].concat(),
                (from, to) => [octets(from), octets(to)].concat(),
            };
            whole.extend([0, 6, 0, 20]);
            whole.extend(segment);
            assert_eq!(checksum(&whole), [0, 0], "the sum over all of it with its checksum");
        }
    }
}
