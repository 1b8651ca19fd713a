//! Which connections the side that is dialled takes, and what for: two bundles never mix.

use std::collections::BTreeMap;

use model::Incarnation;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Another path of the link that stands here.
    Present,
    /// A link that begins; whatever stands here was left by the other side.
    Next,
    /// A link that is over: its first words were on their way for long, or the other side does not know yet that it was left
    /// here. The connection is to be ended.
    Past,
}

/// Remembers which link of each application was taken last. Whoever dials counts its links: a later one has a greater number.
#[derive(Clone, Debug, Default)]
pub struct Door {
    /// Of each application, the run that dialled last, and the number of its link.
    newest: BTreeMap<String, (u64, u64)>,
    /// Whose link stands.
    stands: Option<String>,
}

impl Door {
    /// What a connection is for whose first words name link `number` of this incarnation.
    #[must_use]
    pub fn judge(&self, from: &Incarnation, number: u64) -> Purpose {
        let stands = self.stands.as_ref() == Some(&from.application);
        match self.newest.get(&from.application) {
            Some(newest) if (from.run, number) == *newest && stands => Purpose::Present,
            Some(newest) if (from.run, number) <= *newest => Purpose::Past,
            _ => Purpose::Next,
        }
    }

    /// This link begins here.
    pub fn takes(&mut self, from: &Incarnation, number: u64) {
        self.newest.insert(from.application.clone(), (from.run, number));
        self.stands = Some(from.application.clone());
    }

    /// The link is left, or one that was dialled from here takes its place.
    pub fn leaves(&mut self) {
        self.stands = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(door: &Door, application: &str, run: u64, number: u64) -> Purpose {
        door.judge(&Incarnation::new(application, run), number)
    }

    #[test]
    fn a_link_that_was_left_is_never_taken_again() {
        let mut door = Door::default();
        assert_eq!(judge(&door, "b", 3, 1), Purpose::Next);
        door.takes(&Incarnation::new("b", 3), 1);
        assert_eq!(judge(&door, "b", 3, 1), Purpose::Present);
        door.leaves();
        assert_eq!(judge(&door, "b", 3, 1), Purpose::Past, "the other side may not know yet that it was left");
        assert_eq!(judge(&door, "b", 3, 2), Purpose::Next);
    }

    #[test]
    fn first_words_that_come_late_do_not_end_the_link_that_stands() {
        let mut door = Door::default();
        door.takes(&Incarnation::new("b", 3), 2);
        assert_eq!(judge(&door, "b", 3, 1), Purpose::Past);
        assert_eq!(judge(&door, "b", 2, 9), Purpose::Past, "of a run that has ended");
        assert_eq!(judge(&door, "b", 3, 3), Purpose::Next, "it has left the one that stands");
        assert_eq!(judge(&door, "b", 4, 1), Purpose::Next, "it has started again");
    }

    #[test]
    fn each_application_counts_for_itself() {
        let mut door = Door::default();
        door.takes(&Incarnation::new("b", 3), 2);
        assert_eq!(judge(&door, "c", 1, 1), Purpose::Next);
        door.takes(&Incarnation::new("c", 1), 1);
        assert_eq!(judge(&door, "b", 3, 2), Purpose::Past, "it made way");
    }
}
