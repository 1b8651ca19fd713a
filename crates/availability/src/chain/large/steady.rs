//! The steady state, and how it comes about.

use super::core::{Core, FLOOR};
use super::hierarchy::Hierarchy;
use super::levels::Pictures;
use super::shape::Shape;
use super::sweep::{Exits, Push, Settle};
use super::weights::{ROUGH, STILL, by_levels, guess, settle};
use crate::Error;
use crate::chain::generator::Space;
use crate::chain::{Sparse, States};

/// The steady state of a large chain, as far as the iteration brought it.
pub struct Steady<'a> {
    pub(super) arcs: &'a Sparse,
    /// For coarse pictures, if it is known which states are side by side.
    pub(super) pictures: Option<Pictures>,
    pub(super) exits: Vec<f64>,
    /// Weights of the states; their sum is `total`.
    pub(super) weights: Vec<f64>,
    pub(super) total: f64,
    pub(super) anchor: usize,
    /// The states by their distance to the anchor, in arcs.
    pub(super) order: Vec<u32>,
    /// Over `slack` they bound the mean times to the anchor from above; see `certificate`.
    pub(super) times: Vec<f64>,
    pub(super) slack: f64,
    /// Sum over all states of the imbalance of flow times the mean time to the anchor.
    pub(super) imbalance: f64,
}

/// How often the states that carry the probability are chosen; afterwards all of them are iterated.
const CHOICES: usize = 12;
/// The floor below which no state is left out.
const NONE: f64 = -1.0;
/// The share of the probability that may be found outside of them.
const LACKING: f64 = 1e-15;
/// Chains with fewer states are settled sooner without coarse pictures.
const LARGE: usize = 500_000;

impl<'a> Steady<'a> {
    /// Iterates to the steady state of a chain whose states are in breadth-first order, as [`super::super::generator::Space`]
    /// has them, and proves that it has only one.
    ///
    /// # Errors
    /// If a state is absorbing, or the iteration stands still before it is there, or no way leads back from some states.
    pub fn of(arcs: &'a Sparse) -> Result<Self, Error> {
        Self::with(arcs, || None)
    }

    /// The same of a state space, whose states are known to be side by side or not by the values of their variables.
    ///
    /// # Errors
    /// As [`Steady::of`].
    pub fn of_space(space: &'a Space) -> Result<Self, Error> {
        Self::with(space.arcs(), || space.hierarchy())
    }

    fn with(arcs: &'a Sparse, hierarchy: impl FnOnce() -> Option<Hierarchy>) -> Result<Self, Error> {
        let exits = checked_exits(arcs)?;
        let order = way_back(arcs, 0)?;
        let hierarchy = if arcs.states() > LARGE { hierarchy() } else { None };
        let (weights, pictures) = weigh(arcs, &exits, hierarchy)?;
        let heaviest = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let anchor = heaviest.map_or(0, |(state, _)| state);
        let order = if anchor == 0 { order } else { way_back(arcs, anchor)? };
        let total = sum(&weights);
        let (times, slack, imbalance) = (Vec::new(), 0.0, f64::INFINITY);
        let mut steady = Self { arcs, pictures, exits, weights, total, anchor, order, times, slack, imbalance };
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

/// The weights of all states, by iteration of those that carry the probability; and what coarse pictures need, if they did help.
fn weigh(arcs: &Sparse, exits: &[f64], hierarchy: Option<Hierarchy>) -> Result<(Vec<f64>, Option<Pictures>), Error> {
    let shape = hierarchy.and_then(|hierarchy| Some((Shape::of(arcs, exits, &hierarchy)?, hierarchy)));
    let (mut weights, mut pictures) = match shape {
        Some((Shape { weights, shares }, hierarchy)) => (weights, Some(Pictures { hierarchy, shares })),
        None => (guess(arcs, exits), None),
    };
    let (mut still, mut floor, mut choices) = (ROUGH, FLOOR, 0);
    loop {
        let core = Core::above(floor, arcs, exits, &weights);
        let mut few = core.gather(&weights);
        let settled = match &pictures {
            Some(pictures) => by_levels(&core, pictures, &mut few, still),
            None => settle(&core, &mut few, still),
        };
        if let Err(error) = settled {
            // The core may be in pieces where the chain is not.
            if pictures.take().is_none() && std::mem::replace(&mut floor, NONE) < 0.0 {
                return Err(error);
            }
            weights = guess(arcs, exits);
            (still, choices) = (ROUGH, 0);
            continue;
        }
        weights = core.scatter(&few, arcs.states());
        // One sweep tells all states what comes to them.
        let mut pending = vec![0.0; arcs.states()];
        arcs.pass(Settle { weights: &weights, pending: &mut pending });
        arcs.pass(Push { exits, wanted: None, pending: &mut pending, weights: Some(&mut weights) });
        if core.lacks(&weights) < LACKING {
            if still <= STILL {
                return Ok((weights, pictures));
            }
            still = STILL;
        }
        choices += 1;
        if choices == CHOICES {
            floor = NONE;
        }
    }
}

/// The sum of the rates out of each state.
fn checked_exits(arcs: &Sparse) -> Result<Vec<f64>, Error> {
    let exits = arcs.pass(Exits);
    let missing = arcs.ends.iter().any(|&end| end as usize >= arcs.states());
    if arcs.states() == 0 || missing || exits.iter().any(|exit| !exit.is_finite()) {
        return Err(Error::new(
            format!("the arcs of {} states lead to others, or have a rate that is none", arcs.states()),
            "give each state its row; a rate is a finite number, 0 or more",
        ));
    }
    if let Some(stuck) = exits.iter().position(|&exit| exit <= 0.0) {
        return Err(Error::new(
            format!("state number {stuck} is absorbing: no arc leaves it"),
            "a steady-state measure needs a way back from every state; ask for a first passage, or add the repair",
        ));
    }
    Ok(exits)
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
