//! When a claimed address is announced again.

use model::{Span, Time};

/// When an address is announced, counted from its claim, or from when a partition healed: often at first, as a frame
/// or the switch's notice of it may be lost, then for a minute in case that a cable or a port comes back late.
/// RFC 5227 2.3 asks for two in two seconds, RFC 4861 7.2.6 allows three in a row; both let a host repeat itself.
const TIMES: [Span; 12] = [
    Span::ZERO,
    Span::from_millis(50),
    Span::from_millis(150),
    Span::from_millis(500),
    Span::from_secs(1),
    Span::from_secs(2),
    Span::from_secs(10),
    Span::from_secs(20),
    Span::from_secs(30),
    Span::from_secs(40),
    Span::from_secs(50),
    Span::from_secs(60),
];

/// The times of the announcements of one claimed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcer {
    begun: Time,
    /// How many of [`TIMES`] are behind us.
    done: usize,
}

impl Announcer {
    /// For an address that was claimed just now, which has announced it once.
    #[must_use]
    pub const fn claimed(now: Time) -> Self {
        Self { begun: now, done: 1 }
    }

    /// A partition has healed: whoever was behind it may know another holder, so everything begins again, at once.
    pub const fn healed(&mut self, now: Time) {
        *self = Self { begun: now, done: 0 };
    }

    /// When the next announcement is due; [`Time::NEVER`] after the last one.
    #[must_use]
    pub fn deadline(&self) -> Time {
        TIMES.get(self.done).map_or(Time::NEVER, |after| self.begun + *after)
    }

    /// Whether to announce now. Of several that have been missed meanwhile one is enough.
    pub fn due(&mut self, now: Time) -> bool {
        let is_due = self.deadline() <= now;
        while self.deadline() <= now {
            self.done += 1;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In milliseconds after `begun`, when `announcer` wants to announce if it is asked at each deadline.
    fn times(mut announcer: Announcer, begun: Time) -> Vec<u64> {
        let mut times = Vec::new();
        while announcer.deadline() != Time::NEVER {
            let now = announcer.deadline();
            assert!(announcer.due(now));
            assert!(!announcer.due(now), "once is enough");
            times.push(now.since(begun).as_millis());
        }
        times
    }

    #[test]
    fn after_a_claim_often_then_every_ten_seconds_for_a_minute() {
        let begun = Time::from_micros(7);
        let expected = [50, 150, 500, 1_000, 2_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000];
        assert_eq!(times(Announcer::claimed(begun), begun), expected);
    }

    #[test]
    fn after_a_partition_at_once_and_all_of_it_again() {
        let mut announcer = Announcer::claimed(Time::ZERO);
        let healed = Time::ZERO + Span::from_secs(3_600);
        assert!(announcer.due(healed));
        assert_eq!(announcer.deadline(), Time::NEVER);
        announcer.healed(healed);
        assert_eq!(times(announcer, healed)[..3], [0, 50, 150]);
    }

    #[test]
    fn a_late_caller_announces_once_and_goes_on_from_there() {
        let mut announcer = Announcer::claimed(Time::ZERO);
        assert!(!announcer.due(Time::from_micros(49_999)));
        let late = Time::ZERO + Span::from_millis(700);
        assert!(announcer.due(late) && !announcer.due(late));
        assert_eq!(announcer.deadline(), Time::ZERO + Span::from_secs(1));
    }

    #[test]
    fn a_moment_beyond_all_others_ends_it() {
        let mut announcer = Announcer::claimed(Time::ZERO);
        assert!(announcer.due(Time::from_micros(u64::MAX - 1)));
        assert!(!announcer.due(Time::from_micros(u64::MAX - 1)));
    }
}
