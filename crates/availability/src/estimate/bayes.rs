//! Prior knowledge of a rate or a share, brought up to date by what was observed.
//!
//! Both laws are conjugate: prior and posterior are of one form, so that each observation is an addition, in any order.

use super::special::{Tail, beta_quantile, gamma_quantile};
use super::{Confidence, Coverage, Injections, Interval};
use crate::Error;

/// What is known of a rate: a gamma law, as if `events` had been counted in `time` (both may be fractions).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateBelief {
    /// The shape of the gamma law: its events.
    pub events: f64,
    /// The rate parameter of the gamma law: the time in which they were counted; mean = events / time.
    pub time: f64,
}

impl RateBelief {
    /// Jeffreys' prior, which knows nothing: half an event in no time. It has no mean before an observation.
    pub const JEFFREYS: Self = Self { events: 0.5, time: 0.0 };

    /// The law with this mean whose quantile of 0.95 is `factor` times its median: an error factor as handbooks give with
    /// generic failure rates (for example IEEE Std 500, NUREG/CR-6928).
    ///
    /// # Errors
    /// Unless the mean is positive and finite and the factor lies within 1.05 and 100.
    pub fn from_error_factor(mean: f64, factor: f64) -> Result<Self, Error> {
        if !(mean > 0.0 && mean.is_finite() && (1.05..=100.0).contains(&factor)) {
            return Err(Error::new(
                format!("a prior rate of mean {mean} with error factor {factor}"),
                "the mean is positive, the factor (quantile of 0.95 over median) lies within 1.05 and 100",
            ));
        }
        let spread = |shape: f64| gamma_quantile(shape, Tail::Upper(0.05)) / gamma_quantile(shape, Tail::Lower(0.5));
        // The spread falls as the shape grows; halve the logarithm of the shape.
        let (mut low, mut high) = (-5.0_f64, 10.0_f64);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if spread(middle.exp()) > factor {
                low = middle;
            } else {
                high = middle;
            }
        }
        let events = high.exp();
        Ok(Self { events, time: events / mean })
    }

    /// What is known after `events` more in `time` more.
    ///
    /// # Errors
    /// Unless the time is finite and not negative, and there were at most 1e9 events.
    pub fn updated(self, events: u64, time: f64) -> Result<Self, Error> {
        if events > 1_000_000_000 {
            return Err(Error::new(format!("{events} events"), "count at most 1000000000"));
        }
        if !(time >= 0.0 && time.is_finite()) {
            return Err(Error::new(format!("an observed time of {time}"), "it is finite and not negative"));
        }
        Ok(Self { events: self.events + events as f64, time: self.time + time })
    }

    /// The mean of the rate with its credible interval of equal tails.
    ///
    /// # Errors
    /// If nothing was observed and the prior knew nothing.
    pub fn rate(self, confidence: Confidence) -> Result<Interval, Error> {
        if !(self.time > 0.0 && self.events > 0.0) {
            return Err(Error::new("a rate of which nothing is known", "observe for some time first, or give a prior"));
        }
        let quantile = |tail| gamma_quantile(self.events, tail) / self.time;
        Ok(confidence.cut(self.events / self.time, (0.0, f64::INFINITY), quantile))
    }

    /// The rate below (or above) which it lies with this probability.
    #[must_use]
    pub fn quantile(self, tail: Tail) -> f64 {
        gamma_quantile(self.events, tail) / self.time
    }
}

/// What is known of a share such as coverage: a beta law, as if so many faults had been covered and missed (both may be
/// fractions).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoverageBelief {
    /// Faults covered.
    pub covered: f64,
    /// Faults missed.
    pub missed: f64,
}

impl CoverageBelief {
    /// Jeffreys' prior, which knows nothing: half a fault covered, half a fault missed.
    pub const JEFFREYS: Self = Self { covered: 0.5, missed: 0.5 };

    /// A prior worth so many injections, with this share of them missed.
    ///
    /// # Errors
    /// Unless the share lies between 0 and 1, both excluded, and the worth is positive.
    pub fn worth(injections: f64, missed: f64) -> Result<Self, Error> {
        if !(missed > 0.0 && missed < 1.0 && injections > 0.0 && injections.is_finite()) {
            return Err(Error::new(
                format!("a prior worth {injections} injections of which a share of {missed} is missed"),
                "the share lies between 0 and 1, both excluded, and the worth is positive",
            ));
        }
        Ok(Self { covered: injections * (1.0 - missed), missed: injections * missed })
    }

    /// What is known after these injections.
    #[must_use]
    pub fn updated(self, injections: Injections) -> Self {
        Self {
            covered: self.covered + (injections.injected - injections.missed) as f64,
            missed: self.missed + injections.missed as f64,
        }
    }

    /// The mean of the coverage and of its complement, with credible intervals of equal tails; the sides of the confidence
    /// are those of the coverage.
    #[must_use]
    pub fn coverage(self, confidence: Confidence) -> Coverage {
        let all = self.covered + self.missed;
        let covered =
            confidence.cut(self.covered / all, (0.0, 1.0), |tail| beta_quantile(self.covered, self.missed, tail).0);
        let missed = confidence
            .mirrored()
            .cut(self.missed / all, (0.0, 1.0), |tail| beta_quantile(self.missed, self.covered, tail).0);
        Coverage { covered, missed }
    }

    /// The share missed below (or above) which it lies with this probability.
    #[must_use]
    pub fn missed_quantile(self, tail: Tail) -> f64 {
        beta_quantile(self.missed, self.covered, tail).0
    }
}
