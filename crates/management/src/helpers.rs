//! Whether one of the threads beside the serving thread of a process has stopped: the one that writes the journal, the one that
//! answers people.
//!
//! No call waits for such a thread, so there is more time than for the serving thread, and none is worth a call: where nobody
//! could take over it is told and not ended. As in [`hang`](crate::hang), time without a processor does not count. Neither does a
//! wait for a disk, and what a thread says itself that it waits for; of such a thread counts only that it was stopped, or that it uses up
//! a processor.

use std::collections::BTreeMap;

use model::{Span, Time};

use crate::hang::{Doing, LONG_PATIENCE, OBSERVE_EVERY};

/// A helper thread comes round at least this often, or says what it waits for.
pub const TURN: Span = Span::from_millis(100);
/// Nothing is wrong with one that came round, or began to wait, less than this ago; nobody looks what it is doing.
pub const GRACE: Span = Span::from_millis(200);
/// Missed time after that, with which it has stopped: three turns, as it is three beats for a serving thread.
pub const PATIENCE: Span = Span::from_millis(300);
/// A disk for which a thread has waited this long is told.
pub const LONG_WAIT: Span = Span::from_secs(2);

/// What a helper thread waits for, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Nothing: it comes round.
    #[default]
    None,
    /// A disk.
    Disk,
    /// Something else that may take for ever: a program, the end of another process.
    Outside,
}

/// What a helper thread shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is for, in a word: `recorder`.
    pub name: String,
    /// Its number in the process.
    pub thread: u32,
    /// How often it has come round, or has begun or ended to wait.
    pub beats: u64,
    /// What it waits for.
    pub waits: Wait,
}

/// What the end of the process would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// Nothing: another one takes over, or it holds no call.
    Nothing,
    /// Nothing while its primary lives, for all that is known.
    Little,
    /// Calls.
    Calls,
}

/// What is wrong with a helper thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// It has stopped, so long after its last good sign.
    Stopped(Span),
    /// It has waited for its disk this long.
    Disk(Span),
}

/// All helper threads of a process.
#[derive(Clone, Debug, Default)]
pub struct Helpers(BTreeMap<u32, Helper>);

/// What has been observed of one.
#[derive(Clone, Debug)]
struct Helper {
    seen: Seen,
    /// Since when it shows this.
    since: Time,
    /// Its last good sign: it came round or, while it waits, it was seen to be well.
    good: Time,
    looked: Time,
    used: Option<Span>,
    missed: Span,
}

impl Helpers {
    /// They show this at `now`; `look` finds out what a thread is doing that shows nothing new. Gives the name
    /// of one for which the process is to be ended, and how long its last good sign was ago.
    pub fn observe(
        &mut self,
        now: Time,
        shown: Vec<Seen>,
        price: Price,
        mut look: impl FnMut(&Seen) -> Doing,
    ) -> Option<(String, Span)> {
        self.0.retain(|thread, _| shown.iter().any(|seen| seen.thread == *thread));
        let mut ended = None;
        for seen in shown {
            let helper = self.0.entry(seen.thread).or_insert_with(|| Helper::new(now, seen.clone()));
            helper.observe(now, seen, &mut look);
            let patience = match price {
                Price::Nothing => Some(helper.patience()),
                Price::Little => Some(LONG_PATIENCE),
                Price::Calls => None,
            };
            if patience.is_some_and(|patience| helper.missed >= patience) {
                ended.get_or_insert_with(|| (helper.seen.name.clone(), helper.silence(now)));
            }
        }
        ended
    }

    /// What is wrong now.
    pub fn complaints(&self, now: Time) -> impl Iterator<Item = (&str, Complaint)> {
        self.0.values().filter_map(move |helper| Some((&*helper.seen.name, helper.complaint(now)?)))
    }
}

impl Helper {
    fn new(now: Time, seen: Seen) -> Self {
        Self { seen, since: now, good: now, looked: now, used: None, missed: Span::ZERO }
    }

    /// How long its last good sign was ago: what counts against it is less, as nobody looks during [`GRACE`].
    fn silence(&self, now: Time) -> Span {
        now.since(self.good)
    }

    fn patience(&self) -> Span {
        if self.seen.waits == Wait::None { PATIENCE } else { LONG_PATIENCE }
    }

    fn observe(&mut self, now: Time, seen: Seen, look: impl FnOnce(&Seen) -> Doing) {
        if self.seen != seen {
            *self = Self::new(now, seen);
            return;
        }
        let waits = self.seen.waits != Wait::None;
        // Few looks at what may wait for ever.
        let every = if waits { GRACE } else { OBSERVE_EVERY };
        if now.since(self.since) < GRACE || now.since(self.looked) < every {
            return;
        }
        // An observer that is late was itself without a processor, and perhaps the thread was too.
        let passed = now.since(self.looked).min(every);
        self.looked = now;
        match look(&self.seen) {
            Doing::Stopped => self.missed = self.missed + passed,
            Doing::Sleeping if !waits => self.missed = self.missed + passed,
            Doing::Running { used } => {
                let before = self.used.replace(used).unwrap_or(used);
                let ran = Span::from_micros(used.as_micros().saturating_sub(before.as_micros()));
                self.missed = self.missed + ran.min(passed);
            }
            Doing::Sleeping => self.missed = Span::ZERO,
            Doing::Uninterruptible => {}
        }
        if waits && self.missed == Span::ZERO {
            self.good = now;
        }
    }

