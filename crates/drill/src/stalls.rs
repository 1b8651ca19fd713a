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
const PRIORITY: u8 = 90;

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
                let is_first = goes_first(processor, PRIORITY);
                let _ = told.send(is_first);
                drop(told);
                if is_first {
                    shared.look(|| thread::sleep(EVERY));
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

    /// Those that ended before that moment are of no use any more: a long drill has many, and each run looks through all.
    pub(crate) fn forget(&self, moment: Instant) {
        self.shared.seen().retain(|(_, to)| *to > moment);
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

    /// Looks until it is over whether `nap`, which takes [`EVERY`], has taken longer.
    fn look(&self, mut nap: impl FnMut()) {
        while !self.is_over.load(Ordering::Relaxed) {
            let due = Instant::now() + EVERY;
            nap();
            let now = Instant::now();
            if now > due + LATE {
                self.seen().push((due, now));
            }
        }
    }
}

/// Lets this thread run on that processor only, before all others of a lower priority.
fn goes_first(processor: usize, priority: u8) -> bool {
    let mut only = CpuSet::new();
    only.set(processor);
    let (priority, me) = (priority.to_string(), gettid().to_string());
    let mut ask = Command::new("chrt");
    ask.args(["--fifo", "--pid", &priority, &me]).stdout(Stdio::null()).stderr(Stdio::null());
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
    fn a_late_awakening_is_a_stall_and_is_forgotten_when_nobody_needs_it() {
        let (shared, begun) = (Arc::<Shared>::default(), Instant::now());
        let mut naps = [1, 30, 1, 20].into_iter().map(Duration::from_millis);
        shared.look(|| match naps.next() {
            Some(nap) => thread::sleep(nap),
            None => shared.is_over.store(true, Ordering::Relaxed),
        });
        let stalls = Stalls { shared };
        let seen = stalls.since(begun);
        // The machine may have stood still besides.
        let long = |least: Duration| seen.iter().filter(|(from, to)| to.duration_since(*from) >= least).count();
        assert!(long(Duration::from_millis(29)) >= 1 && long(Duration::from_millis(19)) >= 2, "{seen:?}");
        assert!(seen.iter().all(|(from, to)| from > &begun && *to > *from + LATE), "{seen:?}");
        let (first, last) = (seen[0], seen[seen.len() - 1]);
        assert_eq!(stalls.since(first.1), seen[1..], "one that is over then is not asked for");
        stalls.forget(first.1);
        assert_eq!(stalls.since(begun), seen[1..]);
        stalls.forget(last.1);
        assert!(stalls.since(begun).is_empty());
    }

    /// Keeps the processor from whoever looks there, and gives the time in which it did; none without the right.
    fn hold(processor: usize) -> Option<Stall> {
        let held = thread::spawn(move || {
            let begun = goes_first(processor, PRIORITY + 5).then(Instant::now)?;
            while begun.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            Some((begun, Instant::now()))
        });
        held.join().expect("it ends")
    }

    #[test]
    fn whoever_may_look_sees_that_a_processor_was_not_there() {
        let begun = Instant::now();
        let (Some(stalls), Ok(allowed)) = (Stalls::watch(), sched_getaffinity(None)) else { return };
        let processor = (0..CpuSet::MAX_CPU).find(|processor| allowed.is_set(*processor)).expect("one at least");
        // It may be held just when it was looked at, and before it was said when it is looked at next.
        let is_seen = (0..20).any(|_| {
            let Some((from, to)) = hold(processor) else { return true };
            // Who looks wakes as soon as the processor is free.
            thread::sleep(Duration::from_millis(20));
            stalls.since(from).iter().any(|(due, now)| *due <= from + 2 * EVERY && *now >= to)
        });
        let seen = stalls.since(begun);
        assert!(is_seen, "{seen:?}");
        assert!(seen.iter().all(|(from, to)| from >= &begun && *to > *from + LATE), "{seen:?}");
    }
}
