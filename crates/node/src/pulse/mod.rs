//! A page of memory that a server process shares with those who watch it.
//!
//! The serving thread of the process *holds* a robust mutex in the page for as long as it lives. When the thread
//! ends, however it ends, the kernel marks the mutex and wakes whoever waits for it, before the memory of the
//! process is torn down (`pthread_mutexattr_setrobust(3)`); that is the fastest certain witness there is. The page
//! also counts how often the thread has come round its loop, and notes a crash that no `catch_unwind` catches. The other threads
//! of the process have a page of their own: [`threads`].

mod crash;
pub mod threads;

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::fstat;
use nix::unistd::{ftruncate, gettid};

/// First word of a page, with the version of its layout.
const MAGIC: u64 = u64::from_le_bytes(*b"pulse\0\0\x01");

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
}

/// One mapping of a page; unmapped with the last [`Pulse`] that uses it.
#[derive(Debug)]
struct Mapping(NonNull<Page>);

// SAFETY: every field of the page is atomic, but for the mutex, which is made for use by many threads and processes.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` mapped exactly this range, and nobody else refers to it any more. The mapping of a holder is
        // never dropped (see `hold`). Nothing can be done about an error.
        let _ = unsafe { munmap(self.0.cast(), size_of::<Page>()) };
    }
}

impl Mapping {
    fn new(descriptor: &OwnedFd) -> io::Result<Self> {
        let length = NonZeroUsize::MIN.saturating_add(size_of::<Page>() - 1);
        // SAFETY: a new mapping at a place that the kernel chooses; the file is sealed against shrinking, so that no
        // access to it can fail.
        let place = unsafe {
            mmap(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, descriptor, 0)
        }?;
        Ok(Self(place.cast()))
    }

    fn page(&self) -> &Page {
        // SAFETY: the mapping is as long as a page, aligned to 4096, and all bit patterns of its fields are valid.
        unsafe { self.0.as_ref() }
    }
}

/// Why waiting for the end of a process is of no use.
#[derive(Debug, thiserror::Error)]
#[error("no thread has taken hold of this pulse yet, so its end cannot be awaited")]
pub struct NotHeld;

/// A view of the page, in the process itself or in one that watches it.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Mapping>);

impl Pulse {
    /// A new page, and the descriptor by which other processes open it.
    ///
    /// # Errors
    /// If the system has no memory or descriptors left.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let descriptor = memfd_create("pulse", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&descriptor, size_of::<Page>() as libc::off_t)?;
        fcntl(descriptor.as_fd(), FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
        let mapping = Mapping::new(&descriptor)?;
        prepare(mapping.page().mutex.get())?;
        mapping.page().magic.store(MAGIC, Ordering::Release);
        Ok((Self(Arc::new(mapping)), descriptor))
    }

    /// The page behind a descriptor that came from another process.
    ///
    /// # Errors
    /// If it is not such a page, or one of another version.
    pub fn open(descriptor: &OwnedFd) -> io::Result<Self> {
        let not_a_pulse = || io::Error::new(io::ErrorKind::InvalidData, "this descriptor is no pulse of this version");
        let seals = SealFlag::from_bits_truncate(fcntl(descriptor.as_fd(), FcntlArg::F_GET_SEALS)?);
        if !seals.contains(SealFlag::F_SEAL_SHRINK) || fstat(descriptor)?.st_size != size_of::<Page>() as libc::off_t {
            return Err(not_a_pulse());
        }
        let mapping = Mapping::new(descriptor)?;
        let same = mapping.page().magic.load(Ordering::Acquire) == MAGIC;
        if same { Ok(Self(Arc::new(mapping))) } else { Err(not_a_pulse()) }
    }

    /// Lets the calling thread hold the page until it ends. To be called once, before the descriptor is given away,
    /// by the thread that can send; the page stays mapped for ever, because the kernel looks at it in the end.
    ///
    /// # Errors
    /// If another thread holds it.
    pub fn hold(&self) -> io::Result<()> {
        let page = self.0.page();
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
        let page = self.0.page();
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
        self.0.page().beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How many turns have been counted.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.0.page().beats.load(Ordering::Relaxed)
    }

    /// The thread that holds the page, as `/proc` numbers it; `None` until there is one.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        Some(self.0.page().holder.load(Ordering::Acquire)).filter(|holder| *holder != 0)
    }

    /// Notes which input is in work, so that a successor can refuse the one of which this process died.
    pub fn take_in_hand(&self, input: u64) {
        self.0.page().in_hand.store(input, Ordering::Release);
    }

    /// The input that was noted last; zero if none was.
    #[must_use]
    pub fn in_hand(&self) -> u64 {
        self.0.page().in_hand.load(Ordering::Acquire)
    }

    /// The signal of which the process crashed, if it did: SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT.
    #[must_use]
    pub fn crashed(&self) -> Option<i32> {
        Some(self.0.page().crashed.load(Ordering::Acquire) as i32).filter(|signal| *signal != 0)
    }

    /// Notes crashes of this process in this page from now on; the process ends as it would have without that.
    ///
    /// # Errors
    /// If the system refuses the handlers.
    pub fn watch_crashes(&self) -> io::Result<()> {
        std::mem::forget(self.clone());
        crash::install(&self.0.page().crashed)
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
