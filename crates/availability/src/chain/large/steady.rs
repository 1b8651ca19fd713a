//! The iteration.

use super::krylov::cycle;
use super::sweep::{Exits, Push};
use crate::Error;
use crate::chain::{Sparse, States};

/// The steady state of a large chain, as far as the iteration brought it.
pub struct Steady<'a> {
    pub(super) arcs: &'a Sparse,
    pub(super) exits: Vec<f64>,
    /// Weights of the states; their sum is `total`.
    pub(super) weights: Vec<f64>,
    pub(super) total: f64,
    pub(super) anchor: usize,
    /// The states by their distance to the anchor, in arcs.
    pub(super) order: Vec<u32>,
    /// Mean times to the anchor, not less than the true ones by more than `1 / slack`; see `certificate`.
    pub(super) times: Vec<f64>,
    pub(super) slack: f64,
    /// Sum over all states of the imbalance of flow times the mean time to the anchor.
    pub(super) imbalance: f64,
}

/// Sweeps at most.
const MOST: usize = 20_000;
/// Sweeps between two looks at their progress.
const STRETCH: usize = 8;
/// Relative change of the weights in one sweep at which the proof takes over: it needs no more than this.
const STILL: f64 = 2e-13;

impl<'a> Steady<'a> {
    /// Iterates to the steady state of a chain whose states are in breadth-first order, as [`super::super::generator::Space`]
    /// has them, and proves that it has only one.
    ///
    /// # Errors
    /// If a state is absorbing, or the iteration stands still before it is there, or no way leads back from some states.
    pub fn of(arcs: &'a Sparse) -> Result<Self, Error> {
        let exits = arcs.pass(Exits);
        if let Some(stuck) = exits.iter().position(|&exit| exit <= 0.0) {
            return Err(Error::new(
                format!("state number {stuck} is absorbing: no arc leaves it"),
                "a steady-state measure needs a way back from every state; ask for a first passage, or add the repair",
            ));
        }
        let mut pending = vec![0.0; arcs.states()];
        pending[0] = exits[0];
        let mut weights = vec![0.0; arcs.states()];
        iterate(arcs, &exits, &mut pending, &mut weights)?;
        let total = sum(&weights);
        let heaviest = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let anchor = heaviest.map_or(0, |(state, _)| state);
        let mut steady = Self {
            arcs,
            exits,
            weights,
            total,
            anchor,
            order: way_back(arcs, anchor)?,
            times: Vec::new(),
            slack: 0.0,
            imbalance: f64::INFINITY,
        };
        steady.prove_return()?;
        Ok(steady)
    }

    /// The probability of each state; of proven digits [`Steady::certain`] tells.
    pub fn probabilities(&self) -> impl Iterator<Item = f64> + '_ {
        self.weights.iter().map(|weight| weight / self.total)
    }

    /// The probability of a set of states, without a proof.
    #[must_use]
    pub fn probability(&self, states: &States) -> f64 {
        states.iter().map(|state| self.weights.get(state).copied().unwrap_or(0.0)).sum::<f64>() / self.total
    }
}

/// Sweeps until the weights stand still.
fn iterate(arcs: &Sparse, exits: &[f64], pending: &mut [f64], weights: &mut [f64]) -> Result<(), Error> {
    let sweep = |pending: &mut [f64], weights: Option<&mut [f64]>| arcs.pass(Push { exits, pending, weights });
    let mut before = f64::INFINITY;
    let mut stalls = 0;
    let mut swept = 0;
    while swept < MOST {
        (1..STRETCH).for_each(|_| sweep(pending, None));
        let last = pending.to_vec();
        sweep(pending, Some(weights));
        swept += STRETCH;
        let size: f64 = last.iter().map(|flow| flow.abs()).sum();
        let change = last.iter().zip(pending.iter()).map(|(last, now)| (last - now).abs()).sum::<f64>() / size;
        drop(last);
        if change < STILL {
            return Ok(());
        }
        // Rounding keeps it from standing still entirely.
        stalls = if change > 0.7 * before { stalls + 1 } else { 0 };
        if stalls >= 3 && change < 1e-13 {
            return Ok(());
        }
        // How many stretches are left at this speed.
        let left = (STILL / change).ln() / (change / before).min(0.999).ln();
        if before.is_finite() && left > 6.0 {
            cycle(pending, |y| sweep(y, None), |y| sweep(y, None));
            swept += super::krylov::DIRECTIONS + 1;
        }
        scale(pending);
        before = change;
    }
    Err(Error::new(
        format!("the steady state of {} states still changes by {before:.1e} after {MOST} sweeps", arcs.states()),
        "solve it by elimination, lump it, or split off what is nearly separate",
    ))
}

/// The sum by Kahan's method: its error does not grow with the number of terms.
fn sum(terms: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let term = term - lost;
        let next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    sum
}

/// The states in the order of their distance to the anchor.
fn way_back(arcs: &Sparse, anchor: usize) -> Result<Vec<u32>, Error> {
    let mut offsets = vec![0_u32; arcs.states() + 1];
    arcs.ends.iter().for_each(|&end| offsets[end as usize + 1] += 1);
    (0..arcs.states()).for_each(|state| offsets[state + 1] += offsets[state]);
    let mut sources = vec![0_u32; arcs.count()];
    for state in (0..arcs.states()).rev() {
        for &end in &arcs.ends[arcs.offsets[state] as usize..arcs.offsets[state + 1] as usize] {
            // Filled from the back, so that `offsets[end + 1]` becomes where the sources of `end` begin.
            let slot = &mut offsets[end as usize + 1];
            *slot -= 1;
            sources[*slot as usize] = state as u32;
        }
    }
    let ends = |state: usize| offsets.get(state + 2).map_or(sources.len(), |&next| next as usize);
    let mut reached = vec![false; arcs.states()];
    let mut order = vec![anchor as u32];
    reached[anchor] = true;
    let mut next = 0;
    while let Some(&state) = order.get(next) {
        next += 1;
        for &source in &sources[offsets[state as usize + 1] as usize..ends(state as usize)] {
            if !std::mem::replace(&mut reached[source as usize], true) {
                order.push(source);
            }
        }
    }
    match reached.iter().position(|reached| !reached) {
        None => Ok(order),
        Some(stuck) => Err(Error::new(
            format!("the chain is reducible: from state number {stuck} no way leads back to state number {anchor}"),
            "a steady-state measure needs a way back from every state; ask for a first passage, or add the repair",
        )),
    }
}

/// Takes the flows to a sum of 1, so that they neither overflow nor fade.
fn scale(pending: &mut [f64]) {
    let sum: f64 = pending.iter().map(|flow| flow.abs()).sum();
    if sum > 0.0 {
        pending.iter_mut().for_each(|flow| *flow /= sum);
    }
}
