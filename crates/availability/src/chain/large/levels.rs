//! Corrections from coarse pictures of a chain: multigrid (Horton and Leutenegger 1994; De Sterck et al. 2010).
//!
//! Sweeps settle soon what is near and late what is far: of a thousand states in a row they tell one end about the other after a
//! million sweeps. A coarser chain (`coarser`) tells it at once. For `x Q = b` what is left over is summed over the points of the coarser
//! chain, and their corrections are shared out by weight; for `Q h = g` it is the other way round.

use std::borrow::Cow;

use super::coarser::Coarser;
use super::dense::Factors;
use super::hierarchy::Hierarchy;
use super::step::Step;
use super::sweep::{Left, Push, Settle, There};
use crate::chain::Sparse;

/// How often the coarser level is asked in each round (2: a W-cycle).
const ASKED: usize = 2;
/// Sweeps before and after.
const SWEEPS: usize = 2;
/// A chain with more states is not factorised.
const MOST: usize = 1_500;
/// States weigh at least this share of all.
const LEAST: f64 = 1e-200;

/// What coarse pictures are drawn with.
pub(super) struct Pictures {
    pub(super) hierarchy: Hierarchy,
    /// Weights of all states; see `shape`.
    pub(super) shares: Vec<f64>,
}

/// A chain and its coarser pictures.
pub(super) struct Levels<'a> {
    levels: Vec<Level<'a>>,
    /// The last level, which is solved directly.
    coarsest: Factors,
}

struct Level<'a> {
    arcs: Cow<'a, Sparse>,
    exits: Cow<'a, [f64]>,
    step: &'a Step,
    /// The weights of the states and those of their points.
    weights: Vec<f64>,
    coarse: Vec<f64>,
}

impl<'a> Levels<'a> {
    /// The coarser pictures of a chain in which states have these weights; none if it cannot be drawn coarse enough.
    pub(super) fn of(arcs: &'a Sparse, exits: &'a [f64], hierarchy: &'a Hierarchy, weights: &[f64]) -> Option<Self> {
        let mut levels = Vec::new();
        let (mut arcs, mut exits) = (Cow::Borrowed(arcs), Cow::Borrowed(exits));
        let mut weights = at_least(weights);
        for step in &hierarchy.steps {
            let next = arcs.pass(Coarser { step, exits: &exits, weights: &weights });
            let coarse = next.weights.clone();
            levels.push(Level { arcs, exits, step, weights, coarse });
            (arcs, exits, weights) = (Cow::Owned(next.arcs), Cow::Owned(next.exits), next.weights);
        }
        (weights.len() <= MOST && !levels.is_empty()).then_some(())?;
        let coarsest = Factors::of(matrix(&arcs, &exits, &weights))?;
        Some(Self { levels, coarsest })
    }

    /// One round for `x Q = 0`, of the flows that a sweep leaves pending.
    pub(super) fn settle(&self, pending: &mut [f64]) {
        let level = &self.levels[0];
        let mut x = vec![0.0; pending.len()];
        self.correct(0, None, pending, &mut x);
        level.pending(&x, pending);
    }

    /// One round for `Q h = g`, which has a solution if `g` has mean 0 in the long run.
    pub(super) fn pull(&self, h: &mut [f64], g: &[f64]) {
        self.right(0, h, g);
    }

    /// How often the level behind this one is asked: the last one knows the answer.
    const fn asked(&self, depth: usize) -> usize {
        if depth == self.levels.len() { 1 } else { ASKED }
    }

    /// Sweeps, and a correction of the weights that they reach.
    fn correct(&self, depth: usize, b: Option<&[f64]>, pending: &mut [f64], x: &mut [f64]) {
        let level = &self.levels[depth];
        let left = level.sweep(b, pending, x);
        let y = self.left(depth + 1, &level.step.sum(|state| left[state]));
        let per_weight: Vec<f64> = y.iter().zip(&level.coarse).map(|(y, weight)| y / weight).collect();
        for (state, x) in x.iter_mut().enumerate() {
            *x += level.weights[state] * level.step.mean(state, &per_weight);
        }
    }

    /// About `x` with `x Q = b`.
    fn left(&self, depth: usize, b: &[f64]) -> Vec<f64> {
        let Some(level) = self.levels.get(depth) else { return self.coarsest.solve_left(b) };
        let (mut pending, mut x) = (vec![0.0; b.len()], vec![0.0; b.len()]);
        for _ in 0..self.asked(depth) {
            self.correct(depth, Some(b), &mut pending, &mut x);
            level.pending(&x, &mut pending);
            level.sweep(Some(b), &mut pending, &mut x);
        }
        x
    }

