//! One path of a bundle: whether it stands, how long its way is, whether it carries what it should.

use model::{Span, Time};

use super::packet::Echo;

/// The least time in which a path must bring something forward; below it a busy host looks like a broken network.
const LEAST_PATIENCE: Span = Span::from_millis(40);
/// The most: later than this nobody waits for a path any more.
const MOST_PATIENCE: Span = Span::from_millis(500);
/// How long a stuck path is still kept: a stream that has lost its last packet goes on by itself then (RFC 6298 2.4, with the
/// shortest timeout that Linux has).
pub(super) const RECOVERY: Span = Span::from_millis(200);
/// A long message may take this much longer for each of its octets: 1 MB/s, a slow line.
const MICROS_PER_OCTET: u64 = 1;
/// Length of the beat that shows whether a path carries long packets, in octets: more than any segment on an ordinary network.
const LONG: usize = 4_096;

/// How long the way there and back is, as TCP estimates it (RFC 6298 2), in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RoundTrip {
    smoothed: Option<u64>,
    variation: u64,
}

impl RoundTrip {
    fn measured(&mut self, sample: Span) {
        let sample = sample.as_micros();
        match &mut self.smoothed {
            None => (self.smoothed, self.variation) = (Some(sample), sample / 2),
            Some(smoothed) => {
                self.variation = (3 * self.variation + smoothed.abs_diff(sample)) / 4;
                *smoothed = (7 * *smoothed + sample) / 8;
            }
        }
    }

    /// The smoothed time; `None` before the first measurement.
    pub(super) fn smoothed(self) -> Option<Span> {
        self.smoothed.map(Span::from_micros)
    }

    /// How long an answer may take at most before something is wrong.
    fn patience(self) -> Span {
        let usual = self.smoothed.unwrap_or_default() + 4 * self.variation;
        (LEAST_PATIENCE + Span::from_micros(usual)).min(MOST_PATIENCE)
    }
}

/// One path while it stands.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The last message that was written to it since it stands.
    pub(super) written: u64,
    /// The last message that the other side has confirmed on it.
    confirmed: u64,
    /// Since when what was written to it last makes no progress; [`Time::NEVER`] if nothing is outstanding.
    waits_since: Time,
    /// Octets of the longest message that is outstanding on it.
    longest: usize,
    /// Something came on it that is not confirmed yet.
    pub(super) owes: bool,
    /// When anything was heard on it last.
    pub(super) heard: Time,
    /// When a beat is due.
    pub(super) beat: Time,
    /// The beat of the other side that was heard last, and when.
    last_beat: Option<(Time, Time)>,
    /// The long beat that is on its way.
    probe: Option<Time>,
    /// A long beat has come back: it carries what it should.
    pub(super) is_trusted: bool,
    pub(super) round_trip: RoundTrip,
}

impl Path {
    /// A path that stands since now; messages up to `confirmed` need not go over it.
    pub(super) const fn new(now: Time, round_trip: RoundTrip, confirmed: u64) -> Self {
        Self {
            written: confirmed,
            confirmed,
            waits_since: Time::NEVER,
            longest: 0,
            owes: false,
            heard: now,
            beat: now,
            last_beat: None,
            probe: None,
            is_trusted: false,
            round_trip,
        }
    }

    /// A message was written to it.
    pub(super) fn wrote(&mut self, now: Time, number: u64, octets: usize) {
        self.written = number;
        self.waits_since = self.waits_since.min(now);
        self.longest = self.longest.max(octets);
    }

    /// The other side says on this path that it has everything up to `confirmed`. What it says on another one proves nothing
    /// for this one.
    pub(super) fn hears_confirmation(&mut self, now: Time, confirmed: u64) {
        if confirmed <= self.confirmed {
            return;
        }
        self.confirmed = confirmed;
        if self.written <= confirmed {
            (self.waits_since, self.longest) = (Time::NEVER, 0);
        } else if self.waits_since < Time::NEVER {
            self.waits_since = now;
        }
    }

