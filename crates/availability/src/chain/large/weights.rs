//! The iteration to the weights of the states.

use super::core::Core;
use super::hierarchy::Hierarchy;
use super::krylov::{DIRECTIONS, cycle};
use super::levels::Levels;
use super::sweep::{Inflow, Push, Settle};
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
/// A core with fewer states is iterated to its end in any case.
const FEW: usize = 50_000;
/// Sweeps that carry probability away from state 0, before it is told which states have some.
const FIRST: usize = 8;

/// Cycles of GMRES over coarse pictures at most, and how much one has to bring so that the pictures are not drawn anew.
const CYCLES: usize = 40;
const GOOD: f64 = 0.05;
/// Pictures of all states at most, before the core is chosen.
const ROUNDS: usize = 12;
/// With a smaller imbalance the shares within parts are right enough for GMRES, which takes the pictures as they are.
const SHAPED: f64 = 1e-3;

/// How weights are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By sweeps, which give up where they would be many.
    Impatient,
    /// By sweeps and GMRES, however many.
    Patient,
    /// With coarse pictures.
    ByLevels,
}

/// First weights: some sweeps from state 0.
pub(super) fn guess(arcs: &Sparse, exits: &[f64]) -> Vec<f64> {
    let (mut pending, mut weights) = (vec![0.0; arcs.states()], vec![0.0; arcs.states()]);
    pending[0] = exits[0];
    (1..FIRST).for_each(|_| arcs.pass(Push { exits, pending: &mut pending, weights: None }));
    arcs.pass(Push { exits, pending: &mut pending, weights: Some(&mut weights) });
    weights
}

/// A sweep that tells the weights, and by what share of them it changed the flows.
fn look(arcs: &Sparse, exits: &[f64], pending: &mut [f64], weights: &mut [f64]) -> f64 {
    let last = pending.to_vec();
    arcs.pass(Push { exits, pending, weights: Some(weights) });
    let size: f64 = last.iter().map(|flow| flow.abs()).sum();
    last.iter().zip(pending.iter()).map(|(last, now)| (last - now).abs()).sum::<f64>() / size
}

/// Iterates to the weights of a core until they change by no more than `still`; `weights` are the first ones.
///
/// # Errors
/// If they never stand still, or would not soon and the way is [`Way::Impatient`].
pub(super) fn settle(core: &Core<'_>, weights: &mut [f64], still: f64, way: Way) -> Result<(), Error> {
    let (arcs, exits) = (&*core.arcs, core.exits.as_slice());
    let sweep = |pending: &mut [f64]| arcs.pass(Push { exits, pending, weights: None });
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
        if krylov && way == Way::Impatient && arcs.states() > FEW {
            break;
        }
        if krylov {
            cycle(&mut pending, sweep, sweep);
            swept += DIRECTIONS + 1;
        }
        scale(&mut pending);
        before = change;
    }
    Err(Error::new(
        format!("the steady state of {} states still changes by {before:.1e} after {MOST} sweeps", arcs.states()),
        "solve it by elimination, lump it, or split off what is nearly separate",
    ))
}

/// First weights of all states by coarse pictures, each drawn from what the one before has settled (aggregation and disaggregation; Horton
/// and Leutenegger 1994), before it is known which states carry the probability; none if no picture is coarse enough.
pub(super) fn pictured(arcs: &Sparse, exits: &[f64], hierarchy: &Hierarchy) -> Option<Vec<f64>> {
    let mut weights = vec![1.0; arcs.states()];
    for _ in 0..ROUNDS {
        Levels::of(arcs, exits, hierarchy, &weights)?.settle(&mut weights);
        scale(&mut weights);
        if imbalance(arcs, exits, &weights) < SHAPED {
            break;
        }
    }
    weights.iter().all(|weight| weight.is_finite()).then_some(weights)
}

/// As [`settle`], with coarse pictures of the core.
///
/// # Errors
/// If the weights never stand still.
pub(super) fn by_levels(core: &Core<'_>, hierarchy: &Hierarchy, weights: &mut [f64], still: f64) -> Result<(), Error> {
    let (arcs, exits) = (&*core.arcs, core.exits.as_slice());
    let hierarchy = hierarchy.among(&core.states);
    let (mut before, mut stalls) = (imbalance(arcs, exits, weights), 0);
    if before < still {
        return Ok(());
    }
    let mut levels = Levels::of(arcs, exits, &hierarchy, weights);
    for _ in 0..CYCLES {
        let Some(pictures) = &levels else { break };
        if before < SHAPED {
            cycle(weights, |x| pictures.settle(x), |x| pictures.settle(x));
        }
        // Settles what the cycle, whose directions are kept in single precision, leaves rough.
        pictures.settle(weights);
        scale(weights);
        let change = imbalance(arcs, exits, weights);
        if change < still {
            return Ok(());
        }
        stalls = if change > 0.7 * before { stalls + 1 } else { 0 };
        if stalls >= 3 && change < 1e-13 {
            return Ok(());
        }
        if stalls >= 6 || !change.is_finite() {
            break;
        }
        if before >= SHAPED || change > GOOD * before {
            levels = Levels::of(arcs, exits, &hierarchy, weights);
        }
        before = change;
    }
    Err(Error::new(
        format!("the steady state of {} states still changes by {before:.1e} with coarse pictures", arcs.states()),
        "solve it by elimination, lump it, or split off what is nearly separate",
    ))
}

/// By what share of all flows the flows into states differ from those out of them.
fn imbalance(arcs: &Sparse, exits: &[f64], weights: &[f64]) -> f64 {
    let (inflow, _) = arcs.pass(Inflow(weights));
    let outflow = || weights.iter().zip(exits).map(|(weight, exit)| weight * exit);
    let wrong: f64 = inflow.iter().zip(outflow()).map(|(inflow, outflow)| (inflow - outflow).abs()).sum();
    wrong / outflow().map(f64::abs).sum::<f64>()
}

/// Takes the flows to a sum of 1, so that they neither overflow nor fade.
fn scale(pending: &mut [f64]) {
    let sum: f64 = pending.iter().map(|flow| flow.abs()).sum();
    if sum > 0.0 {
        pending.iter_mut().for_each(|flow| *flow /= sum);
    }
}
