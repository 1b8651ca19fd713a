//! The side of the socket that answers, in a thread.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;
use node::coordinator::Served;

/// Serves until it is dropped.
pub(crate) struct Serving {
    stop: Arc<EventFd>,
    /// What people should know, whenever that changes.
    notes: Mutex<mpsc::Receiver<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(mut server: Box<dyn Served + Send>) -> Self {
        let stop = Arc::new(EventFd::new().unwrap());
        let stopping = Arc::clone(&stop);
        let (told, notes) = mpsc::channel();
        let mut last = None;
        let thread = std::thread::spawn(move || {
            loop {
                let mut waiting = [&server.as_fd(), &stopping.as_fd()].map(|fd| PollFd::new(*fd, PollFlags::POLLIN));
                poll(&mut waiting, PollTimeout::NONE).unwrap();
                if waiting[1].any() == Some(true) {
                    return;
                }
                server.serve();
                if server.note() != last {
                    last = server.note();
                    let _ = told.send(last.clone());
                }
            }
        });
        Self { stop, notes: Mutex::new(notes), thread: Some(thread) }
    }

    /// What people are told next, or that there is nothing to tell any more.
    pub(crate) fn note(&self) -> Option<String> {
        self.notes.lock().unwrap().recv_timeout(Duration::from_secs(30)).expect("a note")
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
