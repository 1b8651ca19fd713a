//! Whether something is as it should be, told without coming and going.

use model::{Span, Time};

use crate::detections::Sign;

/// What was not as it should be counts as over only after it has been well for so long: a network that comes and goes is one
/// event, and not one for each time.
pub const SETTLE: Span = Span::from_secs(2);

/// One thing that is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steady {
    noticed: Option<Time>,
    well_since: Option<Time>,
}

impl Steady {
    /// How it is at `now`: well, or not, with the last time that it was known to be. Gives what is to be told.
    pub fn see(&mut self, now: Time, last_good: Option<Time>) -> Option<Sign> {
        let Some(last_good) = last_good else { return self.is_well(now) };
        self.well_since = None;
        if self.noticed.is_some() {
            return None;
        }
        self.noticed = Some(now);
        Some(Sign::Noticed(now.since(last_good)))
    }

    /// It is looked at no more, from now on; gives what is to be told.
    pub fn end(&mut self, now: Time) -> Option<Sign> {
        let Self { noticed, well_since } = std::mem::take(self);
        noticed.map(|noticed| Sign::Over(well_since.unwrap_or(now).since(noticed)))
    }

    fn is_well(&mut self, now: Time) -> Option<Sign> {
        let noticed = self.noticed?;
        let since = *self.well_since.get_or_insert(now);
        if now.since(since) < SETTLE {
            return None;
        }
        *self = Self::default();
        Some(Sign::Over(since.since(noticed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn it_is_told_once_with_the_time_since_the_last_good_sign_and_once_when_it_is_over() {
        let mut steady = Steady::default();
        assert_eq!(steady.see(at(0), None), None);
        assert_eq!(steady.see(at(250), Some(at(100))), Some(Sign::Noticed(Span::from_millis(150))));
        assert_eq!(steady.see(at(300), Some(at(100))), None);
        assert_eq!([steady.see(at(1_250), None), steady.see(at(3_249), None)], [None, None]);
        assert_eq!(steady.see(at(3_250), None), Some(Sign::Over(Span::from_secs(1))));
        assert_eq!(steady.see(at(3_300), None), None);
    }

    #[test]
    fn what_comes_and_goes_is_told_once() {
        let mut steady = Steady::default();
        let told = (0..100).filter_map(|second| steady.see(at(second * 1_000), (second % 2 == 0).then_some(at(0))));
        assert_eq!(told.count(), 1);
        assert_eq!(steady.see(at(102_000), None), Some(Sign::Over(Span::from_secs(99))));
    }
}
