//! Families of sets, each once (zero-suppressed decision diagrams, Minato 1993).

use crate::structure::diagram::{Full, place};

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
    /// Open addressing: the family at the place that the hash of its node points to, or behind; [`EMPTY`] is an empty place.
    unique: Vec<u32>,
    /// All that [`Self::minus`] found, in open addressing: two families and their difference. Nothing is forgotten: where one
    /// result takes the place of another, families that are in much alike (those of k of n) find each one again and again,
    /// and a table that is a little too small takes time that doubles with every event.
    found: Vec<[u32; 3]>,
    /// How many results are in there.
    results: usize,
    /// Bytes that the three lists may take together.
    memory: usize,
}

/// What remains to be done of a difference: at most two tasks wait for each level of the diagrams.
enum Task {
    Find(u32, u32),
    Join { level: u32, key: [u32; 2] },
}

/// Places in tables to begin with; powers of two, as all lengths are.
const LEAST_TABLE: usize = 1 << 10;

impl SetStore {
    /// A store with the constants, whose lists may take so many bytes together once they grow.
    pub(super) fn new(memory: usize) -> Self {
        let constant = SetNode { level: u32::MAX, high: EMPTY, low: EMPTY };
        let mut nodes = Vec::with_capacity(LEAST_TABLE / 2);
        nodes.extend([constant; 2]);
        Self { nodes, unique: vec![EMPTY; LEAST_TABLE], found: vec![[EMPTY; 3]; LEAST_TABLE], results: 0, memory }
    }

    /// The nodes but for the constants: number `k` of these is family `k + 2`.
    pub(super) fn inner(&self) -> &[SetNode] {
        &self.nodes[2..]
    }

    pub(super) fn node(&self, family: u32) -> SetNode {
        self.nodes[family as usize]
    }

    /// The same nodes without the tables, which are needed no more when all families are made.
    pub(super) fn finished(mut self) -> Self {
        (self.unique, self.found) = (Vec::new(), Vec::new());
        self
    }

    pub(super) fn join(&mut self, level: u32, high: u32, low: u32) -> Result<u32, Full> {
        if high == EMPTY {
            return Ok(low);
        }
        let node = SetNode { level, high, low };
        let at = self.slot(node);
        if self.unique[at] != EMPTY {
            return Ok(self.unique[at]);
        }
        let family = self.nodes.len() as u32;
        self.unique[at] = family;
        self.nodes.push(node);
        if self.nodes.len() * 2 >= self.unique.len() {
            self.grow()?;
        }
        Ok(family)
    }

    /// Where a node is in the table, or belongs.
    fn slot(&self, node: SetNode) -> usize {
        let mut at = place(node.level, node.high, node.low, self.unique.len());
        while self.unique[at] != EMPTY && self.node(self.unique[at]) != node {
            at = (at + 1) & (self.unique.len() - 1);
        }
        at
    }

    /// Makes room for twice as many nodes.
    fn grow(&mut self) -> Result<(), Full> {
        let length = self.unique.len() * 2;
        // Families are numbers of 32 bits. The list of nodes moves: until then its old place is taken as well.
        u32::try_from(length).map_err(|_| Full)?;
        let nodes = (self.nodes.len() + length / 2) * size_of::<SetNode>();
        self.fits(nodes + length * size_of::<u32>() + bytes(&self.found))?;
        self.nodes.try_reserve_exact(length / 2 - self.nodes.len()).map_err(|_| Full)?;
        self.unique = Vec::new();
        self.unique = table(length, EMPTY)?;
        for number in 2..self.nodes.len() {
            let at = self.slot(self.nodes[number]);
            self.unique[at] = number as u32;
        }
        Ok(())
    }

    /// Enters a difference that was found.
    fn remember(&mut self, [a, b]: [u32; 2], result: u32) -> Result<(), Full> {
        if (self.results + 1) * 2 > self.found.len() {
            let length = self.found.len() * 2;
            let nodes = self.nodes.capacity() * size_of::<SetNode>();
            self.fits(nodes + bytes(&self.unique) + bytes(&self.found) * 3)?;
            let old = std::mem::replace(&mut self.found, table(length, [EMPTY; 3])?);
            for entry in old.into_iter().filter(|entry| entry[0] != EMPTY) {
                let at = self.place_of(entry[0], entry[1]);
                self.found[at] = entry;
            }
        }
        let at = self.place_of(a, b);
        self.found[at] = [a, b, result];
        self.results += 1;
        Ok(())
    }

    /// Where the difference of two families is in the table, or belongs.
    fn place_of(&self, a: u32, b: u32) -> usize {
        let mut at = place(a, b, 0, self.found.len());
        while self.found[at][0] != EMPTY && self.found[at][..2] != [a, b] {
            at = (at + 1) & (self.found.len() - 1);
        }
        at
    }

