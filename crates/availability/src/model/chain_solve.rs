//! Measures of chains.

use std::fmt;
use std::sync::Arc;

use crate::chain::generator::Space;
use crate::chain::{Arc as Transition, Chain, Measure, Quantity, Rewards, States};
use crate::model::nested::Nested;
use crate::model::solve::{COARSER, absolute, binary64, coarse};
use crate::structure::Bounded;
use crate::text::exact::{Exact, ROUNDING};
use crate::{Certain, Error, Place, Scalar};

/// Chains of more states are eliminated in binary64 alone.
const MOST_SHARP: usize = 400;

/// A chain without its rates.
#[derive(Clone, Debug)]
pub(crate) enum ChainModel {
    /// By states and arcs; the inputs are the rates of the arcs, then what states and arcs earn if the measure needs it.
    Drawn(Arc<ChainShape>),
    /// By rules; the inputs are their parameters.
    Rules(Arc<Generated>),
}

/// States and arcs.
#[derive(Clone, Debug)]
pub(crate) struct ChainShape {
    pub(crate) states: Vec<String>,
    /// Index of the state that is left, and of the one that is entered.
    pub(crate) arcs: Vec<(usize, usize)>,
    pub(crate) start: usize,
    /// The file, and the line and the column at which each state is named first; none for states that no text names.
    pub(crate) file: String,
    pub(crate) spots: Vec<(u32, u32)>,
}

/// All states that rules lead to.
pub(crate) struct Generated {
    pub(crate) space: Space,
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states", self.space.states())
    }
}

impl ChainModel {
    /// How many states there are here.
    pub(crate) fn states(&self) -> usize {
        match self {
            Self::Drawn(shape) => shape.states.len(),
            Self::Rules(rules) => rules.space.states(),
        }
    }

    /// How many states the model has, some of which may stand for two.
    pub(crate) fn states_of_model(&self) -> usize {
        match self {
            Self::Drawn(_) => self.states(),
            Self::Rules(rules) => rules.space.states_of_model(),
        }
    }

    /// Where the state stands that an error of this chain names first; nothing if it names none, or no text has it.
    pub(crate) fn place_of(&self, error: &Error) -> Option<Place> {
        let Self::Drawn(shape) = self else { return None };
        let name = error.what.split('\'').nth(1)?;
        let state = shape.states.iter().position(|state| state == name)?;
        let &(line, column) = shape.spots.get(state)?;
        Some(Place { file: shape.file.clone(), line, column })
    }

    /// From where to where its arcs lead.
    pub(crate) fn arcs(&self) -> Box<dyn Iterator<Item = (usize, usize)> + '_> {
        match self {
            Self::Drawn(shape) => Box::new(shape.arcs.iter().copied()),
            Self::Rules(rules) => {
                let (arcs, states) = (rules.space.arcs(), rules.space.states());
                Box::new((0..states).flat_map(move |from| arcs.row(from).map(move |(to, _)| (from, to))))
            }
        }
    }

    pub(crate) fn chain<T: Scalar>(&self, inputs: &[T]) -> Result<Chain<T>, Error> {
        let shape = match self {
            Self::Rules(rules) => return rules.space.chain(inputs),
            Self::Drawn(shape) => shape,
        };
        let mut chain = Chain::new();
        for name in &shape.states {
            chain.add_state(name.as_str());
        }
        for (&(from, to), &rate) in shape.arcs.iter().zip(inputs) {
            chain.add_arc(from, to, rate)?;
        }
        chain.begin(&[(shape.start, T::ONE)])?;
        Ok(chain)
    }

    /// What a measure collects.
    pub(crate) fn quantity<T: Scalar>(
        &self,
        gather: &Gather,
        chain: &Chain<T>,
        inputs: &[T],
    ) -> Result<Quantity<T>, Error> {
        Ok(match gather {
            Gather::Time => Quantity::Time,
            Gather::TimeIn(set) => Quantity::TimeIn(set.clone()),
            Gather::TimeOutside(set) => Quantity::TimeOutside(set.clone()),
            Gather::Entries(set) => Quantity::Entries(set.clone()),
            Gather::Arrivals => Quantity::Arrivals,
            Gather::Reward(name) => Quantity::Reward(self.rewards(chain, name, inputs)?),
        })
    }

    /// What is earned, by its name.
    pub(crate) fn rewards<T: Scalar>(&self, chain: &Chain<T>, name: &str, inputs: &[T]) -> Result<Rewards<T>, Error> {
        match self {
            Self::Rules(_) => Ok(chain.rewards(name)?.clone()),
            Self::Drawn(shape) => {
                let (states, arcs) = inputs[shape.arcs.len()..].split_at(shape.states.len());
                Ok(Rewards { states: states.to_vec(), arcs: arcs.to_vec() })
            }
        }
    }
}