    fn right(&self, depth: usize, h: &mut [f64], g: &[f64]) {
        let Some(level) = self.levels.get(depth) else {
            return h.copy_from_slice(&self.coarsest.solve(g));
        };
        let exits = &*level.exits;
        level.arcs.pass(There { exits, wanted: g, values: h });
        let mut rest = vec![0.0; h.len()];
        level.arcs.pass(Left { exits, wanted: g, values: h, each: |state: usize, left: f64| rest[state] = left });
        let mut rest = level.step.sum(|state| level.weights[state] * rest[state]);
        rest.iter_mut().zip(&level.coarse).for_each(|(rest, weight)| *rest /= weight);
        let mut e = vec![0.0; rest.len()];
        (0..self.asked(depth + 1)).for_each(|_| self.right(depth + 1, &mut e, &rest));
        h.iter_mut().enumerate().for_each(|(state, h)| *h += level.step.mean(state, &e));
        level.arcs.pass(There { exits, wanted: g, values: h });
    }
}

impl Level<'_> {
    /// Sweeps of `x Q = b`, the weights that they reach, and what is left of the equations.
    fn sweep(&self, b: Option<&[f64]>, pending: &mut [f64], x: &mut [f64]) -> Vec<f64> {
        let exits = &*self.exits;
        (1..SWEEPS).for_each(|_| self.arcs.pass(Push { exits, wanted: b, pending, weights: None }));
        let mut left = pending.to_vec();
        self.arcs.pass(Push { exits, wanted: b, pending, weights: Some(&mut *x) });
        left.iter_mut().zip(pending.iter()).for_each(|(last, now)| *last -= now);
        left
    }

    fn pending(&self, x: &[f64], pending: &mut [f64]) {
        pending.fill(0.0);
        self.arcs.pass(Settle { weights: x, pending });
    }
}

/// The weights that a small chain has in the long run.
pub(super) fn stationary(arcs: &Sparse, exits: &[f64], weights: &[f64]) -> Option<Vec<f64>> {
    (weights.len() <= MOST).then_some(())?;
    let k = exits.iter().copied().fold(0.0, f64::max);
    let total: f64 = weights.iter().sum();
    let b: Vec<f64> = weights.iter().map(|weight| -k * weight / total).collect();
    Some(at_least(&Factors::of(matrix(arcs, exits, weights))?.solve_left(&b)))
}

/// Weights of sum 1 none of which is negligible.
pub(super) fn at_least(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().map(|weight| weight.abs()).sum();
    weights.iter().map(|weight| (weight.abs() / total).max(LEAST)).collect()
}

