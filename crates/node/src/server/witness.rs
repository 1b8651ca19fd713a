//! Wakes the loop when the other side's serving thread has certainly ended.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use management::helpers::Wait;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::pulse::Pulse;
use crate::pulse::threads::Helper;

/// Becomes readable when the thread that holds a pulse has ended.
#[derive(Debug)]
pub(super) struct Witness {
    event: Arc<EventFd>,
}

impl Witness {
    /// Watches the holder of the pulse behind this descriptor, from a thread that sleeps until then.
    ///
    /// # Errors
    /// If it is no pulse, or no thread can be had.
    pub(super) fn watch(descriptor: &OwnedFd) -> io::Result<Self> {
        let pulse = Pulse::open(descriptor)?;
        let event = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let signal = Arc::clone(&event);
        std::thread::Builder::new().name("witness".into()).stack_size(64 * 1024).spawn(move || {
            let helper = Helper::begin("witness");
            if helper.waits(Wait::Outside, || pulse.await_end()).is_ok() {
                // The counter cannot overflow with one writer that writes once.
                let _ = signal.write(1);
            }
        })?;
        Ok(Self { event })
    }
}

impl AsFd for Witness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
