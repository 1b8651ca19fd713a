//! When the machine itself stood still: the host of a virtual machine gives its processor to somebody else, or the firmware takes it.
//!
//! Whatever runs on that processor then is late, and no program can help it. So that a drill does not take the machine for the
//! solution, a thread on each processor, before which nothing else on the machine runs (`SCHED_FIFO`, sched(7)), wakes every
//! millisecond: when it is late, the processor was not there. What keeps a server waiting because *others* run is no stall.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::gettid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::history::Nanos;

/// How often a thread looks.
const EVERY: Duration = Duration::from_millis(1);
/// Later than this is a stall.
const LATE: Duration = Duration::from_millis(1);
/// Before everything but the kernel's own threads.
const PRIORITY: &str = "90";

/// A time that was stood still in.
type Stall = (Instant, Instant);

/// The threads that look; they end with this.
#[derive(Debug)]
pub(crate) struct Stalls {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    seen: Mutex<Vec<Stall>>,
}

impl Stalls {
    /// Looks from now on, at each processor that this process may use; `None` without the right to run before everybody else
    /// (`CAP_SYS_NICE`), or `chrt` to ask for it.
    pub(crate) fn watch() -> Option<Self> {
        let allowed = sched_getaffinity(None).ok()?;
        let shared = Arc::<Shared>::default();
        let stalls = Self { shared: Arc::clone(&shared) };
        let (told, granted) = std::sync::mpsc::channel();
        for processor in (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)) {
            let (shared, told) = (Arc::clone(&shared), told.clone());
            let look = move || {
                let is_first = goes_first(processor);
                let _ = told.send(is_first);
                drop(told);
                if is_first {
                    shared.look();
                }
            };
            thread::Builder::new().name("stalls".into()).spawn(look).ok()?;
        }
        drop(told);
        granted.iter().all(|granted| granted).then_some(stalls)
    }

    /// Those that ended after that moment.
    pub(crate) fn since(&self, moment: Instant) -> Vec<Stall> {
        self.shared.seen().iter().filter(|(_, to)| *to > moment).copied().collect()
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Stall>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            let due = Instant::now() + EVERY;
            thread::sleep(EVERY);
            let now = Instant::now();
            if now > due + LATE {
                self.seen().push((due, now));
            }
        }
    }
}

/// Lets this thread run on that processor, before all others.
fn goes_first(processor: usize) -> bool {
    let mut only = CpuSet::new();
    only.set(processor);
    let mut ask = Command::new("chrt");
    ask.args(["--fifo", "--pid", PRIORITY, &gettid().to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    sched_setaffinity(None, &only).is_ok() && ask.status().is_ok_and(|status| status.success())
}

/// How much of a time was stood still in, on whichever processor.
pub(crate) fn stood_still((from, to): (Nanos, Nanos), stalls: &[(Nanos, Nanos)]) -> Nanos {
    let mut parts: Vec<_> = stalls.iter().map(|stall| (stall.0.max(from), stall.1.min(to))).collect();
    parts.sort_unstable();
    let mut counted = from;
    let mut sum = 0;
    for (begin, end) in parts {
        sum += end.saturating_sub(begin.max(counted));
        counted = counted.max(end);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_processors_stood_still_in_counts_once() {
        let stalls = [(20, 30), (5, 12), (25, 40), (90, 99)];
        assert_eq!(stood_still((10, 100), &stalls), 2 + 20 + 9);
        assert_eq!(stood_still((26, 28), &stalls), 2);
        assert_eq!(stood_still((50, 60), &stalls), 0);
    }

    #[test]
    fn whoever_may_look_sees_no_more_than_there_was() {
        let begun = Instant::now();
        let Some(stalls) = Stalls::watch() else { return };
        thread::sleep(Duration::from_millis(20));
        let seen = stalls.since(begun);
        assert!(
            seen.iter().all(|(from, to)| from >= &begun && *to <= Instant::now() && *to > *from + LATE),
            "{seen:?}"
        );
    }
}
