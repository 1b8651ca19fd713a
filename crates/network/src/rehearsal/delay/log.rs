//! The kernel's log of frames (`linux/netfilter/nfnetlink_log.h`), as far as it is needed here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use model::Trouble;
use netlink_packet_core::NlasIterator;
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

use super::super::ruleset::GROUP;

/// Messages of the log's subsystem: a frame, and an order to the log itself.
const PACKET: u16 = 4 << 8;
const CONFIG: u16 = PACKET | 1;
/// Flags of a request that is to be answered.
const REQUEST_AND_ANSWER: u16 = 5;
/// Attributes of an order: listen to the group; with whole frames (up to 65,535 bytes); one by one.
const COMMAND: u16 = 1;
const BIND: [u8; 1] = [1];
const MODE: u16 = 2;
const WHOLE_FRAMES: [u8; 6] = [0, 0, 0xff, 0xff, 2, 0];
const THRESHOLD: u16 = 5;
const ONE: [u8; 4] = [0, 0, 0, 1];
/// Attributes of a frame.
const OUT: u16 = 5;
const OUT_PORT: u16 = 7;
const PAYLOAD: u16 = 9;
const PREFIX: u16 = 10;
const HARDWARE_HEADER: u16 = 16;
const LINK_HEADER: u16 = 21;
/// Lengths of a message's own header, and of that of the subsystem behind it.
const HEADER: usize = 16;
const SUBSYSTEM_HEADER: usize = 4;
/// A message that bears an error.
const ERROR: u16 = 2;

/// How much the kernel may keep for this process, in bytes.
const ROOM: usize = 8 << 20;
/// The longest message, with room for a whole frame and its attributes.
const LONGEST: usize = 128 << 10;
/// How many messages are read at once.
const MOST: usize = 1_000;

/// A frame of a delayed link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delayed {
    /// How long it is held.
    pub(super) delay: Duration,
    /// The index of the port where it leaves.
    pub(super) port: u32,
    /// All of it, from its Ethernet header on.
    pub(super) bytes: Vec<u8>,
}

/// Where the kernel delivers the frames of delayed links.
#[derive(Debug)]
pub(super) struct Log {
    socket: Socket,
}

impl Log {
    /// Opens it in the namespace of this thread.
    pub(super) fn open() -> Result<Self, Trouble> {
        open().map(|socket| Self { socket }).map_err(|error| {
            let remedy = match error.raw_os_error() {
                // The kernel says the same of a missing right.
                Some(libc::EPERM) if super::is_running() => "another delay line runs already: end that process",
                Some(libc::EPERM) => "run it as root, or in the namespaces of whoever made the rehearsal",
                _ => "use a kernel with CONFIG_NETFILTER_NETLINK_LOG and CONFIG_NFT_LOG",
            };
            Trouble::new(format!("cannot listen for frames of delayed links: {error}"), remedy)
        })
    }

    /// What has come in, and how many times something was lost because nobody had read.
    pub(super) fn read(&self) -> (Vec<Delayed>, usize) {
        let (mut frames, mut lost, mut room) = (Vec::new(), 0, vec![0; LONGEST]);
        for _ in 0..MOST {
            match self.socket.recv(&mut room.as_mut_slice(), libc::MSG_DONTWAIT) {
                Ok(length) => frames.extend(delayed(&room[..length])),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => lost += 1,
                Err(_) => break,
            }
        }
        (frames, lost)
    }
}

impl AsFd for Log {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.set_rx_buf_sz(i32::try_from(ROOM).unwrap_or(i32::MAX))?;
    for (kind, value) in [(COMMAND, &BIND[..]), (MODE, &WHOLE_FRAMES), (THRESHOLD, &ONE)] {
        socket.send(&order(kind, value), 0)?;
        let (answer, _) = socket.recv_from_full()?;
        let number = |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
        let is_error = answer.get(4..6).is_some_and(|kind| kind == ERROR.to_ne_bytes());
        if let Some(code) = number(HEADER).filter(|code| is_error && *code != 0) {
            return Err(io::Error::from_raw_os_error(-code));
        }
    }
    Ok(socket)
}

/// An order to the log, with one attribute.
fn order(kind: u16, value: &[u8]) -> Vec<u8> {
    let attribute = 4 + value.len();
    let length = HEADER + SUBSYSTEM_HEADER + attribute.next_multiple_of(4);
    let mut bytes = Vec::with_capacity(length);
    bytes.extend((length as u32).to_ne_bytes());
    bytes.extend(CONFIG.to_ne_bytes());
    bytes.extend(REQUEST_AND_ANSWER.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([libc::AF_UNSPEC as u8, 0]);
    bytes.extend(GROUP.to_be_bytes());
    bytes.extend((attribute as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(length, 0);
    bytes
}

/// The frame in a message of the log, if it is one that can be sent on.
fn delayed(message: &[u8]) -> Option<Delayed> {
    (message.get(4..6)? == PACKET.to_ne_bytes()).then_some(())?;
    let attributes = NlasIterator::new(message.get(HEADER + SUBSYSTEM_HEADER..)?);
    let (mut port, mut out, mut delay, mut header, mut payload) = (None, None, None, None, None);
    for attribute in attributes {
        let Ok(attribute) = attribute else { break };
        let value = attribute.value();
        match attribute.kind() {
            OUT_PORT => port = number(value),
            OUT => out = number(value),
            PREFIX => delay = std::str::from_utf8(value).ok()?.trim_end_matches('\0').parse().ok(),
            HARDWARE_HEADER | LINK_HEADER => header = Some(value.to_vec()),
            PAYLOAD => payload = Some(value.to_vec()),
            _ => {}
        }
    }
    let bytes = [header?, payload?].concat();
    Some(Delayed { delay: Duration::from_micros(delay?), port: port.or(out)?, bytes })
}

fn number(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of the log with these attributes.
    fn message(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER + SUBSYSTEM_HEADER];
        bytes[4..6].copy_from_slice(&PACKET.to_ne_bytes());
        for (kind, value) in attributes {
            bytes.extend((4 + value.len() as u16).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn a_frame_bears_its_delay_and_the_port_where_it_leaves() {
        let port = 9u32.to_be_bytes();
        let whole: [(u16, &[u8]); 5] = [
            (OUT, &[0, 0, 0, 2]),
            (OUT_PORT, &port),
            (PREFIX, b"50000\0"),
            (HARDWARE_HEADER, b"header"),
            (PAYLOAD, b"payload"),
        ];
        let expected = Delayed { delay: Duration::from_millis(50), port: 9, bytes: b"headerpayload".to_vec() };
        assert_eq!(delayed(&message(&whole)), Some(expected));
        for missing in 2..whole.len() {
            let mut part = whole.to_vec();
            part.remove(missing);
            assert_eq!(delayed(&message(&part)), None, "without its attribute {}", whole[missing].0);
        }
        let cut = message(&whole);
        (0..cut.len() - 1).for_each(|end| assert_eq!(delayed(&cut[..end]), None, "cut off after {end} bytes"));
    }

    #[test]
    fn an_order_is_as_long_as_it_says() {
        let order = order(MODE, &WHOLE_FRAMES);
        assert_eq!(order.len(), 32);
        assert_eq!(order[..4], 32u32.to_ne_bytes());
        assert_eq!(order[18..20], GROUP.to_be_bytes());
    }
}
