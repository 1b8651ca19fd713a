//! Measures of chains that have a time in them.

use crate::chain::{Chain, Quantity, States, Timed};
use crate::model::chain_solve::{ChainModel, Gather};
use crate::model::nested::Nested;
use crate::structure::Bounded;
use crate::{Certain, Error, Scalar};

/// The name of the down states while those that behave alike are put together.
const DOWN: &str = "down";

/// What is asked about a time.
#[derive(Clone, Debug)]
pub(crate) enum WithinTime {
    /// The probability to be in these states at its end.
    At(States),
    /// What the states earn at its end, by the reward of this name.
    EarningAt(String),
    /// What is collected until its end.
    Collected(Gather),
    /// The probability that `target` is entered, and `avoid` not before.
    Reached { target: States, avoid: States },
    /// The probability that these states are not entered.
    NotReached(States),
    /// The probability of more than so much time in these states.
    MoreDowntime {
        down: States,
        above: f64,
        /// Whether states that behave alike are put together before.
        alike: bool,
    },
}

/// A measure of a chain about a time. The inputs are those of [`super::chain_solve::ChainQuestion`].
#[derive(Clone, Debug)]
pub(crate) struct TimedQuestion {
    pub(crate) model: ChainModel,
    pub(crate) time: f64,
    pub(crate) what: WithinTime,
}

impl TimedQuestion {
    /// Whether it is the distribution of downtime, which has no derivatives.
    pub(crate) fn is_distribution(&self) -> bool {
        matches!(self.what, WithinTime::MoreDowntime { .. })
    }

    fn timed<T: Scalar>(&self, chain: &Chain<T>, inputs: &[T]) -> Result<Option<Timed<T>>, Error> {
        let time = self.time;
        Ok(Some(match &self.what {
            WithinTime::At(states) => chain.probability_at(states, time)?,
            WithinTime::EarningAt(name) => {
                let rewards = self.model.rewards(chain, name, inputs)?;
                chain.mean_at((0..chain.states().len()).map(|state| rewards.state(state)).collect(), time)?
            }
            WithinTime::Collected(gather) => {
                let quantity: Quantity<T> = self.model.quantity(gather, chain, inputs)?;
                chain.collected_until(&quantity, time)?
            }
            WithinTime::Reached { target, avoid } => chain.reached_within(target, avoid, time)?,
            WithinTime::NotReached(states) => chain.not_reached_within(states, time)?,
            WithinTime::MoreDowntime { .. } => return Ok(None),
        }))
    }

    /// The distribution of downtime, which is computed in binary64 only.
    fn downtime(&self, inputs: &[f64]) -> Result<Certain, Error> {
        match &self.what {
            WithinTime::MoreDowntime { down, above, alike } => {
                let mut chain = self.model.chain(inputs)?;
                if !alike {
                    return chain.more_downtime_than(down, *above, self.time);
                }
                chain.set_label(DOWN, down.clone());
                let few = chain.lump()?.chain;
                few.more_downtime_than(few.label(DOWN)?, *above, self.time)
            }
            _ => Ok(Certain::exact(0.0)),
        }
    }

    pub(crate) fn value<T: Scalar>(&self, inputs: &[T]) -> Result<T, Error> {
        let chain = self.model.chain(inputs)?;
        match self.timed(&chain, inputs)? {
            Some(timed) => Ok(timed.value(&chain)),
            None => {
                let plain: Vec<f64> = inputs.iter().map(|input| input.value()).collect();
                Ok(T::from(self.downtime(&plain)?.value))
            }
        }
    }

    /// The derivatives by all inputs, one run for each.
    pub(crate) fn gradient<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        if self.is_distribution() {
            let what = "the distribution of downtime has no derivative here";
            return Err(Error::new(what, "ask for the derivatives of its mean, the unavailability over the time"));
        }
        let moved = |moving: usize| {
            let slope = |index| if index == moving { T::ONE } else { T::ZERO };
            let seeds: Vec<Nested<T>> =
                inputs.iter().enumerate().map(|(index, &value)| Nested { value, slope: slope(index) }).collect();
            Ok(self.value(&seeds)?.slope)
        };
        (0..inputs.len()).map(moved).collect()
    }

    /// To the bound of the arithmetic comes what the errors of the rates do. With relative errors of at most `d` the
    /// likelihood of a path changes by at most `1 + d` for each jump, and by `e^(d q t)` for the times between them, `q`
    /// being the largest rate that leaves a state; of more jumps than the mean `q t` and twelve of its standard
    /// deviations and a hundred nothing is left in binary64. Where states that behave alike are put together, rates into a
    /// block are compared as rounded sums: one rounding more for each arc of a state.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        let chain = self.model.chain(inputs)?;
        let found = match self.timed(&chain, inputs)? {
            Some(timed) => timed.certain(&chain),
            None => self.downtime(inputs)?,
        };
        if found == Certain::exact(0.0) {
            return Ok(found);
        }
        let bounded: Vec<Bounded> = inputs.iter().zip(wrong).map(|(&value, &error)| Bounded { value, error }).collect();
        let mut exits = vec![0.0; chain.states().len()];
        let mut leaving = vec![0_u32; chain.states().len()];
        let mut largest = 0.0_f64;
        for arc in self.model.chain(&bounded)?.arcs() {
            exits[arc.from] += arc.rate.value;
            leaving[arc.from] += 1;
            largest = largest.max(if arc.rate.error == 0.0 { 0.0 } else { arc.rate.error / arc.rate.value.abs() });
        }
        if let WithinTime::MoreDowntime { alike: true, .. } = self.what {
            largest += f64::from(leaving.into_iter().max().unwrap_or(0)) * f64::EPSILON / 2.0;
        }
        let jumps = exits.into_iter().fold(0.0, f64::max) * self.time;
        let moved = largest * (2.0 * jumps + 12.0 * jumps.sqrt() + 100.0);
        Ok(Certain { relative_error: found.relative_error + moved, ..found })
    }
}