/// What is collected for a measure.
#[derive(Clone, Debug)]
pub(crate) enum Gather {
    Time,
    TimeIn(States),
    TimeOutside(States),
    Entries(States),
    Arrivals,
    /// The reward of this name.
    Reward(String),
}

/// A measure of a chain: what it collects for each unit of something else.
#[derive(Clone, Debug)]
pub(crate) struct ChainQuestion {
    pub(crate) model: ChainModel,
    pub(crate) gain: Gather,
    pub(crate) per: Gather,
    pub(crate) until: Option<States>,
}

impl ChainQuestion {
    fn prepare<T: Scalar>(&self, inputs: &[T]) -> Result<(Chain<T>, Measure<T>), Error> {
        let chain = self.model.chain(inputs)?;
        let quantity = |gather| self.model.quantity(gather, &chain, inputs);
        let (gain, per) = (quantity(&self.gain)?, quantity(&self.per)?);
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
        let all = self.by_rates(inputs)?;
        if let ChainModel::Drawn(_) = &self.model {
            return Ok(all);
        }
        // How the rates and rewards depend on each input, by one run of the rules on numbers that carry the derivative.
        let mut slopes = Vec::with_capacity(inputs.len());
        for moving in 0..inputs.len() {
            let slope = |index| if index == moving { T::ONE } else { T::ZERO };
            let seeds: Vec<Nested<T>> =
                inputs.iter().enumerate().map(|(index, &value)| Nested { value, slope: slope(index) }).collect();
            let moved = self.numbers(&seeds)?;
            slopes.push(all.iter().zip(moved).fold(T::ZERO, |sum, (&by, number)| sum + by * number.slope));
        }
        Ok(slopes)
    }