    fn complaint(&self, now: Time) -> Option<Complaint> {
        let waited = now.since(self.since);
        if self.missed >= self.patience() {
            Some(Complaint::Stopped(self.silence(now)))
        } else if self.seen.waits == Wait::Disk && waited >= LONG_WAIT {
            Some(Complaint::Disk(waited))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    fn seen(waits: Wait) -> Seen {
        Seen { name: "recorder".into(), thread: 7, beats: 1, waits }
    }

    /// Looks every 25 ms at one that shows nothing new; gives the milliseconds after which the process is ended.
    fn ended(waits: Wait, price: Price, doing: impl Fn(u64) -> Doing) -> Option<u64> {
        let mut helpers = Helpers::default();
        let mut looks = (0..10_000).step_by(25);
        looks.find(|millis| helpers.observe(at(*millis), vec![seen(waits)], price, |_| doing(*millis)).is_some())
    }

    const fn used(millis: u64) -> Doing {
        Doing::Running { used: Span::from_millis(millis) }
    }

    #[test]
    fn who_hangs_is_told_apart_from_who_waits_or_gets_no_processor() {
        type Case = (&'static str, Wait, fn(u64) -> Doing, Option<u64>);
        let cases: [Case; 10] = [
            ("stopped", Wait::None, |_| Doing::Stopped, Some(475)),
            ("waits for a lock", Wait::None, |_| Doing::Sleeping, Some(475)),
            ("turns without end", Wait::None, used, Some(500)),
            ("gets no processor", Wait::None, |_| used(1_000), None),
            ("waits for a disk without saying so", Wait::None, |_| Doing::Uninterruptible, None),
            ("waits for a disk", Wait::Disk, |_| Doing::Uninterruptible, None),
            ("waits for a disk far away", Wait::Disk, |_| Doing::Sleeping, None),
            ("stopped while it waits", Wait::Disk, |_| Doing::Stopped, Some(5_000)),
            ("turns without end instead of waiting", Wait::Outside, used, Some(5_200)),
            (
                "traced while it waits",
                Wait::Disk,
                |at| [Doing::Stopped, Doing::Sleeping][at as usize / 1_000 % 2],
                None,
            ),
        ];
        for (name, waits, doing, expected) in cases {
            assert_eq!(ended(waits, Price::Nothing, doing), expected, "{name}");
        }
    }

    #[test]
    fn the_time_that_is_told_is_that_since_the_last_good_sign() {
        let told = |waits: Wait, doing: fn(u64) -> Doing| {
            let mut helpers = Helpers::default();
            let mut looks = (0..60_000).step_by(25);
            looks.find_map(|now| helpers.observe(at(now), vec![seen(waits)], Price::Nothing, |_| doing(now)))
        };
        let after = |millis| Some(("recorder".to_owned(), Span::from_millis(millis)));
        assert_eq!(told(Wait::None, |_| Doing::Stopped), after(475), "since it came round");
        let waits_first = |now: u64| if now <= 10_000 { Doing::Sleeping } else { Doing::Stopped };
        assert_eq!(told(Wait::Outside, waits_first), after(5_000), "since it was seen to wait");
    }

    #[test]
    fn none_is_worth_a_call() {
        let prices = [Price::Nothing, Price::Little, Price::Calls];
        let after = prices.map(|price| ended(Wait::None, price, |_| Doing::Stopped));
        assert_eq!(after, [Some(475), Some(5_175), None]);
    }

    #[test]
    fn what_is_wrong_is_told_until_it_is_over() {
        let mut helpers = Helpers::default();
        let told = |helpers: &Helpers, now| helpers.complaints(now).map(|(_, what)| what).collect::<Vec<_>>();
        let look = |helpers: &mut Helpers, range: std::ops::RangeInclusive<u64>, seen: &Seen| {
            for millis in range.step_by(25) {
                helpers.observe(at(millis), vec![seen.clone()], Price::Calls, |_| Doing::Stopped);
            }
        };
        look(&mut helpers, 0..=475, &seen(Wait::None));
        assert_eq!(told(&helpers, at(475)), [Complaint::Stopped(Span::from_millis(475))]);
        look(&mut helpers, 500..=500, &Seen { beats: 2, ..seen(Wait::Disk) });
        assert_eq!([told(&helpers, at(500)), told(&helpers, at(2_499))], [[], []]);
        assert_eq!(told(&helpers, at(2_500)), [Complaint::Disk(Span::from_secs(2))]);
        helpers.observe(at(2_525), vec![], Price::Calls, |_| Doing::Stopped);
        assert_eq!(told(&helpers, at(9_000)), [], "it has ended in order");
    }

    #[test]
    fn an_observer_that_is_late_takes_nobody_for_hung() {
        let mut helpers = Helpers::default();
        for look in 0..=12 {
            let ended = helpers.observe(at(look * 1_000), vec![seen(Wait::None)], Price::Nothing, |_| Doing::Sleeping);
            assert_eq!(ended.is_some(), look == 12, "{look}");
        }
    }
}
