//! Where inputs come from: listeners and TCP connections. All but UDP are in one poll set that can be shut as a whole.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread;

use network::address::could_bind;

use super::link::Door;
use super::poll::Poll;
use super::streams::{self, Stream, Streams};
use super::udp::{self, Outbox};
use crate::open_files::{self, Spare};
use crate::wire::Trouble;

/// TCP connections that may stand at the same time, if the process may have as many descriptors; the engine has the same
/// bound ([`call::limits::MAX_CONNECTIONS`]).
const MOST_STREAMS: usize = call::limits::MAX_CONNECTIONS;

/// Descriptors that connections leave for everything else: listeners, links, journals, and those on their way to the other
/// side of the pair.
const KEPT_BACK: usize = 200;

/// One listening socket.
#[derive(Debug)]
pub(super) enum Listener {
    /// UDP, with what is to leave through it.
    Udp(UdpSocket, Outbox),
    /// TCP.
    Tcp(TcpListener),
}

/// What came of accepting a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// The connection with this number.
    Stream(u64),
    /// One that was closed again, as there is no room for it.
    Refused,
    /// Nobody waits.
    Nothing,
}

/// Every socket that faces the network. They are in the poll set before this side serves, because a successor has no time
/// to put them there; only whoever serves looks at it. In the poll set a listener has its number, which is below 256, and a connection
/// has its own, which is drawn by an epoch and therefore far above.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) poll: Poll,
    pub(super) listeners: Vec<Listener>,
    pub(super) streams: Streams,
    accepted: u64,
    /// Connections that this process has descriptors for.
    most_streams: usize,
    spare: Spare,
    /// Some connections are a predecessor's of whom the kernel was not asked yet.
    has_inherited: bool,
}

impl Intake {
    pub(super) fn new() -> io::Result<Self> {
        let (listeners, streams) = (Vec::new(), BTreeMap::new());
        let most_streams = open_files::most().saturating_sub(KEPT_BACK).min(MOST_STREAMS);
        let spare = Spare::new()?;
        Ok(Self { poll: Poll::new()?, listeners, streams, accepted: 0, most_streams, spare, has_inherited: false })
    }

    /// Opens the listening sockets: all of them, or none.
    ///
    /// # Errors
    /// Which address cannot be had, and what to do about it.
    pub(super) fn listen(&mut self, doors: &[Door]) -> Result<(), Trouble> {
        self.listeners = doors.iter().map(open).collect::<Result<_, _>>()?;
        self.watch_listeners();
        Ok(())
    }

    /// Takes the listening sockets that the primary has handed over.
    pub(super) fn take_listeners(&mut self, doors: &[Door], descriptors: Vec<OwnedFd>) {
        self.let_go_of_listeners();
        self.listeners = doors
            .iter()
            .zip(descriptors)
            .map(|(door, descriptor)| match door {
                Door::Udp(_) => Listener::Udp(UdpSocket::from(descriptor), Outbox::default()),
                Door::Tcp(_) => Listener::Tcp(TcpListener::from(descriptor)),
            })
            .collect();
        self.watch_listeners();
    }

    /// Closes everything on this side of the pair; the connections in a thread of its own, as thousands of them take their time, and
    /// whoever serves now waits for what this side says.
    pub(super) fn let_go(&mut self) {
        self.let_go_of_listeners();
        let streams = std::mem::take(&mut self.streams);
        // The descriptors of the other side keep a socket in the set unless it is taken out.
        streams.values().for_each(|stream| self.poll.remove(stream));
        if !streams.is_empty() {
            // Without a thread they are closed here: what was not run is dropped.
            let _ = thread::Builder::new().name("close".into()).spawn(move || drop(streams));
        }
    }

    fn let_go_of_listeners(&mut self) {
        std::mem::take(&mut self.listeners).iter().for_each(|listener| self.poll.remove(listener));
    }

