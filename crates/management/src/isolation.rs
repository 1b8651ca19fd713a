//! What a host does that reaches nobody: neither a majority of the coordinator nor any other host of the solution.
//!
//! By itself it goes on: what it serves, it serves. If it is to stop after a time, its servers are ended, so that nobody in its
//! corner of the network is served by a host that may have been replaced; they start again when the coordinator can be reached, as
//! whatever that lets them be. Nobody else may build on it: time is no proof (rule 10 of the hot-standby protocol).

use model::{Span, Time};

/// Whether the servers of a host are stopped.
#[derive(Clone, Debug)]
pub struct Isolation {
    /// How long it may be alone; none: for ever.
    patience: Option<Span>,
    alone_since: Option<Time>,
    is_stopped: bool,
}

impl Isolation {
    /// A host that is not alone, and may be for so long; none: for ever.
    #[must_use]
    pub const fn new(patience: Option<Span>) -> Self {
        Self { patience, alone_since: None, is_stopped: false }
    }

    /// Whether the host reaches a majority of the coordinator, and whether any other host.
    pub fn stands(&mut self, now: Time, coordinator: bool, others: bool) {
        if coordinator {
            self.is_stopped = false;
        }
        if coordinator || others {
            self.alone_since = None;
        } else {
            self.alone_since.get_or_insert(now);
        }
    }

    /// Whether its servers are to be stopped; to be asked again at the [`deadline`](Self::deadline).
    pub fn is_stopped(&mut self, now: Time) -> bool {
        self.is_stopped |= self.due().is_some_and(|due| due <= now);
        self.is_stopped
    }

    /// When something is due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.due().filter(|_| !self.is_stopped)
    }

    fn due(&self) -> Option<Time> {
        Some(self.alone_since? + self.patience?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::from_micros(secs * 1_000_000)
    }

    #[test]
    fn a_host_that_is_to_keep_on_does_so_for_ever() {
        let mut isolation = Isolation::new(None);
        isolation.stands(at(0), false, false);
        assert_eq!((isolation.is_stopped(at(1_000_000)), isolation.deadline()), (false, None));
    }

    #[test]
    fn one_that_is_alone_for_too_long_stops_until_it_reaches_the_coordinator() {
        let mut isolation = Isolation::new(Some(Span::from_secs(300)));
        isolation.stands(at(0), true, true);
        assert_eq!((isolation.is_stopped(at(1_000)), isolation.deadline()), (false, None));
        isolation.stands(at(1_000), false, false);
        isolation.stands(at(1_200), false, false);
        assert_eq!((isolation.is_stopped(at(1_299)), isolation.deadline()), (false, Some(at(1_300))));
        assert_eq!((isolation.is_stopped(at(1_300)), isolation.deadline()), (true, None));
        // Another host alone lets nobody serve.
        isolation.stands(at(1_400), false, true);
        assert!(isolation.is_stopped(at(1_401)));
        isolation.stands(at(1_500), true, false);
        assert!(!isolation.is_stopped(at(1_501)));
    }

    #[test]
    fn whoever_reaches_one_of_them_is_not_alone() {
        let mut isolation = Isolation::new(Some(Span::from_secs(300)));
        for (second, coordinator, others) in
            [(0, false, false), (299, false, true), (300, false, false), (599, true, false), (600, false, false)]
        {
            isolation.stands(at(second), coordinator, others);
            assert!(!isolation.is_stopped(at(second)), "after {second} s");
        }
        assert_eq!(isolation.deadline(), Some(at(900)));
    }
}
