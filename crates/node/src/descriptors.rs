//! Sends and receives bytes together with open descriptors (SCM_RIGHTS, `unix(7)`).

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

use crate::frames::MOST_DESCRIPTORS;

/// Sends `bytes`, with `descriptors` attached to the first of them, without waiting; says how many bytes it took.
///
/// # Errors
/// As `sendmsg(2)`; [`io::ErrorKind::WouldBlock`] if the socket is full. No descriptor was sent then.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[Arc<OwnedFd>]) -> io::Result<usize> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &[][..] } else { &rights[..] };
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    Ok(sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(bytes)], control, flags, None)?)
}

/// Receives into `room` without waiting and puts what descriptors came with the bytes behind `received`, each marked
/// close-on-exec. Zero bytes mean that the other side has ended the stream.
///
/// # Errors
/// As `recvmsg(2)`; [`io::ErrorKind::WouldBlock`] if nothing waits; [`io::ErrorKind::Other`] if descriptors were lost
/// because this process may open no more.
pub fn receive(socket: BorrowedFd<'_>, room: &mut [u8], received: &mut VecDeque<OwnedFd>) -> io::Result<usize> {
    let mut control = cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut slices = [IoSliceMut::new(room)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = part {
            // SAFETY: the kernel has just opened these descriptors for this process, and nobody else knows them.
            received.extend(raw.into_iter().map(|raw| unsafe { OwnedFd::from_raw_fd(raw) }));
        }
    }
    if message.flags.contains(MsgFlags::MSG_CTRUNC) {
        return Err(io::Error::other(
            "descriptors were lost: this process has too many open files (raise `ulimit -n`)",
        ));
    }
    Ok(message.bytes)
}
