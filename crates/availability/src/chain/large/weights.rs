//! The iteration to the weights of the states.

use super::core::Core;
use super::krylov::{DIRECTIONS, cycle};
use super::levels::{Levels, Pictures};
use super::sweep::{Push, Settle};
use crate::Error;
use crate::chain::Sparse;

/// Sweeps at most.
const MOST: usize = 20_000;
/// Sweeps between two looks at their progress, and between two cycles of GMRES.
const STRETCH: usize = 8;
/// Relative change of the weights in one sweep at which the proof takes over: it needs no more than this.
pub(super) const STILL: f64 = 2e-15;
/// The change that shows which states carry the probability.
pub(super) const ROUGH: f64 = 1e-6;
/// Sweeps that carry probability away from state 0, before it is told which states have some.
const FIRST: usize = 8;

/// What is left to do about a chain that iteration does not solve.
pub(super) const REMEDY: &str =
    "let fewer states do: narrow its ranges, put together what is alike, or split off what is nearly separate";

/// Rounds over coarse pictures at most, and what share of a change one may leave so that GMRES is not asked.
const ROUNDS: usize = 60;
const SLOW: f64 = 0.6;

/// First weights: some sweeps from state 0.
pub(super) fn guess(arcs: &Sparse, exits: &[f64]) -> Vec<f64> {
    let (mut pending, mut weights) = (vec![0.0; arcs.states()], vec![0.0; arcs.states()]);
    pending[0] = exits[0];
    (1..FIRST).for_each(|_| arcs.pass(Push { exits, wanted: None, pending: &mut pending, weights: None }));
    arcs.pass(Push { exits, wanted: None, pending: &mut pending, weights: Some(&mut weights) });
    weights
}

/// A sweep that tells the weights, and by what share of them it changed the flows.
fn look(arcs: &Sparse, exits: &[f64], pending: &mut [f64], weights: &mut [f64]) -> f64 {
    let last = pending.to_vec();
    arcs.pass(Push { exits, wanted: None, pending, weights: Some(weights) });
    let size: f64 = last.iter().map(|flow| flow.abs()).sum();
    last.iter().zip(pending.iter()).map(|(last, now)| (last - now).abs()).sum::<f64>() / size
}

/// Iterates to the weights of a core until they change by no more than `still`; `weights` are the first ones.
///
/// # Errors
/// If they never stand still.
pub(super) fn settle(core: &Core<'_>, weights: &mut [f64], still: f64) -> Result<(), Error> {
    let (arcs, exits) = (&*core.arcs, core.exits.as_slice());
    let sweep = |pending: &mut [f64]| arcs.pass(Push { exits, wanted: None, pending, weights: None });
    let mut pending = vec![0.0; arcs.states()];
    arcs.pass(Settle { weights: &*weights, pending: &mut pending });
    let mut before = f64::INFINITY;
    let (mut stalls, mut swept, mut krylov) = (0, 0, false);
    while swept < MOST {
        (1..STRETCH).for_each(|_| sweep(&mut pending));
        let change = look(arcs, exits, &mut pending, weights);
        swept += STRETCH;
        if change < still {
            return Ok(());
        }
        if !change.is_finite() {
            break;
        }
        // Rounding keeps it from standing still entirely, but not from coming nearer slowly.
        stalls = if change > 0.7 * before { stalls + 1 } else { 0 };
        if stalls >= 12 && change < 1e-13 {
            return Ok(());
        }
        // How many stretches are left at this speed? GMRES is worth its vectors if they are many; the sweeps of the next
        // stretch smooth what it leaves rough, without which it stalls.
        let left = (still / change).ln() / (change / before).min(0.999).ln();
        krylov |= before.is_finite() && left > 40.0;
        if krylov {
            cycle(&mut pending, sweep, sweep);
            swept += DIRECTIONS + 1;
        }
        scale(&mut pending);
        before = change;
    }
    Err(Error::new(
        format!("the steady state of {} states still changes by {before:.1e} after {MOST} sweeps", arcs.states()),
        REMEDY,
    ))
}

/// As [`settle`], with coarse pictures of the core.
///
/// # Errors
/// If the weights never stand still.
pub(super) fn by_levels(core: &Core<'_>, pictures: &Pictures, weights: &mut [f64], still: f64) -> Result<(), Error> {
    let (arcs, exits) = (&*core.arcs, core.exits.as_slice());
    let (hierarchy, shares) = (pictures.hierarchy.among(&core.states), core.gather(&pictures.shares));
    // A core may be so small that none is needed.
    let Some(levels) = Levels::of(arcs, exits, &hierarchy, &shares) else { return settle(core, weights, still) };
    let mut pending = vec![0.0; arcs.states()];
    arcs.pass(Settle { weights: &*weights, pending: &mut pending });
    let (mut before, mut stalls) = (f64::INFINITY, 0);
    for _ in 0..ROUNDS {
        let change = look(arcs, exits, &mut pending, weights);
        let is_slow = change > SLOW * before;
        if change < still || (is_slow && change < 1e-13) {
            return Ok(());
        }
        stalls = if is_slow { stalls + 1 } else { 0 };
        if stalls >= 6 || !change.is_finite() {
            break;
        }
        if is_slow {
            cycle(&mut pending, |flows| levels.settle(flows), |flows| levels.settle(flows));
        }
        // Settles what the cycle, whose directions are kept in single precision, leaves rough.
        levels.settle(&mut pending);
        scale(&mut pending);
        before = change;
    }
    Err(Error::new(
        format!("the steady state of {} states still changes by {before:.1e} with coarse pictures", arcs.states()),
        REMEDY,
    ))
}

/// Takes the flows to a sum of 1, so that they neither overflow nor fade.
fn scale(pending: &mut [f64]) {
    let sum: f64 = pending.iter().map(|flow| flow.abs()).sum();
    if sum > 0.0 {
        pending.iter_mut().for_each(|flow| *flow /= sum);
    }
}
