//! Corrections from coarse pictures of a chain: multigrid by aggregation (Horton and Leutenegger 1994; De Sterck et al. 2008).
//!
//! Sweeps settle soon what is near and late what is far: of a million states in a row they tell one end about the other after a
//! million sweeps. A coarser chain, whose states are parts of the finer one, with the rates that follow from the shares that states
//! have in their parts, tells it at once. For `x Q = b` what is left over is summed over parts, and the correction of a part is shared out
//! among its states; for `Q h = g` it is the other way round.

use std::borrow::Cow;

use super::dense::Factors;
use super::hierarchy::Hierarchy;
use super::sweep::{Pass, Read};
use crate::chain::Sparse;
use crate::chain::sparse::Rates;

/// How often the coarser level is asked in each round (2: a W-cycle).
const ASKED: usize = 2;
/// A chain with more states is not factorised.
const MOST: usize = 1_500;

/// A chain and its coarser pictures.
pub(super) struct Levels<'a> {
    levels: Vec<Level<'a>>,
    /// The last level, which is solved directly.
    coarsest: Factors,
}

struct Level<'a> {
    arcs: Cow<'a, Sparse>,
    exits: Cow<'a, [f64]>,
    /// The part of each state, on the next level.
    part: &'a [u32],
    /// Its share in the part.
    share: Vec<f64>,
    parts: usize,
}

impl<'a> Levels<'a> {
    /// The coarser pictures of a chain in which states have these weights; none if it cannot be drawn coarse enough.
    pub(super) fn of(arcs: &'a Sparse, exits: &'a [f64], hierarchy: &'a Hierarchy, weights: &[f64]) -> Option<Self> {
        let mut levels = Vec::new();
        let (mut arcs, mut exits) = (Cow::Borrowed(arcs), Cow::Borrowed(exits));
        let mut weights: Vec<f64> = weights.iter().map(|weight| weight.abs()).collect();
        for part in &hierarchy.parts {
            let parts = part.iter().max().map_or(0, |&last| last as usize + 1);
            let (share, sums) = shares(part, parts, &weights);
            let (coarse, out) = arcs.pass(Coarser { part, parts, share: &share });
            levels.push(Level { arcs, exits, part, share, parts });
            (arcs, exits, weights) = (Cow::Owned(coarse), Cow::Owned(out), sums);
        }
        (weights.len() <= MOST && !levels.is_empty()).then_some(())?;
        let coarsest = Factors::of(matrix(&arcs, &exits, &weights))?;
        Some(Self { levels, coarsest })
    }

    /// One round for `x Q = 0`.
    pub(super) fn settle(&self, x: &mut [f64]) {
        self.left(0, x, None);
    }

    /// One round for `Q h = g`, which has a solution if `g` has mean 0 in the long run.
    pub(super) fn pull(&self, h: &mut [f64], g: &[f64]) {
        self.right(0, h, g);
    }

    /// How often the level behind this one is asked: the last one knows the answer.
    const fn asked(&self, depth: usize) -> usize {
        if depth + 1 == self.levels.len() { 1 } else { ASKED }
    }

    fn left(&self, depth: usize, x: &mut [f64], b: Option<&[f64]>) {
        let Some(level) = self.levels.get(depth) else {
            return x.copy_from_slice(&self.coarsest.solve_left(b.unwrap_or_default()));
        };
        let (mut up, mut down) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let exits = &*level.exits;
        let wanted = |state: usize| b.map_or(0.0, |b| b[state]);
        let sweep = |x: &mut [f64], up: &mut [f64], down: &mut [f64]| {
            down.fill(0.0);
            level.arcs.pass(Flow { weights: &*x, into: &mut *down, is_up: false });
            level.arcs.pass(Both { exits, wanted, up, down, weights: x });
        };
        sweep(x, &mut up, &mut down);
        up.fill(0.0);
        level.arcs.pass(Flow { weights: &*x, into: &mut up, is_up: true });
        let (mut rest, mut y) = (vec![0.0; level.parts], vec![0.0; level.parts]);
        for (state, &part) in level.part.iter().enumerate() {
            rest[part as usize] += wanted(state) - (up[state] + down[state] - x[state] * exits[state]);
        }
        (0..self.asked(depth)).for_each(|_| self.left(depth + 1, &mut y, Some(&rest)));
        for (state, &part) in level.part.iter().enumerate() {
            x[state] += level.share[state] * y[part as usize];
        }
        sweep(x, &mut up, &mut down);
    }

