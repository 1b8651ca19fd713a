//! Whether the addresses of the configuration can be listened on, and why not.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use nix::errno::Errno;

use super::owner;
use crate::failure::Failure;
use crate::settings::{Listen, Transport};

/// A socket that holds an address while the others are tried.
#[expect(dead_code, reason = "held for its address only")]
enum Held {
    Udp(UdpSocket),
    Tcp(TcpListener),
}

/// Ports that are tried until one is free for both transports. If none is, each transport
/// gets a port of its own.
const DRAWS: usize = 16;

/// Tries each address and lets it go again; a port 0 becomes one that is free.
///
/// The LCA opens the sockets a moment later. Should somebody take the port in between, it says so too, only with
/// fewer words.
///
/// # Errors
/// If one cannot be listened on: says why, and what to do.
pub(super) fn choose(addresses: &[Listen]) -> Result<Vec<Listen>, Failure> {
    let mut drawn = draw(addresses)?;
    for _ in 1..DRAWS {
        if drawn.1 {
            break;
        }
        drawn = draw(addresses)?;
    }
    Ok(drawn.0)
}

/// One try of all addresses, and whether each port that was chosen for one transport was free for the other.
fn draw(addresses: &[Listen]) -> Result<(Vec<Listen>, bool), Failure> {
    let mut is_shared = true;
    let mut chosen: Vec<Listen> = Vec::with_capacity(addresses.len());
    let mut held = Vec::with_capacity(addresses.len());
    for listen in addresses {
        // Phones expect both transports at one port, so a port that was chosen for one is tried for the other.
        let sibling = chosen.iter().zip(addresses).find_map(|(chosen, asked)| {
            let same = asked.address == listen.address && asked.transport != listen.transport;
            (same && listen.address.port() == 0).then_some(chosen.address)
        });
        let tried = sibling.and_then(|address| bind(Listen { address, ..*listen }).ok());
        is_shared &= sibling.is_none() || tried.is_some();
        let (socket, address) = tried.map_or_else(|| bind(*listen), Ok).map_err(|error| explain(*listen, &error))?;
        held.push(socket);
        chosen.push(Listen { address, ..*listen });
    }
    Ok((chosen, is_shared))
}

fn bind(listen: Listen) -> io::Result<(Held, SocketAddr)> {
    match listen.transport {
        Transport::Udp => {
            let socket = UdpSocket::bind(listen.address)?;
            let address = socket.local_addr()?;
            Ok((Held::Udp(socket), address))
        }
        Transport::Tcp => {
            let socket = TcpListener::bind(listen.address)?;
            let address = socket.local_addr()?;
            Ok((Held::Tcp(socket), address))
        }
    }
}

fn explain(listen: Listen, error: &io::Error) -> Failure {
    let address = listen.address;
    let change = "choose another one in `listen` of everline.toml";
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EADDRINUSE) => {
            let who = match owner::of(listen) {
                Some(owner) => format!("{} (process {})", owner.name, owner.pid),
                None => "another program".into(),
            };
            Failure::failed(format!("{listen} is in use by {who}")).help(format!("end that program, or {change}"))
        }
        Some(Errno::EACCES) => {
            let what = format!("this user may not listen at {listen}: ports below 1024 are privileged");
            let grant = "let an administrator run `setcap cap_net_bind_service=+ep` on the everline program";
            Failure::failed(what).help(format!("{change}, or {grant}"))
        }
        Some(Errno::EADDRNOTAVAIL) => {
            let what = format!("this machine does not have the address {}", address.ip());
            Failure::failed(what).help(format!("`ip address` lists those that it has; {change}"))
        }
        _ => Failure::failed(format!("cannot listen at {listen}: {error}")).help(change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(transport: Transport, address: &str) -> Listen {
        Listen { transport, address: address.parse().expect("an address") }
    }

    #[test]
    fn both_transports_get_the_same_free_port() {
        let asked = [listen(Transport::Udp, "127.0.0.1:0"), listen(Transport::Tcp, "127.0.0.1:0")];
        let chosen = choose(&asked).expect("free");
        assert_ne!(chosen[0].address.port(), 0);
        assert_eq!(chosen[0].address, chosen[1].address);
        choose(&chosen).expect("free again");
    }

    #[test]
    fn whoever_has_the_port_is_named() {
        let (udp, tcp) =
            (UdpSocket::bind("127.0.0.1:0").expect("free"), TcpListener::bind("127.0.0.1:0").expect("free"));
        for (transport, address) in [(Transport::Udp, udp.local_addr()), (Transport::Tcp, tcp.local_addr())] {
            let listen = Listen { transport, address: address.expect("bound") };
            let failure = format!("{:?}", choose(&[listen]).expect_err("in use"));
            assert!(failure.contains(&format!("{listen} is in use by")), "{failure}");
            assert!(failure.contains(&format!("(process {})", std::process::id())), "{failure}");
        }
    }

    #[test]
    fn an_address_of_another_machine_is_explained() {
        let failure = choose(&[listen(Transport::Udp, "192.0.2.1:5060")]).expect_err("documentation address");
        assert!(format!("{failure:?}").contains("does not have the address 192.0.2.1"), "{failure:?}");
    }
}
