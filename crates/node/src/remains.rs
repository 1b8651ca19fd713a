//! What remains of a process when it dies: its memory, which somebody else gives back.
//!
//! The kernel ends a process in this order: it gives back the memory, then it closes the descriptors (`do_exit`: `exit_mm`, `exit_files`).
//! Much memory takes 10 ms and more, at the priority of the process, on a processor that the successor wants; and as long a peer on
//! another host does not learn of the death, as the connection still stands. But memory is given back by the last process that has it.
//! So each server has a companion with the same memory and no descriptors (clone(2), `CLONE_VM`), which waits for its end, lets all
//! others go first, and ends a little later.

use std::ffi::c_void;
use std::io;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open, setpriority_process};
use rustix::thread::{NanosleepRelativeResult, nanosleep};

/// The companion's stack, in octets.
const STACK: usize = 64 << 10;
/// The lowest priority that still gets its share (sched(7)).
const NICEST: i32 = 19;
/// How long the successor has the processors for itself.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Gives this process a companion. To be called before there are other threads: the companion of a process lasts as long as its memory.
///
/// # Errors
/// If the kernel refuses; the end of this process takes longer then, and nothing else.
pub(crate) fn leave() -> io::Result<()> {
    // Never given back: it is in use as long as there is this memory.
    let stack = Vec::leak(vec![0_u8; STACK]);
    let of = getpid();
    // SAFETY: the new process runs on a stack of its own, below whose aligned end nothing else is. It makes system calls only, and never
    // touches what is of this thread: `rustix` keeps no `errno`, and the one call by `libc` sets it only before the new process gives up.
    let started = unsafe {
        let end = stack.as_mut_ptr().add(STACK - stack.as_ptr().add(STACK).addr() % 16);
        libc::clone(companion, end.cast::<c_void>(), libc::CLONE_VM, of.as_raw_nonzero().get() as usize as *mut c_void)
    };
    if started < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// All that the companion does. Nothing in it may allocate, panic or take a lock.
extern "C" fn companion(of: *mut c_void) -> libc::c_int {
    let Some(of) = i32::try_from(of.addr()).ok().and_then(Pid::from_raw) else { return 1 };
    // SAFETY: nobody uses a descriptor of this process; those of the other process are its own.
    if unsafe { libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0_u32) } != 0 {
        // With a descriptor of the other process it would do the contrary of what it is for.
        return 1;
    }
    // A process that is watched or frozen is one of the two, and `ps` tells them apart.
    let _ = rustix::thread::set_name(c"remains");
    let _ = rustix::process::chdir(c"/");
    let _ = setpriority_process(None, NICEST);
    let Ok(end) = pidfd_open(of, PidfdFlags::empty()) else { return 1 };
    while poll(&mut [PollFd::new(&end, PollFlags::IN)], None) == Err(Errno::INTR) {}
    let mut left = PAUSE;
    while let NanosleepRelativeResult::Interrupted(rest) = nanosleep(&left) {
        left = rest;
    }
    // Its drop would be a call by `libc`; it closes with this process.
    std::mem::forget(end);
    0
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;
    use std::thread;

    /// The companion, when it has closed everything but what it waits for.
    fn companion() -> String {
        loop {
            let children = fs::read_to_string("/proc/thread-self/children").unwrap();
            let waits = |child: &&str| fs::read_dir(format!("/proc/{child}/fd")).is_ok_and(|open| open.count() == 1);
            match children.split_whitespace().find(waits) {
                Some(child) => return child.to_owned(),
                None => thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_companion_has_the_memory_of_its_process_and_no_descriptor() {
        super::leave().unwrap();
        let companion = companion();
        let written = Box::new(0x0123_4567_89ab_cdef_u64);
        let mut seen = [0; 8];
        let memory = fs::File::open(format!("/proc/{companion}/mem")).unwrap();
        memory.read_exact_at(&mut seen, (&raw const *written).addr() as u64).unwrap();
        assert_eq!(u64::from_ne_bytes(seen), *written);
        assert_eq!(fs::read_to_string(format!("/proc/{companion}/comm")).unwrap(), "remains\n");
    }
}
