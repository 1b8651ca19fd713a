//! The delay line: frames of delayed links, held back and sent on.
//!
//! The kernel's own (netem) is not in every kernel, and delays what leaves a port whoever sent it. Here a rule of the bridge
//! logs a frame to this process and drops it; the frame bears its delay as the prefix of the log line and the port where it
//! would have left, so nothing has to be told to whoever runs the line when a link changes.

mod checksums;
mod log;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::Trouble;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use self::log::{Delayed, Log};
use super::{enter, ruleset};
use crate::address::Port;

/// How many frames are held at most; further ones are lost, and counted.
const MOST: usize = 100_000;

/// The thread that delays, as long as this lives.
#[derive(Debug)]
pub struct DelayLine {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
    lost: Arc<AtomicU64>,
}

impl DelayLine {
    pub(super) fn start(switch: &str) -> Result<Self, Trouble> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Arc::new).map_err(|error| {
            Trouble::new(
                format!("cannot start the delay line: {}", io::Error::from(error)),
                "raise the limit of open files",
            )
        })?;
        let lost = Arc::new(AtomicU64::new(0));
        let (told, count) = (Arc::clone(&stop), Arc::clone(&lost));
        let thread = enter::go_on(switch, Log::open, move |log| Line::new(log, count).run(&told))?;
        Ok(Self { stop, thread: Some(thread), lost })
    }

    /// How many delayed frames were lost: too many at once, or refused by the port where they were to leave.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for DelayLine {
    fn drop(&mut self) {
        // It can only fail if the count is full, and then the thread has been told.
        let _ = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether somebody runs a delay line in the namespace in which this runs (`/proc/net/netfilter/nfnetlink_log`: the groups
/// that are listened to).
pub(super) fn is_running() -> bool {
    let listed = fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_log").unwrap_or_default();
    let group = ruleset::GROUP.to_string();
    listed.lines().any(|line| line.split_whitespace().next() == Some(&group))
}

/// The frames that are held.
struct Line {
    log: Log,
    ports: BTreeMap<u32, Port>,
    /// By when they leave, then by number.
    held: BinaryHeap<Reverse<(Instant, u64)>>,
    frames: BTreeMap<u64, Delayed>,
    next: u64,
    lost: Arc<AtomicU64>,
}

impl Line {
    fn new(log: Log, lost: Arc<AtomicU64>) -> Self {
        Self { log, ports: BTreeMap::new(), held: BinaryHeap::new(), frames: BTreeMap::new(), next: 0, lost }
    }

    fn run(mut self, stop: &OwnedFd) {
        loop {
            let left = self.held.peek().map(|Reverse((due, _))| due.saturating_duration_since(Instant::now()));
            let mut set =
                [PollFd::new(&self.log, PollFlags::IN), PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
            let waited = poll(&mut set, left.map(timespec).as_ref());
            if !set[1].revents().is_empty() || waited.is_err_and(|error| error != rustix::io::Errno::INTR) {
                return;
            }
            self.take_in();
            self.let_out();
        }
    }

    fn take_in(&mut self) {
        let (mut taken, missed) = self.log.read();
        let now = Instant::now();
        let room = MOST - self.frames.len();
        let too_many = taken.len().saturating_sub(room);
        self.lost.fetch_add((too_many + missed) as u64, Ordering::Relaxed);
        for frame in taken.drain(..).take(room) {
            self.held.push(Reverse((now + frame.delay, self.next)));
            self.frames.insert(self.next, frame);
            self.next += 1;
        }
    }

    fn let_out(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((_, number))) = self.held.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.held.pop();
            if self.frames.remove(&number).is_some_and(|frame| self.send(frame).is_err()) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn send(&mut self, mut frame: Delayed) -> Result<(), Trouble> {
        checksums::complete(&mut frame.bytes);
        match self.ports.entry(frame.port) {
            Entry::Occupied(port) => port.get().send(&frame.bytes),
            Entry::Vacant(place) => {
                let port = Port::open(frame.port, &format!("port {}", frame.port), None)?;
                place.insert(port).send(&frame.bytes)
            }
        }
    }
}

fn timespec(left: Duration) -> Timespec {
    Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
}
