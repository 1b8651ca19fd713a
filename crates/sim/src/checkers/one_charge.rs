//! One charge: each call begins once, is answered at most once, and ends exactly once, whoever wrote it down.

use std::collections::{BTreeMap, BTreeSet};

use call::Event;
use redundancy::hot_standby::Stamp;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "one charge";

/// What the log says of each call. A line that a successor writes again bears the stamp of the first one.
#[derive(Debug, Default)]
pub struct OneCharge {
    calls: BTreeMap<u64, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    began: Option<Stamp>,
    answered: Option<Stamp>,
    ended: Option<Stamp>,
}

impl OneCharge {
    /// A line of the log.
    ///
    /// # Errors
    /// If it says a second time what can only happen once.
    pub fn logged(&mut self, stamp: Stamp, event: &Event) -> Verdict {
        let (call, what) = match event {
            Event::CallBegan { call } => (*call, "begins"),
            Event::CallAnswered { call } => (*call, "is answered"),
            Event::CallEnded { call, .. } | Event::CallAbandoned { call } => (*call, "ends"),
            _ => return Ok(()),
        };
        let entry = self.calls.entry(call).or_default();
        let slot = match what {
            "begins" => &mut entry.began,
            "is answered" => &mut entry.answered,
            _ => &mut entry.ended,
        };
        match slot.replace(stamp) {
            Some(before) if before != stamp => Err(format!("call {call:x} {what} twice")),
            _ => Ok(()),
        }
    }

    /// The calls of a server that began from cold have no end.
    pub fn forget(&mut self) {
        self.calls.clear();
    }

    /// Everything is over, but for the calls that are `left`.
    ///
    /// # Errors
    /// If another call has no end.
    pub fn conclude(&self, left: &BTreeSet<u64>) -> Verdict {
        match self.calls.iter().find(|(call, entry)| entry.ended.is_none() && !left.contains(call)) {
            Some((call, _)) => Err(format!("call {call:x} has no end in the log")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Epoch;

    use super::*;

    #[test]
    fn it_notices_a_second_end_and_a_missing_one() {
        let stamp = |sequence| Stamp { epoch: Epoch(1), sequence };
        let mut checker = OneCharge::default();
        checker.logged(stamp(1), &Event::CallBegan { call: 7 }).unwrap();
        checker.conclude(&BTreeSet::new()).unwrap_err();
        checker.conclude(&BTreeSet::from([7])).unwrap();
        let end = Event::CallEnded { call: 7, status: None };
        checker.logged(stamp(2), &end).unwrap();
        checker.logged(stamp(2), &end).unwrap();
        checker.conclude(&BTreeSet::new()).unwrap();
        checker.logged(stamp(3), &end).unwrap_err();
    }
}
