//! The clock of a host: no two agree, they drift, and virtual machines make them jump.

use model::Time;

/// Turns virtual time into what a host's monotonic clock and its clock on the wall show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// What the monotonic clock showed at virtual time zero, in microseconds.
    pub offset: u64,
    /// Parts per million by which it runs fast (or slow, if negative).
    pub drift: i32,
    /// Microseconds by which the wall clock is ahead of the monotonic one; may jump both ways.
    pub wall: u64,
}

const MILLION: i128 = 1_000_000;

impl Clock {
    /// The monotonic clock at virtual time `now`.
    #[must_use]
    pub fn local(self, now: Time) -> Time {
        let elapsed = i128::from(now.as_micros());
        let shown = i128::from(self.offset) + elapsed + elapsed * i128::from(self.drift) / MILLION;
        Time::from_micros(u64::try_from(shown.max(0)).unwrap_or(u64::MAX - 1))
    }

    /// The first virtual time at which the monotonic clock shows `local` or more.
    #[must_use]
    pub fn when(self, local: Time) -> Time {
        if local == Time::NEVER {
            return Time::NEVER;
        }
        let ahead = i128::from(local.as_micros()) - i128::from(self.offset);
        let guess = ahead * MILLION / (MILLION + i128::from(self.drift));
        let mut when = Time::from_micros(u64::try_from(guess.max(0)).unwrap_or(u64::MAX - 1));
        while self.local(when) < local {
            when = Time::from_micros(when.as_micros() + 1);
        }
        when
    }

    /// The clock on the wall at virtual time `now`.
    #[must_use]
    pub fn wall(self, now: Time) -> Time {
        Time::from_micros(self.local(now).as_micros().saturating_add(self.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_reached_when_the_clock_says_so_and_not_before() {
        for drift in [-100_000, -37, 0, 1, 250, 100_000] {
            let clock = Clock { offset: 12_345, drift, wall: 0 };
            for local in [0, 12_345, 12_346, 50_000, 1_000_003, 77_777_777] {
                let local = Time::from_micros(local);
                let when = clock.when(local);
                assert!(clock.local(when) >= local);
                assert!(when == Time::ZERO || clock.local(Time::from_micros(when.as_micros() - 1)) <= local);
            }
        }
    }
}
