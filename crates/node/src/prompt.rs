//! Asks the kernel to let a thread run soon after it is woken, rather than long; or to let others go first.

use std::io;

use rustix::process::setpriority_process;

use crate::remains;

/// The kernel's shortest slice, in nanoseconds.
const SHORTEST_SLICE: u64 = 100_000;

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

/// Lets this process, and all programs that it starts from now on, go before others on the host as far as `nice` says (sched(7): -20 to
/// 19), and its successor be there at once when it dies (`remains`). To be called before there are other threads. The first needs the
/// capability `CAP_SYS_NICE`, or a limit `RLIMIT_NICE`; nothing but times depends on either, so where it cannot be all stays as it is.
pub fn run_first(nice: i32) {
    let _ = setpriority_process(None, nice);
    let _ = remains::leave();
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_takes_the_wish() {
        // In a thread of its own: the wish lasts as long as the thread.
        std::thread::spawn(super::run_soon).join().unwrap().unwrap();
    }
}
