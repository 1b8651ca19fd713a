//! A page of memory that a server process shares with those who watch it.
//!
//! The serving thread of the process *holds* a robust mutex in the page for as long as it lives. When the thread
//! ends, however it ends, the kernel marks the mutex and wakes whoever waits for it, before the memory of the
//! process is torn down (`pthread_mutexattr_setrobust(3)`); that is the fastest certain witness there is. The page
//! also counts how often the thread has come round its loop, and notes a crash that no `catch_unwind` catches. The other threads
//! of the process have a page of their own: [`threads`].

mod crash;
mod shared;
pub mod threads;

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::unistd::gettid;

use self::shared::{Layout, Shared};

#[repr(C)]
struct Page {
    magic: AtomicU64,
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    /// Thread id of the holder; zero until there is one.
    holder: AtomicU32,
    ended: AtomicU32,
    crashed: AtomicU32,
    beats: AtomicU64,
    in_hand: AtomicU64,
    /// Zero is none: revisions begin at one.
    pledge: AtomicU64,
}

// SAFETY: all fields are atomic, but for the mutex, which is made for use by many threads and processes; zeros are valid.
unsafe impl Layout for Page {
    const MAGIC: u64 = u64::from_le_bytes(*b"pulse\0\0\x02");
    const NAME: &str = "pulse";

    fn magic(&self) -> &AtomicU64 {
        &self.magic
    }
}

/// Why waiting for the end of a process is of no use.
#[derive(Debug, thiserror::Error)]
#[error("no thread has taken hold of this pulse yet, so its end cannot be awaited")]
pub struct NotHeld;

/// A view of the page, in the process itself or in one that watches it.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Shared<Page>>);

impl Pulse {
    /// A new page, and the descriptor by which other processes open it.
    ///
    /// # Errors
    /// If the system has no memory or descriptors left.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let (page, descriptor) = Shared::create(|page: &Page| prepare(page.mutex.get()))?;
        Ok((Self(Arc::new(page)), descriptor))
    }

    /// The page behind a descriptor that came from another process.
    ///
    /// # Errors
    /// If it is not such a page, or one of another version.
    pub fn open(descriptor: &OwnedFd) -> io::Result<Self> {
        Shared::open(descriptor).map(Arc::new).map(Self)
    }

    /// Lets the calling thread hold the page until it ends. To be called once, before the descriptor is given away,
    /// by the thread that can send; the page stays mapped for ever, because the kernel looks at it in the end.
    ///
    /// # Errors
    /// If another thread holds it.
    pub fn hold(&self) -> io::Result<()> {
        let page = &**self.0;
        // SAFETY: the mutex was made by `prepare` and lives in a mapping that is kept below.
        refused(unsafe { libc::pthread_mutex_trylock(page.mutex.get()) })?;
        page.holder.store(gettid().as_raw().unsigned_abs(), Ordering::Release);
        std::mem::forget(self.clone());
        Ok(())
    }

    /// Waits until the thread that holds the page has certainly ended: it runs no instruction any more. Any number of
    /// threads and processes may wait.
    ///
    /// # Errors
    /// If no thread holds it.
    pub fn await_end(&self) -> Result<(), NotHeld> {
        let page = &**self.0;
        // SAFETY: as in `hold`; the lock is given back below, while the mapping lives.
        let outcome = unsafe { libc::pthread_mutex_lock(page.mutex.get()) };
        if outcome == libc::EOWNERDEAD {
            page.ended.store(1, Ordering::Release);
            // SAFETY: this thread owns the mutex, which it got in the inconsistent state.
            unsafe { libc::pthread_mutex_consistent(page.mutex.get()) };
        }
        let ended = page.ended.load(Ordering::Acquire) != 0;
        if outcome == 0 || outcome == libc::EOWNERDEAD {
            // SAFETY: this thread owns the mutex. The next one who waits is woken by this.
            unsafe { libc::pthread_mutex_unlock(page.mutex.get()) };
        }
        if ended { Ok(()) } else { Err(NotHeld) }
    }

    /// Counts one more turn of the loop. A healthy thread does this at least every 25 ms, idle or not.
    pub fn beat(&self) {
        self.0.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How many turns have been counted.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.0.beats.load(Ordering::Relaxed)
    }

    /// The thread that holds the page, as `/proc` numbers it; `None` until there is one.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        Some(self.0.holder.load(Ordering::Acquire)).filter(|holder| *holder != 0)
    }

    /// Notes which input is in work, so that a successor can refuse the one of which this process died.
    pub fn take_in_hand(&self, input: u64) {
        self.0.in_hand.store(input, Ordering::Release);
    }

    /// The input that was noted last; zero if none was.
    #[must_use]
    pub fn in_hand(&self) -> u64 {
        self.0.in_hand.load(Ordering::Acquire)
    }

    /// Notes the pledge of a primary (rule 18 of the protocol), or that there is none.
    pub fn pledge(&self, revision: Option<u64>) {
        self.0.pledge.store(revision.unwrap_or_default(), Ordering::SeqCst);
    }

    /// The pledge that was noted last. It is a last word once [`await_end`](Self::await_end) has returned.
    #[must_use]
    pub fn last_word(&self) -> Option<u64> {
        Some(self.0.pledge.load(Ordering::SeqCst)).filter(|revision| *revision != 0)
    }

    /// The signal of which the process crashed, if it did: SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT.
    #[must_use]
    pub fn crashed(&self) -> Option<i32> {
        Some(self.0.crashed.load(Ordering::Acquire) as i32).filter(|signal| *signal != 0)
    }

    /// Notes crashes of this process in this page from now on; the process ends as it would have without that.
    ///
    /// # Errors
    /// If the system refuses the handlers.
    pub fn watch_crashes(&self) -> io::Result<()> {
        std::mem::forget(self.clone());
        crash::install(&self.0.crashed)
    }
}

