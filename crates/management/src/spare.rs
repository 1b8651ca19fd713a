//! When a spare runs: a member of a pair on a third host, for the time in which one of the two usual hosts is away
//! (hot-standby protocol, rule 15: a pair that has been solo for some seconds gets a new backup).

use model::{Span, Time};

/// A pair that has been without a backup for so long, or of which no member is reached, gets a spare one: longer than a usual member
/// takes to start again. A second spare waits twice as long.
pub const SOLO: Span = Span::from_secs(5);
/// A spare that serves, with a usual member as its backup, goes on for so long before it hands over: whoever has just come back
/// may go again.
pub const SETTLE: Span = Span::from_secs(5);

/// Whether one spare is wanted, from what the coordinator says of its pair. While the coordinator is away nothing changes.
#[derive(Clone, Debug)]
pub struct Spare {
    me: String,
    patience: Span,
    is_wanted: bool,
    /// Since when the pair has had no backup, and this one is not its primary.
    solo_since: Option<Time>,
    /// Since when no host of those in sync has been reached.
    lost_since: Option<Time>,
    /// Since when it has been primary with a backup.
    guest_since: Option<Time>,
}

impl Spare {
    /// The spare with this name, which is not wanted yet. `place` is its place among the spares of its pair, from 0: each gives the
    /// one before it time to stand in.
    #[must_use]
    pub fn new(me: impl Into<String>, place: u32) -> Self {
        let patience = Span::from_micros(SOLO.as_micros() * (u64::from(place) + 1));
        Self { me: me.into(), patience, is_wanted: false, solo_since: None, lost_since: None, guest_since: None }
    }

    /// Its process was found: it goes on until the coordinator has been heard.
    pub fn found(&mut self) {
        self.is_wanted = true;
    }

