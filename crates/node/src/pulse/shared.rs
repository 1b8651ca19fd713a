//! A page of memory that processes share by its descriptor.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::fstat;
use nix::unistd::ftruncate;

/// What lies in such a page.
///
/// # Safety
/// All bit patterns of its fields are valid, and threads of many processes may use it at once: its fields are atomic, or made for that.
pub(super) unsafe trait Layout {
    /// Written last by whoever creates it, read first by whoever opens it.
    const MAGIC: u64;
    /// What it is called, for people.
    const NAME: &str;
    /// Where the magic number is.
    fn magic(&self) -> &AtomicU64;
}

/// A page that is mapped here.
pub(super) struct Shared<T: Layout>(NonNull<T>);

// SAFETY: what may lie there may be used by many threads (`Layout`).
unsafe impl<T: Layout> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Layout> Sync for Shared<T> {}

impl<T: Layout> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }
}

impl<T: Layout> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: `map` mapped exactly this range, and nobody else refers to it any more. Nothing can be done about an error.
        let _ = unsafe { munmap(self.0.cast(), size_of::<T>()) };
    }
}

impl<T: Layout> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the mapping is as long as a page, aligned to 4096, and all bit patterns of its fields are valid.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Layout> Shared<T> {
    /// A new page, which `prepare` fills, and the descriptor by which others open it.
    pub(super) fn create(prepare: impl FnOnce(&T) -> io::Result<()>) -> io::Result<(Self, OwnedFd)> {
        let descriptor = memfd_create(T::NAME, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        ftruncate(&descriptor, size_of::<T>() as libc::off_t)?;
        fcntl(descriptor.as_fd(), FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
        let page = Self::map(&descriptor)?;
        prepare(&page)?;
        page.magic().store(T::MAGIC, Ordering::Release);
        Ok((page, descriptor))
    }

    /// The page behind a descriptor.
    ///
    /// # Errors
    /// If it is another one, or could be made shorter.
    pub(super) fn open(descriptor: &OwnedFd) -> io::Result<Self> {
        let other = || {
            let what = format!("this descriptor shows no {} of this version", T::NAME);
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        let seals = SealFlag::from_bits_truncate(fcntl(descriptor.as_fd(), FcntlArg::F_GET_SEALS)?);
        if !seals.contains(SealFlag::F_SEAL_SHRINK) || fstat(descriptor)?.st_size != size_of::<T>() as libc::off_t {
            return Err(other());
        }
        let page = Self::map(descriptor)?;
        let same = page.magic().load(Ordering::Acquire) == T::MAGIC;
        if same { Ok(page) } else { Err(other()) }
    }

    fn map(descriptor: &OwnedFd) -> io::Result<Self> {
        let length = NonZeroUsize::MIN.saturating_add(size_of::<T>() - 1);
        // SAFETY: a new mapping at a place that the kernel chooses; the file is sealed against shrinking, so that no
        // access to it can fail.
        let place = unsafe {
            mmap(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, descriptor, 0)
        }?;
        Ok(Self(place.cast()))
    }
}
