//! When a host that nobody can reach is ended by force (fencing): hot-standby protocol, rule 15.
//!
//! A pair that has lost its members begins again only when each of them has certainly ended. Where that is not to be had from the
//! agent of their host, a program of the operator makes it so. This decides when it is asked; it is done by the control server
//! of a host whose member waits. What keeps hosts from ending each other is in the coordinator, as one *attempt* that is changed by
//! compare-and-swap: it is announced, whoever can reach the host (and the host itself) objects, and only then it begins. A side
//! without a majority can change nothing there, so it ends nobody.

use model::{Span, Time};

/// After its announcement an attempt waits so long for objections: longer than two looks of every host.
pub const GRACE: Span = Span::from_secs(3);
/// The pause after the first attempt that came to nothing; it doubles.
pub const FIRST_PAUSE: Span = Span::from_secs(10);
/// The longest pause.
pub const LONGEST_PAUSE: Span = Span::from_secs(600);
/// An attempt of somebody else stands in nobody's way when it has been there, unchanged, for so long after its time.
const STALE: Span = Span::from_secs(10);

/// The attempt that the coordinator has, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The host that makes it.
    pub by: String,
    /// The host that is to end.
    pub host: String,
    /// Counts the attempts.
    pub number: u64,
    /// The program has been started, or is about to be.
    pub begun: bool,
}

/// What is seen at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The host that a member here waits for: nobody serves its pair, and nothing of that host is reached.
    pub waits_for: Option<String>,
    /// What the coordinator has.
    pub attempt: Option<Attempt>,
    /// The host of that attempt is this one, or is reached from here.
    pub objects: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Take the attempt of somebody else away.
    Object,
    /// Announce an attempt for this host; say [`Fencing::announced`] when that is written.
    Announce(String),
    /// Take the own attempt back: it is not needed any more.
    Withdraw,
    /// Write that the own attempt begins, then start the program, and say [`Fencing::ended`] when its end is known.
    Begin,
}

/// One host's part in it. It never asks for its own end, nor does anything while the coordinator cannot be asked.
#[derive(Clone, Debug)]
pub struct Fencing {
    me: String,
    /// A pair waits for so long before an attempt is announced.
    after: Span,
    /// How long an attempt takes at most.
    limit: Span,
    /// The host that is waited for, and since when.
    waits: Option<(String, Time)>,
    /// The number of the own attempt, and when it was announced.
    mine: Option<(u64, Time)>,
    /// The attempt of somebody else, and since when it is as it is.
    other: Option<(Attempt, Time)>,
    /// Attempts that came to nothing since a host is waited for.
    failures: u32,
    /// No attempt before this.
    next: Time,
}

impl Fencing {
    /// That of the host `me`: a pair waits for `after` at least, the program runs for `limit` at most.
    #[must_use]
    pub fn new(me: impl Into<String>, after: Span, limit: Span) -> Self {
        let (waits, mine, other) = (None, None, None);
        Self { me: me.into(), after, limit, waits, mine, other, failures: 0, next: Time::ZERO }
    }

    /// What to do, after a look at how it stands.
    pub fn look(&mut self, now: Time, seen: &Seen) -> Step {
        let host = seen.waits_for.as_ref().filter(|host| **host != self.me);
        match host {
            Some(host) if self.waits.as_ref().is_some_and(|(known, _)| known == host) => {}
            Some(host) => (self.waits, self.failures) = (Some((host.clone(), now)), 0),
            None => (self.waits, self.failures, self.next) = (None, 0, Time::ZERO),
        }
        match (&seen.attempt, self.mine) {
            (Some(attempt), Some((number, since))) if attempt.by == self.me && attempt.number == number => {
                self.mine(now, attempt, since)
            }
            (Some(attempt), _) => self.another(now, attempt, seen.objects),
            (None, Some(_)) => {
                // Somebody has objected.
                self.failed(now);
                Step::Nothing
            }
            (None, None) => self.announce(now),
        }
    }

    fn mine(&self, now: Time, attempt: &Attempt, since: Time) -> Step {
        let is_needed = self.waits.as_ref().is_some_and(|(host, _)| *host == attempt.host);
        match (is_needed, attempt.begun) {
            (false, false) => Step::Withdraw,
            (true, false) if since + GRACE <= now => Step::Begin,
            _ => Step::Nothing,
        }
    }

    fn another(&mut self, now: Time, attempt: &Attempt, objects: bool) -> Step {
        self.mine = None;
        let since = match &self.other {
            Some((known, since)) if known == attempt => *since,
            _ => now,
        };
        self.other = Some((attempt.clone(), since));
        if objects && !attempt.begun {
            return Step::Object;
        }
        // Who made it has gone, or cannot say how it ended.
        if since + GRACE + self.limit + STALE <= now { self.announce(now) } else { Step::Nothing }
    }

    fn announce(&self, now: Time) -> Step {
        match &self.waits {
            Some((host, since)) if *since + self.after <= now && self.next <= now => Step::Announce(host.clone()),
            _ => Step::Nothing,
        }
    }

    /// The own attempt stands in the coordinator, with this number.
    pub fn announced(&mut self, now: Time, number: u64) {
        (self.mine, self.other) = (Some((number, now)), None);
    }

    /// The own attempt is over: the host has certainly ended, or nobody knows.
    pub fn ended(&mut self, now: Time, is_certain: bool) {
        if is_certain {
            (self.mine, self.failures) = (None, 0);
        } else {
            self.failed(now);
        }
    }

