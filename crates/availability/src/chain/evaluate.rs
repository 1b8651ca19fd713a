//! Measures of a chain: their values, their bounds, their derivatives.

use super::elimination::{Adjoint, Elimination};
use super::network::{Network, Origin};
use super::{Chain, Measure, Quantity};
use crate::{Certain, Error, Scalar};

/// Half the distance from 1 to the next number: what one rounding can be wrong by.
pub(super) const UNIT: f64 = f64::EPSILON / 2.0;

/// A measure and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient<T> {
    /// The measure.
    pub value: T,
    /// Its derivative by the rate of each arc, in their order.
    pub rates: Vec<T>,
    /// Its derivative by each entry of [`Chain::initial`], each taken as a free number; 0 in the long run.
    pub initial: Vec<T>,
    /// Its derivative by the reward of each state, where [`Quantity::Reward`] is the gain; else by what the gain gives it.
    pub state_rewards: Vec<T>,
    /// Its derivative by the reward of each arc, likewise.
    pub arc_rewards: Vec<T>,
}

impl<T: Scalar> Chain<T> {
    /// The value of a measure, by elimination without subtraction.
    ///
    /// # Errors
    /// If the chain has not what the measure needs: one long run without absorbing or unreachable states, or for a passage
    /// a way to its end from everywhere; if the measure divides by nothing (no failures, for the time between them).
    pub fn evaluate(&self, measure: &Measure<T>) -> Result<T, Error> {
        Ok(self.evaluate_with_rounding(measure)?.0)
    }

    /// The value of a measure, and how many roundings of the arithmetic of its numbers it can be off by, relative to itself.
    ///
    /// # Errors
    /// As [`Chain::evaluate`].
    pub(crate) fn evaluate_with_rounding(&self, measure: &Measure<T>) -> Result<(T, f64), Error> {
        let network = Network::new(self, measure)?;
        let elimination = self.eliminate(&network)?;
        Ok((self.ratio(&elimination, network.root, measure)?, elimination.rounding))
    }

    /// The value and the derivatives of a measure by all rates, in one pass backwards through the elimination. Run on
    /// [`crate::Dual`], its slopes are a column of the Hessian.
    ///
    /// # Errors
    /// As [`Chain::evaluate`].
    pub fn gradient(&self, measure: &Measure<T>) -> Result<Gradient<T>, Error> {
        let network = Network::new(self, measure)?;
        let elimination = self.eliminate(&network)?;
        let value = self.ratio(&elimination, network.root, measure)?;
        let adjoint = Adjoint::new(&elimination, network.root);
        let mut gradient = Gradient {
            value,
            rates: vec![T::ZERO; self.arcs().len()],
            initial: vec![T::ZERO; self.initial().len()],
            state_rewards: vec![T::ZERO; self.states().len()],
            arc_rewards: vec![T::ZERO; self.arcs().len()],
        };
        for (node, state) in network.states.iter().enumerate() {
            if let Some(state) = *state {
                gradient.state_rewards[state] = adjoint.earns[node][0];
            }
        }
        for edge in &network.edges {
            let mut by = if edge.from == edge.to { T::ZERO } else { adjoint.rate(&elimination, edge.from, edge.to) };
            for side in 0..2 {
                by += adjoint.earns[edge.from][side] * edge.earns[side];
            }
            match edge.origin {
                Origin::Arc(index) => {
                    gradient.rates[index] = by;
                    gradient.arc_rewards[index] = adjoint.earns[edge.from][0] * edge.rate;
                }
                Origin::Initial(index) => gradient.initial[index] = by,
            }
        }
        Ok(gradient)
    }

    /// The steady-state probability of each state.
    ///
    /// # Errors
    /// As [`Chain::evaluate`].
    pub fn steady_state(&self) -> Result<Vec<T>, Error> {
        let network = Network::new(self, &Measure::long_run(Quantity::Time, Quantity::Time))?;
        let elimination = self.eliminate(&network)?;
        let mut weights = elimination.visits(network.root);
        let mut sum = T::ZERO;
        weights.iter().for_each(|&weight| sum += weight);
        weights.iter_mut().for_each(|weight| *weight = *weight / sum);
        Ok(weights)
    }

    fn eliminate(&self, network: &Network<T>) -> Result<Elimination<T>, Error> {
        Elimination::new(network).map_err(|node| {
            let name = network.states[node].map_or("of the beginning", |state| &self.states()[state]);
            Error::new(format!("state '{name}' cannot be left"), "draw an arc with a positive rate out of it")
        })
    }

    fn ratio(&self, elimination: &Elimination<T>, root: usize, measure: &Measure<T>) -> Result<T, Error> {
        let [gain, per] = elimination.earns[root];
        if per.value() > 0.0 {
            return Ok(gain / per);
        }
        if elimination.rounding.is_infinite() {
            let what = "rates that differ too much: what the measure is divided by is nearer to 0 than numbers of the machine reach";
            return Err(Error::new(
                what,
                "leave away states that are never seen, or rates that are nothing beside the others",
            ));
        }
        let what = match measure.per {
            Quantity::Entries(_) => "the states whose entries are counted are never entered",
            Quantity::Time | Quantity::Arrivals => "the passage takes no time",
            _ => "what the measure is divided by is 0",
        };
        Err(Error::new(what, "ask for a measure that does not divide by it"))
    }
}

impl Chain<f64> {
    /// The value of a measure with a proven bound of its error: that of the arithmetic, the rates being taken for exact.
    ///
    /// # Errors
    /// As [`Chain::evaluate`].
    pub fn certain(&self, measure: &Measure<f64>) -> Result<Certain, Error> {
        let (value, rounding) = self.evaluate_with_rounding(measure)?;
        let first = rounding * UNIT;
        // (1 + u)^n - 1 <= n u / (1 - n u). Without underflow what is computed as 0 is 0, since nothing is subtracted.
        let relative_error = match value {
            0.0 if first.is_finite() => 0.0,
            _ if first < 0.5 => first / (1.0 - first),
            _ => f64::INFINITY,
        };
        Ok(Certain { value, relative_error })
    }
}
