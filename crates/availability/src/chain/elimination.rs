//! Elimination without a subtraction (Grassmann, Taksar, Heyman 1985; "GTH"), sparse, and its adjoint.
//!
//! To eliminate a node `k` is to watch the chain only while it is elsewhere (the censored chain): a way `i -> k -> j` becomes
//! an arc `i -> j` of rate `a_ik * a_kj / s_k`, where `s_k = sum of a_kj` is the diagonal, formed as a sum and never by a
//! subtraction; what was collected in `k` is collected in `i` with the same weight. All operations are `+ * /` of numbers
//! that are not negative.
//!
//! **Bound.** Numerator and denominator of a measure are polynomials with positive coefficients in the rates and earnings of
//! which each term has one factor from each row (the Markov chain tree theorem, Leighton and Rivest 1986). The rounding of
//! one step changes the rows of the `p` predecessors by factors within `1 +- (d + 3) u`, `d` successors, `u = 2^-53`; so it
//! changes the ratio by at most `2 p (d + 3) u` (after O'Cinneide 1993, who has `n` for `p`). The sum over all steps is
//! [`Elimination::rounding`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::network::Network;
use crate::Scalar;

/// What is left of a node when it is eliminated.
#[derive(Clone, Debug)]
pub(super) struct Step<T> {
    pub(super) node: usize,
    /// The arcs out of it, by node.
    pub(super) out: Vec<(usize, T)>,
    /// The arcs into it, by node.
    pub(super) into: Vec<(usize, T)>,
    /// The sum of the arcs out of it.
    pub(super) total: T,
}

/// A network after elimination.
#[derive(Clone, Debug)]
pub(super) struct Elimination<T> {
    pub(super) steps: Vec<Step<T>>,
    /// What each node collects per unit of time in it, when it was eliminated: gain and per.
    pub(super) earns: Vec<[T; 2]>,
    /// When each node was eliminated; those that were not come last.
    pub(super) rank: Vec<usize>,
    /// Proven bound of the relative error of gain over per at the root, in units of 2^-53.
    pub(super) rounding: f64,
}

/// A network while it is eliminated.
struct Work<T> {
    rows: Vec<Vec<(usize, T)>>,
    /// For each node those that have an arc to it; may still name eliminated ones.
    columns: Vec<Vec<usize>>,
    /// How many of `columns` are alive.
    incoming: Vec<usize>,
    alive: Vec<bool>,
    earns: Vec<[T; 2]>,
    rounding: f64,
    /// Whether a number came so near to the smallest ones that its relative error is not bounded.
    underflow: bool,
}

/// What products lost to underflow (at most 5e-324 each) is nothing to sums above this, in twice the precision of binary64 as
/// well.
const SMALL: f64 = 1e-285;

/// Whether a number that is made of these, none of which is 0, is so small that underflow may have taken digits.
fn is_lost<T: Scalar>(result: T, factors: [T; 2]) -> bool {
    result.value() < SMALL && factors.iter().all(|factor| factor.value() > 0.0)
}

impl<T: Scalar> Work<T> {
    fn new(network: &Network<T>) -> Self {
        let count = network.states.len();
        let mut rows: Vec<Vec<(usize, T)>> = vec![Vec::new(); count];
        let mut earns = network.earns.clone();
        let mut terms = vec![0_usize; count];
        let mut underflow = false;
        for edge in &network.edges {
            for (sum, earned) in earns[edge.from].iter_mut().zip(edge.earns) {
                *sum += edge.rate * earned;
                underflow |= is_lost(*sum, [edge.rate, earned]);
            }
            terms[edge.from] += 1;
            if edge.from != edge.to {
                rows[edge.from].push((edge.to, edge.rate));
            }
        }
        let mut columns = vec![Vec::new(); count];
        for (from, row) in rows.iter_mut().enumerate() {
            row.sort_by_key(|&(to, _)| to);
            row.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 += next.1;
                }
                same
            });
            row.iter().for_each(|&(to, _)| columns[to].push(from));
        }
        // Each row is made of sums of at most so many products.
        let rounding = terms.iter().map(|&terms| 2.0 * (terms as f64 + 1.0)).sum();
        let incoming = columns.iter().map(Vec::len).collect();
        Self { rows, columns, incoming, alive: vec![true; count], earns, rounding, underflow }
    }

    /// What it would cost to eliminate a node (Markowitz 1957).
    fn cost(&self, node: usize) -> usize {
        self.incoming[node] * self.rows[node].len()
    }

    /// Eliminates a node; none if it cannot be left.
    fn eliminate(&mut self, node: usize, touched: &mut Vec<usize>) -> Option<Step<T>> {
        let out = std::mem::take(&mut self.rows[node]);
        let mut total = T::ZERO;
        out.iter().for_each(|&(_, rate)| total += rate);
        if total.value() <= 0.0 {
            return None;
        }
        self.alive[node] = false;
        let mut sources = std::mem::take(&mut self.columns[node]);
        sources.retain(|&from| self.alive[from]);
        sources.sort_unstable();
        for &(to, _) in &out {
            self.incoming[to] -= 1;
            touched.push(to);
        }
        self.rounding += 2.0 * sources.len() as f64 * (out.len() as f64 + 3.0);
        let mut into = Vec::with_capacity(sources.len());
        for from in sources {
            if let Ok(place) = self.rows[from].binary_search_by_key(&node, |&(to, _)| to) {
                let (_, rate) = self.rows[from].remove(place);
                into.push((from, rate));
                let share = rate / total;
                self.underflow |= is_lost(share, [rate, total]);
                self.redirect(from, share, node, &out);
                touched.push(from);
            }
        }
        Some(Step { node, out, into, total })
    }

    /// Lets the arc of `from` to the eliminated node lead on: `share` is what was its rate, over the node's total.
    fn redirect(&mut self, from: usize, share: T, node: usize, out: &[(usize, T)]) {
        for side in 0..2 {
            let here = self.earns[node][side];
            self.earns[from][side] += share * here;
            self.underflow |= is_lost(self.earns[from][side], [share, here]);
        }
        let old = std::mem::take(&mut self.rows[from]);
        let mut row = Vec::with_capacity(old.len() + out.len());
        let mut rest = old.into_iter().peekable();
        for &(to, rate) in out.iter().filter(|(to, _)| *to != from) {
            while let Some(entry) = rest.next_if(|entry| entry.0 < to) {
                row.push(entry);
            }
            let mut more = share * rate;
            if let Some((_, present)) = rest.next_if(|entry| entry.0 == to) {
                more += present;
            } else {
                self.columns[to].push(from);
                self.incoming[to] += 1;
            }
            self.underflow |= is_lost(more, [share, rate]);
            row.push((to, more));
        }
        row.extend(rest);
        self.rows[from] = row;
    }
}