    fn fits(&self, bytes: usize) -> Result<(), Full> {
        if bytes > self.memory { Err(Full) } else { Ok(()) }
    }

    /// The sets of `a` that are not among those of `b`; in each of both families no set contains another. One step for each
    /// pair of a node of the one and a node of the other, at most, however many sets there are.
    pub(super) fn minus(&mut self, a: u32, b: u32) -> Result<u32, Full> {
        let mut tasks = vec![Task::Find(a, b)];
        let mut results = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Find(a, b) => self.find(a, b, &mut tasks, &mut results),
                Task::Join { level, key } => {
                    let low = results.pop().unwrap_or(EMPTY);
                    let high = results.pop().unwrap_or(EMPTY);
                    let result = self.join(level, high, low)?;
                    self.remember(key, result)?;
                    results.push(result);
                }
            }
        }
        Ok(results.pop().unwrap_or(EMPTY))
    }

    /// The difference, if it is known; else the tasks that lead to it.
    fn find(&self, a: u32, b: u32, tasks: &mut Vec<Task>, results: &mut Vec<u32>) {
        if a == EMPTY || a == b {
            results.push(EMPTY);
            return;
        }
        // A family that has the empty set has no other.
        if a == UNIT || b == UNIT || b == EMPTY {
            results.push(a);
            return;
        }
        let (one, other) = (self.node(a), self.node(b));
        if one.level > other.level {
            tasks.push(Task::Find(a, other.low));
            return;
        }
        let [known, _, result] = self.found[self.place_of(a, b)];
        if known != EMPTY {
            results.push(result);
            return;
        }
        tasks.push(Task::Join { level: one.level, key: [a, b] });
        if one.level < other.level {
            results.push(one.high);
            tasks.push(Task::Find(one.low, b));
        } else {
            tasks.push(Task::Find(one.low, other.low));
            tasks.push(Task::Find(one.high, other.high));
        }
    }
}

/// Bytes of a table.
fn bytes<T>(table: &[T]) -> usize {
    size_of_val(table)
}

/// A table of empty places.
fn table<T: Clone>(length: usize, empty: T) -> Result<Vec<T>, Full> {
    let mut table = Vec::new();
    table.try_reserve_exact(length).map_err(|_| Full)?;
    table.resize(length, empty);
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: u32 = 6;

    /// The family of these sets, each given by the bits of its events.
    fn family(store: &mut SetStore, sets: &[u32], level: u32) -> u32 {
        match sets {
            [] => EMPTY,
            [0] => UNIT,
            _ => {
                let (high, low): (Vec<u32>, Vec<u32>) = sets.iter().partition(|&&set| set >> level & 1 == 1);
                let high: Vec<u32> = high.iter().map(|set| set & !(1 << level)).collect();
                let (high, low) = (family(store, &high, level + 1), family(store, &low, level + 1));
                store.join(level, high, low).unwrap()
            }
        }
    }

    /// All sets of so many events.
    fn of_size(size: u32) -> Vec<u32> {
        (0..1 << EVENTS).filter(|set: &u32| set.count_ones() == size).collect()
    }

    #[test]
    fn a_difference_has_the_sets_of_the_one_that_the_other_has_not() {
        let mut store = SetStore::new(1 << 20);
        let families: Vec<Vec<u32>> = (0..=EVENTS)
            .flat_map(|size| {
                let some = |step: usize| -> Vec<u32> { of_size(size).into_iter().step_by(step).collect() };
                [some(1), some(2), some(3)]
            })
            .chain([vec![], vec![1, 6, 24], vec![2, 5], vec![5, 24, 34]])
            .collect();
        for a in &families {
            for b in &families {
                let left: Vec<u32> = a.iter().copied().filter(|set| !b.contains(set)).collect();
                let [one, other, expected] = [a, b, &left].map(|sets| family(&mut store, sets, 0));
                assert_eq!(store.minus(one, other).unwrap(), expected, "{a:?} without {b:?}");
            }
        }
    }

    #[test]
    fn all_that_grows_counts_against_the_memory() {
        // A row of nodes, and differences of families that have few nodes and many pairs of them.
        let row = |memory| {
            let mut store = SetStore::new(memory);
            (0..10_000).try_fold(UNIT, |low, level| store.join(10_000 - level, UNIT, low)).is_ok()
        };
        assert!(row(1 << 20) && !row(1 << 17));
        let differences = |memory| {
            let mut store = SetStore::new(memory);
            let found = (2..10_000).try_for_each(|family| store.remember([family, 2], UNIT));
            found.map(|()| store.found[store.place_of(77, 2)][2])
        };
        assert_eq!(differences(1 << 20).ok(), Some(UNIT));
        assert!(differences(1 << 18).is_err());
    }
}