    /// The derivatives by the rates of all arcs, and by what states and arcs earn if the measure has a reward.
    fn by_rates<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        let (chain, measure) = self.prepare(inputs)?;
        let found = chain.gradient(&measure)?;
        let mut all = found.rates;
        if let Gather::Reward(_) = self.gain {
            all.extend(found.state_rewards);
            all.extend(found.arc_rewards);
        }
        Ok(all)
    }

    /// The rates of all arcs, and what states and arcs earn if the measure has a reward.
    fn numbers<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        let chain = self.model.chain(inputs)?;
        let mut all: Vec<T> = chain.arcs().iter().map(|arc: &Transition<T>| arc.rate).collect();
        if let Gather::Reward(name) = &self.gain {
            let rewards = self.model.rewards(&chain, name, inputs)?;
            all.extend((0..chain.states().len()).map(|state| rewards.state(state)));
            all.extend((0..chain.arcs().len()).map(|arc| rewards.arc(arc)));
        }
        Ok(all)
    }

    /// To the bound of the arithmetic comes what the errors of the inputs do. By the matrix tree theorem gain and per are
    /// polynomials of the rates and rewards with positive coefficients, each rate at most once in a product, and at most as
    /// many rates in a product as there are states. So with relative errors of at most `d` the logarithm of the measure
    /// moves by its first-order change and at most `(n d)^2` more, `n` being the number of states and one.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        let (chain, measure) = self.prepare(inputs)?;
        let bounded: Vec<Bounded> = inputs.iter().zip(wrong).map(|(&value, &error)| Bounded { value, error }).collect();
        let numbers = self.numbers(&bounded)?;
        if let Some((few, measure)) = chain.lumped_for(&measure) {
            return self.certain_of_alike(&chain, &numbers, &few, &measure);
        }
        let found = chain.certain(&measure)?;
        let moved = self.moved(inputs, &numbers, found.value)?;
        Ok(Certain { relative_error: found.relative_error + moved, ..found })
    }

    /// The same by the chain of the states that behave alike. There the largest relative error is taken for that of each rate;
    /// to it comes one rounding for each arc of a state, since rates into a block are compared as rounded sums.
    fn certain_of_alike(
        &self,
        chain: &Chain<f64>,
        numbers: &[Bounded],
        few: &Chain<f64>,
        measure: &Measure<f64>,
    ) -> Result<Certain, Error> {
        let found = few.certain(measure)?;
        let mut leaving = vec![0_u32; chain.states().len()];
        chain.arcs().iter().for_each(|arc| leaving[arc.from] += 1);
        let most = f64::from(leaving.into_iter().max().unwrap_or(0));
        let largest = numbers.iter().map(relative).fold(0.0, f64::max) + most * f64::EPSILON / 2.0;
        if found.value == 0.0 {
            return Ok(found);
        }
        let slopes = few.gradient(measure)?;
        let arcs = slopes.rates.iter().zip(few.arcs()).map(|(slope, arc)| (slope * arc.rate).abs());
        let mut first: f64 = arcs.sum();
        if let Quantity::Reward(rewards) = measure.gain() {
            let states = slopes.state_rewards.iter().enumerate().map(|(state, slope)| slope * rewards.state(state));
            let arcs = slopes.arc_rewards.iter().enumerate().map(|(arc, slope)| slope * rewards.arc(arc));
            first += states.chain(arcs).map(f64::abs).sum::<f64>();
        }
        let second = ((chain.states().len() + 1) as f64 * largest).powi(2);
        let moved = (first * largest / found.value.abs() + second) * 1.001;
        Ok(Certain { relative_error: found.relative_error + moved, ..found })
    }

    /// The same with a bound of the absolute error, in twice the precision of binary64; nothing for chains of which that would
    /// take long.
    pub(crate) fn sharp(&self, inputs: &[Exact], wrong: &[f64]) -> Result<Option<(Exact, f64)>, Error> {
        if self.model.states() > MOST_SHARP {
            return Ok(None);
        }
        let (chain, measure) = self.prepare(inputs)?;
        let (value, rounding) = chain.evaluate_with_rounding(&measure)?;
        let mut numbers = self.numbers(&coarse(inputs, wrong))?;
        numbers.iter_mut().for_each(|number| number.error /= COARSER);
        let (plain, _) = binary64(inputs, wrong);
        let relative = rounding * ROUNDING * 1.001 + self.moved(&plain, &numbers, value.rounded())?;
        if value.rounded() == 0.0 && rounding.is_finite() {
            return Ok(Some((value, 0.0)));
        }
        let error = absolute(Certain { value: value.rounded(), relative_error: relative * (1.0 + 1e-9) });
        Ok(error.is_finite().then_some((value, error)))
    }

    /// The share by which the errors of rates and rewards can move a measure of this value.
    fn moved(&self, inputs: &[f64], numbers: &[Bounded], value: f64) -> Result<f64, Error> {
        let largest = numbers.iter().map(relative).fold(0.0, f64::max);
        if largest == 0.0 || value == 0.0 {
            return Ok(0.0);
        }
        let slopes = self.by_rates(inputs)?;
        let first: f64 = slopes.iter().zip(numbers).map(|(slope, number)| (slope * number.error).abs()).sum();
        let second = ((self.model.states() + 1) as f64 * largest).powi(2);
        Ok((first / value.abs() + second) * 1.001)
    }
}

/// The bound of the error relative to the number.
pub(super) fn relative(number: &Bounded) -> f64 {
    if number.error == 0.0 { 0.0 } else { number.error / number.value.abs() }
}