    /// The UDP sockets, with their numbers.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (u8, &UdpSocket)> {
        (0u8..).zip(&self.listeners).filter_map(|(number, listener)| match listener {
            Listener::Udp(socket, _) => Some((number, socket)),
            Listener::Tcp(_) => None,
        })
    }

    /// Puts the TCP listeners into the poll set; datagrams are for the caller to wait for.
    fn watch_listeners(&self) {
        for (number, listener) in (0u64..).zip(&self.listeners) {
            if let Listener::Tcp(listener) = listener
                && let Err(error) = self.poll.add(listener, number, false)
            {
                tracing::error!(listener = number, "cannot watch a listener: {error}");
            }
        }
    }

    /// The connections are this side's now.
    pub(super) fn inherit_streams(&mut self) {
        self.streams.values_mut().for_each(Stream::inherit);
        self.has_inherited = true;
    }

    /// Asks the kernel what it has taken of what a predecessor wrote, where nobody has done so yet, and waits for it to take
    /// the rest.
    pub(super) fn settle_streams(&mut self) {
        if !std::mem::take(&mut self.has_inherited) {
            return;
        }
        for (number, stream) in &mut self.streams {
            stream.settle();
            if stream.is_waiting() {
                self.poll.modify(&*stream, *number, true);
            }
        }
    }

    /// Ends all connections.
    pub(super) fn end_streams(&mut self) {
        for stream in std::mem::take(&mut self.streams).into_values() {
            self.poll.remove(&stream);
            stream.end();
        }
    }

    /// Accepts the next connection that a TCP listener has, and says its number.
    pub(super) fn accept(&mut self, listener: u8, name: impl Fn(u64) -> u64) -> Accepted {
        let Some(Listener::Tcp(socket)) = self.listeners.get(usize::from(listener)) else { return Accepted::Nothing };
        let accepted = match socket.accept() {
            // Whoever waits would wake this process again and again: it is closed instead.
            Err(error) if open_files::is_exhausted(&error) => {
                self.spare.lend(|| drop(socket.accept()));
                return Accepted::Refused;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Accepted::Nothing,
            Err(_) => return Accepted::Refused,
            Ok((stream, remote)) => Stream::accepted(stream, remote, listener),
        };
        match accepted {
            Ok(stream) if self.streams.len() < self.most_streams => {
                self.accepted += 1;
                let number = name(self.accepted);
                self.insert(number, stream);
                Accepted::Stream(number)
            }
            _ => Accepted::Refused,
        }
    }

    /// Puts a connection in; another descriptor of it may be there.
    pub(super) fn insert(&mut self, number: u64, stream: Stream) {
        self.remove(number);
        // A connection that cannot be watched is closed by its peer or by the engine in the end.
        let _ = self.poll.add(&stream, number, stream.is_waiting());
        self.streams.insert(number, stream);
    }

    /// Takes a connection out, which closes it on this side of the pair.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let Some(stream) = self.streams.remove(&number) else { return false };
        self.poll.remove(&stream);
        true
    }

    /// Waits for the kernel to take bytes of this connection, or no more.
    pub(super) fn watch(&self, number: u64) {
        if let Some(stream) = self.streams.get(&number) {
            self.poll.modify(stream, number, stream.is_waiting());
        }
    }

    /// True if a connection has bytes that the kernel has not taken yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.streams.values().any(Stream::is_waiting)
    }

    /// Puts a datagram into the outbox of a listener.
    pub(super) fn post(&mut self, listener: u8, to: SocketAddr, bytes: Vec<u8>) {
        if let Some(Listener::Udp(_, outbox)) = self.listeners.get_mut(usize::from(listener)) {
            outbox.push(to, bytes);
        }
    }

    /// Sends the datagrams that wait; says how many the kernel did not take.
    pub(super) fn send(&mut self) -> usize {
        let send = |listener: &mut Listener| match listener {
            Listener::Udp(socket, outbox) => outbox.send(socket),
            Listener::Tcp(_) => 0,
        };
        self.listeners.iter_mut().map(send).sum()
    }

    /// Second descriptors of the listeners, for the other side.
    ///
    /// # Errors
    /// If this process has too many open files.
    pub(super) fn share_listeners(&self) -> io::Result<Vec<Arc<OwnedFd>>> {
        self.listeners.iter().map(|listener| listener.as_fd().try_clone_to_owned().map(Arc::new)).collect()
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Udp(socket, _) => socket.as_fd(),
            Self::Tcp(socket) => socket.as_fd(),
        }
    }
}

fn open(door: &Door) -> Result<Listener, Trouble> {
    match *door {
        Door::Udp(address) => {
            let socket = udp::open(address).map_err(|error| cannot_listen("udp", address, &error))?;
            Ok(Listener::Udp(socket, Outbox::default()))
        }
        Door::Tcp(address) => {
            let socket = streams::listen(address).map_err(|error| cannot_listen("tcp", address, &error))?;
            Ok(Listener::Tcp(socket))
        }
    }
}

