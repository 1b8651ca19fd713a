//! How often the top event occurs, and how long it lasts.

use super::StructureFunction;
use crate::structure::Probability;
use crate::{Error, Scalar};

/// Something that fails and is repaired again and again, in the long run: what a model hands on to a model above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repairable<S = f64> {
    /// The probability that it is down (its unavailability), and that it is up.
    pub down: Probability<S>,
    /// How often it fails, in failures per unit of time; in the long run it is repaired as often.
    pub frequency: S,
}

impl<S: Scalar> Repairable<S> {
    /// A unit with constant rates of failure and of repair.
    #[must_use]
    pub fn with_rates(failure_rate: S, repair_rate: S) -> Self {
        let down = Probability::down(failure_rate, repair_rate);
        Self { down, frequency: down.no * failure_rate }
    }

    /// The equivalent failure rate: failures per unit of time in which it is up.
    #[must_use]
    pub fn failure_rate(&self) -> S {
        self.frequency / self.down.no
    }

    /// The equivalent repair rate: repairs per unit of time in which it is down.
    #[must_use]
    pub fn repair_rate(&self) -> S {
        self.frequency / self.down.yes
    }

    /// The mean time from one failure to the next (MTBF).
    #[must_use]
    pub fn mean_time_between_failures(&self) -> S {
        S::ONE / self.frequency
    }

    /// How long it is down each time, in the mean.
    #[must_use]
    pub fn mean_down_time(&self) -> S {
        self.down.yes / self.frequency
    }

    /// How long it is up each time, in the mean.
    #[must_use]
    pub fn mean_up_time(&self) -> S {
        self.down.no / self.frequency
    }

    /// Whether both are sound: a probability, and a frequency that is a number and not negative.
    fn check(&self, event: &str) -> Result<(), Error> {
        let frequency = self.frequency.value();
        if !(frequency >= 0.0 && frequency.is_finite()) {
            let what = format!("the event {event:?} has the frequency {frequency}");
            return Err(Error::new(what, "a frequency is a number per unit of time, 0 or more"));
        }
        self.down.check(event)
    }
}

impl StructureFunction {
    /// How often the top event occurs in the long run, and its probability, where the basic events occur and end
    /// independently of each other.
    ///
    /// `sum over events of frequency times (critical + inverse)`, see [`super::Sensitivity`]: whenever an event that decides
    /// occurs or ends the top event does (Vesely 1970; Schneeweiss 1981). In the long run an event ends as often as it
    /// occurs, so this holds for trees with negations too, where the top event may occur because something was repaired.
    ///
    /// # Errors
    /// As [`Self::sensitivity`].
    pub fn frequency<S: Scalar>(&self, events: &[Repairable<S>]) -> Result<Repairable<S>, Error> {
        for (event, name) in events.iter().zip(self.events()) {
            event.check(name)?;
        }
        let down: Vec<_> = events.iter().map(|event| event.down).collect();
        let sensitivity = self.sensitivity(&down)?;
        let decided = sensitivity.critical.iter().zip(&sensitivity.inverse);
        let frequency = events
            .iter()
            .zip(decided)
            .fold(S::ZERO, |sum, (event, (&critical, &inverse))| sum + event.frequency * (critical + inverse));
        Ok(Repairable { down: sensitivity.top, frequency })
    }
}