    fn right(&self, depth: usize, h: &mut [f64], g: &[f64]) {
        let Some(level) = self.levels.get(depth) else {
            return h.copy_from_slice(&self.coarsest.solve(g));
        };
        let exits = &*level.exits;
        level.arcs.pass(There { exits, wanted: g, values: h });
        let (mut rest, mut e) = (vec![0.0; level.parts], vec![0.0; level.parts]);
        level.arcs.pass(Left {
            exits,
            wanted: g,
            values: h,
            each: |state: usize, left: f64| {
                rest[level.part[state] as usize] += level.share[state] * left;
            },
        });
        (0..self.asked(depth)).for_each(|_| self.right(depth + 1, &mut e, &rest));
        for (state, &part) in level.part.iter().enumerate() {
            h[state] += e[part as usize];
        }
        level.arcs.pass(There { exits, wanted: g, values: h });
    }
}

/// The share of each state in its part, and the weights of the parts.
fn shares(part: &[u32], parts: usize, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut sums, mut counts) = (vec![0.0; parts], vec![0_u32; parts]);
    for (&part, weight) in part.iter().zip(weights) {
        sums[part as usize] += weight;
        counts[part as usize] += 1;
    }
    let share = |(&part, weight): (&u32, &f64)| {
        let (sum, count) = (sums[part as usize], counts[part as usize]);
        if sum > 0.0 { weight / sum } else { 1.0 / f64::from(count) }
    };
    (part.iter().zip(weights).map(share).collect(), sums)
}

/// The coarsest chain as a matrix, `Q - k e p` with `p` its weights, `e` ones: unlike `Q` it has an inverse, and where `b e = 0` the solution of
/// `y (Q - k e p) = b` is that of `y Q = b` with `y e = 0`.
fn matrix(arcs: &Sparse, exits: &[f64], weights: &[f64]) -> Vec<Vec<f64>> {
    let total: f64 = weights.iter().sum();
    let k = exits.iter().copied().fold(0.0, f64::max);
    let count = weights.len();
    let p: Vec<f64> =
        weights.iter().map(|weight| if total > 0.0 { weight / total } else { 1.0 / count as f64 }).collect();
    let row = |state: usize| {
        let mut row: Vec<f64> = p.iter().map(|p| -k * p).collect();
        for (end, rate) in arcs.row(state) {
            row[state] -= rate;
            row[end] += rate;
        }
        row
    };
    (0..count).map(row).collect()
}

/// The chain of the parts, and the rates out of them.
struct Coarser<'s> {
    part: &'s [u32],
    parts: usize,
    share: &'s [f64],
}

impl Pass for Coarser<'_> {
    type Output = (Sparse, Vec<f64>);
    fn run(self, arcs: &Sparse, rates: &impl Read) -> Self::Output {
        let Self { part, parts, share } = self;
        // The states by their parts.
        let mut begins = vec![0_u32; parts + 1];
        part.iter().for_each(|&part| begins[part as usize + 1] += 1);
        (0..parts).for_each(|part| begins[part + 1] += begins[part]);
        let (mut next, mut members) = (begins.clone(), vec![0_u32; part.len()]);
        for (state, &part) in part.iter().enumerate() {
            members[next[part as usize] as usize] = state as u32;
            next[part as usize] += 1;
        }
        let (mut seen, mut offsets) = (vec![u32::MAX; parts], vec![0_u32]);
        let (mut ends, mut sums, mut exits) = (Vec::<u32>::new(), Vec::<f64>::new(), Vec::with_capacity(parts));
        for from in 0..parts {
            let begin = ends.len();
            for &state in &members[begins[from] as usize..begins[from + 1] as usize] {
                let state = state as usize;
                for place in arcs.offsets[state] as usize..arcs.offsets[state + 1] as usize {
                    let to = part[arcs.ends[place] as usize];
                    if to as usize == from {
                        continue;
                    }
                    let slot = seen[to as usize] as usize;
                    let flow = share[state] * rates.at(place);
                    if slot >= begin && slot < ends.len() && ends[slot] == to {
                        sums[slot] += flow;
                    } else {
                        seen[to as usize] = ends.len() as u32;
                        ends.push(to);
                        sums.push(flow);
                    }
                }
            }
            let out: f64 = sums[begin..].iter().sum();
            exits.push(if out > 0.0 { out } else { 1.0 });
            offsets.push(ends.len() as u32);
        }
        (Sparse { offsets, ends, rates: Rates::Many(sums) }, exits)
    }
}

/// Adds what flows to states behind (`is_up`) or before their source.
struct Flow<'s> {
    weights: &'s [f64],
    into: &'s mut [f64],
    is_up: bool,
}

impl Pass for Flow<'_> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        let Self { weights, into, is_up } = self;
        for (state, weight) in weights.iter().enumerate() {
            for place in arcs.offsets[state] as usize..arcs.offsets[state + 1] as usize {
                let end = arcs.ends[place] as usize;
                if (end > state) == is_up {
                    into[end] += weight * rates.at(place);
                }
            }
        }
    }
}

