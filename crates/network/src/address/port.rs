//! Raw frames of one interface (`packet(7)`).

use std::io::{self, Read as _};
use std::mem::size_of;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

use model::Trouble;
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockFilter, Socket, Type};

use super::trouble;

/// What a port lets in: an EtherType, and a filter of the kernel over whole frames (may be empty).
pub(crate) struct Intake {
    pub(super) ether_type: u16,
    pub(super) filter: Vec<SockFilter>,
}

/// Where raw frames of an interface leave, and come in if there is an [`Intake`]. Never blocks.
#[derive(Debug)]
pub(crate) struct Port {
    /// There until this is dropped.
    socket: Option<Socket>,
    interface: String,
}

impl Port {
    /// At the interface of this index; the name is for people.
    pub(crate) fn open(index: u32, name: &str, intake: Option<&Intake>) -> Result<Self, Trouble> {
        let socket = open(index, intake).map_err(|error| trouble::of_frames("send raw frames", name, &error))?;
        Ok(Self { socket: Some(socket), interface: name.to_owned() })
    }

    /// Sends a whole frame.
    pub(crate) fn send(&self, frame: &[u8]) -> Result<(), Trouble> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let sent = socket.send(frame).map(drop);
        sent.map_err(|error| trouble::of_frames("send raw frames", &self.interface, &error))
    }

    /// The next frame that has come in, cut to `room`; `None` if there is none.
    pub(super) fn receive<'a>(&self, room: &'a mut [u8]) -> Result<Option<&'a [u8]>, Trouble> {
        let Some(mut socket) = self.socket.as_ref() else { return Ok(None) };
        match socket.read(room) {
            Ok(length) => Ok(Some(&room[..length])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(trouble::of_frames("receive raw frames", &self.interface, &error)),
        }
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_ref().map_or_else(|| unreachable!("it is there until this is dropped"), AsFd::as_fd)
    }
}

impl Drop for Port {
    /// Closing such a socket waits until every processor has forgotten it (`synchronize_net` in the kernel), for
    /// milliseconds; the thread of a server has none to spare.
    fn drop(&mut self) {
        let socket = self.socket.take();
        // Without a thread it is closed here: what was not run is dropped.
        let _ = thread::Builder::new().name("close".into()).spawn(move || drop(socket));
    }
}

fn open(index: u32, intake: Option<&Intake>) -> io::Result<Socket> {
    // Protocol 0 lets nothing in, so that nothing slips in before the filter and the interface are set.
    let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), Some(Protocol::from(0)))?;
    if let Some(intake) = intake.filter(|intake| !intake.filter.is_empty()) {
        socket.attach_filter(&intake.filter)?;
    }
    socket.bind(&whereabouts(index, intake.map_or(0, |intake| intake.ether_type))?)?;
    Ok(socket)
}

/// The address of an interface among raw frames, with the EtherType that is let in.
fn whereabouts(index: u32, ether_type: u16) -> io::Result<SockAddr> {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is one of the addresses of the system, so it fits into the storage, is valid when it is all
    // zeros, and its first field is the family.
    let link = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    link.sll_family = libc::AF_PACKET as u16;
    link.sll_protocol = ether_type.to_be();
    link.sll_ifindex = i32::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the storage holds an address of that length.
    Ok(unsafe { SockAddr::new(storage, length) })
}
