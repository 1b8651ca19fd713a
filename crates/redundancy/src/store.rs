//! The whole state of a server: its records by key, with everything that is derived from them.
//!
//! An engine reads and changes typed values; the store remembers what was touched, keeps the order of deadlines
//! and the aliases true, and writes the changed records down for the backup. On the backup the same store
//! *absorbs* changes and keeps them encoded ("cold"); a value is decoded when the engine first touches it after a
//! takeover, so that taking over costs nothing that grows with the number of calls.

use std::collections::{BTreeMap, BTreeSet};

use model::{Alias, Kind, RecordKey, Time, hash64};

use crate::change::{Aliases, Change, write_present};

/// A value that can live in a [`Store`].
pub trait Record: Sized {
    /// Appends the encoded value to `out`. The encoding of a kind may only ever grow at its end.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads a value of `kind` and says how many octets of `bytes` it understood; what follows was written by a
    /// newer version, and the store keeps it. `None` if the bytes are not such a value.
    fn decode(kind: Kind, bytes: &[u8]) -> Option<(Self, usize)>;

    /// True if this version can keep such a record without losing what it means (rule 13 of the protocol).
    fn understands(kind: Kind, bytes: &[u8]) -> bool;

    /// When the engine wants to be told about the record; [`Time::NEVER`] if never.
    fn deadline(&self) -> Time;

    /// The second names by which the record is found.
    fn aliases(&self) -> Aliases;
}

/// Records by key.
#[derive(Clone, Debug)]
pub struct Store<V> {
    slots: BTreeMap<RecordKey, Slot<V>>,
    by_alias: BTreeMap<Alias, RecordKey>,
    by_deadline: BTreeSet<(Time, RecordKey)>,
    /// Touched since the last [`Store::settle`]: their derived values may be out of date.
    touched: Vec<RecordKey>,
    /// Changed since the last [`Store::drain`]: not yet written down.
    dirty: Vec<RecordKey>,
    /// Sum of the hashes of all records as they were last written down.
    hash: u64,
}

#[derive(Clone, Debug)]
struct Slot<V> {
    value: Held<V>,
    /// What a newer version wrote behind the fields that this one knows.
    tail: Box<[u8]>,
    deadline: Time,
    aliases: Aliases,
    /// Hash of the record as it was last written down; zero if it never was.
    hash: u64,
    touched: bool,
    dirty: bool,
}

#[derive(Clone, Debug)]
enum Held<V> {
    Warm(V),
    Cold(Box<[u8]>),
    /// Removed since the last [`Store::drain`], so the backup has not heard of it yet.
    Gone,
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self {
            slots: BTreeMap::new(),
            by_alias: BTreeMap::new(),
            by_deadline: BTreeSet::new(),
            touched: Vec::new(),
            dirty: Vec::new(),
            hash: 0,
        }
    }
}

