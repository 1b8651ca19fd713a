//! One step to a coarser picture of a chain.

use std::collections::BTreeMap;

/// What a step does with the values of a variable, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Kept,
    /// All become one.
    Together,
    /// The even ones stay, and what is between two of them is worth their mean.
    Halved,
}

impl Change {
    /// How many values are left of so many.
    pub(super) const fn narrowed(self, range: u64) -> u64 {
        match self {
            Self::Kept => range,
            Self::Together => 1,
            Self::Halved => range.div_ceil(2),
        }
    }
}

/// The coarser points of each state: it is worth the mean of what they are worth.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Where the points of each state begin, and at last where they end.
    offsets: Vec<u32>,
    points: Vec<u32>,
    /// How many points there are.
    pub(super) count: usize,
}

impl Step {
    /// The step of states with these keys, and the keys of the coarser points.
    pub(super) fn of(keys: &[u64], ranges: &[u64], changes: &[Change]) -> (Self, Vec<u64>) {
        let all = ranges.iter().zip(changes).map(|(&range, &change)| change.narrowed(range));
        let mut numbers = Numbers::below(all.fold(1, u64::saturating_mul), keys.len());
        let mut around = Vec::new();
        // Points are states of the finer chain, as far as there is one.
        for &key in keys {
            coarser(key, ranges, changes, &mut around);
            if let [point] = around[..] {
                numbers.give(point);
            }
        }
        let (mut offsets, mut points) = (vec![0], Vec::with_capacity(keys.len()));
        for &key in keys {
            coarser(key, ranges, changes, &mut around);
            let begin = points.len();
            points.extend(around.iter().filter_map(|&point| numbers.of(point)));
            if points.len() == begin {
                points.push(numbers.give(around[0]));
            }
            offsets.push(points.len() as u32);
        }
        (Self { offsets, points, count: numbers.keys.len() }, numbers.keys)
    }

    /// The coarser points of a state.
    pub(super) fn of_state(&self, state: usize) -> &[u32] {
        &self.points[self.offsets[state] as usize..self.offsets[state + 1] as usize]
    }

    /// The same for some of the states, and the points that they have.
    pub(super) fn among(&self, states: &[u32]) -> (Self, Vec<u32>) {
        let mut number = vec![0; self.count];
        states.iter().for_each(|&state| self.of_state(state as usize).iter().for_each(|&to| number[to as usize] = 1));
        let kept: Vec<u32> = (0..self.count as u32).filter(|&point| number[point as usize] > 0).collect();
        kept.iter().zip(0..).for_each(|(&point, new)| number[point as usize] = new);
        let (mut offsets, mut points) = (vec![0], Vec::new());
        for &state in states {
            points.extend(self.of_state(state as usize).iter().map(|&point| number[point as usize]));
            offsets.push(points.len() as u32);
        }
        (Self { offsets, points, count: kept.len() }, kept)
    }

    /// The states of each point: where they begin, and they.
    pub(super) fn members(&self, states: usize) -> (Vec<u32>, Vec<u32>) {
        let mut begins = vec![0_u32; self.count + 1];
        self.points.iter().for_each(|&point| begins[point as usize + 1] += 1);
        (0..self.count).for_each(|point| begins[point + 1] += begins[point]);
        let (mut next, mut members) = (begins.clone(), vec![0_u32; self.points.len()]);
        for state in 0..states {
            for &point in self.of_state(state) {
                members[next[point as usize] as usize] = state as u32;
                next[point as usize] += 1;
            }
        }
        (begins, members)
    }

    /// Hands a vector over the states on to the points.
    pub(super) fn sum(&self, fine: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for state in 0..self.offsets.len() - 1 {
            let points = self.of_state(state);
            let part = fine(state) / points.len() as f64;
            points.iter().for_each(|&point| sums[point as usize] += part);
        }
        sums
    }

    /// What a state is worth, of what the points are worth.
    pub(super) fn mean(&self, state: usize, coarse: &[f64]) -> f64 {
        match self.of_state(state) {
            [only] => coarse[*only as usize],
            points => points.iter().map(|&point| coarse[point as usize]).sum::<f64>() / points.len() as f64,
        }
    }
}

/// The keys of the coarser points of a state, whether they are there or not.
fn coarser(key: u64, ranges: &[u64], changes: &[Change], around: &mut Vec<u64>) {
    let (mut rest, mut stride) = (key, 1);
    around.clear();
    around.push(0);
    for (&range, &change) in ranges.iter().zip(changes) {
        let (digit, count) = (rest % range, around.len());
        rest /= range;
        let next = change.narrowed(range);
        let at = match change {
            Change::Kept => digit,
            Change::Together => 0,
            Change::Halved => digit / 2,
        };
        // The last odd value has no even one behind it.
        if change == Change::Halved && digit % 2 == 1 && at + 1 < next {
            around.extend_from_within(..);
            around[count..].iter_mut().for_each(|point| *point += stride);
        }
        around.iter_mut().for_each(|point| *point += at * stride);
        stride *= next;
    }
}

/// Numbers for keys in the order in which they are given.
struct Numbers {
    places: Places,
    keys: Vec<u64>,
}

/// For each key its number + 1.
enum Places {
    Table(Vec<u32>),
    Tree(BTreeMap<u64, u32>),
}

impl Numbers {
    fn below(all: u64, about: usize) -> Self {
        let table = usize::try_from(all).ok().filter(|&all| all <= 8 * about + 1_024);
        let places = table.map_or_else(|| Places::Tree(BTreeMap::new()), |all| Places::Table(vec![0; all]));
        Self { places, keys: Vec::new() }
    }

    fn of(&self, key: u64) -> Option<u32> {
        let number = match &self.places {
            Places::Table(table) => table[key as usize],
            Places::Tree(tree) => tree.get(&key).copied().unwrap_or(0),
        };
        number.checked_sub(1)
    }

    fn give(&mut self, key: u64) -> u32 {
        let slot = match &mut self.places {
            Places::Table(table) => &mut table[key as usize],
            Places::Tree(tree) => tree.entry(key).or_default(),
        };
        if *slot == 0 {
            self.keys.push(key);
            *slot = self.keys.len() as u32;
        }
        *slot - 1
    }
}
