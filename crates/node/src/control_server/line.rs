//! Frames over a local socket, for tasks.

use std::io;
use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::frames::{self, Incoming};
use crate::local;

/// One connection; to be dropped when something on it took too long, because what comes later answers that.
pub(super) struct Line {
    stream: UnixStream,
    incoming: Incoming,
    /// The process at the other end.
    pub(super) peer: u32,
}

impl Line {
    /// Connects to the socket at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let stream = local::connect(path)?;
        let peer = local::peer(&stream)?;
        Ok(Self { stream: UnixStream::from_std(stream)?, incoming: Incoming::default(), peer })
    }

    /// Sends a message.
    pub(super) async fn send<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let mut bytes = Vec::new();
        frames::append(message, 0, &mut bytes).map_err(io::Error::other)?;
        self.stream.write_all(&bytes).await
    }

    /// Waits for a message.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            if let Some((message, _)) = self.incoming.take().map_err(io::Error::other)? {
                return Ok(message);
            }
            let count = self.stream.read(self.incoming.room()).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.incoming.filled(count);
        }
    }
}
