//! Measures of chains.

use std::sync::Arc;

use crate::chain::{Chain, Measure, Quantity, Rewards, States};
use crate::{Certain, Error, Scalar};

/// A chain without its rates.
#[derive(Clone, Debug)]
pub(crate) struct ChainShape {
    pub(crate) states: Vec<String>,
    /// Index of the state that is left, and of the one that is entered.
    pub(crate) arcs: Vec<(usize, usize)>,
    pub(crate) start: usize,
}

/// What is collected for a measure.
#[derive(Clone, Debug)]
pub(crate) enum Gather {
    Time,
    TimeIn(States),
    TimeOutside(States),
    Entries(States),
    Arrivals,
    /// The inputs behind the rates: what each state earns, then what each arc earns.
    Reward,
}

impl Gather {
    fn quantity<T: Scalar>(&self, rewards: &[T], states: usize) -> Quantity<T> {
        match self {
            Self::Time => Quantity::Time,
            Self::TimeIn(set) => Quantity::TimeIn(set.clone()),
            Self::TimeOutside(set) => Quantity::TimeOutside(set.clone()),
            Self::Entries(set) => Quantity::Entries(set.clone()),
            Self::Arrivals => Quantity::Arrivals,
            Self::Reward => {
                let (states, arcs) = rewards.split_at(states);
                Quantity::Reward(Rewards { states: states.to_vec(), arcs: arcs.to_vec() })
            }
        }
    }
}

/// A measure of a chain: what it collects for each unit of something else.
#[derive(Clone, Debug)]
pub(crate) struct ChainQuestion {
    pub(crate) shape: Arc<ChainShape>,
    pub(crate) gain: Gather,
    pub(crate) per: Gather,
    pub(crate) until: Option<States>,
}

impl ChainQuestion {
    fn prepare<T: Scalar>(&self, inputs: &[T]) -> Result<(Chain<T>, Measure<T>), Error> {
        let shape = &self.shape;
        let (rates, rewards) = inputs.split_at(shape.arcs.len());
        let mut chain = Chain::new();
        for name in &shape.states {
            chain.add_state(name.as_str());
        }
        for (&(from, to), &rate) in shape.arcs.iter().zip(rates) {
            chain.add_arc(from, to, rate)?;
        }
        chain.begin(&[(shape.start, T::ONE)])?;
        let [gain, per] = [&self.gain, &self.per].map(|gather| gather.quantity(rewards, shape.states.len()));
        let measure = match &self.until {
            None => Measure::long_run(gain, per),
            Some(target) => Measure::passage(gain, per, target.clone()),
        };
        Ok((chain, measure))
    }

    pub(crate) fn value<T: Scalar>(&self, inputs: &[T]) -> Result<T, Error> {
        let (chain, measure) = self.prepare(inputs)?;
        chain.evaluate(&measure)
    }

    pub(crate) fn gradient<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        let (chain, measure) = self.prepare(inputs)?;
        let found = chain.gradient(&measure)?;
        let mut all = found.rates;
        if inputs.len() > all.len() {
            all.extend(found.state_rewards);
            all.extend(found.arc_rewards);
        }
        Ok(all)
    }

    /// To the bound of the arithmetic comes what the errors of the inputs do. By the matrix tree theorem gain and per are
    /// polynomials of the rates and rewards with positive coefficients, each rate at most once in a product, and at most as
    /// many rates in a product as there are states. So with relative errors of at most `d` the logarithm of the measure
    /// moves by its first-order change and at most `(n d)^2` more, `n` being the number of states and one.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        let (chain, measure) = self.prepare(inputs)?;
        let found = chain.certain(&measure)?;
        let relative = |(&wrong, &input): (&f64, &f64)| if wrong == 0.0 { 0.0 } else { wrong / input.abs() };
        let largest = wrong.iter().zip(inputs).map(relative).fold(0.0, f64::max);
        if largest == 0.0 || found.value == 0.0 {
            return Ok(found);
        }
        let slopes = self.gradient(inputs)?;
        let first: f64 = slopes.iter().zip(wrong).map(|(slope, wrong)| (slope * wrong).abs()).sum();
        let second = ((self.shape.states.len() + 1) as f64 * largest).powi(2);
        let moved = (first / found.value.abs() + second) * 1.001;
        Ok(Certain { relative_error: found.relative_error + moved, ..found })
    }
}
