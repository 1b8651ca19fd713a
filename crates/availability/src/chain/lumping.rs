//! Lumping: states that behave alike become one, and every measure stays what it was.
//!
//! A partition is ordinarily lumpable if all states of a block have the same rate into each other block (Kemeny and Snell
//! 1960, section 6.3; Buchholz 1994). The coarsest one that respects all labels and rewards is found by refinement: blocks
//! are split by what their states have as rates into blocks, until nothing splits. Rates are compared for equality, and
//! their sums are formed in ascending order, so that symmetric states agree to the last bit; a lumping that is found is
//! exact, and what differs by rounding only is not lumped. A round looks at what the one before may have changed, so that a
//! long chain, each round of which splits off two states, does not take n^2 (Derisavi, Hermanns and Sanders 2003).

use std::collections::BTreeMap;

use super::graph::Graph;
use super::{Chain, Rewards, States};
use crate::Error;

/// A chain lumped.
#[derive(Clone, Debug)]
pub struct Lumped {
    /// The chain of the blocks; each has the name of its first state, and `(x N)` behind it if it has N states.
    pub chain: Chain<f64>,
    /// For each state of the original chain its block.
    pub block_of: Vec<usize>,
}

/// What distinguishes a state from others of its block: the rate into each other block, as sortable bits.
type Signature = Vec<(usize, u64)>;

impl Chain<f64> {
    /// Lumps the states that behave alike with respect to all labels and rewards of the chain.
    ///
    /// # Errors
    /// None so far as the chain is one; the arcs of the result are those of this chain.
    pub fn lump(&self) -> Result<Lumped, Error> {
        let count = self.states().len();
        let mut leaving: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
        self.arcs().iter().for_each(|arc| leaving[arc.from].push((arc.to, arc.rate)));
        // Ascending rates, so that equal multisets have equal sums.
        leaving.iter_mut().for_each(|arcs| arcs.sort_by(|a, b| a.1.total_cmp(&b.1)));
        let block_of = number(Blocks::new(self.kinds()).refined(&leaving).into_iter());
        let blocks = block_of.iter().max().map_or(0, |&last| last + 1);
        let chain = self.quotient(&block_of, blocks)?;
        Ok(Lumped { chain, block_of })
    }

    /// The coarsest partition that respects labels and rewards.
    fn kinds(&self) -> Vec<usize> {
        let count = self.states().len();
        let mut kinds: Vec<Vec<u64>> = vec![Vec::new(); count];
        for states in self.labels().values() {
            kinds.iter_mut().enumerate().for_each(|(state, kind)| kind.push(u64::from(states.contains(state))));
        }
        for rewards in self.all_rewards().values() {
            let mut earned: Vec<Vec<f64>> = (0..count).map(|state| vec![rewards.state(state)]).collect();
            for (index, arc) in self.arcs().iter().enumerate().filter(|(index, _)| rewards.arc(*index) != 0.0) {
                earned[arc.from].push(arc.rate * rewards.arc(index));
            }
            for (kind, mut earned) in kinds.iter_mut().zip(earned) {
                kind.push(earned.remove(0).to_bits());
                earned.sort_by(f64::total_cmp);
                kind.push(earned.iter().sum::<f64>().to_bits());
            }
        }
        number(kinds.into_iter())
    }

    /// The chain of the blocks, from the first state of each.
    fn quotient(&self, block_of: &[usize], blocks: usize) -> Result<Self, Error> {
        let (mut first, mut sizes) = (vec![None; blocks], vec![0_usize; blocks]);
        for (state, &block) in block_of.iter().enumerate() {
            first[block].get_or_insert(state);
            sizes[block] += 1;
        }
        let mut chain = Self::new();
        for (state, size) in first.iter().zip(&sizes) {
            let name = state.map_or("", |state| &self.states()[state]);
            chain.add_state(if *size == 1 { name.to_owned() } else { format!("{name} (x {size})") });
        }
        let kept = |from: usize| first[block_of[from]] == Some(from);
        let arcs: Vec<usize> = (0..self.arcs().len()).filter(|&index| kept(self.arcs()[index].from)).collect();
        for &index in &arcs {
            let arc = self.arcs()[index];
            chain.add_arc(block_of[arc.from], block_of[arc.to], arc.rate)?;
        }
        let mut initial = vec![0.0; blocks];
        self.initial().iter().for_each(|&(state, p)| initial[block_of[state]] += p);
        let initial: Vec<_> = initial.into_iter().enumerate().filter(|(_, p)| *p > 0.0).collect();
        chain.begin(&initial)?;
        let states = || first.iter().map(|state| state.unwrap_or(0));
        for (name, label) in self.labels() {
            chain.set_label(name, States::new(states().map(|state| label.contains(state)).collect()));
        }
        for (name, rewards) in self.all_rewards() {
            let states = states().map(|state| rewards.state(state)).collect();
            chain.set_rewards(name, Rewards { states, arcs: arcs.iter().map(|&index| rewards.arc(index)).collect() });
        }
        Ok(chain)
    }
}

