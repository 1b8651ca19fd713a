//! TCP connections that outlive the process which accepted them.
//!
//! Both sides of a pair hold the descriptor of every connection, so the death of one closes nothing. Whoever serves
//! counts the bytes that were ever queued for a connection and keeps those that the kernel has not taken; the backup
//! counts along and keeps the last ones, and at a takeover asks the kernel how many it really took: bytes acknowledged
//! (`TCP_INFO`) plus bytes in the send queue (`SIOCOUTQ`). A half-written message is finished from there.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, SockaddrStorage, connect, send, setsockopt, shutdown,
    socket, sockopt,
};
use serde::{Deserialize, Serialize};

/// The most bytes that wait for a peer which does not read; then its connection is closed.
const MOST_WAITING: usize = 256 * 1024;

/// Seconds without a byte after which a peer is asked whether it lives, and between two such questions.
const KEEP_ALIVE_IDLE: u32 = 120;
const KEEP_ALIVE_INTERVAL: u32 = 15;
/// Questions without an answer after which it is dead.
const KEEP_ALIVE_COUNT: u32 = 4;

/// A backup asks the kernel what has left when it keeps more than this for one connection.
const PRUNE_ABOVE: usize = 32 * 1024;

/// What the kernel counts for the SYN of a side that connects.
const SYN: u64 = 1;

/// What the backup must know of a connection beside its descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    /// What the kernel counted as written before the first byte was (the SYN of a connecting side counts).
    base: u64,
    /// Bytes that were ever queued.
    queued: u64,
    /// The last of them: all that the kernel may not have taken.
    tail: Vec<u8>,
    /// The other end.
    pub(super) remote: SocketAddr,
    /// The listener that accepted it; none if this side connected.
    pub(super) listener: Option<u8>,
    /// The connection stands; before that nothing can be written.
    pub(super) is_open: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Stream {
    socket: Arc<OwnedFd>,
    pub(super) account: Account,
    /// It is to be closed when nothing waits any more.
    pub(super) closes: bool,
    /// What a predecessor wrote is among the kept bytes, and the kernel was not asked yet how much of it it has taken.
    is_inherited: bool,
}

/// All connections by number.
pub(super) type Streams = BTreeMap<u64, Stream>;

impl Stream {
    /// A connection that a listener has accepted.
    ///
    /// # Errors
    /// If the socket is broken already.
    pub(super) fn accepted(stream: TcpStream, remote: SocketAddr, listener: u8) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let socket = OwnedFd::from(stream);
        notice_dead_peers(&socket)?;
        let base = written(socket.as_fd())?;
        let account = Account { base, queued: 0, tail: Vec::new(), remote, listener: Some(listener), is_open: true };
        Ok(Self { socket: Arc::new(socket), account, closes: false, is_inherited: false })
    }

    /// Begins to connect; the connection stands when the socket is writable.
    ///
    /// # Errors
    /// If no socket can be had, or the address is refused at once.
    pub(super) fn connecting(remote: SocketAddr) -> io::Result<Self> {
        let family = if remote.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(family, SockType::Stream, flags, None)?;
        setsockopt(&socket, sockopt::TcpNoDelay, &true)?;
        notice_dead_peers(&socket)?;
        match connect(socket.as_raw_fd(), &SockaddrStorage::from(remote)) {
            Ok(()) | Err(nix::errno::Errno::EINPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let account = Account { base: 0, queued: 0, tail: Vec::new(), remote, listener: None, is_open: false };
        Ok(Self { socket: Arc::new(socket), account, closes: false, is_inherited: false })
    }

    /// A connection that the primary has handed over.
    pub(super) fn handed_over(socket: impl Into<Arc<OwnedFd>>, account: Account) -> Self {
        Self { socket: socket.into(), account, closes: false, is_inherited: false }
    }

    /// The connection has become writable: it stands, or could not be made.
    ///
    /// # Errors
    /// Why it could not be made.
    pub(super) fn established(&mut self) -> io::Result<()> {
        let error = nix::sys::socket::getsockopt(&self.socket, sockopt::SocketError)?;
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        // A predecessor may have written to it, and died before it could say that the connection stands.
        self.account.base = written(self.socket.as_fd())?.min(SYN);
        self.account.is_open = true;
        self.forget_written();
        Ok(())
    }

    /// Backup: the primary says that the connection stands.
    pub(super) const fn now_open(&mut self, account: &Account) {
        self.account.base = account.base;
        self.account.is_open = true;
    }

    /// Writes bytes behind those that wait, as far as the kernel takes them.
    ///
    /// # Errors
    /// If the connection is broken, or its peer reads too slowly.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.settle();
        self.account.queued += bytes.len() as u64;
        self.account.tail.extend_from_slice(bytes);
        self.flush()?;
        if self.account.tail.len() > MOST_WAITING {
            return Err(io::Error::other("the peer does not read what it is sent"));
        }
        Ok(())
    }

    /// Writes what waits, as far as the kernel takes it.
    ///
    /// # Errors
    /// If the connection is broken.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.settle();
        while self.account.is_open && !self.account.tail.is_empty() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(self.socket.as_raw_fd(), &self.account.tail, flags) {
                Ok(count) => drop(self.account.tail.drain(..count)),
                Err(nix::errno::Errno::EAGAIN) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// True if bytes wait for the kernel to take them, or the connection to stand.
    pub(super) const fn is_waiting(&self) -> bool {
        !self.account.is_open || !self.account.tail.is_empty()
    }

    /// Backup: the primary has written these bytes, or will have.
    pub(super) fn shadow(&mut self, bytes: &[u8]) {
        self.account.queued += bytes.len() as u64;
        self.account.tail.extend_from_slice(bytes);
        if self.account.tail.len() > PRUNE_ABOVE {
            self.forget_written();
        }
    }

    /// Forgets the kept bytes that the kernel has taken: what remains is to be written by whoever serves. Before the
    /// connection stands it has taken none, whatever it counts.
    pub(super) fn forget_written(&mut self) {
        if !self.account.is_open || self.account.tail.is_empty() {
            return;
        }
        let Ok(now) = written(self.socket.as_fd()) else { return };
        let taken = now.saturating_sub(self.account.base);
        let first_kept = self.account.queued - self.account.tail.len() as u64;
        let done = (taken.saturating_sub(first_kept) as usize).min(self.account.tail.len());
        self.account.tail.drain(..done);
    }

    /// This side serves now: what the predecessor wrote is asked of the kernel before anything else is written. That takes
    /// some microseconds for each connection, and most of them have time.
    pub(super) const fn inherit(&mut self) {
        self.is_inherited = true;
    }

    /// Asks the kernel what it has taken, if this connection is inherited and that was not done yet.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.is_inherited) {
            self.forget_written();
        }
    }

    /// Ends the connection, whoever else holds it.
    pub(super) fn end(self) {
        // Fails only if it has ended.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }

    /// The descriptor, for the other side of the pair.
    pub(super) fn share(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.socket)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Has the kernel close a connection whose peer has vanished without a word (`tcp(7)`): else it would stand for ever.
fn notice_dead_peers(socket: &OwnedFd) -> io::Result<()> {
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &KEEP_ALIVE_IDLE)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &KEEP_ALIVE_INTERVAL)?;
    Ok(setsockopt(socket, sockopt::TcpKeepCount, &KEEP_ALIVE_COUNT)?)
}

