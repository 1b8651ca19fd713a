//! The side of the socket that answers, in a thread.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;
use node::coordinator::Served;

/// Serves until it is dropped.
pub(crate) struct Serving {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(mut server: Box<dyn Served + Send>) -> Self {
        let stop = Arc::new(EventFd::new().unwrap());
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            loop {
                let mut waiting = [&server.as_fd(), &stopping.as_fd()].map(|fd| PollFd::new(*fd, PollFlags::POLLIN));
                poll(&mut waiting, PollTimeout::NONE).unwrap();
                if waiting[1].any() == Some(true) {
                    return;
                }
                server.serve();
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.write(1).unwrap();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
