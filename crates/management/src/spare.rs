//! When a spare runs: a member of a pair on a third host, for the time in which one of the two usual hosts is away
//! (hot-standby protocol, rule 15: a pair that has been solo for some seconds gets a new backup).

use model::{Span, Time};

/// A pair that has been without a backup for so long gets a spare one: longer than a usual member takes to start again.
pub const SOLO: Span = Span::from_secs(5);
/// A spare that serves, with a usual member as its backup, goes on for so long before it hands over: whoever has just come back
/// may go again.
pub const SETTLE: Span = Span::from_secs(5);

/// Whether one spare is wanted, from what the coordinator says of its pair. While the coordinator is away nothing changes.
#[derive(Clone, Debug)]
pub struct Spare {
    me: String,
    is_wanted: bool,
    /// Since when the pair has had no backup, and this one is not its primary.
    solo_since: Option<Time>,
    /// Since when it has been primary with a backup.
    guest_since: Option<Time>,
}

impl Spare {
    /// The spare with this name, which is not wanted yet.
    #[must_use]
    pub fn new(me: impl Into<String>) -> Self {
        Self { me: me.into(), is_wanted: false, solo_since: None, guest_since: None }
    }

    /// Its process was found: it goes on until the coordinator has been heard.
    pub fn found(&mut self) {
        self.is_wanted = true;
    }

    /// The applications that are in sync, and which of them is the primary.
    pub fn stands<'a>(&mut self, now: Time, primary: &str, in_sync: impl Iterator<Item = &'a str>) {
        let (mut count, mut is_in) = (0, false);
        for name in in_sync {
            (count, is_in) = (count + 1, is_in || name == self.me);
        }
        keep(&mut self.solo_since, count == 1 && !is_in, now);
        keep(&mut self.guest_since, count > 1 && primary == self.me, now);
        self.is_wanted = is_in || self.is_wanted && count == 1;
    }

    /// Whether it is to run; to be asked again at the [`deadline`](Self::deadline).
    pub fn is_wanted(&mut self, now: Time) -> bool {
        self.is_wanted |= self.solo_since.is_some_and(|since| since + SOLO <= now);
        self.is_wanted
    }

    /// True if it is to hand over now, to the usual member that is its backup.
    pub fn goes_home(&mut self, now: Time) -> bool {
        let goes = self.guest_since.is_some_and(|since| since + SETTLE <= now);
        if goes {
            // If it does not come about, the next time is as far away.
            self.guest_since = Some(now);
        }
        goes
    }

    /// When something is due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let solo = self.solo_since.filter(|_| !self.is_wanted).map(|since| since + SOLO);
        let guest = self.guest_since.map(|since| since + SETTLE);
        solo.into_iter().chain(guest).min()
    }
}

/// Remembers since when something holds.
fn keep(since: &mut Option<Time>, holds: bool, now: Time) {
    *since = if holds { Some(since.unwrap_or(now)) } else { None };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::from_micros(secs * 1_000_000)
    }

    #[test]
    fn it_runs_from_some_seconds_of_solo_until_two_others_are_in_sync() {
        let mut spare = Spare::new("sip-c");
        spare.stands(at(0), "sip-a", ["sip-a", "sip-b"].into_iter());
        assert_eq!((spare.is_wanted(at(100)), spare.deadline()), (false, None));
        spare.stands(at(100), "sip-a", ["sip-a"].into_iter());
        assert_eq!((spare.is_wanted(at(104)), spare.deadline()), (false, Some(at(105))));
        spare.stands(at(104), "sip-a", ["sip-a"].into_iter());
        assert_eq!((spare.is_wanted(at(105)), spare.deadline()), (true, None));
        spare.stands(at(106), "sip-a", ["sip-a", "sip-c"].into_iter());
        assert!(spare.is_wanted(at(200)));
        // A usual member comes, and the primary leaves the spare for it.
        spare.stands(at(201), "sip-a", ["sip-a"].into_iter());
        assert!(spare.is_wanted(at(202)));
        spare.stands(at(203), "sip-a", ["sip-a", "sip-b"].into_iter());
        assert_eq!((spare.is_wanted(at(300)), spare.deadline()), (false, None));
    }

    #[test]
    fn one_that_has_taken_over_hands_over_when_somebody_is_back_for_good() {
        let mut spare = Spare::new("sip-c");
        spare.found();
        spare.stands(at(0), "sip-c", ["sip-c"].into_iter());
        assert!(spare.is_wanted(at(100)) && !spare.goes_home(at(100)));
        spare.stands(at(100), "sip-c", ["sip-c", "sip-b"].into_iter());
        assert!(!spare.goes_home(at(104)) && spare.goes_home(at(105)) && !spare.goes_home(at(106)));
        assert_eq!(spare.deadline(), Some(at(110)));
        spare.stands(at(107), "sip-b", ["sip-b", "sip-c"].into_iter());
        assert!(spare.is_wanted(at(108)) && !spare.goes_home(at(200)));
    }

    #[test]
    fn a_short_absence_wakes_nobody() {
        let mut spare = Spare::new("sip-c");
        for second in (0..100).step_by(4) {
            spare.stands(at(second), "sip-a", ["sip-a"].into_iter());
            assert!(!spare.is_wanted(at(second + 4)));
            spare.stands(at(second + 4), "sip-a", ["sip-a", "sip-b"].into_iter());
        }
    }
}