    /// The applications that are in sync, each with whether its host is reached, and which of them is the primary.
    pub fn stands<'a>(&mut self, now: Time, primary: &str, in_sync: impl Iterator<Item = (&'a str, bool)>) {
        let (mut count, mut is_in, mut is_lost, mut is_home) = (0, false, true, false);
        for (name, is_reached) in in_sync {
            (count, is_in, is_lost) = (count + 1, is_in || name == self.me, is_lost && !is_reached);
            // In the order of their names the usual members come first. Two spares do not hand over to each other for ever.
            is_home |= name < self.me.as_str();
        }
        keep(&mut self.solo_since, count == 1 && !is_in, now);
        keep(&mut self.guest_since, is_home && primary == self.me, now);
        keep(&mut self.lost_since, is_lost && !is_in, now);
        self.is_wanted = is_in || self.is_wanted && (count == 1 || is_lost);
    }

    /// Whether it is to run; to be asked again at the [`deadline`](Self::deadline).
    pub fn is_wanted(&mut self, now: Time) -> bool {
        self.is_wanted |= self.missed_since().is_some_and(|since| since + self.patience <= now);
        self.is_wanted
    }

    /// True if it is to hand over now, to the usual member that is its backup, or the spare before it.
    pub fn goes_home(&mut self, now: Time) -> bool {
        let goes = self.guest_since.is_some_and(|since| since + SETTLE <= now);
        if goes {
            // If it does not come about, the next time is as far away.
            self.guest_since = Some(now);
        }
        goes
    }

    /// Since when somebody is missed for whom it could stand in.
    fn missed_since(&self) -> Option<Time> {
        self.solo_since.into_iter().chain(self.lost_since).min()
    }

    /// When something is due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let solo = self.missed_since().filter(|_| !self.is_wanted).map(|since| since + self.patience);
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

    /// All hosts are reached.
    fn stands(spare: &mut Spare, now: Time, primary: &str, in_sync: &[&str]) {
        spare.stands(now, primary, in_sync.iter().map(|name| (*name, true)));
    }

    #[test]
    fn it_runs_from_some_seconds_of_solo_until_two_others_are_in_sync() {
        let mut spare = Spare::new("sip-c", 0);
        stands(&mut spare, at(0), "sip-a", &["sip-a", "sip-b"]);
        assert_eq!((spare.is_wanted(at(100)), spare.deadline()), (false, None));
        stands(&mut spare, at(100), "sip-a", &["sip-a"]);
        assert_eq!((spare.is_wanted(at(104)), spare.deadline()), (false, Some(at(105))));
        stands(&mut spare, at(104), "sip-a", &["sip-a"]);
        assert_eq!((spare.is_wanted(at(105)), spare.deadline()), (true, None));
        stands(&mut spare, at(106), "sip-a", &["sip-a", "sip-c"]);
        assert!(spare.is_wanted(at(200)));
        // A usual member comes, and the primary leaves the spare for it.
        stands(&mut spare, at(201), "sip-a", &["sip-a"]);
        assert!(spare.is_wanted(at(202)));
        stands(&mut spare, at(203), "sip-a", &["sip-a", "sip-b"]);
        assert_eq!((spare.is_wanted(at(300)), spare.deadline()), (false, None));
    }

    #[test]
    fn one_that_has_taken_over_hands_over_when_somebody_is_back_for_good() {
        let mut spare = Spare::new("sip-c", 0);
        spare.found();
        stands(&mut spare, at(0), "sip-c", &["sip-c"]);
        assert!(spare.is_wanted(at(100)) && !spare.goes_home(at(100)));
        stands(&mut spare, at(100), "sip-c", &["sip-c", "sip-b"]);
        assert!(!spare.goes_home(at(104)) && spare.goes_home(at(105)) && !spare.goes_home(at(106)));
        assert_eq!(spare.deadline(), Some(at(110)));
        stands(&mut spare, at(107), "sip-b", &["sip-b", "sip-c"]);
        assert!(spare.is_wanted(at(108)) && !spare.goes_home(at(200)));
    }

    #[test]
    fn a_second_spare_gives_the_first_one_time_and_goes_home_to_it() {
        let (mut first, mut second) = (Spare::new("sip-c", 0), Spare::new("sip-d", 1));
        let both = |first: &mut Spare, second: &mut Spare, now, primary, in_sync: &[&str]| {
            stands(first, now, primary, in_sync);
            stands(second, now, primary, in_sync);
        };
        both(&mut first, &mut second, at(0), "sip-a", &["sip-a"]);
        assert!(first.is_wanted(at(5)) && !second.is_wanted(at(9)));
        // The first one has come, and later its host is lost as well.
        both(&mut first, &mut second, at(9), "sip-a", &["sip-a", "sip-c"]);
        assert!(!second.is_wanted(at(100)));
        both(&mut first, &mut second, at(100), "sip-a", &["sip-a"]);
        assert!(!second.is_wanted(at(109)) && second.is_wanted(at(110)));
        both(&mut first, &mut second, at(111), "sip-d", &["sip-d"]);
        assert!(second.is_wanted(at(200)) && !second.goes_home(at(200)));
        both(&mut first, &mut second, at(200), "sip-d", &["sip-d", "sip-c"]);
        assert!(second.goes_home(at(205)));
        both(&mut first, &mut second, at(206), "sip-c", &["sip-c", "sip-d"]);
        assert!(!first.goes_home(at(300)) && !second.goes_home(at(300)), "nobody usual is there");
    }

    #[test]
    fn a_short_absence_wakes_nobody() {
        let mut spare = Spare::new("sip-c", 0);
        for second in (0..100).step_by(4) {
            stands(&mut spare, at(second), "sip-a", &["sip-a"]);
            assert!(!spare.is_wanted(at(second + 4)));
            stands(&mut spare, at(second + 4), "sip-a", &["sip-a", "sip-b"]);
        }
    }

    #[test]
    fn a_pair_of_which_no_member_is_reached_has_somebody_who_waits_for_certainty() {
        let mut spare = Spare::new("sip-c", 0);
        let both = |reached| [("sip-a", false), ("sip-b", reached)].into_iter();
        spare.stands(at(0), "sip-a", both(false));
        spare.stands(at(4), "sip-a", both(false));
        assert_eq!((spare.is_wanted(at(4)), spare.deadline()), (false, Some(at(5))));
        assert!(spare.is_wanted(at(5)));
        spare.stands(at(6), "sip-a", both(false));
        assert!(spare.is_wanted(at(100)), "as long as nobody comes back");
        spare.stands(at(101), "sip-a", both(true));
        assert_eq!((spare.is_wanted(at(200)), spare.deadline()), (false, None), "that one takes over by itself");
        spare.stands(at(200), "sip-a", both(false));
        assert!(spare.is_wanted(at(205)));
        spare.stands(at(206), "sip-c", [("sip-c", true)].into_iter());
        assert!(spare.is_wanted(at(300)), "it serves");
    }
}
