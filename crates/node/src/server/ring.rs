//! The input ring: what a primary has read from its sockets, in memory that outlives it (a memfd).
//!
//! Datagrams and stream bytes are received straight into numbered slots of shared memory, and the kernel itself
//! notes their length there (`recvmmsg(2)` writes `msg_len` into the message headers, which lie in the ring too). So
//! whatever instant a process is killed at, an input is either still in the socket or already in the ring with its
//! length. A checkpoint names the last input that it covers; the successor goes on behind it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::ftruncate;

/// Inputs that may be read and not yet covered by a committed checkpoint; then reading waits. Where the other side is far away,
/// so many pass in one round trip at most: 40,000 a second over 100 ms. A page of memory each, once it was used.
const SLOTS: usize = 4_096;
/// The longest input: a UDP datagram cannot be longer, and a stream is read in pieces.
const LONGEST: usize = 65_536;
/// The most datagrams that one system call receives.
pub(super) const BATCH: u64 = 32;

/// The length of what a slot is ready for; the kernel puts the real one in its place, last of all that it writes.
const NOTHING_RECEIVED: u32 = u32::MAX;

/// Where an input came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A datagram that the listener with this number received.
    Listener(u8),
    /// Bytes of the TCP connection with this number.
    Connection(u64),
}

/// One input in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Input<'a> {
    /// Counts the inputs of this ring from 1.
    pub(super) number: u64,
    /// Where it came from.
    pub(super) origin: Origin,
    /// The sender of a datagram.
    pub(super) source: Option<SocketAddr>,
    /// What came; nothing means that a stream has ended.
    pub(super) bytes: &'a [u8],
}

/// The first page: counters.
#[repr(C, align(4096))]
struct Head {
    /// Number of the last input that was taken out of a socket for certain.
    read: AtomicU64,
}

#[repr(C)]
struct Slot {
    number: u64,
    is_connection: u64,
    /// Which listener or connection.
    origin: u64,
    name: libc::sockaddr_storage,
    vector: libc::iovec,
}

/// Everything in the mapping but the bytes themselves.
#[repr(C)]
struct Layout {
    head: Head,
    messages: [libc::mmsghdr; SLOTS],
    slots: [Slot; SLOTS],
}

const DATA_AT: usize = size_of::<Layout>().next_multiple_of(4096);
const SIZE: usize = DATA_AT + SLOTS * LONGEST;

/// The ring, mapped into this process.
#[derive(Debug)]
pub(super) struct Ring {
    map: NonNull<Layout>,
    descriptor: OwnedFd,
    /// The last input whose slot may not be used again yet, plus one, is behind this number.
    free_behind: u64,
}

impl Ring {
    /// A new ring of this process.
    ///
    /// # Errors
    /// If memory or descriptors are used up.
    pub(super) fn create() -> io::Result<Self> {
        let descriptor = memfd_create("everline-inputs", MFdFlags::MFD_CLOEXEC)?;
        ftruncate(&descriptor, SIZE as i64)?;
        Self::open(descriptor)
    }

