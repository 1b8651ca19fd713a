//! The sockets of everybody.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use model::Trouble;
use network::rehearsal::{Network, Place, Rehearsal};

use super::arrival::stamp;
use super::crowd::{Cast, Seat};
use super::people::People;
use super::stream::{Line, MAIN, Ways};

/// Where the phones are.
#[derive(Clone, Debug)]
pub enum Net {
    /// On this host.
    Here,
    /// On this host, at this address of it: the one that the system would choose may be the one that they call, and go elsewhere.
    At(IpAddr),
    /// In the namespaces of a rehearsal.
    Rehearsal(Rehearsal),
}

/// Sockets of a carrier.
const CARRIERS: usize = 4;

impl Net {
    pub(super) fn in_place<T: Send>(&self, place: Place, work: impl FnOnce() -> T + Send) -> Result<T, Trouble> {
        match self {
            Self::Here | Self::At(_) => Ok(work()),
            Self::Rehearsal(rehearsal) => rehearsal.inside(place, work),
        }
    }

    /// The address of the phones.
    fn phones(&self, server: SocketAddr) -> io::Result<IpAddr> {
        match self {
            Self::Here => {
                // Nothing is sent: the system only says which address it would use.
                let socket = UdpSocket::bind((unspecified(server), 0))?;
                socket.connect(server)?;
                Ok(socket.local_addr()?.ip())
            }
            Self::At(own) => Ok(*own),
            Self::Rehearsal(_) if server.is_ipv6() => Ok(Place::Phones.ipv6(Network::Access).into()),
            Self::Rehearsal(_) => Ok(Place::Phones.ipv4(Network::Access).into()),
        }
    }
}

fn unspecified(like: SocketAddr) -> IpAddr {
    if like.is_ipv6() { std::net::Ipv6Addr::UNSPECIFIED.into() } else { std::net::Ipv4Addr::UNSPECIFIED.into() }
}

/// The sockets of the phones and, last, of the prober.
pub(super) fn open(net: &Net, people: &People, server: SocketAddr) -> io::Result<(Vec<Line>, Cast)> {
    let own = net.phones(server)?;
    let mut lines = Vec::new();
    let mut extensions = Vec::new();
    for at in 0..people.extensions.len() {
        let tcp = people.tcp.is_some() && (at % 2 == 1 || people.udp.is_none());
        let (line, place) = if tcp {
            let listener = TcpListener::bind((own, 0))?;
            listener.set_nonblocking(true)?;
            let place = listener.local_addr()?;
            (
                Line::Streams { listener, main: None, accepted: BTreeMap::new(), count: MAIN, ways: Ways::default() },
                place,
            )
        } else {
            let (socket, place) = datagrams(own, 0)?;
            (Line::Datagrams(socket), place)
        };
        lines.push(line);
        extensions.push(Seat { place, tcp });
    }
    let (socket, place) = datagrams(own, 0)?;
    lines.push(Line::Datagrams(socket));
    Ok((lines, Cast { extensions, carriers: Vec::new(), prober: Seat { place, tcp: false } }))
}

fn datagrams(own: IpAddr, port: u16) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind((own, port))?;
    socket.set_nonblocking(true)?;
    stamp(&socket)?;
    let place = socket.local_addr()?;
    Ok((socket, place))
}

/// Sockets at the address that the configuration gives to a carrier; none if that is not here.
pub(super) fn open_carriers(people: &People) -> Vec<UdpSocket> {
    let open = |&(own, port): &(IpAddr, Option<u16>)| -> Vec<UdpSocket> {
        let count = if port.is_some() { 1 } else { CARRIERS };
        (0..count).filter_map(|_| datagrams(own, port.unwrap_or(0)).ok().map(|(socket, _)| socket)).collect()
    };
    let is_heard = |own: &IpAddr| people.udp.is_some_and(|server| server.is_ipv4() == own.is_ipv4());
    let carriers = people.carriers.iter().filter(|(own, _)| is_heard(own));
    carriers.map(open).find(|sockets| !sockets.is_empty()).unwrap_or_default()
}
