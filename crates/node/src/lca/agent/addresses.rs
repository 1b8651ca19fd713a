//! Virtual addresses whose holder has ended: its process cannot give them up any more.

use model::{Span, Time};
use network::address::{Deed, Mover, VirtualAddress};

use super::Agent;
use crate::clock;
use crate::wire::Trouble;

/// How long an orderly end of everything waits for a hook that takes an address away.
const LAST: Span = Span::from_secs(3);
/// How long it takes until it is tried again to remove an address.
const RETRY: Span = Span::from_secs(1);

/// An address whose holder has ended, while a hook takes it away from this host.
#[derive(Debug)]
pub(super) struct Release {
    application: String,
    begun: Time,
    mover: Mover,
}

/// Addresses of applications that have ended which could not be removed: this host may answer there although another one serves.
#[derive(Debug, Default)]
pub(super) struct Kept {
    all: Vec<(String, VirtualAddress, Trouble)>,
    /// When it is tried again.
    retry: Time,
}

impl Kept {
    /// Why the addresses of an application are still here.
    pub(super) fn of<'a>(&'a self, application: &'a str) -> impl Iterator<Item = String> + 'a {
        self.all.iter().filter(move |(holder, ..)| holder == application).map(|(_, _, trouble)| trouble.to_string())
    }

    /// When it is to be tried again, if anything is kept.
    pub(super) fn deadline(&self) -> Option<Time> {
        (!self.all.is_empty()).then_some(self.retry)
    }

    /// The next run of the application sees to them, or has them.
    fn forget(&mut self, application: &str) {
        self.all.retain(|(holder, ..)| holder != application);
    }

    /// Tries again where it is time to, by `release`; true if it has tried.
    fn try_again(&mut self, now: Time, release: impl Fn(&VirtualAddress) -> Result<(), Trouble>) -> bool {
        if self.all.is_empty() || now < self.retry {
            return false;
        }
        self.retry = now + RETRY;
        self.all.retain_mut(|(application, address, why)| match release(address) {
            Ok(()) => {
                tracing::info!("the address {address} of {application}, which has ended, is given up after all");
                false
            }
            Err(trouble) => {
                *why = trouble;
                true
            }
        });
        true
    }
}

impl Agent {
    /// Takes back what a process that has ended could not give up: another host may have the address by now. What a hook has to do
    /// goes on beside, until the next run takes that over.
    pub(super) fn give_up_addresses(&mut self, application: &str) {
        self.kept.forget(application);
        let of_it = self.settings.addresses.iter().filter(|(holder, _)| holder == application);
        for (_, address) in of_it {
            if let Err(trouble) = address.release() {
                tracing::error!("{application} has ended: {trouble}");
                self.kept.retry = clock::now() + RETRY;
                self.kept.all.push((application.to_owned(), address.clone(), trouble));
            }
            match address.hook.clone().map(|hook| Mover::new(hook, address.clone())) {
                Some(Ok(mover)) => {
                    mover.order(Deed::Release);
                    let (application, begun) = (application.to_owned(), clock::now());
                    self.releases.push(Release { application, begun, mover });
                }
                Some(Err(error)) => tracing::error!("no hook can be called for {address}: {error}"),
                None => {}
            }
        }
    }

    /// Leaves the addresses of an application to its next run.
    pub(super) fn leave_addresses(&mut self, application: &str) {
        self.kept.forget(application);
        self.releases.retain(|release| release.application != application);
    }

    /// Tries again what could not be removed.
    pub(super) fn look_after_kept(&mut self) {
        self.changed |= self.kept.try_again(clock::now(), VirtualAddress::release);
    }

    /// Hears which hooks have ended: each is called once, as whoever takes an address over does not depend on it.
    pub(super) fn look_after_releases(&mut self) {
        self.releases.retain(|release| match release.mover.outcome() {
            None => true,
            Some(outcome) => {
                if let Err(trouble) = outcome {
                    tracing::error!("the address of {} may still lead here: {trouble}", release.application);
                }
                false
            }
        });
    }

    /// Whether the agent may end: not before hooks have had their time. Those that still run then are ended.
    pub(super) fn releases_are_over(&mut self) -> bool {
        let now = clock::now();
        let is_over = self.releases.iter().all(|release| release.begun + LAST <= now);
        if is_over {
            self.releases.drain(..).for_each(|release| release.mover.end());
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    fn refused(_: &VirtualAddress) -> Result<(), Trouble> {
        Err(Trouble::new("it is refused again", "look why"))
    }

    /// Two applications whose addresses could not be removed.
    fn kept() -> Kept {
        let one = |holder: &str, address: &str| {
            let address: VirtualAddress = address.parse().expect("an address");
            (holder.to_owned(), address, Trouble::new("it is refused", "look why"))
        };
        Kept { all: vec![one("sip-a", "10.0.0.5/24@eth0"), one("sip-c", "10.0.0.6/24@eth0")], retry: at(1_000) }
    }

    #[test]
    fn what_could_not_be_removed_is_told_and_tried_again_each_second() {
        let mut kept = kept();
        assert_eq!(kept.of("sip-a").collect::<Vec<_>>(), ["it is refused (look why)"]);
        assert_eq!(kept.of("sip-b").count(), 0);
        assert!(!kept.try_again(at(999), refused));
        assert!(kept.try_again(at(1_000), refused));
        assert_eq!(kept.of("sip-c").collect::<Vec<_>>(), ["it is refused again (look why)"]);
        assert_eq!(kept.deadline(), Some(at(2_000)));
        let is_first = |address: &VirtualAddress| address.to_string() == "10.0.0.5/24@eth0";
        assert!(kept.try_again(at(2_000), |address| if is_first(address) { Ok(()) } else { refused(address) }));
        assert_eq!((kept.of("sip-a").count(), kept.of("sip-c").count()), (0, 1));
        assert!(kept.try_again(at(3_000), |_| Ok(())));
        assert_eq!(kept.deadline(), None);
        assert!(!kept.try_again(at(9_000), refused), "nothing is left to try");
    }

    #[test]
    fn the_next_run_takes_its_addresses_over() {
        let mut kept = kept();
        kept.forget("sip-a");
        assert_eq!((kept.of("sip-a").count(), kept.of("sip-c").count()), (0, 1));
    }
}
