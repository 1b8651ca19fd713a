//! Frames, and descriptors with them, over one connected stream socket, without ever waiting.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use crate::descriptors;
use crate::frames::{self, FrameError, Incoming};

/// The most bytes that wait for a slow reader; beyond that the connection is given up.
pub const MOST_WAITING: usize = 8 << 20;
/// Bytes that have left are forgotten in lumps of this size, if the rest never does.
const FORGET: usize = 1 << 20;

/// Why a channel is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other side has closed the connection.
    #[error("the other side has closed the connection")]
    Ended,
    /// The system refused to read or write.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was to be sent or came in is not a message.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// More than [`MOST_WAITING`] bytes wait.
    #[error("the other side reads too slowly: more than {MOST_WAITING} bytes wait for it")]
    Full,
}

impl ChannelError {
    /// Whether it says no more than that the other side is gone.
    #[must_use]
    pub fn is_end(&self) -> bool {
        match self {
            Self::Ended => true,
            Self::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            ),
            Self::Frame(_) | Self::Full => false,
        }
    }
}

/// One connection that carries frames both ways. After an error it is to be dropped.
#[derive(Debug)]
pub struct Channel {
    socket: UnixStream,
    incoming: Incoming,
    received: VecDeque<OwnedFd>,
    outgoing: Vec<u8>,
    sent: usize,
    /// Descriptors, and the place in `outgoing` of the frame that they travel with.
    attached: VecDeque<(usize, Vec<Arc<OwnedFd>>)>,
}

impl Channel {
    /// Frames over this connection, in which nothing has been said yet.
    #[must_use]
    pub fn new(socket: UnixStream) -> Self {
        let (incoming, received, outgoing, attached) = Default::default();
        Self { socket, incoming, received, outgoing, sent: 0, attached }
    }

    /// Puts a message behind those that wait and sends what the socket takes.
    ///
    /// # Errors
    /// If it is no frame, if too much waits, or if the connection is broken.
    pub fn send<T: Serialize>(&mut self, message: &T) -> Result<(), ChannelError> {
        self.send_with(message, Vec::new())
    }

    /// The same with descriptors, which stay open here until they have left, without another one being opened for that.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_with<T: Serialize>(&mut self, message: &T, descriptors: Vec<Arc<OwnedFd>>) -> Result<(), ChannelError> {
        if self.sent >= FORGET {
            self.outgoing.drain(..self.sent);
            self.attached.iter_mut().for_each(|(place, _)| *place -= self.sent);
            self.sent = 0;
        }
        let place = self.outgoing.len();
        frames::append(message, descriptors.len(), &mut self.outgoing)?;
        if !descriptors.is_empty() {
            self.attached.push_back((place, descriptors));
        }
        self.flush()?;
        if self.outgoing.len() - self.sent > MOST_WAITING { Err(ChannelError::Full) } else { Ok(()) }
    }

    /// Sends what waits, as far as the socket takes it.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn flush(&mut self) -> Result<(), ChannelError> {
        while self.sent < self.outgoing.len() {
            // Descriptors travel with the first byte of their frame, so a send ends where the next ones begin.
            let with = self.attached.front().filter(|(place, _)| *place == self.sent);
            let end = self.attached.get(usize::from(with.is_some())).map_or(self.outgoing.len(), |(place, _)| *place);
            let descriptors = with.map_or(&[][..], |(_, descriptors)| descriptors);
            match descriptors::send(self.socket.as_fd(), &self.outgoing[self.sent..end], descriptors) {
                Ok(count) => {
                    if with.is_some() {
                        self.attached.pop_front();
                    }
                    self.sent += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Ok(())
    }

    /// Whether something waits for the socket to take more.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The next message with its descriptors; `None` if there is none now. Reads from the socket when it must.
    ///
    /// # Errors
    /// If the connection has ended or is broken, or what came is not such a message.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<(T, Vec<OwnedFd>)>, ChannelError> {
        loop {
            if let Some((message, count)) = self.incoming.take()? {
                if count > self.received.len() {
                    return Err(FrameError::Payload.into());
                }
                return Ok(Some((message, self.received.drain(..count).collect())));
            }
            match descriptors::receive(self.socket.as_fd(), self.incoming.room(), &mut self.received) {
                Ok(0) => return Err(ChannelError::Ended),
                Ok(count) => self.incoming.filled(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The connection itself.
    #[must_use]
    pub fn socket(&self) -> &UnixStream {
        &self.socket
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, Write};

    use super::*;

    fn pair() -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one), Channel::new(other))
    }

    fn file_with(text: &str) -> Arc<OwnedFd> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        Arc::new(file.into())
    }

    fn text_of(descriptor: OwnedFd) -> String {
        let mut text = String::new();
        File::from(descriptor).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn descriptors_arrive_with_the_frame_that_carries_them() {
        let (mut from, mut to) = pair();
        from.send(&"none").unwrap();
        from.send_with(&"two", vec![file_with("first"), file_with("second")]).unwrap();
        from.send_with(&"one", vec![file_with("third")]).unwrap();
        let mut got = Vec::new();
        while let Some((name, descriptors)) = to.receive::<String>().unwrap() {
            got.push((name, descriptors.into_iter().map(text_of).collect::<Vec<_>>()));
        }
        let expected = [("none", vec![]), ("two", vec!["first", "second"]), ("one", vec!["third"])];
        assert_eq!(got, expected.map(|(name, texts)| (name.into(), texts.into_iter().map(String::from).collect())));
    }

    #[test]
    fn what_a_full_socket_does_not_take_waits_and_comes_in_order() {
        let (mut from, mut to) = pair();
        let long = "x".repeat(100_000);
        for number in 0..20u32 {
            from.send_with(&(number, &long), vec![file_with(&number.to_string())]).unwrap();
        }
        assert!(from.is_waiting());
        let mut got = 0;
        while got < 20u32 {
            while let Some(((number, _), descriptors)) = to.receive::<(u32, String)>().unwrap() {
                assert_eq!((number, descriptors.into_iter().map(text_of).collect()), (got, vec![got.to_string()]));
                got += 1;
            }
            from.flush().unwrap();
        }
        assert!(!from.is_waiting());
    }

    #[test]
    fn a_reader_that_sleeps_does_not_fill_the_memory() {
        let (mut from, _to) = pair();
        let long = "x".repeat(frames::MOST_PAYLOAD - 100);
        let refused = (0..20).find_map(|_| from.send(&long).err());
        assert!(matches!(refused, Some(ChannelError::Full)), "{refused:?}");
    }

    #[test]
    fn the_end_is_told_after_the_last_message() {
        let (mut from, mut to) = pair();
        from.send(&"last").unwrap();
        drop(from);
        assert_eq!(to.receive::<String>().unwrap().unwrap().0, "last");
        assert!(matches!(to.receive::<String>(), Err(ChannelError::Ended)));
    }
}