    /// The ring behind a descriptor that its owner has sent.
    ///
    /// # Errors
    /// If it is not a ring, or cannot be mapped.
    pub(super) fn open(descriptor: OwnedFd) -> io::Result<Self> {
        let length = nix::sys::stat::fstat(&descriptor)?.st_size;
        if length != SIZE as i64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not an input ring of this version"));
        }
        let size = NonZeroUsize::new(SIZE).expect("the ring is not empty");
        // SAFETY: a new shared mapping of a memfd of this very size, at an address that the kernel chooses.
        let map = unsafe {
            mmap(None, size, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, &descriptor, 0)?
        };
        Ok(Self { map: map.cast(), descriptor, free_behind: 0 })
    }

    const fn head(&self) -> &Head {
        // SAFETY: the mapping lives as long as `self`; the head consists of atomics only.
        unsafe { &(*self.map.as_ptr()).head }
    }

    const fn data(&self, index: usize) -> *mut u8 {
        // SAFETY: `index < SLOTS`, so the address lies within the mapping.
        unsafe { self.map.as_ptr().cast::<u8>().add(DATA_AT + index * LONGEST) }
    }

    /// Goes on counting behind `number`, the last input of the predecessor's ring: marks only grow as long as the records
    /// live. For a ring that has received nothing yet.
    pub(super) fn count_on_behind(&mut self, number: u64) {
        self.head().read.store(number, Ordering::Release);
        self.free_behind = number;
    }

    /// Lets the slots of the inputs up to this number be used again.
    pub(super) fn free(&mut self, mark: u64) {
        self.free_behind = self.free_behind.max(mark.min(self.head().read.load(Ordering::Relaxed)));
    }

    /// True if nothing can be read before slots are freed.
    pub(super) fn is_full(&self) -> bool {
        self.head().read.load(Ordering::Relaxed) - self.free_behind >= SLOTS as u64
    }

    /// Reads what waits in `socket`, up to a batch, and says which numbers the new inputs have.
    ///
    /// A stream that has ended gives one input without bytes.
    ///
    /// # Errors
    /// As `recvmmsg(2)`; [`io::ErrorKind::WouldBlock`] if nothing waits or the ring is full.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>, origin: Origin) -> io::Result<std::ops::Range<u64>> {
        let read = self.head().read.load(Ordering::Relaxed);
        let start = (read as usize) % SLOTS;
        let free = SLOTS - (read - self.free_behind) as usize;
        let most = match origin {
            Origin::Listener(_) => BATCH as usize,
            Origin::Connection(_) => 1,
        };
        let count = most.min(free).min(SLOTS - start);
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        (0..count).for_each(|ahead| self.prepare(read + 1 + ahead as u64, origin));
        // SAFETY: `start + count <= SLOTS`; each header was just prepared and points to its own slot in the mapping.
        let received = unsafe {
            let headers = (&raw mut (*self.map.as_ptr()).messages).cast::<libc::mmsghdr>().add(start);
            libc::recvmmsg(socket.as_raw_fd(), headers, count as u32, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        if received < 0 {
            return Err(io::Error::last_os_error());
        }
        let now = read + received.unsigned_abs() as u64;
        self.head().read.store(now, Ordering::Release);
        Ok(read + 1..now + 1)
    }

    /// Makes the slot of input `number` ready to be received into. It may be killed between any two stores: the slot has
    /// the number only when nothing is left in it of the input before.
    fn prepare(&self, number: u64, origin: Origin) {
        let index = (number - 1) as usize % SLOTS;
        let (is_connection, origin) = match origin {
            Origin::Listener(listener) => (0, u64::from(listener)),
            Origin::Connection(connection) => (1, connection),
        };
        // SAFETY: the index is in range, the mapping is alive, and only this process writes to its own ring.
        unsafe {
            let layout = self.map.as_ptr();
            let message = &raw mut (*layout).messages[index];
            (&raw mut (*message).msg_len).write_volatile(NOTHING_RECEIVED);
            fence(Ordering::Release);
            let slot = &raw mut (*layout).slots[index];
            (*slot).is_connection = is_connection;
            (*slot).origin = origin;
            (*slot).vector = libc::iovec { iov_base: self.data(index).cast(), iov_len: LONGEST };
            (*message).msg_hdr.msg_name = (&raw mut (*slot).name).cast();
            (*message).msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
            (*message).msg_hdr.msg_iov = &raw mut (*slot).vector;
            (*message).msg_hdr.msg_iovlen = 1;
            (*message).msg_hdr.msg_control = std::ptr::null_mut();
            (*message).msg_hdr.msg_controllen = 0;
            (*message).msg_hdr.msg_flags = 0;
            fence(Ordering::Release);
            (&raw mut (*slot).number).write_volatile(number);
        }
    }

    /// The input with this number, if the ring holds it.
    pub(super) fn input(&self, number: u64) -> Option<Input<'_>> {
        let index = (number.checked_sub(1)? as usize) % SLOTS;
        // SAFETY: the index is in range; plain integers are copied out of the mapping, and the length is bounded before
        // the bytes are borrowed. The owner of the ring writes to a slot only after it was freed.
        unsafe {
            let layout = self.map.as_ptr();
            let slot = &raw const (*layout).slots[index];
            if (*slot).number != number {
                return None;
            }
            let length = (*layout).messages[index].msg_len;
            if length == NOTHING_RECEIVED {
                return None;
            }
            let length = (length as usize).min(LONGEST);
            let origin = match ((*slot).is_connection, (*slot).origin) {
                (0, listener) => Origin::Listener(u8::try_from(listener).ok()?),
                (_, connection) => Origin::Connection(connection),
            };
            let source = match origin {
                Origin::Listener(_) => Some(address(&(*slot).name)?),
                Origin::Connection(_) => None,
            };
            Some(Input { number, origin, source, bytes: std::slice::from_raw_parts(self.data(index), length) })
        }
    }

    /// The inputs behind `mark` that a dead owner had read, in order.
    ///
    /// Its last system call may have received datagrams without the owner living to count them: their slots say so.
    pub(super) fn left_behind(&self, mark: u64) -> impl Iterator<Item = Input<'_>> {
        let counted = self.head().read.load(Ordering::Acquire);
        (mark + 1..=counted.max(mark) + BATCH).map_while(|number| self.input(number))
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `open` with this size, and nothing borrowed from it outlives `self`.
        let unmapped = unsafe { munmap(self.map.cast(), SIZE) };
        debug_assert!(unmapped.is_ok(), "a mapping of this process can be unmapped");
    }
}

