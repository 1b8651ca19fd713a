//! The nodes of all diagrams that are being built, each function once.

use std::ops::Not;

/// A function: the node that decides it, and whether it is to be negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge(u32);

impl Edge {
    pub(crate) const TRUE: Self = Self(0);
    pub(crate) const FALSE: Self = Self(1);
    /// No function: the mark of an empty place in a table.
    const NONE: Self = Self(u32::MAX);
    /// So many nodes can be told apart.
    const MAX_NODES: usize = (u32::MAX >> 1) as usize;

    pub(crate) fn to(node: usize) -> Self {
        Self((node as u32) << 1)
    }

    pub(crate) fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(crate) fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    /// The edge as a number, for tables.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// The function of the node itself.
    pub(crate) fn plain(self) -> Self {
        Self(self.0 & !1)
    }

    pub(crate) fn negate_if(self, negate: bool) -> Self {
        Self(self.0 ^ u32::from(negate))
    }
}

impl Not for Edge {
    type Output = Self;
    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// If the variable of this level is true then `high`, else `low`. Node 0 is the constant true, with a level below all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) level: u32,
    /// Never negated (or else one function would have two forms).
    pub(crate) high: Edge,
    pub(crate) low: Edge,
}

/// The level of the constants.
pub(crate) const BOTTOM: u32 = u32::MAX;

/// The memory is used up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// Reduced ordered diagrams with complemented edges (Bryant 1986; Brace, Rudell and Bryant 1990), in one table, so that
/// two functions are equal if their edges are.
#[derive(Debug)]
pub(crate) struct Store {
    nodes: Vec<Node>,
    /// Open addressing: the number of a node at the place that its hash points to, or behind; 0 is an empty place.
    unique: Vec<u32>,
    /// What `ite` found: three arguments and the result, a later one in the place of an earlier one.
    computed: Vec<[Edge; 4]>,
    limit: usize,
}

/// Bytes that one node takes: up to 24 in the list, 16 in the table of nodes, 32 in the table of results.
pub(crate) const BYTES_PER_NODE: usize = 72;

const LEAST_TABLE: usize = 1 << 10;