/// A partition of the states.
struct Blocks {
    block_of: Vec<usize>,
    members: Vec<Vec<usize>>,
    /// Where each state stands among the members of its block.
    place: Vec<usize>,
}

impl Blocks {
    fn new(block_of: Vec<usize>) -> Self {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); block_of.iter().max().map_or(0, |&last| last + 1)];
        let mut place = Vec::with_capacity(block_of.len());
        for (state, &block) in block_of.iter().enumerate() {
            place.push(members[block].len());
            members[block].push(state);
        }
        Self { block_of, members, place }
    }

    /// The block of each state when no block has states that behave differently. After the first round only those states are
    /// looked at that are in a new block or have an arc into one: the others of their blocks behave as they did. The largest
    /// part of a block keeps its number, so that no state comes into more than log2 n new ones.
    fn refined(mut self, leaving: &[Vec<(usize, f64)>]) -> Vec<usize> {
        let taken = leaving
            .iter()
            .enumerate()
            .flat_map(|(from, arcs)| arcs.iter().filter(|(_, rate)| *rate > 0.0).map(move |&(to, _)| (to, from)));
        let entering = Graph::new(leaving.len(), taken);
        let mut open: Vec<usize> = (0..leaving.len()).collect();
        while !open.is_empty() {
            let look = |&state: &usize| {
                let block = self.block_of[state];
                (block, signature(&leaving[state], &self.block_of, block), state)
            };
            let mut looked: Vec<(usize, Signature, usize)> = open.iter().map(look).collect();
            looked.sort_unstable();
            let mut moved = Vec::new();
            for of_block in looked.chunk_by(|a, b| a.0 == b.0) {
                let alike = of_block.chunk_by(|a, b| a.1 == b.1);
                let parts: Vec<Vec<usize>> = alike.map(|part| part.iter().map(|looked| looked.2).collect()).collect();
                self.split(of_block[0].0, parts, &open, &mut moved);
            }
            let before: Vec<usize> = moved.iter().flat_map(|&state| entering.after(state)).copied().collect();
            open = moved;
            open.extend(before);
            open.sort_unstable();
            open.dedup();
        }
        self.block_of
    }

    /// Splits these parts off from a block, all of whose other states are alike; if one of them is larger than what is left,
    /// that is split off in its place. `open` are the states of all parts, ascending.
    fn split(&mut self, block: usize, mut parts: Vec<Vec<usize>>, open: &[usize], moved: &mut Vec<usize>) {
        parts.sort_by_key(Vec::len);
        let left = self.members[block].len() - parts.iter().map(Vec::len).sum::<usize>();
        if parts.last().is_some_and(|largest| largest.len() > left) {
            parts.pop();
            let others = self.members[block].iter().copied().filter(|state| open.binary_search(state).is_err());
            parts.push(others.collect());
        }
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let new = self.members.len();
            for (at, &state) in part.iter().enumerate() {
                let gap = self.place[state];
                let old = &mut self.members[block];
                old.swap_remove(gap);
                if let Some(&filled) = old.get(gap) {
                    self.place[filled] = gap;
                }
                (self.block_of[state], self.place[state]) = (new, at);
            }
            moved.extend(&part);
            self.members.push(part);
        }
    }
}

/// The rates of a state into the blocks that are not its own.
fn signature(leaving: &[(usize, f64)], block_of: &[usize], own: usize) -> Signature {
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    for &(to, rate) in leaving.iter().filter(|(to, rate)| block_of[*to] != own && *rate > 0.0) {
        *sums.entry(block_of[to]).or_insert(0.0) += rate;
    }
    sums.into_iter().map(|(block, rate)| (block, rate.to_bits())).collect()
}

/// Numbers for equal things, in the order in which they appear.
fn number<K: Ord>(things: impl Iterator<Item = K>) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    things
        .map(|thing| {
            let next = numbers.len();
            *numbers.entry(thing).or_insert(next)
        })
        .collect()
}
