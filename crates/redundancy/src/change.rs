//! How a changed record travels: in a checkpoint, in a snapshot, in a journal.
//!
//! The layout is fixed, little-endian and without padding, so that a primary writes it straight into the frame
//! and a backup reads it in place: kind (1 octet), id (8), presence (1), and for a present record its deadline
//! (8), the count of its aliases (1), each alias (8), the length of the value (4), the value.

use model::{Alias, Kind, RecordKey, Time};
use smallvec::SmallVec;
use thiserror::Error;

/// The second names of one record; two is the usual most.
pub type Aliases = SmallVec<[Alias; 2]>;

/// One record as it is now, or the news that it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Which record.
    pub key: RecordKey,
    /// Its present state; `None` if it was removed.
    pub state: Option<State<'a>>,
}

/// The present state of a record in its encoded form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<'a> {
    /// When the engine wants to be told about it, in pair time.
    pub deadline: Time,
    /// Its second names.
    pub aliases: Aliases,
    /// The encoded value.
    pub value: &'a [u8],
}

/// A change that cannot be read: the bytes end too early or say something impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a record change is cut short or damaged at octet {at}")]
pub struct Damaged {
    /// Offset from the beginning of the changes.
    pub at: usize,
}

const GONE: u8 = 0;
const PRESENT: u8 = 1;

impl Change<'_> {
    /// Appends the change to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.state {
            None => write_head(out, self.key, GONE),
            Some(state) => write_present(out, self.key, state.deadline, &state.aliases, |out| {
                out.extend_from_slice(state.value);
            }),
        }
    }
}

/// Appends a present record whose value `encode` appends, so that no copy is made in between.
pub(crate) fn write_present(
    out: &mut Vec<u8>,
    key: RecordKey,
    deadline: Time,
    aliases: &[Alias],
    encode: impl FnOnce(&mut Vec<u8>),
) {
    write_head(out, key, PRESENT);
    out.extend_from_slice(&deadline.as_micros().to_le_bytes());
    out.push(u8::try_from(aliases.len()).expect("a record has fewer than 256 aliases"));
    for alias in aliases {
        out.extend_from_slice(&alias.0.to_le_bytes());
    }
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    encode(out);
    let length = u32::try_from(out.len() - length_at - 4).expect("a record is smaller than 4 GiB");
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

fn write_head(out: &mut Vec<u8>, key: RecordKey, presence: u8) {
    out.push(key.kind.0);
    out.extend_from_slice(&key.id.to_le_bytes());
    out.push(presence);
}

/// Reads changes one after another; ends after the first damaged one.
#[derive(Clone, Debug)]
pub struct Changes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Changes<'a> {
    /// Reads the changes that `bytes` consist of.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let taken = self.slice(N)?;
        Ok(taken.try_into().expect("the slice has the length that was asked for"))
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let damaged = Damaged { at: self.at };
        let end = self.at.checked_add(length).ok_or(damaged)?;
        let slice = self.bytes.get(self.at..end).ok_or(damaged)?;
        self.at = end;
        Ok(slice)
    }

    fn read(&mut self) -> Result<Change<'a>, Damaged> {
        let start = self.at;
        let [kind] = self.take()?;
        let key = RecordKey::new(Kind(kind), u64::from_le_bytes(self.take()?));
        let state = match self.take()? {
            [GONE] => None,
            [PRESENT] => Some(self.read_state()?),
            _ => return Err(Damaged { at: start }),
        };
        Ok(Change { key, state })
    }

    fn read_state(&mut self) -> Result<State<'a>, Damaged> {
        let deadline = Time::from_micros(u64::from_le_bytes(self.take()?));
        let [count] = self.take()?;
        let mut aliases = Aliases::new();
        for _ in 0..count {
            aliases.push(Alias(u64::from_le_bytes(self.take()?)));
        }
        let length = u32::from_le_bytes(self.take()?);
        Ok(State { deadline, aliases, value: self.slice(length as usize)? })
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = Result<Change<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let change = self.read();
        if change.is_err() {
            self.at = self.bytes.len();
        }
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_changes() -> Vec<u8> {
        let mut bytes = Vec::new();
        let state = State {
            deadline: Time::from_micros(7),
            aliases: [Alias(1), Alias(2), Alias(3)].into_iter().collect(),
            value: b"value",
        };
        Change { key: RecordKey::new(Kind(1), 42), state: Some(state) }.write(&mut bytes);
        Change { key: RecordKey::new(Kind(2), u64::MAX), state: None }.write(&mut bytes);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = two_changes();
        let read: Vec<Change<'_>> = Changes::new(&bytes).collect::<Result<_, _>>().expect("undamaged");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].state.as_ref().map(|state| (state.value, state.aliases.len())), Some((&b"value"[..], 3)));
        assert_eq!(read[1], Change { key: RecordKey::new(Kind(2), u64::MAX), state: None });
    }

    #[test]
    fn every_truncation_is_noticed() {
        let bytes = two_changes();
        let whole = Changes::new(&bytes).count();
        for length in 1..bytes.len() {
            let read: Vec<_> = Changes::new(&bytes[..length]).collect();
            let boundary = read.iter().all(Result::is_ok);
            assert!(!boundary || read.len() < whole, "cut at {length} went unnoticed");
        }
    }
}
