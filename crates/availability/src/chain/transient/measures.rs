//! The measures of a time.

use super::uniform::{Timed, Wanted, evolve};
use crate::chain::{Chain, Quantity, States};
use crate::{Error, Scalar};

impl<T: Scalar> Chain<T> {
    /// The mean of what states earn, at a time: `E[f(X_t)]`, in the unit of `earned`, which is not negative.
    ///
    /// With 1 for up states it is the **point availability** `A(t)`, with 1 for down states the point unavailability
    /// (Trivedi 2002, section 6.6; by uniformisation, Grassmann 1977).
    ///
    /// # Errors
    /// If an earning is negative or none, the time is, or the chain is too stiff for it (some 1e10 operations).
    pub fn mean_at(&self, earned: Vec<T>, time: f64) -> Result<Timed<T>, Error> {
        let earned = self.checked(earned)?;
        evolve(self, |_| false, earned, time, Wanted::AtTheEnd)
    }

    /// The probability to be in `states` at a time.
    ///
    /// # Errors
    /// As [`Chain::mean_at`].
    pub fn probability_at(&self, states: &States, time: f64) -> Result<Timed<T>, Error> {
        self.mean_at(self.indicator(states), time)
    }

    /// The mean of what is collected until a time: rewards, time in states, entries into states (`E[N(t)]`, the mean number
    /// of failures). The time in up states over the whole time is the **interval availability** `1/t * integral of A`.
    ///
    /// # Errors
    /// As [`Chain::mean_at`]; [`Quantity::Arrivals`] has no meaning here.
    pub fn collected_until(&self, quantity: &Quantity<T>, time: f64) -> Result<Timed<T>, Error> {
        if matches!(quantity, Quantity::Arrivals) {
            return Err(Error::new("a time has no end of a passage", "count entries into states instead"));
        }
        let earned = self.checked(self.earned(quantity))?;
        evolve(self, |_| false, earned, time, Wanted::Integral)
    }

    /// What each state collects for each unit of time, by itself and by the arcs that leave it.
    pub(crate) fn earned(&self, quantity: &Quantity<T>) -> Vec<T> {
        let mut earned: Vec<T> = (0..self.states().len()).map(|state| quantity.of_state(state)).collect();
        for (index, arc) in self.arcs().iter().enumerate() {
            earned[arc.from] += arc.rate * quantity.of_arc(Some(index), Some(arc.from), arc.to, None);
        }
        earned
    }

    /// The probability that a state of `target` is entered within a time and no state of `avoid` before. For the down states
    /// it is the **unreliability** `F(t) = 1 - R(t)`, with all its digits; with other causes in `avoid` the probability that
    /// this one comes first and within the time.
    ///
    /// # Errors
    /// As [`Chain::mean_at`].
    pub fn reached_within(&self, target: &States, avoid: &States, time: f64) -> Result<Timed<T>, Error> {
        let frozen = |state| target.contains(state) || avoid.contains(state);
        evolve(self, frozen, self.indicator(target), time, Wanted::AtTheEnd)
    }

    /// The probability that no state of `target` is entered within a time: for the down states the **reliability** `R(t)`.
    ///
    /// # Errors
    /// As [`Chain::mean_at`].
    pub fn not_reached_within(&self, target: &States, time: f64) -> Result<Timed<T>, Error> {
        let others = self.indicator(&target.complement(self.states().len()));
        evolve(self, |state| target.contains(state), others, time, Wanted::AtTheEnd)
    }

    fn indicator(&self, states: &States) -> Vec<T> {
        (0..self.states().len()).map(|state| if states.contains(state) { T::ONE } else { T::ZERO }).collect()
    }

    fn checked(&self, mut earned: Vec<T>) -> Result<Vec<T>, Error> {
        earned.resize(self.states().len(), T::ZERO);
        match earned.iter().position(|value| !(value.value() >= 0.0 && value.value().is_finite())) {
            None => Ok(earned),
            Some(state) => Err(Error::new(
                format!("state '{}' earns {}", self.states()[state], earned[state].value()),
                "measures of a time need earnings that are finite and not negative; split gains from losses",
            )),
        }
    }
}
