//! Which states are put together on the way to a coarse picture of a chain.

/// States in parts, those in larger ones, and so on: for each level the part of each state of the level before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    /// From fine to coarse; the numbers of parts are in the order of their first states.
    pub(super) parts: Vec<Vec<u32>>,
}

/// A level has at most this share of the states of the one before.
const SHARE: f64 = 0.4;
/// A level with no more states is solved directly.
pub(super) const FEW: usize = 256;

impl Hierarchy {
    /// Puts states together whose variables have values side by side, those with the widest ranges first. A state is a key: the
    /// number whose digits are the values of the variables, counted from 0, `ranges` being the bases.
    pub(crate) fn of_values(keys: impl Iterator<Item = u64>, ranges: &[u64]) -> Self {
        let (mut keys, mut ranges) = (keys.collect::<Vec<_>>(), ranges.to_vec());
        let mut parts = Vec::new();
        while keys.len() > FEW {
            let (before, mut numbers) = (keys.len(), (0..keys.len() as u32).collect::<Vec<_>>());
            while keys.len() as f64 > SHARE * before as f64 {
                let widest = ranges.iter().copied().max().unwrap_or(1);
                if widest == 1 {
                    // All are one then, which is no picture.
                    return Self { parts };
                }
                let is_halved: Vec<bool> = ranges.iter().map(|range| range * 2 > widest && *range > 1).collect();
                let halved: Vec<u64> = keys.iter().map(|&key| halved(key, &ranges, &is_halved)).collect();
                for (range, _) in ranges.iter_mut().zip(&is_halved).filter(|(_, is_halved)| **is_halved) {
                    *range = range.div_ceil(2);
                }
                let (number_of, first) =
                    numbered(&halved, ranges.iter().try_fold(1_u64, |all, range| all.checked_mul(*range)));
                numbers.iter_mut().for_each(|number| *number = number_of[*number as usize]);
                keys = first;
            }
            parts.push(numbers);
        }
        Self { parts }
    }

    /// The same among some of the states, in ascending order.
    pub(super) fn among(&self, states: &[u32]) -> Self {
        let mut kept = states.to_vec();
        let mut parts = Vec::new();
        for level in &self.parts {
            let of: Vec<u64> = kept.iter().map(|&state| u64::from(level[state as usize])).collect();
            let (numbers, first) = numbered(&of, level.iter().max().map(|&last| u64::from(last) + 1));
            kept = first.into_iter().map(|part| part as u32).collect();
            parts.push(numbers);
            if kept.len() <= FEW {
                break;
            }
        }
        Self { parts }
    }
}

/// The key after some of the digits were halved, their ranges with them.
fn halved(key: u64, ranges: &[u64], is_halved: &[bool]) -> u64 {
    let (mut rest, mut stride, mut to) = (key, 1, 0);
    for (&range, &is_halved) in ranges.iter().zip(is_halved) {
        let (digit, base) = if is_halved { (rest % range / 2, range.div_ceil(2)) } else { (rest % range, range) };
        rest /= range;
        to += digit * stride;
        stride *= base;
    }
    to
}

/// Numbers for keys below `all` in the order of their first places, and the key of each number.
fn numbered(keys: &[u64], all: Option<u64>) -> (Vec<u32>, Vec<u64>) {
    let mut first = Vec::new();
    let mut give = |slot: &mut u32, key| {
        if *slot == 0 {
            first.push(key);
            *slot = first.len() as u32;
        }
        *slot - 1
    };
    let numbers = match all.and_then(|all| usize::try_from(all).ok()).filter(|&all| all <= 8 * keys.len() + 1_024) {
        Some(all) => {
            let mut table = vec![0_u32; all];
            keys.iter().map(|&key| give(&mut table[key as usize], key)).collect()
        }
        None => {
            let mut table = std::collections::BTreeMap::new();
            keys.iter().map(|&key| give(table.entry(key).or_default(), key)).collect()
        }
    };
    (numbers, first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_side_by_side_are_put_together() {
        // x of 0..40, y of 0..40, z of 0..2
        let keys = 0..40 * 40 * 2;
        let hierarchy = Hierarchy::of_values(keys, &[40, 40, 2]);
        let sizes: Vec<u32> = hierarchy.parts.iter().map(|part| part.iter().max().unwrap() + 1).collect();
        assert_eq!(sizes, [20 * 20 * 2, 10 * 10 * 2]);
        let part = |x: u32, y: u32, z: u32| hierarchy.parts[0][(x + 40 * (y + 40 * z)) as usize];
        assert!(part(2, 5, 1) == part(3, 4, 1) && part(2, 5, 1) != part(2, 5, 0) && part(1, 0, 0) != part(2, 0, 0));
        let few = hierarchy.among(&[0, 1, 2, 81]);
        assert_eq!(few.parts[0], [0, 0, 1, 2]);
    }
}
