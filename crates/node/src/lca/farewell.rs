//! Ends the connections of a process that has died before the kernel comes to it.
//!
//! A process that is killed ends for others when its last descriptor is closed, which the kernel does with its last thread, which may
//! have to wait for its turns (and may have to give the memory back first, see `remains`). The pulse says so before that. So the LCA holds the
//! connections that a server has with the other side of its pair on another host, and shuts them down in its place; what the
//! server had written goes out before the end, and the last word of the server behind it (`last_word`).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::socket::{MsgFlags, Shutdown, send, shutdown};

use crate::last_word::Key;
use crate::pulse::Pulse;

/// A connection, and what the last word on it is signed with, if it is to have one.
type Connection = (OwnedFd, Option<Key>);

/// The connections of one process, which end with its serving thread. Dropped, it lets them go without a word.
#[derive(Debug)]
pub(super) struct Farewell {
    pulse: Pulse,
    connections: Arc<Mutex<Vec<Connection>>>,
}

impl Farewell {
    /// Waits for the end of the thread that holds this pulse, in a thread of its own that sleeps until then.
    ///
    /// # Errors
    /// If no thread can be had.
    pub(super) fn prepare(pulse: Pulse) -> io::Result<Self> {
        let connections = Arc::<Mutex<Vec<Connection>>>::default();
        let (held, awaited) = (Arc::clone(&connections), pulse.clone());
        std::thread::Builder::new().name("farewell".into()).stack_size(64 * 1024).spawn(move || {
            if awaited.await_end().is_ok() {
                end(&awaited, &held);
            }
        })?;
        Ok(Self { pulse, connections })
    }

    /// These are all connections of the process now.
    pub(super) fn hold(&self, connections: Vec<Connection>) {
        *lock(&self.connections) = connections;
    }

    /// The process has certainly ended: whoever learns that first ends its connections.
    pub(super) fn say(self) {
        end(&self.pulse, &self.connections);
    }
}

fn end(pulse: &Pulse, held: &Mutex<Vec<Connection>>) {
    let pledge = pulse.last_word();
    for (connection, key) in lock(held).drain(..) {
        if let Some((revision, key)) = pledge.zip(key) {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            // What does not go whole is no word, and then there is none.
            let _ = send(connection.as_raw_fd(), &key.word(revision), flags);
        }
        // It may have ended by itself.
        let _ = shutdown(connection.as_raw_fd(), Shutdown::Both);
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        lock(&self.connections).clear();
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn connections_end_with_the_thread_although_they_are_still_open_and_what_was_written_arrives() {
        let (mut own, mut other) = UnixStream::pair().expect("sockets");
        own.write_all(b"last").expect("written");
        let copy = own.try_clone().expect("a descriptor");
        let (held, holds) = mpsc::channel();
        let (ends, end) = mpsc::channel::<()>();
        let serving = std::thread::spawn(move || {
            let (pulse, descriptor) = Pulse::create().expect("a page");
            pulse.hold().expect("nobody holds it");
            pulse.pledge(Some(5));
            held.send(descriptor).expect("heard");
            end.recv().expect("told");
        });
        let pulse = Pulse::open(&holds.recv().expect("said")).expect("a pulse");
        let farewell = Farewell::prepare(pulse).expect("a thread");
        let key = Key([3; 32]);
        farewell.hold(vec![(copy.into(), Some(key.clone()))]);
        ends.send(()).expect("heard");
        serving.join().expect("ended");
        let mut read = Vec::new();
        other.read_to_end(&mut read).expect("readable");
        assert_eq!(read, [b"last", &key.word(5)[..]].concat());
    }

    #[test]
    fn connections_that_are_not_held_any_more_live_on() {
        let (own, mut other) = UnixStream::pair().expect("sockets");
        let (pulse, _descriptor) = Pulse::create().expect("a page");
        let farewell = Farewell::prepare(pulse).expect("a thread");
        farewell.hold(vec![(own.try_clone().expect("a descriptor").into(), None)]);
        farewell.hold(Vec::new());
        drop(farewell);
        (&own).write_all(b"x").expect("written");
        let mut read = [0];
        other.read_exact(&mut read).expect("readable");
        assert_eq!(&read, b"x");
    }
}
