//! Notes in the pulse that the process is about to die of a signal that its own code caused.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int, c_void, sigaction, siginfo_t};

const WATCHED: [c_int; 5] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT];

/// Where to note it; a mapping that is never taken down.
static NOTE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// Notes a crash in `note`, which must stay where it is for as long as the process lives.
pub(super) fn install(note: &AtomicU32) -> io::Result<()> {
    NOTE.store(ptr::from_ref(note).cast_mut(), Ordering::Release);
    for signal in WATCHED {
        set(signal, on_crash as *const () as usize, libc::SA_SIGINFO | libc::SA_ONSTACK)?;
    }
    Ok(())
}

/// Runs on the alternate stack, which the standard library gives to each thread that it starts, so an overflow of the
/// stack is noted as well. Does nothing that a signal handler may not do (`signal-safety(7)`).
extern "C" fn on_crash(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: null or a place in a mapping that is never taken down.
    if let Some(note) = unsafe { NOTE.load(Ordering::Acquire).as_ref() } {
        note.store(signal as u32, Ordering::Release);
    }
    if signal == SIGSEGV {
        const TEXT: &[u8] = b"crash: bad memory access or stack overflow\n";
        // SAFETY: writes constant bytes to standard error.
        unsafe { libc::write(libc::STDERR_FILENO, TEXT.as_ptr().cast(), TEXT.len()) };
    }
    // Blocked while this handler runs; it strikes on return, as it would have without a handler.
    let _ = set(signal, libc::SIG_DFL, 0);
    // SAFETY: `raise` is allowed in a handler.
    unsafe { libc::raise(signal) };
}

fn set(signal: c_int, handler: usize, flags: c_int) -> io::Result<()> {
    // SAFETY: all fields are plain data, for which zeros are valid.
    let mut action: sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the handler is a function of the shape that the flags promise, or the default action.
    if unsafe { sigaction(signal, &raw const action, ptr::null_mut()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
