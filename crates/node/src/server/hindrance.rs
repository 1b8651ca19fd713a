//! What keeps a side from serving on its host: foreseen by one that does not serve, met by one that has taken over.
//!
//! A side that has taken over may be the only one that holds the records. So a door that it cannot open does not end it: it tries again
//! each second, as it does for its addresses, and hands over as soon as another side is level.

use model::{Span, Time};
use redundancy::hot_standby::RoleName;

use super::addresses::RETRY;
use super::intake::could_open;
use super::link::LinkFrame;
use super::service::Service;
use super::shell::{ServerSettings, Shell};
use crate::wire::Trouble;

/// How often a side looks whether it could serve; while it could not, each [`RETRY`].
const LOOK: Span = Span::from_secs(5);
/// So long a side that has taken over tries its doors before it hands over. Two sides that both cannot open theirs take turns, and no
/// faster than that.
const PATIENCE: Span = Span::from_secs(5);

/// What is in the way.
#[derive(Debug, Default)]
pub(super) struct Hindrance {
    troubles: Vec<Trouble>,
    /// Since when this side has the role, and its doors are shut.
    shut_since: Option<Time>,
    /// When it is looked, or tried, next.
    next: Time,
    /// This host could take all addresses: the rights to do so do not change while this process lives.
    may_claim: bool,
}

impl Hindrance {
    /// Nothing is in the way of a side that serves.
    pub(super) const fn none() -> Self {
        Self { troubles: Vec::new(), shut_since: None, next: Time::NEVER, may_claim: false }
    }

    /// True if nothing is known to be in the way.
    pub(super) const fn is_none(&self) -> bool {
        self.troubles.is_empty()
    }

    /// What people must know.
    pub(super) fn troubles(&self) -> impl Iterator<Item = Trouble> + '_ {
        self.troubles.iter().cloned()
    }

    /// A side that has taken over cannot open its doors.
    pub(super) fn keeps_shut(&mut self, now: Time, Trouble { what, remedy }: Trouble) {
        self.shut_since = self.shut_since.or(Some(now));
        self.next = now + RETRY;
        self.troubles = vec![Trouble::new(format!("has taken over, and nobody reaches it: {what}"), remedy)];
    }

    /// What is in the way of taking the addresses: all that can be known, until that was nothing; later their `places` alone. To ask
    /// for the rights costs sockets and a thread.
    fn of_addresses(
        &mut self,
        all: impl FnOnce() -> Vec<Trouble>,
        places: impl FnOnce() -> Vec<Trouble>,
    ) -> Vec<Trouble> {
        if self.may_claim {
            return places();
        }
        let troubles = all();
        self.may_claim = troubles.is_empty();
        troubles
    }

    /// A side that does not serve would meet these, or nothing.
    fn foresees(&mut self, now: Time, troubles: Vec<Trouble>) {
        self.next = now + if troubles.is_empty() { LOOK } else { RETRY };
        self.troubles = troubles;
    }

    /// True if the doors have been shut for so long that another side is to try.
    fn is_to_hand_over(&self, now: Time) -> bool {
        self.shut_since.is_some_and(|since| since + PATIENCE <= now)
    }
}

impl<S: Service> Shell<S> {
    /// Looks whether this side could serve, or tries again to open its doors, when it is time to.
    ///
    /// On one host the sockets are passed on, and either side has what the other one has.
    pub(super) fn heed_hindrance(&mut self) {
        if self.now < self.hindrance.next {
            return;
        }
        match self.replica.status().role {
            RoleName::Primary if self.hindrance.shut_since.is_some() => self.try_doors(),
            RoleName::Starting | RoleName::Backup if self.far.is_some() => {
                let addresses = &self.settings.addresses;
                let of_addresses = self.hindrance.of_addresses(
                    || addresses.iter().filter_map(|address| address.could_be_claimed().err()).collect(),
                    || addresses.iter().filter_map(|address| address.has_place().err()).collect(),
                );
                self.hindrance.foresees(self.now, foreseen(&self.settings, of_addresses));
            }
            _ => self.hindrance = Hindrance::none(),
        }
    }

    fn try_doors(&mut self) {
        if let Err(trouble) = self.intake.listen(&self.settings.doors) {
            self.hindrance.keeps_shut(self.now, trouble);
            if self.hindrance.is_to_hand_over(self.now) && self.replica.switch_over(self.now).is_ok() {
                tracing::warn!("hands over to the backup, as nobody reaches this side");
            }
            return;
        }
        self.hindrance = Hindrance::none();
        if self.reading {
            self.watch_datagrams();
        }
        // A backup on this host was handed none when it joined.
        if let Ok(descriptors) = self.intake.share_listeners() {
            self.tell_link(&LinkFrame::Listeners(self.settings.doors.clone()), descriptors);
        }
    }
}

/// What would keep a side with these settings from serving on this host, where this is in the way of taking its addresses.
fn foreseen(settings: &ServerSettings, of_addresses: Vec<Trouble>) -> Vec<Trouble> {
    let of_doors = settings.doors.iter().filter_map(|door| {
        let passes = settings.is_virtual(door.address().ip());
        could_open(*door, passes).err()
    });
    let foreseen = |Trouble { what, remedy }| Trouble::new(format!("could not take over: {what}"), remedy);
    of_addresses.into_iter().chain(of_doors).map(foreseen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    fn trouble() -> Trouble {
        Trouble::new("cannot listen on udp:10.0.0.5:5060", "end the other program")
    }

    #[test]
    fn what_is_foreseen_is_looked_at_again_sooner_than_what_is_not() {
        let mut hindrance = Hindrance::default();
        assert!(hindrance.is_none() && hindrance.next == Time::ZERO, "at once");
        hindrance.foresees(at(5), vec![trouble()]);
        assert!(!hindrance.is_none());
        assert_eq!((hindrance.next, hindrance.troubles().next()), (at(1_005), Some(trouble())));
        hindrance.foresees(at(1_005), Vec::new());
        assert!(hindrance.is_none());
        assert_eq!(hindrance.next, at(6_005));
        assert!(!hindrance.is_to_hand_over(at(60_000)), "it does not serve");
    }

    #[test]
    fn rights_are_asked_for_until_they_are_there() {
        let mut hindrance = Hindrance::default();
        let never = || -> Vec<Trouble> { panic!("it was not to be asked") };
        assert_eq!(hindrance.of_addresses(|| vec![trouble()], never), [trouble()]);
        assert!(hindrance.of_addresses(Vec::new, never).is_empty());
        assert_eq!(hindrance.of_addresses(never, || vec![trouble()]), [trouble()], "an interface can go");
        assert!(hindrance.of_addresses(never, Vec::new).is_empty());
    }

    #[test]
    fn doors_that_stay_shut_are_tried_each_second_and_left_to_another_side_after_five() {
        let mut hindrance = Hindrance::none();
        assert_eq!((hindrance.is_none(), hindrance.next), (true, Time::NEVER));
        for second in 0..5 {
            let now = at(second * 1_000);
            hindrance.keeps_shut(now, trouble());
            assert_eq!(hindrance.next, now + RETRY);
            assert!(!hindrance.is_to_hand_over(now), "after {second} s");
        }
        assert!(hindrance.is_to_hand_over(at(5_000)));
        let told = hindrance.troubles().next().expect("it is told").to_string();
        assert!(told.starts_with("has taken over, and nobody reaches it: cannot listen on udp:"), "{told}");
    }
}