/// The coarsest chain as a matrix, `Q - k e p` with `p` its weights, `e` ones: unlike `Q` it has an inverse, and where `b e = 0` the solution of
/// `y (Q - k e p) = b` is that of `y Q = b` with `y e = 0`; that of `b = -k p` is what `p` becomes in the long run.
fn matrix(arcs: &Sparse, exits: &[f64], weights: &[f64]) -> Vec<Vec<f64>> {
    let total: f64 = weights.iter().sum();
    let k = exits.iter().copied().fold(0.0, f64::max);
    let count = weights.len();
    let p: Vec<f64> =
        weights.iter().map(|weight| if total > 0.0 { weight / total } else { 1.0 / count as f64 }).collect();
    let row = |state: usize| {
        let mut row: Vec<f64> = p.iter().map(|p| -k * p).collect();
        row[state] -= exits[state];
        arcs.row(state).for_each(|(end, rate)| row[end] += rate);
        row
    };
    (0..count).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::core::Core;
    use super::super::shape::Shape;
    use super::super::sweep::Exits;
    use super::super::weights::by_levels;
    use super::*;

    const LINES: usize = 60;
    const LOAD: f64 = 40.0;

    /// Two groups of lines, each of which loses calls as Erlang's B says; state `first + (LINES + 1) second`.
    fn groups() -> (Sparse, Hierarchy) {
        let mut arcs = Sparse::new();
        for second in 0..=LINES {
            for first in 0..=LINES {
                for (busy, step) in [(first, 1), (second, LINES + 1)] {
                    let state = first + (LINES + 1) * second;
                    if busy < LINES {
                        arcs.add((state + step) as u32, LOAD);
                    }
                    if busy > 0 {
                        arcs.add((state - step) as u32, busy as f64);
                    }
                }
                arcs.end_row();
            }
        }
        let range = LINES as u64 + 1;
        let hierarchy = Hierarchy::of_values(0..range * range, &[range, range]);
        (arcs, hierarchy)
    }

    /// How often so many lines of a group are busy, without the common factor.
    fn poisson(busy: usize) -> f64 {
        (1..=busy).map(|busy| LOAD / busy as f64).product()
    }

    #[test]
    fn far_ends_of_a_chain_are_settled_at_once() {
        let (arcs, hierarchy) = groups();
        let exits = arcs.pass(Exits);
        let all = Core::above(-1.0, &arcs, &exits, &vec![1.0; arcs.states()]);
        let shape = Shape::of(&arcs, &exits, &hierarchy).unwrap();
        let sum: f64 = (0..=LINES).map(poisson).sum();
        let truth = |state: usize| poisson(state % (LINES + 1)) * poisson(state / (LINES + 1)) / (sum * sum);
        let mut weights = shape.weights;
        by_levels(&all, &Pictures { hierarchy, shares: shape.shares }, &mut weights, 1e-15).unwrap();
        let total: f64 = weights.iter().sum();
        for (state, weight) in weights.iter().enumerate() {
            assert!((weight / total - truth(state)).abs() < 1e-13, "{state}: {} {}", weight / total, truth(state));
        }
    }

    #[test]
    fn potentials_are_found_to_the_same_end() {
        let (arcs, hierarchy) = groups();
        let exits = arcs.pass(Exits);
        let shares = Shape::of(&arcs, &exits, &hierarchy).unwrap().shares;
        let levels = Levels::of(&arcs, &exits, &hierarchy, &shares).unwrap();
        // What the first group has more busy lines than in the long run.
        let mean =
            (0..=LINES).map(|busy| busy as f64 * poisson(busy)).sum::<f64>() / (0..=LINES).map(poisson).sum::<f64>();
        let wanted: Vec<f64> = (0..arcs.states()).map(|state| mean - (state % (LINES + 1)) as f64).collect();
        let mut h = vec![0.0; arcs.states()];
        (0..20).for_each(|_| levels.pull(&mut h, &wanted));
        for state in 0..arcs.states() {
            let drift: f64 = arcs.row(state).map(|(end, rate)| rate * (h[end] - h[state])).sum();
            assert!((drift - wanted[state]).abs() < 1e-7, "{state}: {drift} {}", wanted[state]);
        }
    }

    /// A walk on a square, from each place to its neighbours.
    fn walk(side: usize) -> Sparse {
        let mut arcs = Sparse::new();
        for state in 0..side * side {
            for (place, step) in [(state % side, 1), (state / side, side)] {
                if place + 1 < side {
                    arcs.add((state + step) as u32, 1.0);
                }
                if place > 0 {
                    arcs.add((state - step) as u32, 1.0);
                }
            }
            arcs.end_row();
        }
        arcs
    }

    #[test]
    fn a_round_takes_off_as_much_of_a_wide_chain_as_of_a_narrow_one() {
        for side in [40, 81, 160] {
            let (arcs, count) = (walk(side), side * side);
            let hierarchy = Hierarchy::of_values(0..count as u64, &[side as u64, side as u64]);
            let exits = arcs.pass(Exits);
            let levels = Levels::of(&arcs, &exits, &hierarchy, &vec![1.0; count]).unwrap();
            let slope: Vec<f64> = (0..count).map(|state| (state % side) as f64 - (side - 1) as f64 / 2.0).collect();
            let left = |h: &[f64]| {
                let mut left = 0.0_f64;
                arcs.pass(Left {
                    exits: &exits,
                    wanted: &slope,
                    values: h,
                    each: |_, rest: f64| left = left.max(rest.abs()),
                });
                left
            };
            let mut h = vec![0.0; count];
            (0..3).for_each(|_| levels.pull(&mut h, &slope));
            let before = left(&h);
            (0..3).for_each(|_| levels.pull(&mut h, &slope));
            let rate = (left(&h) / before).cbrt();
            assert!(rate < 0.2, "{side}: {rate}");

            let change = |pending: &mut Vec<f64>| {
                let before = pending.clone();
                arcs.pass(Push { exits: &exits, wanted: None, pending: &mut *pending, weights: None });
                before.iter().zip(pending.iter()).map(|(before, after)| (before - after).abs()).sum::<f64>()
            };
            let mut pending = vec![0.0; count];
            pending[0] = 1.0;
            (0..3).for_each(|_| levels.settle(&mut pending));
            let before = change(&mut pending);
            (0..3).for_each(|_| levels.settle(&mut pending));
            let rate = (change(&mut pending) / before).cbrt();
            assert!(rate < 0.2, "{side}: {rate}");
        }
    }
}
