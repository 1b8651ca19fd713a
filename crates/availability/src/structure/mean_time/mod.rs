//! The mean time to the first failure of a whole that is not repaired.

mod gauss;
mod panels;

use panels::Panels;

use super::{Bounded, Probability, StructureFunction};
use crate::{Certain, Error, Scalar};

impl StructureFunction {
    /// The mean time until the top event occurs, if nothing is repaired and each basic event occurs after an exponential
    /// time of the given rate (0: never): the integral of the probability that it has not occurred by `t`, over all `t`.
    /// With `Dual` for `S` also its derivative.
    ///
    /// The integral is taken by Gauss and Legendre's rule over intervals that double, each halved until the proven bound of
    /// its error is below 2e-18 of the whole. The bound is that of a function that is analytic and bounded in an ellipse
    /// around the interval (Trefethen, Approximation Theory and Approximation Practice, theorems 8.2 and 19.3); it is
    /// bounded there by the diagram itself, evaluated with bounds of `|exp(-rate t)|` and `|1 - exp(-rate t)|`. It ends
    /// where the rest is small: the lifetime of a coherent system of exponential parts has an increasing failure rate
    /// average (Birnbaum, Esary and Marshall 1966), so that `R(t) <= R(T)^(t / T)` for `t > T`.
    ///
    /// # Errors
    /// If there are not as many rates as events, one is negative or no number, the tree is not coherent, the top event
    /// need not ever occur (its mean time is infinite), or more than 4,096 intervals do not suffice.
    pub fn mean_time_to_failure<S: Scalar>(&self, rates: &[S]) -> Result<S, Error> {
        let values: Vec<_> = rates.iter().map(|rate| rate.value()).collect();
        Ok(match self.plan(&values)? {
            Some(panels) => panels.integral(self, rates, S::from),
            None => S::ZERO,
        })
    }

    /// The same with a proven bound of its error: the rates', the arithmetic's, that of the rule and that of the end.
    ///
    /// # Errors
    /// As [`Self::mean_time_to_failure`].
    pub fn certain_mean_time(&self, rates: &[Certain]) -> Result<Certain, Error> {
        let values: Vec<_> = rates.iter().map(|rate| rate.value).collect();
        let Some(panels) = self.plan(&values)? else { return Ok(Certain::exact(0.0)) };
        let rates: Vec<Bounded> = rates.iter().map(|&rate| rate.into()).collect();
        let read = |value| Bounded::from(Certain { value, relative_error: f64::EPSILON / 2.0 });
        let mut time = panels.integral(self, &rates, read);
        time.error += panels.truncation;
        Ok(time.into())
    }

    /// The intervals to integrate over; `None` if the top event has occurred from the beginning.
    fn plan(&self, rates: &[f64]) -> Result<Option<Panels>, Error> {
        if rates.len() != self.events().len() {
            let what = format!("{} rates were given for {} events", rates.len(), self.events().len());
            return Err(Error::new(what, "give one for each event, in their order"));
        }
        for (rate, name) in rates.iter().zip(self.events()) {
            if !(*rate >= 0.0 && rate.is_finite()) {
                let what = format!("the event {name:?} has the failure rate {rate}");
                return Err(Error::new(what, "a rate is a number per unit of time, 0 or more"));
            }
        }
        self.check_coherent("the mean time to failure")?;
        let at_once = self.probability(&vec![Probability::<f64>::IMPOSSIBLE; rates.len()])?;
        if at_once.yes > 0.0 {
            return Ok(None);
        }
        let in_the_end = |&rate: &f64| if rate > 0.0 { Probability::CERTAIN } else { Probability::<f64>::IMPOSSIBLE };
        if self.probability(&rates.iter().map(in_the_end).collect::<Vec<_>>())?.yes == 0.0 {
            return Err(Error::new(
                "the top event need not ever occur, even if all events with a failure rate above 0 do",
                "its mean time is infinite; give more of the events a failure rate",
            ));
        }
        Panels::cover(self, rates).map(Some)
    }

    /// The probability that the top event has not occurred by a time.
    fn survival<S: Scalar>(&self, rates: &[S], time: S) -> S {
        let failed: Vec<_> = rates.iter().map(|&rate| Probability::failed_by(rate, time)).collect();
        self.unchecked(&failed).no
    }
}
