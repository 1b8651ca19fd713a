//! First weights by coarse pictures, before it is known which states carry the probability.

use super::coarser::{Coarse, Coarser};
use super::hierarchy::Hierarchy;
use super::levels::{at_least, stationary};
use super::step::Step;
use super::sweep::{Push, Settle};
use crate::chain::Sparse;

/// How often a coarse level asks the one behind it. All states ask once: sweeps have told far states only part of how they are reached, and
/// a second picture, drawn with that, would be further off than the first.
const ROUNDS: usize = 2;
/// Sweeps in each round.
const SWEEPS: usize = 4;
/// How often so many sweeps find shares. With too few, states in long repairs have too much, and pictures lead to where a chain that is repaired
/// that seldom would be.
const SHARES: usize = 10;
/// Points weigh at least this, far more than a state has to, so that in far ones the shares of states stay what sweeps made them.
const LEAST: f64 = 1e-60;

/// What coarse pictures tell of the states.
pub(super) struct Shape {
    /// About the weights of the states.
    pub(super) weights: Vec<f64>,
    /// For the chain of the points, their weights in the shares that states have where points weigh the same. Far from where a chain usually
    /// is, the weights themselves tell how it came there, in a long repair most likely; and the way back was told to be as long.
    pub(super) shares: Vec<f64>,
}

impl Shape {
    /// The shape of a chain (on-the-fly multigrid; De Sterck et al. 2010); none if no picture of it is coarse enough.
    pub(super) fn of(arcs: &Sparse, exits: &[f64], hierarchy: &Hierarchy) -> Option<Self> {
        let (step, steps) = hierarchy.steps.split_first()?;
        let mut shares = vec![1.0; arcs.states()];
        for _ in 0..SHARES {
            sweep(arcs, exits, &mut shares);
            let sums = step.sum(|state| shares[state]);
            multiply(step, &mut shares, &sums.iter().map(|sum| 1.0 / sum).collect::<Vec<_>>());
        }
        let mut weights = shares.clone();
        round(arcs, exits, step, steps, &mut weights)?;
        sweep(arcs, exits, &mut weights);
        multiply(step, &mut shares, &step.sum(|state| weights[state]));
        Some(Self { weights, shares })
    }
}

/// Brings the weights of a coarse level near to those that it has in the long run.
fn settle(arcs: &Sparse, exits: &[f64], steps: &[Step], weights: &mut Vec<f64>) -> Option<()> {
    let Some((step, steps)) = steps.split_first() else {
        *weights = stationary(arcs, exits, weights)?;
        return Some(());
    };
    for _ in 0..ROUNDS {
        round(arcs, exits, step, steps, weights)?;
    }
    sweep(arcs, exits, weights);
    Some(())
}

/// Sweeps tell states their shares near by; the coarser chain, which is drawn with those, tells the rest.
fn round(arcs: &Sparse, exits: &[f64], step: &Step, steps: &[Step], weights: &mut Vec<f64>) -> Option<()> {
    sweep(arcs, exits, weights);
    let Coarse { arcs, exits, weights: before } = arcs.pass(Coarser { step, exits, weights });
    let mut after = before.clone();
    settle(&arcs, &exits, steps, &mut after)?;
    after.iter_mut().zip(before).for_each(|(after, before)| *after = after.max(LEAST) / before);
    multiply(step, weights, &after);
    Some(())
}

/// Multiplies the weight of each state by the factor of its points.
fn multiply(step: &Step, weights: &mut [f64], factors: &[f64]) {
    weights.iter_mut().enumerate().for_each(|(state, weight)| *weight *= step.mean(state, factors));
}

fn sweep(arcs: &Sparse, exits: &[f64], weights: &mut Vec<f64>) {
    let mut pending = vec![0.0; arcs.states()];
    arcs.pass(Settle { weights: &*weights, pending: &mut pending });
    (1..SWEEPS).for_each(|_| arcs.pass(Push { exits, wanted: None, pending: &mut pending, weights: None }));
    arcs.pass(Push { exits, wanted: None, pending: &mut pending, weights: Some(weights.as_mut_slice()) });
    *weights = at_least(weights);
}
