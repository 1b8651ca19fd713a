//! Minimal cut sets and minimal path sets.

mod first;
mod minimal;
mod store;
mod union;

use store::{EMPTY, SetStore, UNIT};

use super::{Limits, Probability, StructureFunction};
use crate::Error;

/// What the sets of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// Minimal cut sets: if all events of one occur then the top event does, and none of them is superfluous.
    Cut,
    /// Minimal path sets: if no event of one occurs then the top event does not, and none of them is superfluous.
    Path,
}

/// One minimal set.
#[derive(Clone, Debug, PartialEq)]
pub struct MinimalSet {
    /// The numbers of its events, ascending.
    pub events: Vec<usize>,
    /// The probability that all of them occur; in a path set, that none does.
    pub probability: f64,
}

/// All minimal cut sets or path sets of a tree, held as a zero-suppressed decision diagram (Minato 1993), so that counting
/// them takes one step for each node, however many there are.
#[derive(Clone, Debug)]
pub struct SetFamily {
    kind: SetKind,
    /// How many events the tree has.
    events: usize,
    /// The event of each level.
    levels: Vec<usize>,
    nodes: SetStore,
    root: u32,
}

impl StructureFunction {
    /// All minimal cut sets: what must fail together for the top event to occur (Rauzy 1993: from the diagram, not by
    /// multiplying gates out).
    ///
    /// # Errors
    /// If the tree is not coherent (with a negation that matters there are no cut sets), if there are copies in it (write
    /// them out with [`super::FaultTree::expanded`]), or if the sets do not fit into the memory allowed.
    pub fn cut_sets(&self, limits: &Limits) -> Result<SetFamily, Error> {
        self.minimal_sets(SetKind::Cut, limits)
    }

    /// All minimal path sets: what suffices to keep the top event from occurring, if it works.
    ///
    /// # Errors
    /// As [`Self::cut_sets`].
    pub fn path_sets(&self, limits: &Limits) -> Result<SetFamily, Error> {
        self.minimal_sets(SetKind::Path, limits)
    }
}

impl SetFamily {
    /// Whether these are cut sets or path sets.
    #[must_use]
    pub fn kind(&self) -> SetKind {
        self.kind
    }

    /// How many sets there are, or the largest number that can be told.
    #[must_use]
    pub fn count(&self) -> u128 {
        self.counts()[self.root as usize]
    }

    /// How many sets each family has.
    fn counts(&self) -> Vec<u128> {
        let mut counts: Vec<u128> = vec![0, 1];
        for node in self.nodes.inner() {
            counts.push(counts[node.high as usize].saturating_add(counts[node.low as usize]));
        }
        counts
    }

    /// How many sets there are of each order: entry `k` for those of `k` events.
    #[must_use]
    pub fn count_by_order(&self) -> Vec<u128> {
        let mut uses = vec![0_u32; self.nodes.inner().len() + 2];
        uses[self.root as usize] = 1;
        for node in self.nodes.inner() {
            uses[node.high as usize] += 1;
            uses[node.low as usize] += 1;
        }
        let mut counts: Vec<Vec<u128>> = vec![vec![], vec![1]];
        for node in self.nodes.inner() {
            let (high, low) = (&counts[node.high as usize], &counts[node.low as usize]);
            let mut sum = vec![0_u128; low.len().max(high.len() + 1)];
            sum[..low.len()].copy_from_slice(low);
            for (order, &count) in high.iter().enumerate() {
                sum[order + 1] = sum[order + 1].saturating_add(count);
            }
            counts.push(sum);
            // A list has as many entries as its largest set has events: it goes when it is not needed any more.
            for child in [node.high, node.low] {
                uses[child as usize] -= 1;
                if uses[child as usize] == 0 {
                    counts[child as usize] = Vec::new();
                }
            }
        }
        counts.swap_remove(self.root as usize)
    }

    /// In how many sets each event is.
    #[must_use]
    pub fn occurrences(&self) -> Vec<u128> {
        let below = self.counts();
        let mut above = vec![0_u128; below.len()];
        above[self.root as usize] = 1;
        let mut result = vec![0_u128; self.events];
        for (number, node) in self.nodes.inner().iter().enumerate().rev() {
            let here = above[number + 2];
            for child in [node.high, node.low] {
                above[child as usize] = above[child as usize].saturating_add(here);
            }
            let event = &mut result[self.levels[node.level as usize]];
            *event = event.saturating_add(here.saturating_mul(below[node.high as usize]));
        }
        result
    }

    /// The sum of the probabilities of all sets: for cut sets the rare-event approximation of the probability of the top
    /// event, which is never less than it. Where sets have much in common it is much more; [`StructureFunction::probability`]
    /// is exact.
    ///
    /// # Errors
    /// If there are not as many probabilities as events.
    pub fn sum_of_probabilities(&self, events: &[Probability]) -> Result<f64, Error> {
        let weights = self.weights(events)?;
        let mut sums = vec![0.0, 1.0];
        for node in self.nodes.inner() {
            sums.push(weights[node.level as usize] * sums[node.high as usize] + sums[node.low as usize]);
        }
        Ok(sums[self.root as usize])
    }

    /// The min-cut upper bound `1 - product over cut sets of (1 - P(cut set))` of a coherent tree (Esary and Proschan 1963),
    /// from the sets one by one.
    ///
    /// # Errors
    /// If there are more than `limit` sets, or not as many probabilities as events.
    pub fn min_cut_upper_bound(&self, events: &[Probability], limit: usize) -> Result<f64, Error> {
        if self.count() > limit as u128 {
            let what = format!("there are {} sets, and the bound goes through all of them", self.count());
            return Err(Error::new(what, format!("allow more than {limit}, or use the exact probability")));
        }
        let sets = self.most_probable(events, limit)?;
        Ok(-sets.iter().map(|set| (-set.probability).ln_1p()).sum::<f64>().exp_m1())
    }

    /// For each level the probability that its event does what the sets want of it.
    fn weights(&self, events: &[Probability]) -> Result<Vec<f64>, Error> {
        if events.len() != self.events {
            let what = format!("{} probabilities were given for {} events", events.len(), self.events);
            return Err(Error::new(what, "give one for each event, in their order"));
        }
        let side = |event: &usize| match self.kind {
            SetKind::Cut => events[*event].yes,
            SetKind::Path => events[*event].no,
        };
        Ok(self.levels.iter().map(side).collect())
    }
}
