//! The states that carry the probability.
//!
//! Failures are rare beside repairs, so that most states of a large chain are improbable: of the 597,012 of the workstation
//! cluster with 128 stations a side, a tenth has more than 1e-18 each. Only such states, the core, are iterated. That the
//! others are left out is an error like any other of the iteration: the proof sees all states.

use std::borrow::Cow;

use crate::chain::Sparse;

/// A state whose share of the probability is less than this is left out.
pub(super) const FLOOR: f64 = 1e-22;
/// With more than this share of all states, the core is all of them.
const MOST: f64 = 0.5;

/// Some states of a chain, and the arcs between them. What leaves the core is lost, which is little: if it were sent back, states
/// from which all arcs lead out would be traps.
pub(super) struct Core<'a> {
    /// The states in their order.
    pub(super) states: Vec<u32>,
    pub(super) arcs: Cow<'a, Sparse>,
    pub(super) exits: Vec<f64>,
}

impl<'a> Core<'a> {
    /// The states with more than this share of these weights.
    pub(super) fn above(floor: f64, arcs: &'a Sparse, exits: &[f64], weights: &[f64]) -> Self {
        let total: f64 = weights.iter().map(|weight| weight.abs()).sum();
        let carries = |state: &u32| weights[*state as usize].abs() > floor * total;
        let all = 0..arcs.states() as u32;
        let count = all.clone().filter(carries).count();
        let (states, arcs) = if count as f64 > MOST * arcs.states() as f64 {
            (all.collect(), Cow::Borrowed(arcs))
        } else {
            let mut states = Vec::with_capacity(count);
            states.extend(all.filter(carries));
            let arcs = arcs.among(&states);
            (states, Cow::Owned(arcs))
        };
        let exits = states.iter().map(|&state| exits[state as usize]).collect();
        Self { states, arcs, exits }
    }

    /// What a vector over all states has on the core.
    pub(super) fn gather<T: Copy>(&self, all: &[T]) -> Vec<T> {
        self.states.iter().map(|&state| all[state as usize]).collect()
    }

    /// The share of these weights that states outside of the core have.
    pub(super) fn lacks(&self, weights: &[f64]) -> f64 {
        let (mut inside, mut outside, mut states) = (0.0, 0.0, self.states.iter().peekable());
        for (state, weight) in weights.iter().enumerate() {
            let belongs = states.next_if(|&&next| next as usize == state).is_some();
            *(if belongs { &mut inside } else { &mut outside }) += weight.abs();
        }
        outside / (inside + outside)
    }

    /// A vector over so many states that is 0 outside of the core.
    pub(super) fn scatter(&self, values: &[f64], all: usize) -> Vec<f64> {
        let mut spread = vec![0.0; all];
        self.states.iter().zip(values).for_each(|(&state, &value)| spread[state as usize] = value);
        spread
    }
}
