//! What processes have used, as the kernel counts it.

use std::collections::BTreeSet;
use std::fs;
use std::iter::Sum;
use std::ops::{Add, Sub};

use serde::Serialize;

/// Time on a processor, in microseconds, by `/proc/PID/task/*/schedstat`: exact where `/proc/PID/stat`
/// counts ticks. Threads that have ended are not in it; servers here start theirs once.
pub(super) fn cpu_us(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| thread_nanos(*pid)).sum::<u64>() / 1_000
}

fn thread_nanos(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanos.sum()
}

/// Memory in KiB, by `/proc/PID/smaps_rollup`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Memory {
    /// Each page counted for whoever has it mapped, shared ones in parts.
    pub(super) pss_kib: u64,
    /// Each page counted whole.
    pub(super) rss_kib: u64,
}

impl Memory {
    /// What these processes have together.
    pub(super) fn of(pids: &[u32]) -> Self {
        pids.iter().map(|pid| Self::of_process(*pid)).sum()
    }

    fn of_process(pid: u32) -> Self {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Self { pss_kib: field("Pss:"), rss_kib: field("Rss:") }
    }
}

impl Add for Memory {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { pss_kib: self.pss_kib + other.pss_kib, rss_kib: self.rss_kib + other.rss_kib }
    }
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl Sub for Memory {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self {
            pss_kib: self.pss_kib.saturating_sub(other.pss_kib),
            rss_kib: self.rss_kib.saturating_sub(other.rss_kib),
        }
    }
}

/// How the machine's processors have spent their time up to now, in ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    all: u64,
    /// User and system time of everybody but those who asked to be nice, as the burners do.
    busy: u64,
    stolen: u64,
    /// Of the busy time: this program, and the children that it has waited for.
    ours: u64,
}

/// Ticks a second, as the kernel shows them to programs on every architecture in use.
const TICKS_A_SECOND: u64 = 100;

impl Ticks {
    pub(super) fn now() -> Self {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        Self::read(&read("/proc/stat"), &read("/proc/self/stat"))
    }

    /// `machine`: user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user time.
    /// `own`: utime, stime, cutime and cstime are the 12th to the 15th field behind the name.
    fn read(machine: &str, own: &str) -> Self {
        let numbers = |text: &str, skip, take| -> Vec<u64> {
            text.split_whitespace().skip(skip).take(take).filter_map(|number| number.parse().ok()).collect()
        };
        let fields = numbers(machine.lines().next().unwrap_or_default(), 1, 8);
        let field = |at: usize| fields.get(at).copied().unwrap_or(0);
        let behind_name = own.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ours = numbers(behind_name, 11, 4).iter().sum();
        Self { all: fields.iter().sum(), busy: field(0) + field(2), stolen: field(7), ours }
    }

    /// Percent of the time since `earlier` that the measurement did not have: the host took it away, or
    /// programs that have nothing to do with it did. `subject_us` is what the subject has used meanwhile.
    pub(super) fn lost_percent_since(self, earlier: Self, subject_us: u64) -> f64 {
        let since = |field: fn(&Self) -> u64| field(&self).saturating_sub(field(&earlier));
        let ours = since(|ticks| ticks.ours) + subject_us * TICKS_A_SECOND / 1_000_000;
        let strangers = since(|ticks| ticks.busy).saturating_sub(ours);
        100.0 * (since(|ticks| ticks.stolen) + strangers) as f64 / since(|ticks| ticks.all).max(1) as f64
    }
}

/// A process and everything that it has started, and those in turn.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let parents: Vec<(u32, u32)> = entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything; the state and the parent come behind it.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut family = BTreeSet::from([pid]);
    loop {
        let more: Vec<u32> = parents
            .iter()
            .filter(|(child, parent)| family.contains(parent) && !family.contains(child))
            .map(|(child, _)| *child)
            .collect();
        if more.is_empty() {
            return family.into_iter().collect();
        }
        family.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_and_strangers_took_is_a_part_of_all_time() {
        let before = Ticks::read("cpu  100 0 50 800 0 0 0 50 0 0\ncpu0 1", "7 (a) b) S 1 1 1 1 1 1 1 1 1 1 5 5 5 5 9");
        let after = Ticks::read("cpu  150 0 70 810 0 0 0 70 9 9\ncpu0 1", "7 (a) b) S 1 1 1 1 1 1 1 1 1 1 10 5 25 5 9");
        // 100 ticks: 20 stolen, 70 busy, of which 25 this program and 20 (200 ms) the subject.
        assert!((after.lost_percent_since(before, 200_000) - 45.0).abs() < 1e-9);
    }

    #[test]
    fn this_process_uses_time_and_memory_and_is_its_own_family() {
        let own = std::process::id();
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum.wrapping_add(number));
        }
        assert!(cpu_us(&[own]) > 0);
        assert!(Memory::of(&[own]).rss_kib > 0);
        assert!(family(own).contains(&own));
    }
}