/// Makes the mutex of a fresh page robust and usable from other processes.
fn prepare(mutex: *mut libc::pthread_mutex_t) -> io::Result<()> {
    let mut attributes = MaybeUninit::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the attributes are initialised first and destroyed last; the mutex lies in memory of its size that nobody
    // else knows yet.
    unsafe {
        refused(libc::pthread_mutexattr_init(attributes))?;
        let made = refused(libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED))
            .and_then(|()| refused(libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST)))
            .and_then(|()| refused(libc::pthread_mutex_init(mutex, attributes)));
        libc::pthread_mutexattr_destroy(attributes);
        made
    }
}

/// The outcome of a pthread call as a result.
fn refused(outcome: libc::c_int) -> io::Result<()> {
    if outcome == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(outcome)) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use nix::fcntl::{FcntlArg, SealFlag, fcntl};
    use nix::sys::memfd::{MFdFlags, memfd_create};

    use super::*;

    #[test]
    fn the_end_of_the_holding_thread_wakes_everyone_who_waits() {
        let (pulse, descriptor) = Pulse::create().unwrap();
        let (held, is_held) = std::sync::mpsc::channel();
        let (end, may_end) = std::sync::mpsc::channel::<()>();
        let holder = pulse.clone();
        let thread = std::thread::spawn(move || {
            holder.hold().unwrap();
            held.send(()).unwrap();
            may_end.recv().unwrap_err();
        });
        is_held.recv().unwrap();
        assert!(pulse.hold().is_err(), "a second thread holds it");
        let waiting: Vec<_> = (0..3)
            .map(|_| Pulse::open(&descriptor).unwrap())
            .map(|pulse| std::thread::spawn(move || pulse.await_end()))
            .collect();
        drop(end);
        thread.join().unwrap();
        for thread in waiting {
            thread.join().unwrap().unwrap();
        }
        pulse.await_end().unwrap();
    }

    #[test]
    fn a_pulse_that_nobody_holds_has_no_end() {
        let (pulse, _descriptor) = Pulse::create().unwrap();
        assert!(pulse.await_end().is_err());
        assert_eq!(pulse.holder(), None);
    }

    #[test]
    fn what_one_side_notes_the_other_side_reads() {
        let (pulse, descriptor) = Pulse::create().unwrap();
        let watcher = Pulse::open(&descriptor).unwrap();
        pulse.beat();
        pulse.beat();
        pulse.take_in_hand(17);
        assert_eq!((watcher.beats(), watcher.in_hand(), watcher.crashed()), (2, 17, None));
    }

    #[test]
    fn other_descriptors_are_refused() {
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        assert!(Pulse::open(&file).is_err());
        let short = memfd_create("short", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).unwrap();
        fcntl(short.as_fd(), FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK)).unwrap();
        assert_eq!(Pulse::open(&short).err().unwrap().kind(), io::ErrorKind::InvalidData);
    }
}