impl<T: Scalar> Elimination<T> {
    /// Eliminates all nodes but the root and the stop, those first that make the fewest new arcs.
    ///
    /// # Errors
    /// The node that cannot be left.
    pub(super) fn new(network: &Network<T>) -> Result<Self, usize> {
        let mut work = Work::new(network);
        let count = network.states.len();
        let kept = |node: usize| node == network.root || Some(node) == network.stop;
        let mut queue: BinaryHeap<_> =
            (0..count).filter(|&node| !kept(node)).map(|node| Reverse((work.cost(node), node))).collect();
        let (mut steps, mut rank) = (Vec::with_capacity(count), vec![usize::MAX; count]);
        let mut touched = Vec::new();
        while let Some(Reverse((cost, node))) = queue.pop() {
            if !work.alive[node] || cost != work.cost(node) {
                continue;
            }
            rank[node] = steps.len();
            steps.push(work.eliminate(node, &mut touched).ok_or(node)?);
            touched.sort_unstable();
            touched.dedup();
            queue.extend(touched.drain(..).filter(|&node| !kept(node)).map(|node| Reverse((work.cost(node), node))));
        }
        let rounding = if work.underflow { f64::INFINITY } else { work.rounding + 2.0 };
        Ok(Self { steps, earns: work.earns, rank, rounding })
    }

    /// The mean time at each node for each unit of time at the root: the steady state up to its sum.
    pub(super) fn visits(&self, root: usize) -> Vec<T> {
        let mut weights = vec![T::ZERO; self.earns.len()];
        weights[root] = T::ONE;
        for step in self.steps.iter().rev() {
            let mut sum = T::ZERO;
            for &(from, rate) in &step.into {
                sum += weights[from] * rate;
            }
            weights[step.node] = sum / step.total;
        }
        weights
    }
}

/// The derivatives of gain over per at the root, by everything that an [`Elimination`] began with.
pub(super) struct Adjoint<T> {
    /// By what each node collects: gain and per.
    pub(super) earns: Vec<[T; 2]>,
    into: Vec<Vec<T>>,
    out: Vec<Vec<T>>,
    zero: T,
}

impl<T: Scalar> Adjoint<T> {
    /// Runs the elimination backwards (reverse mode: Griewank and Walther 2008, chapter 3). Only differences that the
    /// derivative itself has are formed.
    pub(super) fn new(elimination: &Elimination<T>, root: usize) -> Self {
        let mut earns = vec![[T::ZERO; 2]; elimination.earns.len()];
        let [gain, per] = elimination.earns[root];
        earns[root] = [T::ONE / per, -(gain / per) / per];
        let zeros = |list: &Vec<(usize, T)>| vec![T::ZERO; list.len()];
        let into = elimination.steps.iter().map(|step| zeros(&step.into)).collect();
        let out = elimination.steps.iter().map(|step| zeros(&step.out)).collect();
        let mut adjoint = Self { earns, into, out, zero: T::ZERO };
        for place in (0..elimination.steps.len()).rev() {
            adjoint.undo(elimination, place);
        }
        adjoint
    }

    /// Takes one step back.
    fn undo(&mut self, elimination: &Elimination<T>, place: usize) {
        let step = &elimination.steps[place];
        let node = step.node;
        let mut total = T::ZERO;
        for (source, &(from, rate)) in step.into.iter().enumerate() {
            let share = rate / step.total;
            let mut worth = T::ZERO;
            for side in 0..2 {
                let above = self.earns[from][side];
                worth += above * elimination.earns[node][side];
                self.earns[node][side] += above * share;
            }
            for (end, &(to, onward)) in step.out.iter().enumerate() {
                if to != from {
                    let above = self.rate(elimination, from, to);
                    worth += above * onward;
                    self.out[place][end] += above * share;
                }
            }
            self.into[place][source] = worth / step.total;
            total = total - worth * share / step.total;
        }
        self.out[place].iter_mut().for_each(|by| *by += total);
    }

    /// The derivative by the rate of the arc between two nodes; 0 where both remain.
    pub(super) fn rate(&self, elimination: &Elimination<T>, from: usize, to: usize) -> T {
        let (first, second) = (elimination.rank[from], elimination.rank[to]);
        let (list, values, wanted, place) = if first < second {
            (elimination.steps.get(first).map(|step| &step.out), &self.out, to, first)
        } else {
            (elimination.steps.get(second).map(|step| &step.into), &self.into, from, second)
        };
        let found = list.and_then(|list| list.binary_search_by_key(&wanted, |&(node, _)| node).ok());
        found.map_or(self.zero, |entry| values[place][entry])
    }
}