/// Opens a TCP listener.
///
/// # Errors
/// If the address is in use, is not this host's, or its port needs a right that this process lacks.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Offset of `tcpi_bytes_acked` in `struct tcp_info` (linux/tcp.h): 8 octets of flags, 24 words, two rates.
const BYTES_ACKED_AT: usize = 8 + 24 * 4 + 2 * 8;

/// Bytes that were ever written to a connection, by the kernel's own count.
fn written(socket: BorrowedFd<'_>) -> io::Result<u64> {
    // An acknowledgement may come between the two questions; then they are asked again.
    let mut acked = bytes_acked(socket)?;
    loop {
        let queued = out_queue(socket)?;
        let again = bytes_acked(socket)?;
        if again == acked {
            return Ok(acked + queued);
        }
        acked = again;
    }
}

fn bytes_acked(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut info = [0u8; BYTES_ACKED_AT + 8];
    let mut length = info.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `info`.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    let acked = info[BYTES_ACKED_AT..].first_chunk().copied().unwrap_or_default();
    Ok(u64::from_ne_bytes(acked))
}

fn out_queue(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: SIOCOUTQ, which is TIOCOUTQ by another name (tcp(7)), writes one int.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from(count.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use nix::sys::socket::{Backlog, bind};

    use super::*;

    fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("loopback");
        let (server, remote) = listener.accept().expect("accepted");
        (Stream::accepted(server, remote, 0).expect("sound"), client)
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|place| (place * 31 % 251) as u8).collect()
    }

    #[test]
    fn a_successor_finishes_exactly_what_was_half_written() {
        let (mut first, mut client) = pair();
        let mut successor = Stream::handed_over(first.share(), first.account.clone());
        let bytes = pattern(8 << 20);
        // The first owner is told to write everything, but dies when the kernel takes no more.
        successor.account.queued += bytes.len() as u64;
        successor.account.tail.extend_from_slice(&bytes);
        assert!(first.write(&bytes).is_err() && first.is_waiting(), "the kernel's buffer is smaller than this");
        drop(first);
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            client.read_to_end(&mut got).map(|_| got)
        });
        successor.inherit();
        while successor.is_waiting() {
            successor.flush().expect("the connection stands");
        }
        drop(successor);
        assert_eq!(reader.join().expect("a reader").expect("read"), bytes);
    }

    /// A connection that is being made: its peer has no room for it until somebody else is accepted.
    fn half_open() -> (Stream, TcpListener) {
        let any = SockaddrStorage::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        let door = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).expect("a socket");
        bind(door.as_raw_fd(), &any).expect("a port");
        nix::sys::socket::listen(&door, Backlog::new(0).expect("none")).expect("listens");
        let door = TcpListener::from(door);
        let stream = Stream::connecting(door.local_addr().expect("an address")).expect("begins");
        (stream, door)
    }

    #[test]
    fn the_syn_is_no_byte_of_the_first_message() {
        for predecessor_writes in [false, true] {
            let (mut first, door) = half_open();
            let mut successor = Stream::handed_over(first.share(), first.account.clone());
            first.write(b"INVITE").expect("kept");
            successor.shadow(b"INVITE");
            let (mut client, _) = door.accept().expect("accepted");
            if predecessor_writes {
                // It dies before the other side hears of it.
                first.established().expect("stands");
                first.flush().expect("written");
            }
            drop(first);
            successor.inherit();
            successor.established().expect("stands");
            successor.flush().expect("written");
            drop(successor);
            let mut got = String::new();
            client.read_to_string(&mut got).expect("read");
            assert_eq!(got, "INVITE");
        }
    }

    #[test]
    fn a_shadow_keeps_little_of_what_has_left() {
        let (mut first, mut client) = pair();
        let mut shadow = Stream::handed_over(first.share(), first.account.clone());
        let bytes = pattern(10_000);
        let mut room = vec![0; bytes.len()];
        for _ in 0..100 {
            first.write(&bytes).expect("written");
            client.read_exact(&mut room).expect("read");
            shadow.shadow(&bytes);
            assert!(shadow.account.tail.len() <= PRUNE_ABOVE);
        }
    }
}
