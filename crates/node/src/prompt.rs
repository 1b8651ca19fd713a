//! Asks the kernel to let a thread run soon after it is woken, rather than long; or to let others go first.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::setpriority_process;

/// The kernel's shortest slice, in nanoseconds.
const SHORTEST_SLICE: u64 = 100_000;

/// The lowest priority that still gets its share (sched(7)).
const NICEST: i32 = 19;

/// Asks for the shortest slice for this thread, and for all threads and processes that it starts from now on: what wakes
/// them is short work that a caller waits for, so their turn comes before that of programs that compute. It gives no
/// more processor time, and needs no right.
///
/// Kernels before Linux 6.12 take no notice of it (sched(7), `sched_setattr(2)`: `sched_runtime` of `SCHED_OTHER`).
///
/// # Errors
/// If the kernel refuses; nothing depends on it.
pub(crate) fn run_soon() -> io::Result<()> {
    let size = u32::try_from(size_of::<libc::sched_attr>()).map_err(io::Error::other)?;
    // SAFETY: all-zero octets are a valid value of this plain structure.
    let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes `size` octets at most, which the structure has.
    let got = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0) };
    if got != 0 {
        return Err(io::Error::last_os_error());
    }
    attributes.sched_runtime = SHORTEST_SLICE;
    // SAFETY: the kernel only reads the structure, whose size stands in it.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets this thread, and all threads and programs that it starts from now on, go before those of other programs on the host as
/// far as `nice` says (sched(7): -20 to 19). It needs the capability `CAP_SYS_NICE`, or a limit `RLIMIT_NICE`; nothing but
/// times depends on it, so where both are missing all stays as it is.
///
/// `ends_soon`: nobody on this host waits for the end of the process, but somebody on another one for the end of its connections.
pub fn run_first(nice: i32, ends_soon: bool) {
    ENDS_SOON.store(ends_soon, Ordering::Relaxed);
    let _ = setpriority_process(None, nice);
}

/// What [`run_first`] was told.
static ENDS_SOON: AtomicBool = AtomicBool::new(false);

/// Lets every other thread go before this one: what it does, nobody waits for. When a process dies, such a thread is its
/// last one, and tears its memory down, and then its connections, after the successor has had its turn: so not where that one
/// is on another host, and learns of the death by the connections.
pub(crate) fn run_late() {
    if !ENDS_SOON.load(Ordering::Relaxed) {
        let _ = setpriority_process(None, NICEST);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_takes_the_wish() {
        // In a thread of its own: the wish lasts as long as the thread.
        std::thread::spawn(super::run_soon).join().unwrap().unwrap();
    }
}
