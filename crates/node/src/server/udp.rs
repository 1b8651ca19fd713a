//! UDP sockets: opening them, and sending released datagrams in batches.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, setsockopt, sockopt};

/// Room for datagrams that wait while a successor takes over: 150 ms at 2,000 calls a second overran the default.
const BUFFER: usize = 4 << 20;

/// The most datagrams that one system call sends.
const BATCH: usize = 64;

/// Opens a UDP socket for receiving and sending.
///
/// # Errors
/// If the address is in use, is not this host's, or its port needs a right that this process lacks.
pub(super) fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    // The forced variant needs a right and passes the system's bound; the other one is cut to it.
    if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
        setsockopt(&socket, sockopt::RcvBuf, &BUFFER)?;
    }
    if setsockopt(&socket, sockopt::SndBufForce, &BUFFER).is_err() {
        setsockopt(&socket, sockopt::SndBuf, &BUFFER)?;
    }
    Ok(socket)
}

/// Datagrams that are to leave through one socket.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Vec<(SocketAddr, Vec<u8>)>,
}

impl Outbox {
    /// Puts a datagram behind those that wait.
    pub(super) fn push(&mut self, to: SocketAddr, bytes: Vec<u8>) {
        self.waiting.push((to, bytes));
    }

    /// Sends everything that waits; says how many datagrams the kernel did not take: they are lost, as in the network.
    pub(super) fn send(&mut self, socket: &UdpSocket) -> usize {
        let refused = self.waiting.chunks(BATCH).map(|batch| send_batch(socket, batch)).sum();
        self.waiting.clear();
        refused
    }
}

/// Sends a batch and says how many datagrams of it the kernel refused.
fn send_batch(socket: &UdpSocket, batch: &[(SocketAddr, Vec<u8>)]) -> usize {
    let mut refused = 0;
    let mut rest = batch;
    while !rest.is_empty() {
        let sent = match rest {
            [(to, bytes)] => socket.send_to(bytes, to).map(|_| 1),
            _ => send_many(socket, rest),
        };
        match sent {
            Ok(count) if count > 0 => rest = &rest[count.min(rest.len())..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The first one is refused: an unreachable network, or a full buffer. The others may yet pass.
            Ok(_) | Err(_) => {
                refused += 1;
                rest = &rest[1..];
            }
        }
    }
    refused
}

fn send_many(socket: &UdpSocket, batch: &[(SocketAddr, Vec<u8>)]) -> io::Result<usize> {
    let slices: Vec<[io::IoSlice<'_>; 1]> = batch.iter().map(|(_, bytes)| [io::IoSlice::new(bytes)]).collect();
    let addresses: Vec<Option<SockaddrStorage>> = batch.iter().map(|(to, _)| Some((*to).into())).collect();
    let mut headers = MultiHeaders::preallocate(batch.len(), None);
    let sent = sendmmsg(socket.as_raw_fd(), &mut headers, &slices, &addresses, [], MsgFlags::MSG_DONTWAIT)?;
    Ok(sent.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_datagram_leaves_in_order() {
        let receiver = open("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let sender = open("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let to = receiver.local_addr().expect("an address");
        let mut outbox = Outbox::default();
        (0..150u8).for_each(|number| outbox.push(to, vec![number]));
        assert_eq!(outbox.send(&sender), 0);
        receiver.set_nonblocking(false).expect("blocking");
        let mut room = [0];
        let got: Vec<u8> = (0..150).map(|_| receiver.recv(&mut room).map(|_| room[0]).expect("received")).collect();
        assert_eq!(got, (0..150).collect::<Vec<u8>>());
    }
}
