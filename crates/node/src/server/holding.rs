//! How long outputs wait at the gate: the price of the standby, which `everline status` shows.

use std::collections::VecDeque;

use model::{Span, Time};
use redundancy::hot_standby::Stamp;

use crate::wire::Hold;

/// Of so many checkpoints that had outputs the times are kept.
const KEPT: usize = 1_000;
/// So many checkpoints without a sign of the other side are remembered.
const MOST_OPEN: usize = 65_536;

/// Measures from when a checkpoint was given to the link until its outputs left. It decides nothing.
#[derive(Debug, Default)]
pub(super) struct Holding {
    open: VecDeque<(Stamp, Time)>,
    /// In microseconds, the latest last.
    times: VecDeque<u64>,
}

impl Holding {
    /// A checkpoint was given to the link.
    pub(super) fn begins(&mut self, checkpoint: Stamp, now: Time) {
        if self.open.len() == MOST_OPEN {
            self.open.pop_front();
        }
        self.open.push_back((checkpoint, now));
    }

    /// An output of this checkpoint leaves; of several only the first one counts.
    pub(super) fn ends(&mut self, checkpoint: Stamp, now: Time) {
        while let Some((stamp, since)) = self.open.pop_front_if(|(stamp, _)| *stamp <= checkpoint) {
            if stamp == checkpoint {
                self.times.truncate(KEPT - 1);
                self.times.push_front(now.since(since).as_micros());
            }
        }
    }

    /// The times of the last checkpoints; none if nothing was held.
    pub(super) fn report(&self, round_trip: Option<Span>) -> Option<Hold> {
        let mut times: Vec<u64> = self.times.iter().copied().collect();
        times.sort_unstable();
        let longest = *times.last()?;
        let rank = |share: f64| times[(share * (times.len() - 1) as f64).ceil() as usize];
        let round_trip = round_trip.map(Span::as_micros);
        Some(Hold { median: rank(0.5), p99: rank(0.99), longest, round_trip })
    }
}

#[cfg(test)]
mod tests {
    use model::Epoch;

    use super::*;

    fn stamp(sequence: u64) -> Stamp {
        Stamp { epoch: Epoch(1), sequence }
    }

    #[test]
    fn only_checkpoints_with_outputs_count_and_each_once() {
        let mut holding = Holding::default();
        assert_eq!(holding.report(None), None);
        for sequence in 1..=4 {
            holding.begins(stamp(sequence), Time::from_micros(100 * sequence));
        }
        // The first two had no outputs.
        holding.ends(stamp(3), Time::from_micros(350));
        holding.ends(stamp(3), Time::from_micros(900));
        holding.ends(stamp(4), Time::from_micros(700));
        let expected = Hold { median: 300, p99: 300, longest: 300, round_trip: Some(80) };
        assert_eq!(holding.report(Some(Span::from_micros(80))), Some(expected));
        holding.ends(stamp(9), Time::from_micros(950));
        assert_eq!(holding.times, [300, 50], "nothing was known of it");
    }

    #[test]
    fn the_last_thousand_are_kept() {
        let mut holding = Holding::default();
        for sequence in 1..=2_000 {
            holding.begins(stamp(sequence), Time::ZERO);
            holding.ends(stamp(sequence), Time::from_micros(sequence));
        }
        let expected = Hold { median: 1_501, p99: 1_991, longest: 2_000, round_trip: None };
        assert_eq!(holding.report(None), Some(expected));
    }
}