impl Store {
    /// An empty store that may grow to so many bytes.
    pub(crate) fn new(memory: usize) -> Self {
        Self {
            nodes: vec![Node { level: BOTTOM, high: Edge::TRUE, low: Edge::TRUE }],
            unique: vec![0; LEAST_TABLE],
            computed: vec![[Edge::NONE; 4]; LEAST_TABLE],
            limit: (memory / BYTES_PER_NODE).clamp(1, Edge::MAX_NODES),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn level(&self, edge: Edge) -> u32 {
        self.nodes[edge.node()].level
    }

    /// The function for either value of the variable of a level that is not below its own.
    pub(crate) fn cofactors(&self, edge: Edge, level: u32) -> (Edge, Edge) {
        cofactors(&self.nodes, edge, level)
    }

    /// The function of one variable.
    pub(crate) fn variable(&mut self, level: u32) -> Result<Edge, Full> {
        self.decide(level, Edge::TRUE, Edge::FALSE)
    }

    /// The function that is `high` if the variable of the level is true, and `low` if it is not; both lie below the level.
    pub(crate) fn decide(&mut self, level: u32, high: Edge, low: Edge) -> Result<Edge, Full> {
        if high == low {
            return Ok(high);
        }
        let negate = high.is_negated();
        let node = Node { level, high: high.negate_if(negate), low: low.negate_if(negate) };
        let mut place = place(level, node.high.0, node.low.0, self.unique.len());
        while self.unique[place] != 0 {
            let known = self.unique[place] as usize;
            if self.nodes[known] == node {
                return Ok(Edge::to(known).negate_if(negate));
            }
            place = (place + 1) & (self.unique.len() - 1);
        }
        if self.nodes.len() >= self.limit {
            return Err(Full);
        }
        self.unique[place] = self.nodes.len() as u32;
        self.nodes.push(node);
        let edge = Edge::to(self.nodes.len() - 1).negate_if(negate);
        if self.nodes.len() * 2 > self.unique.len() {
            self.grow();
        }
        Ok(edge)
    }

    pub(crate) fn remembered(&self, f: Edge, g: Edge, h: Edge) -> Option<Edge> {
        let [a, b, c, result] = self.computed[place(f.0, g.0, h.0, self.computed.len())];
        ((a, b, c) == (f, g, h)).then_some(result)
    }

    pub(crate) fn remember(&mut self, f: Edge, g: Edge, h: Edge, result: Edge) {
        let place = place(f.0, g.0, h.0, self.computed.len());
        self.computed[place] = [f, g, h, result];
    }

    fn grow(&mut self) {
        self.index(self.unique.len() * 2);
        let old = std::mem::replace(&mut self.computed, vec![[Edge::NONE; 4]; self.unique.len() / 2]);
        for [f, g, h, result] in old.into_iter().filter(|entry| entry[0] != Edge::NONE) {
            self.remember(f, g, h, result);
        }
    }

    /// Enters all nodes anew into a table of this length.
    fn index(&mut self, length: usize) {
        self.unique.clear();
        self.unique.resize(length, 0);
        for (number, node) in self.nodes.iter().enumerate().skip(1) {
            let mut place = place(node.level, node.high.0, node.low.0, length);
            while self.unique[place] != 0 {
                place = (place + 1) & (length - 1);
            }
            self.unique[place] = number as u32;
        }
    }

    /// Forgets all nodes that none of these functions needs, and gives the functions their new edges.
    pub(crate) fn collect(&mut self, roots: &mut [Edge]) {
        let mut diagram = Diagram::of(self, roots);
        std::mem::swap(&mut self.nodes, &mut diagram.nodes);
        roots.copy_from_slice(&diagram.roots);
        let length = (self.nodes.len() * 4).next_power_of_two().max(LEAST_TABLE);
        self.index(length);
        self.computed.clear();
        self.computed.resize(length / 2, [Edge::NONE; 4]);
    }
}

fn cofactors(nodes: &[Node], edge: Edge, level: u32) -> (Edge, Edge) {
    let node = nodes[edge.node()];
    if node.level == level {
        (node.high.negate_if(edge.is_negated()), node.low.negate_if(edge.is_negated()))
    } else {
        (edge, edge)
    }
}

/// A place in a table whose length is a power of two: the same on every machine and in every run.
pub(crate) fn place(a: u32, b: u32, c: u32, length: usize) -> usize {
    let mut hash = u64::from(a).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ u64::from(b)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 29) ^ u64::from(c)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 32)) as usize) & (length - 1)
}

/// The nodes that some functions need and no others, each behind those that it points to.
#[derive(Clone, Debug)]
pub(crate) struct Diagram {
    /// Node 0 is the constant true.
    pub(crate) nodes: Vec<Node>,
    pub(crate) roots: Vec<Edge>,
}

impl Diagram {
    /// What these functions of a store need.
    pub(crate) fn of(store: &Store, roots: &[Edge]) -> Self {
        let mut needed = vec![false; store.nodes.len()];
        needed[0] = true;
        for root in roots {
            needed[root.node()] = true;
        }
        // A node is made after those that it points to: one pass downwards finds all, one upwards gives the numbers.
        for number in (1..store.nodes.len()).rev() {
            if needed[number] {
                needed[store.nodes[number].high.node()] = true;
                needed[store.nodes[number].low.node()] = true;
            }
        }
        let mut renumbered = vec![0; store.nodes.len()];
        let mut nodes = Vec::new();
        let moved = |edge: Edge, renumbered: &[usize]| Edge::to(renumbered[edge.node()]).negate_if(edge.is_negated());
        for (number, node) in store.nodes.iter().enumerate().filter(|(number, _)| needed[*number]) {
            renumbered[number] = nodes.len();
            let (high, low) = (moved(node.high, &renumbered), moved(node.low, &renumbered));
            nodes.push(Node { level: node.level, high, low });
        }
        let roots = roots.iter().map(|&root| moved(root, &renumbered)).collect();
        Self { nodes, roots }
    }

    /// As [`Store::cofactors`].
    pub(crate) fn cofactors(&self, edge: Edge, level: u32) -> (Edge, Edge) {
        cofactors(&self.nodes, edge, level)
    }

    /// How many nodes there are, the constant not counted.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len() - 1
    }
}