impl<V: Record> Store<V> {
    /// A store without a record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.dirty.iter().filter(|key| matches!(self.slots[key].value, Held::Gone)).count()
    }

    /// True if there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A hash of all records as they were last written down or absorbed: equal on both sides of a level pair.
    #[must_use]
    pub const fn state_hash(&self) -> u64 {
        self.hash
    }

    /// True if the record exists.
    #[must_use]
    pub fn contains(&self, key: RecordKey) -> bool {
        self.slots.get(&key).is_some_and(|slot| !matches!(slot.value, Held::Gone))
    }

    /// The record, to read.
    pub fn get(&mut self, key: RecordKey) -> Option<&V> {
        self.warm(key).and_then(|slot| match &slot.value {
            Held::Warm(value) => Some(value),
            Held::Cold(_) | Held::Gone => None,
        })
    }

    /// The record, to change; it counts as changed from now on.
    pub fn get_mut(&mut self, key: RecordKey) -> Option<&mut V> {
        self.warm(key)?;
        self.touch(key);
        match &mut self.slots.get_mut(&key)?.value {
            Held::Warm(value) => Some(value),
            Held::Cold(_) | Held::Gone => None,
        }
    }

    /// Puts a record in, in place of an older one with the same key.
    pub fn insert(&mut self, key: RecordKey, value: V) {
        match self.slots.get_mut(&key) {
            Some(slot) => slot.value = Held::Warm(value),
            None => {
                self.slots.insert(key, Slot::new(Held::Warm(value)));
            }
        }
        self.touch(key);
    }

    /// Takes a record out. Removing what is not there does nothing.
    pub fn remove(&mut self, key: RecordKey) {
        if self.contains(key) {
            self.touch(key);
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.value = Held::Gone;
            }
        }
    }

    /// The record with this second name. Hashes may collide: the caller compares what the name stands for.
    #[must_use]
    pub fn find(&self, alias: Alias) -> Option<RecordKey> {
        self.by_alias.get(&alias).copied()
    }

    /// The earliest deadline; [`Time::NEVER`] if there is none.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.by_deadline.first().map_or(Time::NEVER, |(deadline, _)| *deadline)
    }

    /// A record whose deadline has come, the earliest first.
    #[must_use]
    pub fn due(&self, now: Time) -> Option<RecordKey> {
        self.by_deadline.first().filter(|(deadline, _)| *deadline <= now).map(|(_, key)| *key)
    }

    /// The records of `kind` in order; no value where nobody has read one since it came from the other side.
    pub fn values(&self, kind: Kind) -> impl Iterator<Item = (RecordKey, Option<&V>)> {
        let all = self.slots.range(RecordKey::new(kind, 0)..=RecordKey::new(kind, u64::MAX));
        all.filter_map(|(key, slot)| match &slot.value {
            Held::Warm(value) => Some((*key, Some(value))),
            Held::Cold(_) => Some((*key, None)),
            Held::Gone => None,
        })
    }

    /// Keys of `kind` with a number above `after` (all if `None`), in order.
    pub fn keys(&self, kind: Kind, after: Option<u64>) -> impl Iterator<Item = RecordKey> {
        let start = after.map_or(Some(0), |id| id.checked_add(1)).map(|id| RecordKey::new(kind, id));
        let end = RecordKey::new(kind, u64::MAX);
        start
            .into_iter()
            .flat_map(move |start| self.slots.range(start..=end))
            .filter_map(|(key, slot)| (!matches!(slot.value, Held::Gone)).then_some(*key))
    }

    /// Brings deadlines and aliases up to date with the values touched since the last call. An engine calls it at
    /// the end of each input.
    pub fn settle(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for key in touched.drain(..) {
            self.derive(key);
        }
        self.touched = touched;
    }

    /// The records touched since the last [`Store::settle`]: those of the input in hand.
    #[must_use]
    pub fn in_hand(&self) -> &[RecordKey] {
        &self.touched
    }

    /// True if a record was changed since the last [`Store::drain`].
    #[must_use]
    pub const fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Writes the records that changed since the last call to `out` and tells `each` of every one of them.
    ///
    /// A record that was touched and is the same as before is left out. Call [`Store::settle`] before.
    pub fn drain(&mut self, out: &mut Vec<u8>, mut each: impl FnMut(RecordKey, &[u8])) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for key in dirty.drain(..) {
            let start = out.len();
            if self.write_down(key, out) {
                each(key, &out[start..]);
            } else {
                out.truncate(start);
            }
        }
        self.dirty = dirty;
    }

    /// Writes a record as it was last written down or absorbed, for a snapshot; nothing if it is gone.
    ///
    /// Call [`Store::drain`] before, so that nothing is half told.
    pub fn write_snapshot(&self, key: RecordKey, out: &mut Vec<u8>) {
        if let Some(slot) = self.slots.get(&key) {
            slot.write(key, out);
        }
    }

    /// The first record at or behind `from`, in the order of keys: the cursor of a snapshot.
    #[must_use]
    pub fn next_key(&self, from: RecordKey) -> Option<RecordKey> {
        self.slots.range(from..).next().map(|(key, _)| *key)
    }

    /// Takes in a change that the primary wrote down.
    pub fn absorb(&mut self, change: &Change<'_>) {
        self.forget(change.key);
        let Some(state) = &change.state else { return };
        let mut slot = Slot::new(Held::Cold(state.value.into()));
        slot.deadline = state.deadline;
        slot.aliases.clone_from(&state.aliases);
        slot.hash = record_hash(change.key, state.value);
        self.hash = self.hash.wrapping_add(slot.hash);
        for alias in &slot.aliases {
            self.by_alias.insert(*alias, change.key);
        }
        if slot.deadline < Time::NEVER {
            self.by_deadline.insert((slot.deadline, change.key));
        }
        self.slots.insert(change.key, slot);
    }

    /// Forgets every record.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    fn forget(&mut self, key: RecordKey) {
        if let Some(slot) = self.slots.remove(&key) {
            self.hash = self.hash.wrapping_sub(slot.hash);
            self.underive(key, &slot.aliases, slot.deadline);
        }
    }

    fn underive(&mut self, key: RecordKey, aliases: &[Alias], deadline: Time) {
        for alias in aliases {
            if self.by_alias.get(alias) == Some(&key) {
                self.by_alias.remove(alias);
            }
        }
        if deadline < Time::NEVER {
            self.by_deadline.remove(&(deadline, key));
        }
    }

    /// The slot with its value decoded.
    fn warm(&mut self, key: RecordKey) -> Option<&mut Slot<V>> {
        let slot = self.slots.get_mut(&key)?;
        if let Held::Cold(bytes) = &slot.value {
            let (value, known) = V::decode(key.kind, bytes)?;
            slot.tail = bytes.get(known..).unwrap_or_default().into();
            slot.value = Held::Warm(value);
        }
        Some(slot)
    }

    fn touch(&mut self, key: RecordKey) {
        let Some(slot) = self.slots.get_mut(&key) else {
            return;
        };
        if !slot.touched {
            slot.touched = true;
            self.touched.push(key);
        }
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push(key);
        }
    }

    fn derive(&mut self, key: RecordKey) {
        let Some(slot) = self.slots.get_mut(&key) else {
            return;
        };
        slot.touched = false;
        let (deadline, aliases) = match &slot.value {
            Held::Warm(value) => (value.deadline(), value.aliases()),
            Held::Cold(_) => return,
            Held::Gone => (Time::NEVER, Aliases::new()),
        };
        if slot.deadline == deadline && slot.aliases == aliases {
            return;
        }
        let old_deadline = std::mem::replace(&mut slot.deadline, deadline);
        let old_aliases = std::mem::replace(&mut slot.aliases, aliases.clone());
        self.underive(key, &old_aliases, old_deadline);
        for alias in aliases {
            self.by_alias.insert(alias, key);
        }
        if deadline < Time::NEVER {
            self.by_deadline.insert((deadline, key));
        }
    }

    /// Writes one dirty record; false if the backup needs not hear of it.
    fn write_down(&mut self, key: RecordKey, out: &mut Vec<u8>) -> bool {
        let Some(slot) = self.slots.get_mut(&key) else {
            return false;
        };
        slot.dirty = false;
        let known = slot.hash != 0;
        if matches!(slot.value, Held::Gone) {
            self.forget(key);
            Change { key, state: None }.write(out);
            return known;
        }
        let length = slot.write(key, out);
        let hash = record_hash(key, &out[out.len() - length..]);
        if hash == slot.hash {
            return false;
        }
        self.hash = self.hash.wrapping_sub(slot.hash).wrapping_add(hash);
        slot.hash = hash;
        true
    }
}

impl<V: Record> Slot<V> {
    fn new(value: Held<V>) -> Self {
        Self {
            value,
            tail: Box::default(),
            deadline: Time::NEVER,
            aliases: Aliases::new(),
            hash: 0,
            touched: false,
            dirty: false,
        }
    }

    /// Appends the record to `out` and says how long its value is.
    fn write(&self, key: RecordKey, out: &mut Vec<u8>) -> usize {
        let mut length = 0;
        write_present(out, key, self.deadline, &self.aliases, |out| {
            let start = out.len();
            match &self.value {
                Held::Warm(value) => {
                    value.encode(out);
                    out.extend_from_slice(&self.tail);
                }
                Held::Cold(bytes) => out.extend_from_slice(bytes),
                Held::Gone => {}
            }
            length = out.len() - start;
        });
        length
    }
}

/// The share of one record in the state hash; never zero, which means "not written down yet".
fn record_hash(key: RecordKey, value: &[u8]) -> u64 {
    let mut head = [0; 17];
    head[0] = key.kind.0;
    head[1..9].copy_from_slice(&key.id.to_le_bytes());
    head[9..].copy_from_slice(&hash64(value).to_le_bytes());
    hash64(&head).max(1)
}
