//! Failure and repair rates from events counted in a time.

use super::special::{Tail, chi_square_quantile};
use super::{Confidence, Interval, RateBelief};
use crate::Error;

/// The most events: beyond it quantiles take long, and nobody counts so far.
const MOST_EVENTS: u64 = 1_000_000_000;

/// What ended the observation; it decides which interval is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A time that was fixed before: the count is by chance (also called type I censoring).
    Time,
    /// The last of the counted events: the time is by chance (type II). Complete repairs are of this kind.
    Event,
}

/// Events of a constant rate, counted over the time in which they could happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// The time in which an event could have happened, added up over all units, in any unit of time.
    pub time: f64,
    /// The events.
    pub events: u64,
    /// What ended the observation.
    pub ending: Ending,
}

impl Exposure {
    /// Events counted until a time fixed before.
    ///
    /// # Errors
    /// Unless the time is positive and finite, and there were at most 1e9 events.
    pub fn until_time(time: f64, events: u64) -> Result<Self, Error> {
        Self::new(time, events, Ending::Time)
    }

    /// Times that ended with the event that they waited for: `events` of them, `time` in all.
    ///
    /// # Errors
    /// Unless the time is positive and finite, and there was one event, and at most 1e9.
    pub fn until_event(time: f64, events: u64) -> Result<Self, Error> {
        Self::new(time, events, Ending::Event)
    }

    /// Events counted until one or the other.
    ///
    /// # Errors
    /// As [`Self::until_time`] and [`Self::until_event`].
    pub fn new(time: f64, events: u64, ending: Ending) -> Result<Self, Error> {
        if !(time > 0.0 && time.is_finite()) {
            return Err(Error::new(
                format!("an observed time of {time}"),
                "a rate needs the time in which events could happen: positive and finite",
            ));
        }
        if events > MOST_EVENTS {
            return Err(Error::new(format!("{events} events"), format!("count at most {MOST_EVENTS}")));
        }
        if ending == Ending::Event && events == 0 {
            return Err(Error::new(
                "an observation without an event that ended with one",
                "say that it ended at a time",
            ));
        }
        Ok(Self { time, events, ending })
    }

    /// The rate, per unit of the time given, with its interval.
    ///
    /// With T the time and r the events, twice the rate times T follows a chi-square law with 2r degrees of freedom if the
    /// last event ended the observation: both ends are exact, `chi2(2r)/2T`. If a fixed time did, the upper end takes 2r + 2
    /// degrees (Garwood 1936; NIST/SEMATECH e-Handbook 8.4.5.1): the count is discrete, and the interval holds the true rate
    /// at least as often as it says. Without an event the point is 0 and the upper end `-ln(doubt)/T`.
    #[must_use]
    pub fn rate(&self, confidence: Confidence) -> Interval {
        let quantile = |degrees: u64, tail| chi_square_quantile(degrees as f64, tail) / (2.0 * self.time);
        let spare = if self.ending == Ending::Time { 2 } else { 0 };
        let (low, high) = (2 * self.events, 2 * self.events + spare);
        Interval {
            point: self.events as f64 / self.time,
            lower: match confidence.below() {
                Some(doubt) if low > 0 => quantile(low, Tail::Lower(doubt)),
                _ => 0.0,
            },
            upper: match confidence.above() {
                Some(doubt) if high == 2 => -doubt.ln() / self.time,
                Some(doubt) => quantile(high, Tail::Upper(doubt)),
                None => f64::INFINITY,
            },
        }
    }

    /// The mean time between events (MTBF, or MTTR for repairs), in the unit of the time given: the reciprocal of the rate.
    /// The sides of the confidence are those of the mean time. Without an event the point and the upper end are infinite.
    #[must_use]
    pub fn mean_time(&self, confidence: Confidence) -> Interval {
        self.rate(confidence.mirrored()).reciprocal()
    }

    /// What is known of the rate after it and nothing before: the posterior of Jeffreys' prior, which a model takes.
    ///
    /// That prior is the root of Fisher's information (Jeffreys 1961), which depends on what ended the observation: half an
    /// event before a fixed time, and none before the last event. Then the quantiles are the ends of [`Self::rate`].
    #[must_use]
    pub fn belief(&self) -> RateBelief {
        let before = if self.ending == Ending::Time { RateBelief::JEFFREYS.events } else { 0.0 };
        RateBelief { events: before + self.events as f64, time: self.time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Sides;

    #[test]
    fn complete_times_have_2r_degrees_on_both_ends() {
        // chi-square quantiles 9.5907773922648673 (0.025) and 34.169606902838341 (0.975) of 20 degrees:
        // the first from the reference file interval-estimates, the second from mpmath at 40 digits.
        let repairs = Exposure::until_event(50.0, 10).expect("valid");
        let rate = repairs.rate(Confidence::two_sided(0.95).expect("valid"));
        assert_eq!(rate.point, 0.2);
        assert!((rate.lower - 0.095_907_773_922_648_67).abs() < 1e-15);
        assert!((rate.upper - 0.341_696_069_028_383_4).abs() < 1e-15);
    }

    #[test]
    fn a_belief_lies_between_the_ends_of_the_interval() {
        let confidence = Confidence::two_sided(0.95).expect("valid");
        let until = |ending| {
            let exposure = Exposure::new(50.0, 10, ending).expect("valid");
            (exposure.rate(confidence), exposure.belief().rate(confidence).expect("known"))
        };
        let (exact, belief) = until(Ending::Event);
        assert_eq!(belief.point, 0.2);
        assert!((belief.lower / exact.lower - 1.0).abs() < 1e-12 && (belief.upper / exact.upper - 1.0).abs() < 1e-12);
        let (exact, belief) = until(Ending::Time);
        assert_eq!(belief.point, 0.21);
        assert!(exact.lower < belief.lower && belief.upper < exact.upper, "{exact:?} {belief:?}");
    }

    #[test]
    fn what_cannot_be_estimated_is_refused() {
        assert!(Exposure::until_time(0.0, 3).is_err());
        assert!(Exposure::until_time(f64::NAN, 3).is_err());
        assert!(Exposure::until_event(5.0, 0).is_err());
        assert!(Exposure::until_time(5.0, u64::MAX).is_err());
        assert!(Confidence::new(1.0, Sides::Both).is_err());
    }
}