/// A Gauss-Seidel sweep of `x Q = b` in the order of the states, and one back. `down` holds what flows into each state from those
/// behind it, before and after.
struct Both<'s, F> {
    exits: &'s [f64],
    wanted: F,
    up: &'s mut [f64],
    down: &'s mut [f64],
    weights: &'s mut [f64],
}

impl<F: Fn(usize) -> f64> Pass for Both<'_, F> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        let Self { exits, wanted, up, down, weights } = self;
        let places = |state: usize| arcs.offsets[state] as usize..arcs.offsets[state + 1] as usize;
        up.fill(0.0);
        for state in 0..exits.len() {
            let weight = (up[state] + down[state] - wanted(state)) / exits[state];
            weights[state] = weight;
            for place in places(state) {
                let end = arcs.ends[place] as usize;
                if end > state {
                    up[end] += weight * rates.at(place);
                }
            }
        }
        down.fill(0.0);
        for state in (0..exits.len()).rev() {
            let weight = (up[state] + down[state] - wanted(state)) / exits[state];
            weights[state] = weight;
            for place in places(state) {
                let end = arcs.ends[place] as usize;
                if end < state {
                    down[end] += weight * rates.at(place);
                }
            }
        }
    }
}

/// A Gauss-Seidel sweep of `Q h = g` against the order of the states, and one back.
struct There<'s> {
    exits: &'s [f64],
    wanted: &'s [f64],
    values: &'s mut [f64],
}

impl Pass for There<'_> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        let Self { exits, wanted, values } = self;
        let count = exits.len();
        for state in (0..count).rev().chain(0..count) {
            let mut sum = -wanted[state];
            for place in arcs.offsets[state] as usize..arcs.offsets[state + 1] as usize {
                sum += rates.at(place) * values[arcs.ends[place] as usize];
            }
            values[state] = sum / exits[state];
        }
    }
}

/// Hands what is left of `Q h = g` at each state to a function.
struct Left<'s, F> {
    exits: &'s [f64],
    wanted: &'s [f64],
    values: &'s [f64],
    each: F,
}

impl<F: FnMut(usize, f64)> Pass for Left<'_, F> {
    type Output = ();
    fn run(mut self, arcs: &Sparse, rates: &impl Read) {
        for state in 0..self.exits.len() {
            let mut left = self.wanted[state] + self.exits[state] * self.values[state];
            for place in arcs.offsets[state] as usize..arcs.offsets[state + 1] as usize {
                left -= rates.at(place) * self.values[arcs.ends[place] as usize];
            }
            (self.each)(state, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::core::Core;
    use super::super::krylov::cycle;
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
        let all = Core::above(-1.0, &arcs, &vec![1.0; arcs.states()]);
        let mut weights = vec![1.0; arcs.states()];
        by_levels(&all, &hierarchy, &mut weights, 1e-14).unwrap();
        let sum: f64 = (0..=LINES).map(poisson).sum();
        let total: f64 = weights.iter().sum();
        for (state, weight) in weights.iter().enumerate() {
            let truth = poisson(state % (LINES + 1)) * poisson(state / (LINES + 1)) / (sum * sum);
            assert!((weight / total - truth).abs() < 1e-13, "{state}: {} {truth}", weight / total);
        }
    }

    #[test]
    fn potentials_are_found_to_the_same_end() {
        let (arcs, hierarchy) = groups();
        let exits: Vec<f64> = (0..arcs.states()).map(|state| arcs.row(state).map(|(_, rate)| rate).sum()).collect();
        let weights: Vec<f64> =
            (0..arcs.states()).map(|state| poisson(state % (LINES + 1)) * poisson(state / (LINES + 1))).collect();
        let levels = Levels::of(&arcs, &exits, &hierarchy, &weights).unwrap();
        // What the first group has more busy lines than in the long run.
        let mean =
            (0..=LINES).map(|busy| busy as f64 * poisson(busy)).sum::<f64>() / (0..=LINES).map(poisson).sum::<f64>();
        let wanted: Vec<f64> = (0..arcs.states()).map(|state| mean - (state % (LINES + 1)) as f64).collect();
        let (mut h, nothing) = (vec![0.0; arcs.states()], vec![0.0; arcs.states()]);
        for _ in 0..4 {
            cycle(&mut h, |h| levels.pull(h, &wanted), |h| levels.pull(h, &nothing));
        }
        for state in 0..arcs.states() {
            let drift: f64 = arcs.row(state).map(|(end, rate)| rate * (h[end] - h[state])).sum();
            assert!((drift - wanted[state]).abs() < 1e-7, "{state}: {drift} {}", wanted[state]);
        }
    }
}