/// Whether a door could be opened; one at an address that `passes` from host to host, as soon as that is here.
///
/// # Errors
/// As [`Intake::listen`].
pub(super) fn could_open(door: Door, passes: bool) -> Result<(), Trouble> {
    let (transport, address, is_stream) = match door {
        Door::Udp(address) => ("udp", address, false),
        Door::Tcp(address) => ("tcp", address, true),
    };
    could_bind(address, is_stream, passes).map_err(|error| cannot_listen(transport, address, &error))
}

fn cannot_listen(transport: &str, address: SocketAddr, error: &io::Error) -> Trouble {
    let what = format!("cannot listen on {transport}:{address}: {error}");
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            let port = address.port();
            format!("another program has port {port}: end it (`ss -lnp` names it) or change `listen` under [sip]")
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a right: give the program CAP_NET_BIND_SERVICE, or use a port above".into()
        }
        io::ErrorKind::AddrNotAvailable => "no interface of this host has that address (`ip address`)".into(),
        _ => "change `listen` under [sip] in everline.toml".into(),
    };
    Trouble::new(what, remedy)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpStream;

    use model::Span;

    use super::*;

    fn listening() -> (Intake, SocketAddr) {
        let mut intake = Intake::new().expect("a poll set");
        intake.listen(&[Door::Tcp("127.0.0.1:0".parse().expect("an address"))]).expect("a port");
        let Some(Listener::Tcp(listener)) = intake.listeners.first() else { panic!("it listens") };
        let address = listener.local_addr().expect("an address");
        (intake, address)
    }

    /// The other side of the pair, which holds everything that this one holds.
    fn other_side(intake: &Intake, address: SocketAddr) -> Intake {
        let mut other = Intake::new().expect("a poll set");
        let descriptors = intake.listeners.iter().map(|one| one.as_fd().try_clone_to_owned().expect("a descriptor"));
        other.take_listeners(&[Door::Tcp(address)], descriptors.collect());
        hand_over(intake, &mut other);
        other
    }

    fn hand_over(from: &Intake, to: &mut Intake) {
        for (number, stream) in &from.streams {
            let descriptor = stream.as_fd().try_clone_to_owned().expect("a descriptor");
            to.insert(*number, Stream::handed_over(descriptor, stream.account.clone()));
        }
    }

    fn connected(intake: &mut Intake, address: SocketAddr) -> TcpStream {
        let client = TcpStream::connect(address).expect("loopback");
        while intake.accept(0, |count| 1_000 + count) == Accepted::Nothing {}
        client
    }

    #[test]
    fn connections_that_make_no_sense_any_more_end_whoever_else_holds_them() {
        let (mut first, address) = listening();
        let mut client = connected(&mut first, address);
        let mut successor = other_side(&first, address);
        successor.end_streams();
        assert_eq!(client.read(&mut [0]).expect("the end"), 0);
        assert_eq!(first.streams.len(), 1, "the other side still holds it");
    }

    #[test]
    fn an_address_is_free_when_both_sides_have_let_go_of_it() {
        let (first, address) = listening();
        let mut backup = other_side(&first, address);
        drop(first);
        let mut anew = Intake::new().expect("a poll set");
        assert!(anew.listen(&[Door::Tcp(address)]).is_err(), "the backup has it");
        backup.let_go();
        anew.listen(&[Door::Tcp(address)]).expect("nobody has it");
    }

    #[test]
    fn one_door_that_cannot_be_opened_leaves_all_shut() {
        let (_first, taken) = listening();
        let doors = ["127.0.0.1:0".parse().expect("an address"), taken].map(Door::Tcp);
        let mut intake = Intake::new().expect("a poll set");
        let refused = intake.listen(&doors).expect_err("somebody has it");
        assert!(refused.what.contains(&format!("cannot listen on tcp:{taken}")), "{refused}");
        assert!(intake.listeners.is_empty(), "they are opened together, later");
        assert_eq!(could_open(doors[1], false), Err(refused), "it is known before");
        assert_eq!(could_open(doors[0], false), Ok(()));
    }

    #[test]
    fn what_was_let_go_or_handed_over_again_wakes_nobody() {
        let (mut first, address) = listening();
        let client = connected(&mut first, address);
        let mut backup = other_side(&first, address);
        hand_over(&first, &mut backup);
        drop(client);
        let _waits = TcpStream::connect(address).expect("loopback");
        let mut ready = Vec::new();
        while ready.len() < 2 {
            backup.poll.wait(Span::from_secs(1), &mut ready);
        }
        assert_eq!(ready.len(), 2, "each counts once: {ready:?}");
        backup.let_go();
        backup.poll.wait(Span::ZERO, &mut ready);
        assert_eq!(ready, []);
    }
}
