//! Ends the connections of a process that has died before the kernel comes to it.
//!
//! A process that is killed ends for others when its last descriptor is closed, which the kernel does with its last thread, which may
//! have to wait for its turns (and may have to give the memory back first, see `remains`). The pulse says so before that. So the LCA holds the
//! connections that a server has with the other side of its pair on another host, and shuts them down in its place; what the
//! server had written goes out before the end.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::socket::{Shutdown, shutdown};

use crate::pulse::Pulse;

/// The connections of one process, which end with its serving thread. Dropped, it lets them go without a word.
#[derive(Debug)]
pub(super) struct Farewell {
    connections: Arc<Mutex<Vec<OwnedFd>>>,
}

impl Farewell {
    /// Waits for the end of the thread that holds this pulse, in a thread of its own that sleeps until then.
    ///
    /// # Errors
    /// If no thread can be had.
    pub(super) fn prepare(pulse: Pulse) -> io::Result<Self> {
        let connections = Arc::<Mutex<Vec<OwnedFd>>>::default();
        let held = Arc::clone(&connections);
        std::thread::Builder::new().name("farewell".into()).stack_size(64 * 1024).spawn(move || {
            if pulse.await_end().is_ok() {
                for connection in lock(&held).drain(..) {
                    // It may have ended by itself.
                    let _ = shutdown(connection.as_raw_fd(), Shutdown::Both);
                }
            }
        })?;
        Ok(Self { connections })
    }

    /// These are all connections of the process now.
    pub(super) fn hold(&self, connections: Vec<OwnedFd>) {
        *lock(&self.connections) = connections;
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
            held.send(descriptor).expect("heard");
            end.recv().expect("told");
        });
        let pulse = Pulse::open(&holds.recv().expect("said")).expect("a pulse");
        let farewell = Farewell::prepare(pulse).expect("a thread");
        farewell.hold(vec![copy.into()]);
        ends.send(()).expect("heard");
        serving.join().expect("ended");
        let mut read = Vec::new();
        other.read_to_end(&mut read).expect("readable");
        assert_eq!(read, b"last");
    }

    #[test]
    fn connections_that_are_not_held_any_more_live_on() {
        let (own, mut other) = UnixStream::pair().expect("sockets");
        let (pulse, _descriptor) = Pulse::create().expect("a page");
        let farewell = Farewell::prepare(pulse).expect("a thread");
        farewell.hold(vec![own.try_clone().expect("a descriptor").into()]);
        farewell.hold(Vec::new());
        drop(farewell);
        (&own).write_all(b"x").expect("written");
        let mut read = [0];
        other.read_exact(&mut read).expect("readable");
        assert_eq!(&read, b"x");
    }
}
