//! Whether a thread that should come round its loop all the time has stopped doing so.
//!
//! What counts is not the time that has passed, but the time in which the thread could have come round and did not: a
//! thread that waits for a processor, or whose processor was taken away, is healthy, and so is every thread while the
//! observer itself was late.

use model::{Span, Time};

/// How often to look.
pub const OBSERVE_EVERY: Span = Span::from_millis(25);
/// Missed time after which a thread has hung: three beats of 50 ms.
pub const PATIENCE: Span = Span::from_millis(150);
/// The same where killing it costs calls: it belongs to a pair, and nobody could take over.
pub const LONG_PATIENCE: Span = Span::from_secs(5);

/// What a thread that does not come round is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It sleeps: waits for a lock, an answer.
    Sleeping,
    /// It waits for a disk, and no signal wakes it (`D` in `proc(5)`).
    Uninterruptible,
    /// It was stopped (SIGSTOP, a debugger).
    Stopped,
    /// It could run, and has used this much processor time since it began.
    Running {
        /// Processor time of the thread so far.
        used: Span,
    },
}

/// What has been observed of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hang {
    last: Option<(Time, u64)>,
    used: Option<Span>,
    missed: Span,
}

impl Hang {
    /// The time that it has missed since it came round last.
    #[must_use]
    pub fn missed(&self) -> Span {
        self.missed
    }

    /// The thread had come round `beats` times at `now`; `look` finds out what it is doing if that has not grown.
    /// Gives the time that it has missed since it came round last. Time in which no signal wakes it counts only if
    /// somebody `could_take_over`: otherwise to kill it does not help before it could come round by itself.
    pub fn observe(&mut self, now: Time, beats: u64, could_take_over: bool, look: impl FnOnce() -> Doing) -> Span {
        let last = self.last.replace((now, beats));
        let Some((before, _)) = last.filter(|(_, known)| *known == beats) else {
            (self.used, self.missed) = (None, Span::ZERO);
            return Span::ZERO;
        };
        // An observer that is late was itself without a processor, and perhaps the thread was too.
        let passed = now.since(before).min(OBSERVE_EVERY);
        let missed = match look() {
            Doing::Uninterruptible if !could_take_over => Span::ZERO,
            Doing::Sleeping | Doing::Stopped | Doing::Uninterruptible => passed,
            Doing::Running { used } => {
                let before = self.used.replace(used).unwrap_or(used);
                Span::from_micros(used.as_micros().saturating_sub(before.as_micros())).min(passed)
            }
        };
        self.missed = self.missed + missed;
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Missed milliseconds after a look every `every` ms at a thread that beat once and then did `doing(n)`.
    fn missed(every: u64, looks: u64, doing: impl Fn(u64) -> Doing) -> Vec<u64> {
        let mut hang = Hang::default();
        let at = |look| Time::from_micros(look * every * 1_000);
        hang.observe(at(0), 1, true, || Doing::Sleeping);
        (1..=looks).map(|look| hang.observe(at(look), 1, true, || doing(look)).as_millis()).collect()
    }

    const fn used(millis: u64) -> Doing {
        Doing::Running { used: Span::from_millis(millis) }
    }

    #[test]
    fn what_counts_is_the_time_in_which_it_could_have_come_round() {
        type Case = (&'static str, fn(u64) -> Doing, u64, [u64; 6]);
        let cases: [Case; 7] = [
            ("stopped", |_| Doing::Stopped, 25, [25, 50, 75, 100, 125, 150]),
            ("waits for a lock", |_| Doing::Sleeping, 25, [25, 50, 75, 100, 125, 150]),
            ("turns without end", |look| used(1_000 + look * 25), 25, [0, 25, 50, 75, 100, 125]),
            ("gets half a processor", |look| used(1_000 + look * 12), 25, [0, 12, 24, 36, 48, 60]),
            ("gets no processor", |_| used(1_000), 25, [0; 6]),
            ("the observer is late", |_| Doing::Sleeping, 1_000, [25, 50, 75, 100, 125, 150]),
            ("the observer is late and it turns", |look| used(look * 1_000), 1_000, [0, 25, 50, 75, 100, 125]),
        ];
        for (name, doing, every, expected) in cases {
            assert_eq!(missed(every, 6, doing), expected, "{name}");
        }
    }

    #[test]
    fn coming_round_once_forgives_everything() {
        let mut hang = Hang::default();
        let mut look =
            |millis: u64, beats| hang.observe(Time::from_micros(millis * 1_000), beats, true, || Doing::Stopped);
        let missed =
            [(0, 1), (25, 1), (50, 1), (75, 2), (100, 2)].map(|(millis, beats)| look(millis, beats).as_millis());
        assert_eq!(missed, [0, 25, 50, 0, 25]);
    }
}
