//! Asks the kernel to send again soon what a network between two hosts has lost.

use std::mem::size_of_val;
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;

/// `TCP_RTO_MIN_US` and `TCP_DELACK_MAX_US` (`linux/tcp.h`): the shortest time after which the kernel sends again, and the longest
/// for which it puts a confirmation off, in microseconds. The usual 200 and 40 ms suit ways across the world: between two hosts, the
/// loss of a packet that no other one follows would hold the link up for longer than a silent primary is believed in.
const OPTIONS: [(libc::c_int, u32); 2] = [(45, 25_000), (46, 5_000)];

/// Asks for it on this connection. Kernels before Linux 6.15 refuse, and all stays as it is.
pub(crate) fn repeat_soon(socket: &TcpStream) {
    for (option, micros) in OPTIONS {
        let size = size_of_val(&micros) as libc::socklen_t;
        // SAFETY: the descriptor is open for the whole call, and the kernel only reads the number.
        unsafe {
            libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, option, (&raw const micros).cast(), size);
        }
    }
}
