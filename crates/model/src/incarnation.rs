//! Which run of which process, and the count of takeovers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Counts the changes of primary of one pair; grows by compare-and-swap in the coordinator only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One run of one process: the application `sip-a`, for the 17th time.
///
/// A process that was restarted is not the one that was in sync, so roles are given to incarnations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// The application's name, `sip-a`.
    pub application: String,
    /// Which run it is; grows with every start, and with every move of the application to another host.
    pub run: u64,
}

/// Hosts count the runs of an application each for itself. So that no two hosts ever give the same number, one to which it moves begins
/// above the next multiple of this.
const RUNS_AT_A_PLACE: u64 = 1_000_000_000;

impl Incarnation {
    /// The `run`-th run of `application`.
    #[must_use]
    pub fn new(application: impl Into<String>, run: u64) -> Self {
        Self { application: application.into(), run }
    }

    /// The number before the first run of an application that is where it is since its `move_number`-th move, 0 if it never moved.
    /// Numbers of moves grow, and may leave some out.
    #[must_use]
    pub const fn before_first(move_number: u64) -> u64 {
        move_number.saturating_mul(RUNS_AT_A_PLACE)
    }

    /// The number of the move that brought the application to where this run is.
    #[must_use]
    pub const fn move_number(&self) -> u64 {
        self.run / RUNS_AT_A_PLACE
    }

    /// True if it has not run before where it is.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.run % RUNS_AT_A_PLACE <= 1
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.application, self.run)
    }
}

/// Which incarnations have ended: of each application, and of each place where it has been, all up to a run.
///
/// A host knows of its own processes alone. What it says of one where an application is now says nothing of one that may live on where
/// the application was before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Incarnation>", into = "Vec<Incarnation>")]
pub struct Ended(BTreeMap<String, BTreeMap<u64, u64>>);

impl Ended {
    /// Learns that this one has ended, and those before it at its place; true if that was not known.
    pub fn learn(&mut self, who: &Incarnation) -> bool {
        let places = self.0.entry(who.application.clone()).or_default();
        let known = places.entry(who.move_number()).or_default();
        let is_news = who.run > *known;
        *known = who.run.max(*known);
        is_news
    }

    /// True if this one is known to have ended.
    #[must_use]
    pub fn knows(&self, who: &Incarnation) -> bool {
        self.last(&who.application, who.move_number()).is_some_and(|run| run >= who.run)
    }

    /// The last run that is known of an application where it was after that move.
    #[must_use]
    pub fn last(&self, application: &str, move_number: u64) -> Option<u64> {
        self.0.get(application)?.get(&move_number).copied()
    }

    /// The last one of each application at each place.
    pub fn iter(&self) -> impl Iterator<Item = Incarnation> {
        let of = |(application, places): (&String, &BTreeMap<u64, u64>)| {
            let application = application.clone();
            places.values().map(|run| Incarnation::new(application.clone(), *run)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of)
    }
}

impl From<Vec<Incarnation>> for Ended {
    fn from(all: Vec<Incarnation>) -> Self {
        let mut ended = Self::default();
        for who in &all {
            ended.learn(who);
        }
        ended
    }
}

impl From<Ended> for Vec<Incarnation> {
    fn from(ended: Ended) -> Self {
        ended.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_at_one_place_says_nothing_of_another() {
        let after = |move_number, run| Incarnation::new("sip-b", Incarnation::before_first(move_number) + run);
        let mut ended = Ended::default();
        assert!(ended.learn(&after(4, 2)) && !ended.learn(&after(4, 1)));
        let known = |ended: &Ended| [after(4, 1), after(4, 2), after(4, 3), after(0, 1)].map(|who| ended.knows(&who));
        assert_eq!(known(&ended), [true, true, false, false]);
        assert!(ended.learn(&after(0, 7)));
        assert_eq!(known(&ended), [true, true, false, true]);
        assert_eq!(Ended::from(Vec::from(ended.clone())), ended);
        assert!(after(4, 1).is_first() && !after(4, 2).is_first() && !Incarnation::new("sip-a", 2).is_first());
    }
}
