//! Memory for lists that grow, counted before it is taken.

/// How many bytes some lists take together, and may take.
#[derive(Debug)]
pub(super) struct Room {
    taken: usize,
    limit: usize,
}

/// Entries that a list begins with.
const FIRST: usize = 64;

impl Room {
    /// So many bytes, of which so many are taken.
    pub(super) const fn new(limit: usize, taken: usize) -> Self {
        Self { taken, limit }
    }

    /// How many bytes are taken.
    pub(super) const fn taken(&self) -> usize {
        self.taken
    }

    /// Takes so many bytes in the place of others, if there are so many.
    pub(super) fn replace(&mut self, before: usize, after: usize) -> bool {
        let taken = self.taken.saturating_sub(before).saturating_add(after);
        let fits = taken <= self.limit;
        if fits {
            self.taken = taken;
        }
        fits
    }

    /// Makes room for one more entry of a list; whether there is any. A full list becomes twice as long, or if that is too much
    /// by an eighth longer.
    pub(super) fn one_more<T>(&mut self, list: &mut Vec<T>) -> bool {
        list.len() < list.capacity() || self.lengthen(list)
    }

    fn lengthen<T>(&mut self, list: &mut Vec<T>) -> bool {
        for more in [list.len(), list.len() / 8].map(|more| more.max(FIRST)) {
            let taken = self.taken.saturating_add(more * size_of::<T>());
            if taken <= self.limit && list.try_reserve_exact(more).is_ok() {
                self.taken = taken;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grows_to_the_limit_and_no_further() {
        let (mut room, mut list) = (Room::new(10_000, 400), Vec::<u64>::new());
        while room.one_more(&mut list) {
            list.push(0);
        }
        // 64, 128, 256, 512, 1024 entries, then by eighths.
        assert_eq!((list.len(), room.taken()), (1_152, 400 + 1_152 * 8));
        assert!(!room.replace(0, 385) && room.replace(0, 384) && room.replace(384, 0));
        assert_eq!(room.taken(), 9_616);
    }
}
