//! Which connections the side that is dialled takes, and what for: two bundles never mix.

/// Names a link. The side that dials counts its links, so a later one is greater, and a link is never begun twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkName {
    /// Which run of the other side dials.
    pub run: u64,
    /// How many links that run has dialled.
    pub number: u64,
}

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

/// Remembers which link was taken last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Door {
    newest: Option<LinkName>,
    stands: bool,
}

impl Door {
    /// What a connection is for that says this name.
    #[must_use]
    pub fn judge(&self, name: LinkName) -> Purpose {
        match self.newest {
            Some(newest) if name == newest && self.stands => Purpose::Present,
            Some(newest) if name <= newest => Purpose::Past,
            _ => Purpose::Next,
        }
    }

    /// A link begins here.
    pub const fn takes(&mut self, name: LinkName) {
        (self.newest, self.stands) = (Some(name), true);
    }

    /// The link is left, or one that was dialled from here takes its place.
    pub const fn leaves(&mut self) {
        self.stands = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn name(run: u64, number: u64) -> LinkName {
        LinkName { run, number }
    }

    #[test]
    fn a_link_that_was_left_is_never_taken_again() {
        let mut door = Door::default();
        assert_eq!(door.judge(name(3, 1)), Purpose::Next);
        door.takes(name(3, 1));
        assert_eq!(door.judge(name(3, 1)), Purpose::Present);
        door.leaves();
        assert_eq!(door.judge(name(3, 1)), Purpose::Past, "the other side may not know yet that it was left");
        assert_eq!(door.judge(name(3, 2)), Purpose::Next);
    }

    #[test]
    fn first_words_that_come_late_do_not_end_the_link_that_stands() {
        let mut door = Door::default();
        door.takes(name(3, 2));
        assert_eq!(door.judge(name(3, 1)), Purpose::Past);
        assert_eq!(door.judge(name(2, 9)), Purpose::Past, "of a run that has ended");
        assert_eq!(door.judge(name(3, 3)), Purpose::Next, "it has left the one that stands");
        assert_eq!(door.judge(name(4, 1)), Purpose::Next, "it has started again");
    }
}
