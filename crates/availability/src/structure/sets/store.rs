//! Families of sets, each once (zero-suppressed decision diagrams, Minato 1993).

use crate::structure::diagram::{BYTES_PER_NODE, Full, place};

/// The family without a set.
pub(super) const EMPTY: u32 = 0;
/// The family of the empty set.
pub(super) const UNIT: u32 = 1;

/// The sets of `low`, and those of `high` with the event of this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetNode {
    pub(super) level: u32,
    pub(super) high: u32,
    pub(super) low: u32,
}

/// All families that a calculation has made; families 0 and 1 are the constants.
#[derive(Clone, Debug)]
pub(super) struct SetStore {
    nodes: Vec<SetNode>,
    unique: Vec<u32>,
    /// What [`Self::without`] found, a later result in the place of an earlier one.
    computed: Vec<[u32; 3]>,
    limit: usize,
}

enum Task {
    Find(u32, u32),
    /// Takes the sets of another family from the last result.
    Less(u32),
    Join {
        level: u32,
        key: [u32; 2],
    },
}

const LEAST_TABLE: usize = 1 << 10;

impl SetStore {
    pub(super) fn new(memory: usize) -> Self {
        let constant = SetNode { level: u32::MAX, high: EMPTY, low: EMPTY };
        Self {
            nodes: vec![constant; 2],
            unique: vec![EMPTY; LEAST_TABLE],
            computed: vec![[u32::MAX; 3]; LEAST_TABLE],
            limit: (memory / BYTES_PER_NODE).clamp(2, u32::MAX as usize),
        }
    }

    /// The nodes but for the constants: number `k` of these is family `k + 2`.
    pub(super) fn inner(&self) -> &[SetNode] {
        &self.nodes[2..]
    }

    pub(super) fn node(&self, family: u32) -> SetNode {
        self.nodes[family as usize]
    }

    pub(super) fn join(&mut self, level: u32, high: u32, low: u32) -> Result<u32, Full> {
        if high == EMPTY {
            return Ok(low);
        }
        let node = SetNode { level, high, low };
        let mut at = place(level, high, low, self.unique.len());
        while self.unique[at] != EMPTY {
            if self.node(self.unique[at]) == node {
                return Ok(self.unique[at]);
            }
            at = (at + 1) & (self.unique.len() - 1);
        }
        if self.nodes.len() >= self.limit {
            return Err(Full);
        }
        let family = self.nodes.len() as u32;
        self.unique[at] = family;
        self.nodes.push(node);
        if self.nodes.len() * 2 > self.unique.len() {
            self.grow();
        }
        Ok(family)
    }

    fn grow(&mut self) {
        let length = self.unique.len() * 2;
        self.unique = vec![EMPTY; length];
        self.computed = vec![[u32::MAX; 3]; length / 2];
        for (number, node) in self.nodes.iter().enumerate().skip(2) {
            let mut at = place(node.level, node.high, node.low, length);
            while self.unique[at] != EMPTY {
                at = (at + 1) & (length - 1);
            }
            self.unique[at] = number as u32;
        }
    }

    /// The sets of `a` that contain none of the sets of `b`; both families are minimal (Rauzy 1993, section 4).
    pub(super) fn without(&mut self, a: u32, b: u32) -> Result<u32, Full> {
        let mut tasks = vec![Task::Find(a, b)];
        let mut results = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Find(a, b) => self.find(a, b, &mut tasks, &mut results),
                Task::Less(b) => {
                    let a = results.pop().unwrap_or(EMPTY);
                    tasks.push(Task::Find(a, b));
                }
                Task::Join { level, key: [a, b] } => {
                    let low = results.pop().unwrap_or(EMPTY);
                    let high = results.pop().unwrap_or(EMPTY);
                    let result = self.join(level, high, low)?;
                    let at = place(a, b, 0, self.computed.len());
                    self.computed[at] = [a, b, result];
                    results.push(result);
                }
            }
        }
        Ok(results.pop().unwrap_or(EMPTY))
    }

    fn find(&self, a: u32, b: u32, tasks: &mut Vec<Task>, results: &mut Vec<u32>) {
        if a == EMPTY || b == UNIT || a == b {
            results.push(EMPTY);
            return;
        }
        if b == EMPTY || a == UNIT {
            results.push(a);
            return;
        }
        let [first, second, result] = self.computed[place(a, b, 0, self.computed.len())];
        if (first, second) == (a, b) {
            results.push(result);
            return;
        }
        let (one, other) = (self.node(a), self.node(b));
        if one.level > other.level {
            tasks.push(Task::Find(a, other.low));
            return;
        }
        tasks.push(Task::Join { level: one.level, key: [a, b] });
        if one.level < other.level {
            tasks.push(Task::Find(one.low, b));
            tasks.push(Task::Find(one.high, b));
        } else {
            tasks.push(Task::Find(one.low, other.low));
            // A set with the event contains one without it, or one with it.
            tasks.push(Task::Less(other.high));
            tasks.push(Task::Find(one.high, other.low));
        }
    }
}