    fn failed(&mut self, now: Time) {
        self.mine = None;
        self.next = now + FIRST_PAUSE.times(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
    }

    /// Attempts in a row that came to nothing, and how long no other one is made.
    #[must_use]
    pub fn failures(&self, now: Time) -> (u32, Span) {
        (self.failures, self.next.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::from_micros(secs * 1_000_000)
    }

    fn of(me: &str) -> Fencing {
        Fencing::new(me, Span::from_secs(30), Span::from_secs(60))
    }

    fn attempt(by: &str, host: &str, number: u64, begun: bool) -> Option<Attempt> {
        Some(Attempt { by: by.into(), host: host.into(), number, begun })
    }

    fn waits(host: &str) -> Seen {
        Seen { waits_for: Some(host.into()), ..Seen::default() }
    }

    #[test]
    fn a_host_that_is_waited_for_long_enough_is_ended_after_an_announcement() {
        let mut fencing = of("h2");
        assert_eq!(fencing.look(at(100), &waits("h1")), Step::Nothing);
        assert_eq!(fencing.look(at(129), &waits("h1")), Step::Nothing);
        assert_eq!(fencing.look(at(130), &waits("h1")), Step::Announce("h1".into()));
        // Somebody else was quicker to write.
        assert_eq!(
            fencing.look(at(131), &Seen { attempt: attempt("h3", "h1", 1, false), ..waits("h1") }),
            Step::Nothing
        );
        assert_eq!(fencing.look(at(132), &waits("h1")), Step::Announce("h1".into()));
        fencing.announced(at(132), 2);
        let mine = |begun| Seen { attempt: attempt("h2", "h1", 2, begun), ..waits("h1") };
        assert_eq!(fencing.look(at(134), &mine(false)), Step::Nothing);
        assert_eq!(fencing.look(at(135), &mine(false)), Step::Begin);
        assert_eq!(fencing.look(at(136), &mine(true)), Step::Nothing);
        fencing.ended(at(140), true);
        assert_eq!(fencing.look(at(141), &Seen::default()), Step::Nothing);
    }

    #[test]
    fn doubt_that_comes_and_goes_ends_nobody() {
        let mut fencing = of("h2");
        for second in (0..600).step_by(20) {
            assert_eq!(fencing.look(at(second), &waits("h1")), Step::Nothing);
            assert_eq!(fencing.look(at(second + 10), &Seen::default()), Step::Nothing);
        }
        // Nor does another host inherit the time of the first one.
        fencing.look(at(700), &waits("h1"));
        assert_eq!(fencing.look(at(729), &waits("h3")), Step::Nothing);
        assert_eq!(fencing.look(at(730), &waits("h3")), Step::Nothing);
    }

    #[test]
    fn nobody_ends_itself_and_whoever_reaches_the_host_objects() {
        let mut fencing = of("h1");
        for second in [0, 100, 1_000] {
            assert_eq!(fencing.look(at(second), &waits("h1")), Step::Nothing);
        }
        let seen = |begun, objects| Seen { attempt: attempt("h2", "h1", 1, begun), objects, waits_for: None };
        assert_eq!(fencing.look(at(1_001), &seen(false, true)), Step::Object);
        assert_eq!(fencing.look(at(1_001), &seen(false, false)), Step::Nothing);
        assert_eq!(fencing.look(at(1_002), &seen(true, true)), Step::Nothing, "it is too late");
    }

    #[test]
    fn one_that_is_not_needed_any_more_is_withdrawn() {
        let mut fencing = of("h2");
        fencing.look(at(0), &waits("h1"));
        assert_eq!(fencing.look(at(30), &waits("h1")), Step::Announce("h1".into()));
        fencing.announced(at(30), 1);
        let seen = Seen { attempt: attempt("h2", "h1", 1, false), ..Seen::default() };
        assert_eq!(fencing.look(at(40), &seen), Step::Withdraw);
    }

    #[test]
    fn what_fails_or_is_objected_to_is_tried_less_and_less_often() {
        let mut fencing = of("h2");
        fencing.look(at(0), &waits("h1"));
        let mut now = at(30);
        let mut pauses = Vec::new();
        for number in 1..10 {
            assert_eq!(fencing.look(now, &waits("h1")), Step::Announce("h1".into()));
            fencing.announced(now, number);
            if number % 2 == 0 {
                fencing.ended(now, false);
            } else {
                assert_eq!(fencing.look(now, &waits("h1")), Step::Nothing, "somebody has taken it away");
            }
            let (count, pause) = fencing.failures(now);
            assert_eq!(u64::from(count), number);
            pauses.push(pause.as_millis() / 1_000);
            assert_eq!(fencing.look(now + pause - Span::from_millis(1), &waits("h1")), Step::Nothing);
            now += pause;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
        fencing.look(now, &Seen::default());
        assert_eq!(fencing.failures(now), (0, Span::ZERO), "what is over is forgotten");
    }

    #[test]
    fn an_attempt_whose_maker_has_gone_stands_in_nobodys_way_for_ever() {
        let mut fencing = of("h3");
        let seen = Seen { attempt: attempt("h2", "h1", 1, true), ..waits("h1") };
        assert_eq!(fencing.look(at(0), &seen), Step::Nothing);
        assert_eq!(fencing.look(at(72), &seen), Step::Nothing);
        assert_eq!(fencing.look(at(73), &seen), Step::Announce("h1".into()));
        // The same goes for one that this host made before its control server was started again.
        let mut fencing = of("h2");
        assert_eq!(fencing.look(at(0), &seen), Step::Nothing);
        assert_eq!(fencing.look(at(73), &seen), Step::Announce("h1".into()));
    }
}
