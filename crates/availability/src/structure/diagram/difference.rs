//! Where two functions differ: what importance and gradients are made of, without a subtraction.

use super::Full;
use super::store::{Diagram, Edge, place};

/// Bytes that one pair takes: up to 24 in the list of pairs, 24 in that of differences, 8 in the table.
pub(crate) const BYTES_PER_PAIR: usize = 56;

/// A pair of functions `(a, b)`: the entry for it, and whether it is to be read as `(b, a)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair(u32);

impl Pair {
    /// Two equal functions.
    const EQUAL: Self = Self(0);

    fn to(entry: usize) -> Self {
        Self((entry as u32) << 1)
    }
    pub(crate) fn entry(self) -> usize {
        (self.0 >> 1) as usize
    }
    pub(crate) fn is_swapped(self) -> bool {
        self.0 & 1 == 1
    }
    fn swap_if(self, swap: bool) -> Self {
        Self(self.0 ^ u32::from(swap))
    }
}

/// How the probabilities of `a and not b` and of `b and not a` are found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Difference {
    /// The functions are equal: both are 0.
    Equal,
    /// `b` is never true: the probability of `a`, and 0.
    Above(Edge),
    /// `b` is not `a`: the probability of `a`, and of not `a`.
    Opposite(Edge),
    /// By the variable of this level, as at a node of a diagram.
    Split { level: u32, high: Pair, low: Pair },
}

/// For each node of a diagram the difference between its branches. With it the probability that a variable decides is a
/// sum of products, where the difference of the probabilities of both branches would have lost its digits.
#[derive(Clone, Debug)]
pub(crate) struct Differences {
    /// Each behind those that it points to.
    pub(crate) entries: Vec<Difference>,
    /// The pair (high, low) of each node; that of the constant is not used.
    pub(crate) of_node: Vec<Pair>,
}

enum Task {
    Find(Edge, Edge),
    Split { level: u32, key: (Edge, Edge), swap: bool },
}

struct Builder<'a> {
    diagram: &'a Diagram,
    entries: Vec<Difference>,
    /// What pair each entry is for; a pair may share the entry of another.
    keys: Vec<(Edge, Edge, Pair)>,
    /// Open addressing into `keys`, 0 is empty.
    table: Vec<u32>,
    limit: usize,
}

impl Differences {
    /// The differences of all nodes, in so many bytes.
    pub(crate) fn of(diagram: &Diagram, memory: usize) -> Result<Self, Full> {
        let mut builder = Builder {
            diagram,
            entries: vec![Difference::Equal],
            keys: vec![(Edge::TRUE, Edge::TRUE, Pair::EQUAL)],
            table: vec![0; 1 << 10],
            limit: (memory / BYTES_PER_PAIR).min((u32::MAX >> 1) as usize),
        };
        let mut of_node = vec![Pair::EQUAL];
        for node in &diagram.nodes[1..] {
            of_node.push(builder.pair(node.high, node.low)?);
        }
        Ok(Self { entries: builder.entries, of_node })
    }
}

impl Builder<'_> {
    fn pair(&mut self, a: Edge, b: Edge) -> Result<Pair, Full> {
        let mut tasks = vec![Task::Find(a, b)];
        let mut results = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Find(a, b) => self.find(a, b, &mut tasks, &mut results)?,
                Task::Split { level, key, swap } => {
                    let low = results.pop().unwrap_or(Pair::EQUAL);
                    let high = results.pop().unwrap_or(Pair::EQUAL);
                    let pair = if high == low { high } else { self.push(Difference::Split { level, high, low }) };
                    self.enter(key, pair)?;
                    results.push(pair.swap_if(swap));
                }
            }
        }
        Ok(results.pop().unwrap_or(Pair::EQUAL))
    }

    fn find(&mut self, a: Edge, b: Edge, tasks: &mut Vec<Task>, results: &mut Vec<Pair>) -> Result<(), Full> {
        if a == b {
            results.push(Pair::EQUAL);
            return Ok(());
        }
        // One form for (a, b), (b, a), (not a, not b) and (not b, not a): the first is the older, and not negated.
        let (mut swap, mut key) = (false, (a, b));
        if key.0.node() > key.1.node() {
            (swap, key) = (true, (b, a));
        }
        if key.0.is_negated() {
            (swap, key) = (!swap, (!key.0, !key.1));
        }
        if let Some(pair) = self.known(key) {
            results.push(pair.swap_if(swap));
        } else if key.0 == Edge::TRUE || key.1 == !key.0 {
            let leaf = if key.0 == Edge::TRUE { Difference::Above(!key.1) } else { Difference::Opposite(key.0) };
            let pair = self.push(leaf);
            self.enter(key, pair)?;
            results.push(pair.swap_if(swap));
        } else {
            let level = self.level(key.0).min(self.level(key.1));
            let (a, b) = (self.cofactors(key.0, level), self.cofactors(key.1, level));
            tasks.push(Task::Split { level, key, swap });
            tasks.push(Task::Find(a.1, b.1));
            tasks.push(Task::Find(a.0, b.0));
        }
        Ok(())
    }

    fn level(&self, edge: Edge) -> u32 {
        self.diagram.nodes[edge.node()].level
    }

    fn cofactors(&self, edge: Edge, level: u32) -> (Edge, Edge) {
        self.diagram.cofactors(edge, level)
    }

    fn push(&mut self, difference: Difference) -> Pair {
        self.entries.push(difference);
        Pair::to(self.entries.len() - 1)
    }

    fn known(&self, (a, b): (Edge, Edge)) -> Option<Pair> {
        let mut place = place(a.bits(), b.bits(), 0, self.table.len());
        while self.table[place] != 0 {
            let (first, second, pair) = self.keys[self.table[place] as usize];
            if (first, second) == (a, b) {
                return Some(pair);
            }
            place = (place + 1) & (self.table.len() - 1);
        }
        None
    }

    fn enter(&mut self, (a, b): (Edge, Edge), pair: Pair) -> Result<(), Full> {
        // Each entry has a key, so this bounds both.
        if self.keys.len() >= self.limit {
            return Err(Full);
        }
        self.keys.push((a, b, pair));
        if self.keys.len() * 2 > self.table.len() {
            self.table = vec![0; self.table.len() * 2];
            (1..self.keys.len()).for_each(|number| self.index(number));
        } else {
            self.index(self.keys.len() - 1);
        }
        Ok(())
    }

    fn index(&mut self, number: usize) {
        let (a, b, _) = self.keys[number];
        let mut place = place(a.bits(), b.bits(), 0, self.table.len());
        while self.table[place] != 0 {
            place = (place + 1) & (self.table.len() - 1);
        }
        self.table[place] = number as u32;
    }
}
