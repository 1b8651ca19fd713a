//! When something came in, as the kernel saw it: the thread of the phones may read it later, and that is not the server's doing.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant, SystemTime};

use model::{Span, Time};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use super::shell::now;

/// What was read at once.
pub(super) struct Arrival {
    pub(super) length: usize,
    /// Who has sent it; of a connection this is known anyway.
    pub(super) source: Option<SocketAddr>,
    /// When the last of it came in.
    pub(super) came: Time,
}

/// Has the kernel note when something comes in on this socket.
pub(super) fn stamp(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
}

/// Reads from a socket of a load that began then.
pub(super) fn receive(socket: &impl AsRawFd, buffer: &mut [u8], begun: Instant) -> io::Result<Arrival> {
    let mut space = nix::cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let got = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty())?;
    let stamps = got.cmsgs()?.filter_map(|said| match said {
        ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
        _ => None,
    });
    Ok(Arrival { length: got.bytes, source: got.address.as_ref().and_then(plain), came: came(begun, stamps.last()) })
}

/// By the clock of the load. The kernel's stamps are by the clock of the day, which may be set in between: what counts is how
/// long ago it was.
fn came(begun: Instant, stamp: Option<Duration>) -> Time {
    let day = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ago = stamp.map_or(Duration::ZERO, |stamp| day.saturating_sub(stamp));
    now(begun) - Span::from_micros(u64::try_from(ago.as_micros()).unwrap_or(0))
}

fn plain(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddrV4::from(*address).into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddrV6::from(*address).into()))
}
