//! Whether a socket could be opened at an address.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

/// Whether a program on this host could listen there: for datagrams, or for connections if `is_stream`. An address that `passes` from
/// host to host need not be here yet.
///
/// A socket is bound there as it would be, and closed again. It does not listen, so connections are refused as before; a
/// datagram that comes just then is lost instead of refused.
///
/// # Errors
/// The address is in use, is not this host's, or its port needs a right that this process lacks.
pub fn could_bind(at: SocketAddr, is_stream: bool, passes: bool) -> io::Result<()> {
    let kind = if is_stream { Type::STREAM } else { Type::DGRAM };
    let socket = Socket::new(Domain::for_address(at), kind, None)?;
    if is_stream {
        // As the standard library does: what is left of earlier connections keeps nobody away, and who listens does.
        socket.set_reuse_address(true)?;
    }
    match at {
        SocketAddr::V4(_) => socket.set_freebind_v4(passes)?,
        SocketAddr::V6(_) => socket.set_freebind_v6(passes)?,
    }
    socket.bind(&at.into())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_port_that_another_program_has_cannot_be_had() {
        let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let taken = datagrams.local_addr().expect("bound");
        for passes in [false, true] {
            assert_eq!(could_bind(taken, false, passes).expect_err("taken").kind(), io::ErrorKind::AddrInUse);
        }
        let connections = TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken = connections.local_addr().expect("bound");
        assert_eq!(could_bind(taken, true, false).expect_err("taken").kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn only_an_address_that_passes_from_host_to_host_need_not_be_here() {
        // RFC 5737: nobody has it.
        let elsewhere = at("192.0.2.1:0");
        for is_stream in [false, true] {
            could_bind(elsewhere, is_stream, true).expect("it may come");
            let refused = could_bind(elsewhere, is_stream, false).expect_err("it is not here");
            assert_eq!(refused.kind(), io::ErrorKind::AddrNotAvailable);
        }
    }

    #[test]
    fn whoever_listens_at_all_addresses_has_the_port_of_one_that_is_to_come() {
        let all = UdpSocket::bind("0.0.0.0:0").expect("a port");
        let port = all.local_addr().expect("bound").port();
        let to_come = SocketAddr::new(at("192.0.2.1:0").ip(), port);
        assert_eq!(could_bind(to_come, false, true).expect_err("taken").kind(), io::ErrorKind::AddrInUse);
    }
}
