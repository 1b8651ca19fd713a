//! The states found so far: their keys in the order of discovery, and an index from key to place.

use crate::chain::room::Room;

/// Keys in as few bytes as they need.
pub(super) enum Keys {
    Narrow(Vec<u64>),
    Wide(Vec<u128>),
}

impl Keys {
    pub(super) const fn new(wide: bool) -> Self {
        if wide { Self::Wide(Vec::new()) } else { Self::Narrow(Vec::new()) }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow(keys) => keys.len(),
            Self::Wide(keys) => keys.len(),
        }
    }

    pub(super) fn get(&self, place: usize) -> u128 {
        match self {
            Self::Narrow(keys) => u128::from(keys[place]),
            Self::Wide(keys) => keys[place],
        }
    }

    /// Adds a key, if there is room for one more.
    fn push(&mut self, key: u128, room: &mut Room) -> bool {
        let fits = match self {
            Self::Narrow(keys) => room.one_more(keys),
            Self::Wide(keys) => room.one_more(keys),
        };
        match self {
            _ if !fits => {}
            Self::Narrow(keys) => keys.push(key as u64),
            Self::Wide(keys) => keys.push(key),
        }
        fits
    }

    /// Bytes that the keys take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Narrow(keys) => keys.capacity() * size_of::<u64>(),
            Self::Wide(keys) => keys.capacity() * size_of::<u128>(),
        }
    }
}

/// From a key to its place: a plain table if there are few keys, else one with open addressing. Entries are places + 1,
/// so that an empty table is zeros and costs no memory before it is used.
pub(super) struct Index {
    table: Vec<u32>,
    direct: bool,
}

impl Index {
    /// An index for keys below `keys`, a plain table of at most so many entries.
    pub(super) fn new(keys: u128, direct: usize) -> Self {
        match usize::try_from(keys) {
            Ok(count) if count <= direct => Self { table: vec![0; count], direct: true },
            _ => Self { table: vec![0; 1 << 10], direct: false },
        }
    }

    /// The place of a key, which is added to `list` if it is new; nothing if there is no room for it, and then there is none
    /// for any other.
    pub(super) fn place(&mut self, key: u128, list: &mut Keys, room: &mut Room) -> Option<u32> {
        let slot = if self.direct { key as usize } else { self.probe(key, list) };
        if self.table[slot] != 0 {
            return Some(self.table[slot] - 1);
        }
        if !list.push(key, room) {
            return None;
        }
        self.table[slot] = list.len() as u32;
        if !self.direct && list.len() * 2 > self.table.len() && !self.grow(list, room) {
            return None;
        }
        Some(list.len() as u32 - 1)
    }

    /// The slot where a key is or belongs.
    fn probe(&self, key: u128, list: &Keys) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = hash(key) as usize & mask;
        while self.table[slot] != 0 && list.get(self.table[slot] as usize - 1) != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Enters all keys into a table that is twice as long, if there is room for it.
    fn grow(&mut self, list: &Keys, room: &mut Room) -> bool {
        let length = self.table.len() * 2;
        if !room.replace(self.bytes(), length * size_of::<u32>()) {
            return false;
        }
        // What it held stands in the list: the old table goes before the new one comes.
        self.table = Vec::new();
        if self.table.try_reserve_exact(length).is_err() {
            return false;
        }
        self.table.resize(length, 0);
        for place in 0..list.len() {
            let slot = self.probe(list.get(place), list);
            self.table[slot] = place as u32 + 1;
        }
        true
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.len() * size_of::<u32>()
    }
}

/// Mixes all bits of a key (the finaliser of MurmurHash3).
fn hash(key: u128) -> u64 {
    let mut bits = key as u64 ^ (key >> 64) as u64 ^ ((key >> 64) as u64).rotate_left(23);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}