    /// Since when nothing was brought forward; [`Time::NEVER`] if nothing is outstanding.
    pub(super) const fn waits_since(&self) -> Time {
        self.waits_since
    }

    /// When it counts as stuck, unless it brings something forward.
    pub(super) fn patience_ends(&self) -> Time {
        if self.waits_since == Time::NEVER {
            return Time::NEVER;
        }
        self.waits_since + self.round_trip.patience() + Span::from_micros(self.longest as u64 * MICROS_PER_OCTET)
    }

    /// When a path on which nothing is heard at all is given up, while a beat is to come every `heartbeat`.
    pub(super) fn silence_ends(&self, heartbeat: Span) -> Time {
        self.heard + heartbeat.times(6) + self.round_trip.patience()
    }

    /// The other side's beat.
    pub(super) fn hears_beat(&mut self, now: Time, said: Time, echo: Option<Echo>) {
        self.last_beat = Some((said, now));
        let Some(echo) = echo else { return };
        self.round_trip.measured(now.since(echo.said + echo.lay));
        // What follows the long one in the same stream came behind it.
        self.is_trusted |= self.probe.is_some_and(|probe| echo.said >= probe);
    }

    /// The next beat: what it echoes, and how long it is to be.
    pub(super) fn beats(&mut self, now: Time, heartbeat: Span) -> (Option<Echo>, usize) {
        self.beat = now + heartbeat;
        let echo = self.last_beat.map(|(said, heard)| Echo { said, lay: now.since(heard) });
        if self.is_trusted || self.probe.is_some() {
            return (echo, 0);
        }
        self.probe = Some(now);
        (echo, LONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Span = Span::from_millis(50);

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn the_round_trip_is_what_the_way_takes_without_what_the_other_side_takes() {
        let mut path = Path::new(at(0), RoundTrip::default(), 0);
        assert_eq!(path.round_trip.smoothed(), None);
        path.hears_beat(at(100), at(9), Some(Echo { said: at(50), lay: Span::from_millis(38) }));
        assert_eq!(path.round_trip.smoothed(), Some(Span::from_millis(12)));
        assert_eq!(path.round_trip.patience(), Span::from_millis(40 + 12 + 4 * 6));
        for _ in 0..100 {
            path.hears_beat(at(100), at(9), Some(Echo { said: at(80), lay: Span::ZERO }));
        }
        let smoothed = path.round_trip.smoothed().unwrap_or_default();
        assert!(smoothed > Span::from_millis(19) && smoothed <= Span::from_millis(20), "{smoothed}");
    }

    #[test]
    fn a_path_is_trusted_when_its_long_beat_has_come_back() {
        let mut path = Path::new(at(0), RoundTrip::default(), 0);
        assert_eq!(path.beats(at(7), BEAT), (None, LONG));
        path.hears_beat(at(8), at(100), Some(Echo { said: at(6), lay: Span::ZERO }));
        assert!(!path.is_trusted, "that was one of before");
        assert_eq!(path.beats(at(57), BEAT), (Some(Echo { said: at(100), lay: Span::from_millis(49) }), 0));
        path.hears_beat(at(58), at(150), Some(Echo { said: at(57), lay: Span::ZERO }));
        assert!(path.is_trusted, "a later one has come back on the same stream");
    }

    #[test]
    fn patience_begins_with_the_first_message_and_anew_with_each_progress() {
        let mut path = Path::new(at(0), RoundTrip::default(), 0);
        assert_eq!(path.patience_ends(), Time::NEVER);
        path.wrote(at(10), 1, 100);
        path.wrote(at(30), 2, 50);
        assert_eq!(path.patience_ends(), at(50) + Span::from_micros(100));
        path.hears_confirmation(at(40), 1);
        assert_eq!(path.patience_ends(), at(80) + Span::from_micros(100));
        path.hears_confirmation(at(45), 1);
        assert_eq!(path.patience_ends(), at(80) + Span::from_micros(100), "that is known");
        path.hears_confirmation(at(46), 2);
        assert_eq!(path.patience_ends(), Time::NEVER);
    }
}
