//! Which states can be reached from which.

/// The arcs that leave each node of a graph, as index ranges into one list.
pub(super) struct Graph {
    offsets: Vec<usize>,
    ends: Vec<usize>,
}

impl Graph {
    /// The graph of `count` nodes with these arcs.
    pub(super) fn new(count: usize, arcs: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let mut offsets = vec![0; count + 1];
        for (from, _) in arcs.clone() {
            offsets[from + 1] += 1;
        }
        for node in 0..count {
            offsets[node + 1] += offsets[node];
        }
        let mut next = offsets.clone();
        let mut ends = vec![0; offsets[count]];
        for (from, to) in arcs {
            ends[next[from]] = to;
            next[from] += 1;
        }
        Self { offsets, ends }
    }

    /// Where the arcs of a node lead.
    pub(super) fn after(&self, node: usize) -> &[usize] {
        &self.ends[self.offsets[node]..self.offsets[node + 1]]
    }

    /// The nodes that can be reached from `starts`, themselves included; a node for which `stops` is true is reached but
    /// not left.
    pub(super) fn reach(&self, starts: impl Iterator<Item = usize>, stops: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.offsets.len() - 1];
        let mut open: Vec<usize> = starts.collect();
        for &start in &open {
            reached[start] = true;
        }
        while let Some(node) = open.pop() {
            if stops(node) {
                continue;
            }
            for &next in self.after(node) {
                if !reached[next] {
                    reached[next] = true;
                    open.push(next);
                }
            }
        }
        reached
    }
}
