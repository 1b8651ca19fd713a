//! Many arcs in little memory.

use super::room::Room;

/// The arcs of a large chain by the state that they leave, in compressed rows: 6 bytes an arc while there are at most 65,536
/// different rates, 12 beyond.
#[derive(Clone, Debug)]
pub struct Sparse {
    /// Where the arcs of each state begin, and at last where they end.
    pub(super) offsets: Vec<u32>,
    pub(super) ends: Vec<u32>,
    pub(super) rates: Rates,
}

/// The rates of all arcs.
#[derive(Clone, Debug)]
pub(super) enum Rates {
    /// For each arc its place among the different rates.
    Few {
        places: Vec<u16>,
        table: Table,
    },
    Many(Vec<f64>),
}

impl Default for Rates {
    fn default() -> Self {
        Self::Few { places: Vec::new(), table: Table::default() }
    }
}

/// So many different rates can be told apart by a place of 16 bits.
const FEW: usize = 1 << 16;

/// Different numbers, and where to find them.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) values: Vec<f64>,
    /// Open addressing; places + 1, 0 for an empty slot.
    slots: Vec<u32>,
}

impl Table {
    /// The place of a number, which is added if it is new; none if there is no room.
    fn place(&mut self, value: f64) -> Option<u16> {
        if self.slots.is_empty() {
            self.slots = vec![0; 1 << 17];
        }
        let mask = self.slots.len() - 1;
        let mut slot = (value.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => break,
                place if self.values[place as usize - 1].to_bits() == value.to_bits() => return Some(place as u16 - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
        if self.values.len() == FEW {
            return None;
        }
        self.values.push(value);
        self.slots[slot] = self.values.len() as u32;
        Some((self.values.len() - 1) as u16)
    }
}

impl Default for Sparse {
    fn default() -> Self {
        Self::new()
    }
}

impl Sparse {
    /// No states.
    #[must_use]
    pub fn new() -> Self {
        Self { offsets: vec![0], ends: Vec::new(), rates: Rates::default() }
    }

    /// How many states there are.
    #[must_use]
    pub fn states(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many arcs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Adds an arc to the state whose row is open; to an end that it has already, the rate is added.
    pub fn add(&mut self, end: u32, rate: f64) {
        let begin = self.offsets[self.offsets.len() - 1] as usize;
        match self.ends[begin..].iter().position(|&present| present == end) {
            Some(place) => {
                let sum = self.rates.get(begin + place) + rate;
                self.rates.set(begin + place, sum);
            }
            None => {
                self.ends.push(end);
                self.rates.push(rate);
            }
        }
    }

    /// Makes room for one more arc and one more row; whether there is any.
    pub(super) fn make_room(&mut self, room: &mut Room) -> bool {
        room.one_more(&mut self.offsets) && room.one_more(&mut self.ends) && self.rates.make_room(room)
    }

    /// Closes the row of a state and opens that of the next.
    pub fn end_row(&mut self) {
        self.offsets.push(self.ends.len() as u32);
    }

    /// The arcs of a state: end and rate.
    pub fn row(&self, state: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        (self.offsets[state] as usize..self.offsets[state + 1] as usize)
            .map(|place| (self.ends[place] as usize, self.rates.get(place)))
    }

    /// The arcs between some states, which are in ascending order and counted anew.
    pub(super) fn among(&self, states: &[u32]) -> Self {
        let mut place = vec![u32::MAX; self.states()];
        states.iter().enumerate().for_each(|(new, &state)| place[state as usize] = new as u32);
        let mut part = Self::new();
        if let (Rates::Few { table, .. }, Rates::Few { table: copy, .. }) = (&self.rates, &mut part.rates) {
            copy.clone_from(table);
        }
        for &state in states {
            for arc in self.offsets[state as usize] as usize..self.offsets[state as usize + 1] as usize {
                let end = place[self.ends[arc] as usize];
                if end != u32::MAX {
                    part.ends.push(end);
                    match (&self.rates, &mut part.rates) {
                        (Rates::Few { places, .. }, Rates::Few { places: copy, .. }) => copy.push(places[arc]),
                        (rates, copy) => copy.push(rates.get(arc)),
                    }
                }
            }
            part.end_row();
        }
        part
    }

    /// Whether no more arcs can be counted.
    #[must_use]
    pub fn full(&self) -> bool {
        self.ends.len() > u32::MAX as usize - (1 << 20)
    }

    /// Bytes that the arcs take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rates = match &self.rates {
            Rates::Few { places, .. } => places.capacity() * size_of::<u16>(),
            Rates::Many(rates) => rates.capacity() * size_of::<f64>(),
        };
        (self.offsets.capacity() + self.ends.capacity()) * size_of::<u32>() + rates
    }
}

impl Rates {
    fn get(&self, place: usize) -> f64 {
        match self {
            Self::Few { places, table } => table.values[places[place] as usize],
            Self::Many(rates) => rates[place],
        }
    }

    /// As [`Sparse::make_room`]. Where no more rates can be told apart, there has to be room for each of them by itself.
    fn make_room(&mut self, room: &mut Room) -> bool {
        let widened = match &*self {
            Self::Few { places, table } if table.values.len() == FEW => {
                Some((places.capacity() * size_of::<u16>(), places.len() * size_of::<f64>()))
            }
            _ => None,
        };
        if let Some((before, after)) = widened {
            if !room.replace(before, after) {
                return false;
            }
            self.widen();
        }
        match self {
            Self::Few { places, .. } => room.one_more(places),
            Self::Many(rates) => room.one_more(rates),
        }
    }

    fn push(&mut self, rate: f64) {
        match self {
            Self::Few { places, table } => match table.place(rate) {
                Some(place) => places.push(place),
                None => {
                    self.widen();
                    self.push(rate);
                }
            },
            Self::Many(rates) => rates.push(rate),
        }
    }

    fn set(&mut self, at: usize, rate: f64) {
        match self {
            Self::Few { places, table } => match table.place(rate) {
                Some(place) => places[at] = place,
                None => {
                    self.widen();
                    self.set(at, rate);
                }
            },
            Self::Many(rates) => rates[at] = rate,
        }
    }

    /// The rates one by one, from now on.
    fn widen(&mut self) {
        *self = match std::mem::take(self) {
            Self::Few { places, table } => {
                Self::Many(places.iter().map(|&place| table.values[place as usize]).collect())
            }
            many @ Self::Many(_) => many,
        };
    }
}
