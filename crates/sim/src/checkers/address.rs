//! The address of a pair: two hosts answer for it for a moment at most, and in the end whoever serves has it, alone.

use model::{Span, Time};

use super::Verdict;
use crate::pair::Side;

/// Name of the checker.
pub const NAME: &str = "address";

/// How long two hosts may answer for it: what was killed leaves it until it is started again, what stood still or was cut off
/// until it has learned that it was superseded, and each of that may happen again meanwhile.
const LONG: Span = Span::from_secs(5);

/// How long two hosts have had it.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    both_since: Option<Time>,
}

impl Holders {
    /// These hosts have it and power.
    ///
    /// # Errors
    /// If both do for too long.
    pub fn seen(&mut self, now: Time, holders: [bool; 2]) -> Verdict {
        if holders != [true; 2] {
            self.both_since = None;
            return Ok(());
        }
        match *self.both_since.get_or_insert(now) {
            since if since + LONG <= now => Err(format!("both hosts answer for the address since {since}")),
            _ => Ok(()),
        }
    }
}

/// Everything is at rest: these hosts have it, this side serves, and there the telephones are led.
///
/// # Errors
/// If anybody but the one that serves has it, or a telephone is led elsewhere.
pub fn at_rest(holders: [bool; 2], serving: Side, routes: &[Side]) -> Verdict {
    let lost = routes.iter().position(|side| *side != serving);
    match (holders[serving], holders[1 - serving], lost) {
        (true, false, None) => Ok(()),
        (false, ..) => Err(format!("side {serving} serves and does not have the address")),
        (_, true, _) => Err(format!("side {serving} serves, and the other one has the address too")),
        (.., Some(phone)) => Err(format!("side {serving} serves, and the address leads telephone {phone} elsewhere")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_two_holders_and_a_wrong_one() {
        let at = |seconds: u64| Time::ZERO + Span::from_secs(seconds);
        let mut holders = Holders::default();
        holders.seen(at(1), [true, true]).unwrap();
        holders.seen(at(5), [true, false]).unwrap();
        holders.seen(at(6), [true, true]).unwrap();
        holders.seen(at(11), [true, true]).unwrap_err();
        at_rest([false, true], 1, &[1, 1]).unwrap();
        at_rest([true, true], 1, &[1, 1]).unwrap_err();
        at_rest([true, false], 1, &[1, 1]).unwrap_err();
        at_rest([false, true], 1, &[1, 0]).unwrap_err();
    }
}
