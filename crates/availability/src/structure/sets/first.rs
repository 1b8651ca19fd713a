//! The most probable and the smallest sets, without going through all.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{EMPTY, MinimalSet, SetFamily, UNIT};
use crate::Error;
use crate::structure::Probability;

/// Sets that begin alike, and the best that one of them can be.
struct Candidate {
    bound: f64,
    /// Of those that are equally good the first found comes first, so that the result is always the same.
    age: Reverse<usize>,
    family: u32,
    /// The product of the weights of the events taken, and the last of them in the list of steps.
    taken: f64,
    last: Option<usize>,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound).then(self.age.cmp(&other.age))
    }
}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Candidate {}

impl SetFamily {
    /// The most probable sets, at most so many, the most probable first.
    ///
    /// # Errors
    /// If there are not as many probabilities as events.
    pub fn most_probable(&self, events: &[Probability], number: usize) -> Result<Vec<MinimalSet>, Error> {
        let weights = self.weights(events)?;
        Ok(self.first(&weights, number).into_iter().map(|levels| self.set(&levels, &weights)).collect())
    }

    /// The sets of the fewest events, at most so many, the smallest first.
    ///
    /// # Errors
    /// As [`Self::most_probable`].
    pub fn smallest(&self, events: &[Probability], number: usize) -> Result<Vec<MinimalSet>, Error> {
        let weights = self.weights(events)?;
        let halves = vec![0.5; weights.len()];
        Ok(self.first(&halves, number).into_iter().map(|levels| self.set(&levels, &weights)).collect())
    }

    fn set(&self, levels: &[u32], weights: &[f64]) -> MinimalSet {
        let mut events: Vec<_> = levels.iter().map(|&level| self.levels[level as usize]).collect();
        events.sort_unstable();
        MinimalSet { events, probability: levels.iter().map(|&level| weights[level as usize]).product() }
    }

    /// The sets with the largest products of weights, by a best-first search whose bound is exact: it looks at no more
    /// candidates than the sets found have events and neighbours.
    fn first(&self, weights: &[f64], number: usize) -> Vec<Vec<u32>> {
        let mut best = vec![-1.0, 1.0];
        for node in self.nodes.inner() {
            let with: f64 = weights[node.level as usize] * best[node.high as usize];
            best.push(with.max(best[node.low as usize]));
        }
        let mut steps: Vec<(u32, Option<usize>)> = Vec::new();
        let mut found = Vec::new();
        let mut heap = BinaryHeap::new();
        let mut age = 0;
        let mut offer = |heap: &mut BinaryHeap<Candidate>, family: u32, taken: f64, last| {
            if family != EMPTY {
                heap.push(Candidate { bound: taken * best[family as usize], age: Reverse(age), family, taken, last });
                age += 1;
            }
        };
        offer(&mut heap, self.root, 1.0, None);
        while found.len() < number {
            let Some(Candidate { family, taken, last, .. }) = heap.pop() else { break };
            if family == UNIT {
                found.push(path(&steps, last));
                continue;
            }
            let node = self.nodes.node(family);
            steps.push((node.level, last));
            offer(&mut heap, node.high, taken * weights[node.level as usize], Some(steps.len() - 1));
            offer(&mut heap, node.low, taken, last);
        }
        found
    }
}

fn path(steps: &[(u32, Option<usize>)], mut last: Option<usize>) -> Vec<u32> {
    let mut levels = Vec::new();
    while let Some((level, before)) = last.map(|step| steps[step]) {
        levels.push(level);
        last = before;
    }
    levels
}
