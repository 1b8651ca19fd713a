//! From a plan to a diagram: cases that agree at the frontier are one node.

use std::collections::BTreeMap;

use super::plan::{Plan, Step};
use crate::structure::diagram::{BYTES_PER_NODE, Diagram, Edge, Full, Store};

/// For each point of the frontier the set of the points that it reaches, itself included; point 0 is the source. Of points
/// that the source reaches nothing else is kept: what they reach, it reaches too.
type Relation = Vec<u128>;

/// What follows a case.
#[derive(Clone, Copy)]
enum Next {
    Decided(bool),
    Case(usize),
}

impl Plan {
    /// The diagram of the function that not all targets are reached.
    pub(super) fn diagram(&self, memory: usize) -> Result<Diagram, Full> {
        let mut store = Store::new(memory);
        let layers = self.layers(memory)?;
        let mut below: Vec<Edge> = Vec::new();
        for (level, layer) in layers.iter().enumerate().rev() {
            let edge = |next: Next| match next {
                Next::Decided(reached) => Edge::TRUE.negate_if(!reached),
                Next::Case(case) => below[case],
            };
            let layer = layer.iter().map(|&[fails, works]| store.decide(level as u32, edge(fails), edge(works)));
            below = layer.collect::<Result<_, _>>()?;
        }
        // Without an event nothing fails, and that all targets are reached then is known.
        let reached = below.first().copied().unwrap_or(Edge::TRUE);
        Ok(Diagram::of(&store, &[!reached]))
    }

    /// For each event the cases that it decides, and what follows if it occurs and if it does not.
    fn layers(&self, memory: usize) -> Result<Vec<Vec<[Next; 2]>>, Full> {
        let mut layers = Vec::new();
        let mut cases: Vec<Relation> = vec![vec![1]];
        let mut used = 0;
        for step in &self.steps {
            let mut numbers: BTreeMap<Relation, usize> = BTreeMap::new();
            let mut layer = Vec::with_capacity(cases.len());
            for case in &cases {
                layer.push([false, true].map(|works| match step.after(case, works) {
                    Err(reached) => Next::Decided(reached),
                    Ok(relation) => {
                        let number = numbers.len();
                        Next::Case(*numbers.entry(relation).or_insert(number))
                    }
                }));
                if used + bytes(numbers.len(), step) > memory {
                    return Err(Full);
                }
            }
            used += layer.len() * size_of::<[Next; 2]>();
            layers.push(layer);
            cases = vec![Vec::new(); numbers.len()];
            for (relation, number) in numbers {
                cases[number] = relation;
            }
        }
        Ok(layers)
    }
}

/// What so many cases after a step take, about.
fn bytes(cases: usize, step: &Step) -> usize {
    cases * (step.after.len() * size_of::<u128>() + BYTES_PER_NODE)
}

impl Step {
    /// The case after this event, or whether all targets are reached if that is decided.
    fn after(&self, case: &Relation, works: bool) -> Result<Relation, bool> {
        let mut reach: Relation = (0..self.points).map(|point| 1 << point).collect();
        reach[..self.before].copy_from_slice(case);
        for (point, row) in reach.iter_mut().enumerate() {
            *row |= 1 << point;
        }
        let arcs: &[_] = if works { &self.arcs } else { &[] };
        for &(from, to) in self.links.iter().chain(arcs) {
            let more = reach[to];
            for row in &mut reach {
                if *row >> from & 1 == 1 {
                    *row |= more;
                }
            }
        }
        self.simplify(self.after.iter().map(|&point| gather(reach[point], &self.after)).collect())
    }

    /// Forgets what does not matter any more.
    fn simplify(&self, mut relation: Relation) -> Result<Relation, bool> {
        let source = relation[0];
        if self.all_targets && source & self.targets == self.targets {
            return Err(true);
        }
        if source & self.open == 0 {
            return Err(false);
        }
        for (point, row) in relation.iter_mut().enumerate().skip(1) {
            // What a point without more arcs reaches, all reach already that can reach it.
            let known = (source | !self.open) >> point & 1 == 1;
            *row = if known { 0 } else { *row & !source };
        }
        // A target without a way to it that can still come.
        for target in (1..relation.len()).filter(|&target| (self.targets & !source) >> target & 1 == 1) {
            let open = |point: usize| self.open >> point & 1 == 1 && relation[point] >> target & 1 == 1;
            if !(1..relation.len()).any(open) {
                return Err(false);
            }
        }
        Ok(relation)
    }
}

/// The bits at these places, in their order.
fn gather(row: u128, places: &[usize]) -> u128 {
    places.iter().enumerate().fold(0, |sum, (bit, &place)| sum | (row >> place & 1) << bit)
}
