//! The entries of all pairs as a value, and who may change them.

use std::collections::BTreeMap;

use redundancy::coordinator::{PairEntry, Versioned};

/// Pairs that one coordinator keeps at most.
pub(super) const MOST_PAIRS: usize = 1_000;
/// The longest name of a pair or of an application, in bytes.
pub(super) const LONGEST_NAME: usize = 64;
/// Incarnations that stand in sync at most.
pub(super) const MOST_IN_SYNC: usize = 16;

/// The entries of all pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Store {
    pairs: BTreeMap<String, Versioned>,
    newest: u64,
}

/// Why an entry was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It stands at another revision than the one that was expected.
    Moved,
    /// It is larger than an entry may be.
    TooLarge,
}

impl Store {
    /// The entry of a pair.
    pub(super) fn entry(&self, pair: &str) -> Option<&Versioned> {
        self.pairs.get(pair)
    }

    /// What the entry becomes if it is replaced by `new` now. Nothing is changed until [`keep`](Self::keep), so that
    /// the change can be made durable in between.
    ///
    /// # Errors
    /// If the entry does not stand at the `expected` revision, or is too large.
    pub(super) fn swapped(&self, pair: &str, expected: Option<u64>, new: PairEntry) -> Result<Versioned, Refusal> {
        let current = self.entry(pair).map(|versioned| versioned.revision);
        if is_too_large(pair, &new) || current.is_none() && self.pairs.len() >= MOST_PAIRS {
            return Err(Refusal::TooLarge);
        }
        if current != expected {
            return Err(Refusal::Moved);
        }
        Ok(Versioned { revision: self.newest.saturating_add(1), entry: new })
    }

    /// Takes in an entry that [`swapped`](Self::swapped) gave, now or in an earlier life.
    pub(super) fn keep(&mut self, pair: &str, versioned: Versioned) {
        self.newest = self.newest.max(versioned.revision);
        self.pairs.insert(pair.to_owned(), versioned);
    }

    /// Leaves out `count` revisions, because some that were given may be forgotten: none is ever given twice.
    pub(super) fn skip(&mut self, count: u64) {
        self.newest = self.newest.saturating_add(count);
    }
}

/// Whether an entry has longer names than a coordinator keeps, or more of them.
pub(super) fn is_too_large(pair: &str, new: &PairEntry) -> bool {
    let is_long = |name: &str| name.len() > LONGEST_NAME;
    let names = std::iter::once(&new.primary).chain(&new.in_sync);
    is_long(pair) || new.in_sync.len() > MOST_IN_SYNC || names.into_iter().any(|member| is_long(&member.application))
}

#[cfg(test)]
mod tests {
    use model::{Epoch, Incarnation};

    use super::*;

    fn entry(epoch: u64, in_sync: usize) -> PairEntry {
        let primary = Incarnation::new("sip-a", epoch);
        PairEntry { epoch: Epoch(epoch), in_sync: vec![primary.clone(); in_sync], primary }
    }

    #[test]
    fn only_the_expected_revision_is_replaced() {
        let mut store = Store::default();
        assert_eq!(store.swapped("sip", Some(1), entry(1, 1)), Err(Refusal::Moved));
        let first = store.swapped("sip", None, entry(1, 1)).unwrap();
        store.keep("sip", first.clone());
        assert_eq!(store.swapped("sip", None, entry(2, 1)), Err(Refusal::Moved));
        let second = store.swapped("sip", Some(first.revision), entry(2, 1)).unwrap();
        assert!(second.revision > first.revision);
        assert_eq!(store.entry("sip"), Some(&first), "not kept yet");
    }

    #[test]
    fn a_revision_is_not_given_twice_even_if_some_are_forgotten() {
        let mut store = Store::default();
        store.keep("sip", Versioned { revision: 7, entry: entry(1, 1) });
        store.skip(1_000);
        assert_eq!(store.swapped("routing", None, entry(1, 1)).unwrap().revision, 1_008);
    }

    #[test]
    fn nothing_grows_without_a_bound() {
        let mut store = Store::default();
        let long = "x".repeat(LONGEST_NAME + 1);
        assert_eq!(store.swapped(&long, None, entry(1, 1)), Err(Refusal::TooLarge));
        assert_eq!(store.swapped("sip", None, entry(1, MOST_IN_SYNC + 1)), Err(Refusal::TooLarge));
        let named = PairEntry { primary: Incarnation::new(long, 1), ..entry(1, 1) };
        assert_eq!(store.swapped("sip", None, named), Err(Refusal::TooLarge));
        for number in 0..MOST_PAIRS {
            let pair = number.to_string();
            let versioned = store.swapped(&pair, None, entry(1, 1)).unwrap();
            store.keep(&pair, versioned);
        }
        assert_eq!(store.swapped("one more", None, entry(1, 1)), Err(Refusal::TooLarge));
    }
}