/// The address in a socket address of the kernel; `None` for a family that is not the internet's.
fn address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let raw: *const libc::sockaddr_storage = storage;
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds an IPv4 address, and it is large enough for each family.
            let inner = unsafe { &*raw.cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(inner.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(inner.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, for IPv6.
            let inner = unsafe { &*raw.cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(inner.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(inner.sin6_port), 0, inner.sin6_scope_id).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    fn udp() -> (UdpSocket, UdpSocket) {
        let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a port");
        sender.connect(receiver.local_addr().expect("an address")).expect("loopback");
        (sender, receiver)
    }

    #[test]
    fn datagrams_lie_in_the_ring_with_their_source() {
        let (sender, receiver) = udp();
        let mut ring = Ring::create().expect("a ring");
        sender.send(b"first").expect("sent");
        sender.send(b"second").expect("sent");
        let mut numbers = 0..0;
        while numbers.end < 3 {
            numbers = ring.receive(receiver.as_fd(), Origin::Listener(3)).unwrap_or(numbers);
        }
        let input = ring.input(2).expect("read");
        assert_eq!((input.bytes, input.origin), (&b"second"[..], Origin::Listener(3)));
        assert_eq!(input.source, sender.local_addr().ok());
    }

    #[test]
    fn another_process_sees_what_lies_behind_the_mark() {
        let (sender, receiver) = udp();
        let mut ring = Ring::create().expect("a ring");
        for text in [&b"one"[..], b"two", b"three"] {
            sender.send(text).expect("sent");
        }
        while ring.head().read.load(Ordering::Relaxed) < 3 {
            let _ = ring.receive(receiver.as_fd(), Origin::Listener(0));
        }
        // As if the owner had been killed before it counted the last one.
        ring.head().read.store(2, Ordering::Relaxed);
        let other = Ring::open(ring.descriptor.try_clone().expect("a descriptor")).expect("mapped");
        let texts: Vec<&[u8]> = other.left_behind(1).map(|input| input.bytes).collect();
        assert_eq!(texts, [&b"two"[..], b"three"]);
    }

    #[test]
    fn a_batch_that_nobody_counted_is_read_whole_and_without_what_was_there_before() {
        let (sender, receiver) = udp();
        let mut ring = Ring::create().expect("a ring");
        while !ring.is_full() {
            sender.send(b"old").expect("sent");
            let _ = ring.receive(receiver.as_fd(), Origin::Listener(0));
        }
        ring.free(SLOTS as u64);
        for text in [&b"one"[..], b"", b"three"] {
            sender.send(text).expect("sent");
        }
        let mut end = SLOTS as u64;
        while end < SLOTS as u64 + 3 {
            end = ring.receive(receiver.as_fd(), Origin::Listener(0)).map_or(end, |numbers| numbers.end - 1);
        }
        // As if the owner had been killed before it counted them.
        ring.head().read.store(SLOTS as u64, Ordering::Relaxed);
        let texts: Vec<&[u8]> = ring.left_behind(SLOTS as u64).map(|input| input.bytes).collect();
        assert_eq!(texts, [&b"one"[..], b"", b"three"]);
        // As if it had been killed at any store of the next preparation.
        ring.head().read.store(SLOTS as u64 + 3, Ordering::Relaxed);
        ring.prepare(SLOTS as u64 + 4, Origin::Listener(0));
        assert_eq!(ring.left_behind(SLOTS as u64 + 3).count(), 0);
    }

    #[test]
    fn a_full_ring_reads_no_more_until_it_is_freed() {
        let (sender, receiver) = udp();
        let mut ring = Ring::create().expect("a ring");
        while !ring.is_full() {
            sender.send(b"x").expect("sent");
            let _ = ring.receive(receiver.as_fd(), Origin::Listener(0));
        }
        sender.send(b"last").expect("sent");
        let refused = ring.receive(receiver.as_fd(), Origin::Listener(0));
        assert_eq!(refused.expect_err("full").kind(), io::ErrorKind::WouldBlock);
        ring.free(SLOTS as u64);
        let numbers = ring.receive(receiver.as_fd(), Origin::Listener(0)).expect("room");
        assert!(numbers.start == SLOTS as u64 + 1);
    }

    #[test]
    fn stream_bytes_and_the_end_of_a_stream_are_inputs() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut client = TcpStream::connect(listener.local_addr().expect("an address")).expect("loopback");
        let (server, _) = listener.accept().expect("accepted");
        let mut ring = Ring::create().expect("a ring");
        client.write_all(b"hello").expect("sent");
        drop(client);
        let mut got = Vec::new();
        loop {
            let Ok(numbers) = ring.receive(server.as_fd(), Origin::Connection(9)) else { continue };
            let input = ring.input(numbers.start).expect("read");
            assert_eq!(input.origin, Origin::Connection(9));
            if input.bytes.is_empty() {
                break;
            }
            got.extend_from_slice(input.bytes);
        }
        assert_eq!(got, b"hello");
    }
}
