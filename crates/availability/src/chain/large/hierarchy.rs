//! Which points stand for the states of a chain on the way to a coarse picture of it.

use super::step::{Change, Step};

/// A chain's states as points of a coarser one, those of a still coarser one, and so on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    /// From fine to coarse.
    pub(super) steps: Vec<Step>,
}

/// A level with no more states is solved directly.
pub(super) const FEW: usize = 256;
/// Variables with no more values are narrow: beside wider ones their values are put together before those are halved.
const NARROW: u64 = 8;
/// Variables that are halved in one step at most: a state then has up to two to the power of it coarser points.
const AT_ONCE: usize = 3;

impl Hierarchy {
    /// Coarser points by the values of variables: in small steps of the wide ones the worth of a state is nearly linear, among the
    /// values of the narrow ones it is nearly constant. A state is a key: the number whose digits are the values of the variables,
    /// counted from 0, `ranges` being the bases.
    pub(crate) fn of_values(keys: impl Iterator<Item = u64>, ranges: &[u64]) -> Self {
        let (mut keys, mut ranges) = (keys.collect::<Vec<_>>(), ranges.to_vec());
        let mut steps = Vec::new();
        while keys.len() > FEW {
            let changes = changes(&ranges);
            if changes.iter().all(|change| *change == Change::Kept) {
                break;
            }
            let (step, coarser) = Step::of(&keys, &ranges, &changes);
            ranges.iter_mut().zip(&changes).for_each(|(range, change)| *range = change.narrowed(*range));
            steps.push(step);
            keys = coarser;
        }
        Self { steps }
    }

    /// The same among some of the states, in ascending order.
    pub(super) fn among(&self, states: &[u32]) -> Self {
        let mut kept = states.to_vec();
        let mut steps = Vec::new();
        for step in &self.steps {
            if kept.len() <= FEW {
                break;
            }
            let (step, points) = step.among(&kept);
            steps.push(step);
            kept = points;
        }
        Self { steps }
    }
}

/// What to do next with variables of these ranges.
fn changes(ranges: &[u64]) -> Vec<Change> {
    let widest = ranges.iter().copied().max().unwrap_or(1);
    let is_narrow = |range: u64| (2..=NARROW).contains(&range);
    if widest > NARROW && ranges.iter().any(|&range| is_narrow(range)) {
        return ranges.iter().map(|&range| if is_narrow(range) { Change::Together } else { Change::Kept }).collect();
    }
    let mut left = AT_ONCE;
    let mut change = |&range: &u64| {
        let is_halved = range > 1 && range * 2 > widest && left > 0;
        left -= usize::from(is_halved);
        if is_halved { Change::Halved } else { Change::Kept }
    };
    ranges.iter().map(&mut change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_two_are_worth_their_mean() {
        // x of 0..40, y of 0..40, z of 0..2
        let hierarchy = Hierarchy::of_values(0..40 * 40 * 2, &[40, 40, 2]);
        let sizes: Vec<usize> = hierarchy.steps.iter().map(|step| step.count).collect();
        assert_eq!(sizes, [40 * 40, 20 * 20, 10 * 10]);
        let (first, second) = (&hierarchy.steps[0], &hierarchy.steps[1]);
        let at = |x: usize, y: usize| x + 40 * y;
        assert_eq!(first.of_state(at(2, 5)), first.of_state(at(2, 5) + 1_600));
        let corners: Vec<f64> =
            (0..400).map(|point| f64::from(point % 20) * 2.0 + f64::from(point / 20) * 20.0).collect();
        assert_eq!(second.mean(at(2, 4), &corners), 42.0);
        assert_eq!(second.mean(at(3, 5), &corners), 53.0);
        // 39 lies behind the last point.
        assert_eq!(second.mean(at(39, 4), &corners), 78.0);
        let few = second.among(&[at(0, 0) as u32, at(1, 0) as u32, at(2, 4) as u32]).0;
        assert_eq!((few.of_state(0), few.of_state(1), few.of_state(2)), (&[0][..], &[0, 1][..], &[2][..]));
    }
}
