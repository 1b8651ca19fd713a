//! Names: what they may look like, that none stands for two things, and which one was meant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

/// The longest number, agent id or name, in bytes.
pub(super) const NAME_MAX: usize = 64;

/// What [`is_name`] accepts, for people.
pub(super) const NAME_ALLOWED: &str = "1 to 64 letters, digits or any of * + - _ .";

/// Whether the text can be a number, an id or a name: it needs no escapes in the user part of a SIP URI (RFC 3261
/// 25.1, `unreserved` and `user-unreserved`), in a path of the control interface or in a listing.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"*+-_.".contains(&byte);
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// The known name that is closest to `name`, if one is close enough to have been meant.
pub(crate) fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let close = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (distance, meant) = close.min_by_key(|(distance, _)| *distance)?;
    (distance <= (name.chars().count() / 3).max(1)).then_some(meant)
}

/// Names of one sort, each found by the number that records carry instead of it.
pub(super) struct Names<'a> {
    by_id: HashMap<u64, (&'a str, Range<usize>)>,
    listed: Vec<&'a str>,
    hash: fn(&[u8]) -> u64,
}

/// Why a name cannot be added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<'a> {
    /// It stands in the file already, at these bytes.
    Twice(Range<usize>),
    /// Another name has the same number: records could not tell the two apart.
    Collides(&'a str),
}

impl<'a> Names<'a> {
    /// No names yet; they will be numbered by `hash` (in earnest: [`model::hash64`]).
    pub(super) fn new(hash: fn(&[u8]) -> u64) -> Self {
        Self { by_id: HashMap::new(), listed: Vec::new(), hash }
    }

    /// Adds a name that stands at `span`.
    pub(super) fn add(&mut self, name: &'a str, span: &Range<usize>) -> Result<(), Taken<'a>> {
        match self.by_id.entry((self.hash)(name.as_bytes())) {
            Entry::Vacant(free) => {
                free.insert((name, span.clone()));
                self.listed.push(name);
                Ok(())
            }
            Entry::Occupied(taken) => match taken.get() {
                (other, first) if *other == name => Err(Taken::Twice(first.clone())),
                (other, _) => Err(Taken::Collides(other)),
            },
        }
    }

    /// Whether the name was added.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_id.get(&(self.hash)(name.as_bytes())).is_some_and(|(known, _)| *known == name)
    }

    /// The name that was probably meant by `name`.
    pub(super) fn suggest(&self, name: &str) -> Option<&'a str> {
        suggest(name, self.listed.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        let known = ["number", "password", "password-file", "contact"];
        assert_eq!(suggest("pasword", known.into_iter()), Some("password"));
        assert_eq!(suggest("nubmer", known.into_iter()), Some("number"));
        assert_eq!(suggest("capacity", known.into_iter()), None);
        assert_eq!(suggest("", std::iter::empty()), None);
    }

    #[test]
    fn two_names_with_one_number_are_told_apart_from_one_name_twice() {
        let mut names = Names::new(|_| 7);
        assert_eq!(names.add("anna", &(0..4)), Ok(()));
        assert_eq!(names.add("anna", &(9..13)), Err(Taken::Twice(0..4)));
        assert_eq!(names.add("ben", &(20..23)), Err(Taken::Collides("anna")));
        assert!(names.has("anna") && !names.has("ben"));
    }

    #[test]
    fn names_that_would_need_an_escape_are_refused() {
        assert!(is_name("1001") && is_name("+49-30.1") && is_name("anna_b"));
        for bad in ["", "a b", "a/b", "a@b", "#1", "müller", &"1".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
