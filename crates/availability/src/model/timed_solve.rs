//! Measures of chains that have a time in them.

use crate::chain::{Chain, Quantity, States, Timed};
use crate::model::chain_solve::{ChainModel, Gather, relative};
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

    /// To the bound of the arithmetic comes what the errors of the rates and of what is earned do ([`Timed::moved`]). The
    /// distribution of downtime is not of one clock: with relative errors of at most `d` the likelihood of a path changes by
    /// at most `1 + d` for each jump, and by `e^(d q t)` for the times between them, `q` being the largest rate that leaves a
    /// state; of more jumps than the mean `q t` and twelve of its standard deviations and a hundred nothing is left in
    /// binary64. Where states that behave alike are put together, rates into a block are compared as rounded sums: one
    /// rounding more for each arc of a state.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        let chain = self.model.chain(inputs)?;
        let timed = self.timed(&chain, inputs)?;
        let found = match &timed {
            Some(timed) => timed.certain(&chain),
            None => self.downtime(inputs)?,
        };
        if found == Certain::exact(0.0) {
            return Ok(found);
        }
        let bounded: Vec<Bounded> = inputs.iter().zip(wrong).map(|(&value, &error)| Bounded { value, error }).collect();
        let moving = self.model.chain(&bounded)?;
        let largest = moving.arcs().iter().map(|arc| relative(&arc.rate)).fold(0.0, larger);
        let moved = match &timed {
            Some(timed) => timed.moved(largest, self.earned_wrong(&moving, &bounded, found.value)?),
            None => self.downtime_moved(&moving, largest),
        };
        Ok(Certain { relative_error: found.relative_error + moved, ..found })
    }

    /// The share by which the errors of what states earn can move a number of this value, which is a mean of it, times the time
    /// if it is collected. Where earnings cancel, their error is large beside what is left, but not beside the number.
    fn earned_wrong(&self, chain: &Chain<Bounded>, inputs: &[Bounded], value: f64) -> Result<f64, Error> {
        let (earned, scale) = match &self.what {
            WithinTime::EarningAt(name) => {
                let rewards = self.model.rewards(chain, name, inputs)?;
                ((0..chain.states().len()).map(|state| rewards.state(state)).collect::<Vec<_>>(), 1.0)
            }
            WithinTime::Collected(gather) => (chain.earned(&self.model.quantity(gather, chain, inputs)?), self.time),
            _ => return Ok(0.0),
        };
        let each = earned.iter().map(relative).fold(0.0, larger);
        let all = earned.iter().map(|earned| earned.error).fold(0.0, larger);
        Ok(if all == 0.0 { 0.0 } else { each.min(all * scale / value.abs() * 1.001) })
    }

    /// What errors of the rates by at most this share do to the distribution of downtime.
    fn downtime_moved(&self, chain: &Chain<Bounded>, mut largest: f64) -> f64 {
        let mut exits = vec![0.0; chain.states().len()];
        let mut leaving = vec![0_u32; chain.states().len()];
        for arc in chain.arcs() {
            exits[arc.from] += arc.rate.value;
            leaving[arc.from] += 1;
        }
        if let WithinTime::MoreDowntime { alike: true, .. } = self.what {
            largest += f64::from(leaving.into_iter().max().unwrap_or(0)) * f64::EPSILON / 2.0;
        }
        let jumps = exits.into_iter().fold(0.0, f64::max) * self.time;
        largest * (2.0 * jumps + 12.0 * jumps.sqrt() + 100.0)
    }
}

/// The larger one; none if one of them is none.
fn larger(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}
