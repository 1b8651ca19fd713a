//! What it would take to eliminate all states of a large chain, told by its arcs alone.
//!
//! Eliminate from the last state to the first. The states to and from which one then has arcs are before it, and have an arc
//! to or from it or a state behind it: its front (the envelope of a sparse matrix: George and Liu 1981, chapter 4). In
//! breadth-first order fronts are as wide as levels are: narrow where a chain is long, as a queue is, and wide where it has two
//! dimensions. [`super::elimination`] finds its own order, which as a rule is no worse.

use super::Sparse;

/// Bytes that a state takes beside what fronts do: its name, its arcs in all forms, its row and column, its step.
const STATE: usize = 1 << 10;
/// Bytes that an entry of a front takes: an arc there and one back, as an arc, in a step, and in its adjoint.
const ENTRY: usize = 64;

impl Sparse {
    /// How many products an elimination against the order of the states forms at most, with the entries of rows that it moves
    /// meanwhile; nothing if that takes more than so many bytes.
    pub(super) fn elimination_work(&self, bytes: usize) -> Option<f64> {
        let states = self.states();
        let left = bytes.checked_sub(states.checked_mul(STATE)?)?;
        let mut last: Vec<usize> = (0..states).collect();
        let mut widest = 0;
        for state in 0..states {
            let ends = &self.ends[self.offsets[state] as usize..self.offsets[state + 1] as usize];
            widest = widest.max(ends.len());
            for end in ends.iter().map(|&end| end as usize) {
                let near = state.min(end);
                last[near] = last[near].max(state.max(end));
            }
        }
        let mut leaving = vec![0_usize; states];
        let (mut front, mut kept, mut work) = (0, 0_usize, 0.0);
        for (state, &last) in last.iter().enumerate() {
            kept += front;
            work += front as f64 * (front + widest) as f64;
            front -= leaving[state];
            if last > state {
                leaving[last] += 1;
                front += 1;
            }
        }
        (kept <= left / ENTRY).then_some(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain in which these states have arcs to each other.
    fn joined(states: usize, pairs: &[(usize, usize)]) -> Sparse {
        let mut arcs = Sparse::new();
        for state in 0..states {
            for &(a, b) in pairs.iter().filter(|(a, b)| *a == state || *b == state) {
                arcs.add((a + b - state) as u32, 1.0);
            }
            arcs.end_row();
        }
        arcs
    }

    #[test]
    fn a_row_is_narrow_and_a_star_has_a_long_arm_and_a_square_is_wide() {
        let row: Vec<_> = (1..50).map(|state| (state - 1, state)).collect();
        // One state before each but the first, and rows of two arcs.
        assert_eq!(joined(50, &row).elimination_work(1 << 20), Some(49.0 * 3.0));
        let star: Vec<_> = (1..50).map(|state| (0, state)).collect();
        assert_eq!(joined(50, &star).elimination_work(1 << 20), Some(49.0 * 50.0));
        let square: Vec<_> = (0..100).flat_map(|at| [(at, at + 1), (at, at + 10)]).collect();
        let square: Vec<_> = square.into_iter().filter(|&(a, b)| b < 100 && (b == a + 10 || b % 10 > 0)).collect();
        // Ten states before most, and rows of four arcs.
        let work = joined(100, &square).elimination_work(1 << 20).expect("memory");
        assert!((100.0 * 100.0..100.0 * 140.0).contains(&work), "{work}");
    }

    #[test]
    fn without_memory_there_is_no_elimination() {
        let row = joined(10, &[(0, 1), (1, 9)]);
        assert_eq!(row.elimination_work(10 * STATE - 1), None);
        // State 1 is before all up to 9, state 0 before 1.
        assert_eq!(row.elimination_work(10 * STATE + 9 * ENTRY - 1), None);
        assert!(row.elimination_work(10 * STATE + 9 * ENTRY).is_some());
    }
}
