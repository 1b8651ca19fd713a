//! The chain of the coarser points.
//!
//! Let `w` be weights of the states, `P` take what points are worth to what states are worth, and `W = diag(w)`. Flows between points
//! are those between states as they see them, `F = P' W Q P`; the points weigh `v = P' w`, and their chain has the rates
//! `diag(v)^-1 F`. Its rows have sum 0, and where `w Q = 0` its columns have `v F = 0` too. Where flows have a strong drift one against it may be
//! negative; as much is added to both directions as makes it 0, which changes neither sum (De Sterck et al. 2010).

use super::step::Step;
use super::sweep::{Pass, Read};
use crate::chain::Sparse;
use crate::chain::sparse::Rates;

/// Draws the chain of the points of a step.
pub(super) struct Coarser<'s> {
    pub(super) step: &'s Step,
    pub(super) exits: &'s [f64],
    pub(super) weights: &'s [f64],
}

/// A coarser chain, the rates out of its states, and their weights.
pub(super) struct Coarse {
    pub(super) arcs: Sparse,
    pub(super) exits: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl Pass for Coarser<'_> {
    type Output = Coarse;
    fn run(self, arcs: &Sparse, rates: &impl Read) -> Coarse {
        let Self { step, exits, weights } = self;
        let (begins, members) = step.members(weights.len());
        let mut row = Row { begin: 0, seen: vec![u32::MAX; step.count], ends: Vec::new(), flows: Vec::new() };
        let (mut offsets, mut out) = (vec![0_u32], Vec::with_capacity(step.count));
        for point in 0..step.count {
            row.begin = row.ends.len();
            for &state in &members[begins[point] as usize..begins[point + 1] as usize] {
                let state = state as usize;
                let own = step.of_state(state);
                let weight = weights[state] / own.len() as f64;
                for place in arcs.places(state) {
                    row.add(step.of_state(arcs.ends[place] as usize), weight * rates.at(place));
                }
                row.add(own, -weight * exits[state]);
            }
            out.push(row.remove(point as u32));
            offsets.push(row.ends.len() as u32);
        }
        let weights = step.sum(|state| weights[state]);
        let Row { ends, mut flows, .. } = row;
        even_out(&offsets, &ends, &mut flows, &mut out);
        let exits = divide(&offsets, &mut flows, &out, &weights);
        Coarse { arcs: Sparse { offsets, ends, rates: Rates::Many(flows) }, exits, weights }
    }
}

/// The row of flows that is being added up, behind those that are done.
struct Row {
    begin: usize,
    /// Where the flow to each point was put last.
    seen: Vec<u32>,
    ends: Vec<u32>,
    flows: Vec<f64>,
}

impl Row {
    fn add(&mut self, points: &[u32], flow: f64) {
        let flow = flow / points.len() as f64;
        for &to in points {
            let slot = self.seen[to as usize] as usize;
            if slot >= self.begin && slot < self.ends.len() && self.ends[slot] == to {
                self.flows[slot] += flow;
            } else {
                self.seen[to as usize] = self.ends.len() as u32;
                self.ends.push(to);
                self.flows.push(flow);
            }
        }
    }

    /// Takes the flow of a point to itself out: what leaves it.
    fn remove(&mut self, point: u32) -> f64 {
        let slot = self.seen[point as usize] as usize;
        self.ends.swap_remove(slot);
        -self.flows.swap_remove(slot)
    }
}

/// How much more than what is missing: a point that nothing leaves would be a trap.
const MORE: f64 = 1.1;

/// Makes negative flows 0, and adds as much to those back and to what leaves both points.
fn even_out(offsets: &[u32], ends: &[u32], flows: &mut [f64], out: &mut [f64]) {
    let places = |point: usize| offsets[point] as usize..offsets[point + 1] as usize;
    for point in 0..offsets.len() - 1 {
        for place in places(point) {
            let missing = -flows[place];
            if missing > 0.0 {
                let other = ends[place] as usize;
                let added = missing * MORE;
                flows[place] += added;
                out[point] += added;
                if let Some(back) = places(other).find(|&back| ends[back] as usize == point) {
                    flows[back] += added;
                    out[other] += added;
                }
            }
        }
    }
}

/// Makes rates of flows; the rates out of each point, some of which may lead nowhere.
fn divide(offsets: &[u32], flows: &mut [f64], out: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut exits = Vec::with_capacity(weights.len());
    for (point, weight) in weights.iter().enumerate() {
        let rates = &mut flows[offsets[point] as usize..offsets[point + 1] as usize];
        rates.iter_mut().for_each(|flow| *flow /= weight);
        let exit = rates.iter().sum::<f64>().max(out[point] / weight);
        exits.push(if exit > 0.0 { exit } else { 1.0 });
    }
    exits
}
