//! Whether somebody holds an address that the pair is about to begin with (RFC 5227 2.1, RFC 4862 5.4): a value that is told the
//! time, and what its searches have heard.

use std::net::IpAddr;

use model::Time;
use network::address::{Found, Mac, Search, VirtualAddress};

use super::SOON;
use crate::wire::Trouble;

/// A search for the holder of one address.
pub(super) trait Inquiry {
    /// When it may know more at the latest.
    fn due(&self) -> Time;

    /// What it knows by now.
    fn answer(&mut self, now: Time) -> Found;
}

impl Inquiry for Search {
    fn due(&self) -> Time {
        self.deadline()
    }

    fn answer(&mut self, now: Time) -> Found {
        // Where nothing can be asked any more, whoever takes the address is told why.
        self.poll(now).unwrap_or(Found::Nobody)
    }
}

/// The question, in rounds that each ask for all addresses: one that was free an hour ago may be held by now.
#[derive(Debug)]
pub(super) struct Question<I = Search> {
    addresses: Vec<VirtualAddress>,
    /// The searches of this round that are not answered yet.
    asked: Vec<(IpAddr, I)>,
    /// Who was found in this round.
    found: Vec<(IpAddr, Mac)>,
    /// Who was found in the last one.
    holders: Vec<(IpAddr, Mac)>,
    /// When the next round begins.
    next: Time,
}

impl<I: Inquiry> Question<I> {
    /// Is to be asked from `now` on.
    pub(super) const fn new(addresses: Vec<VirtualAddress>, now: Time) -> Self {
        Self { addresses, asked: Vec::new(), found: Vec::new(), holders: Vec::new(), next: now }
    }

    /// Goes on asking; `search` begins to ask for one address, if it can be asked for. True as soon as a whole round has found
    /// nobody.
    pub(super) fn turn(&mut self, now: Time, search: impl Fn(&VirtualAddress) -> Option<I>) -> bool {
        if self.asked.is_empty() {
            if now < self.next {
                return false;
            }
            let begun = |address: &VirtualAddress| Some((address.address, search(address)?));
            self.asked = self.addresses.iter().filter_map(begun).collect();
        }
        let found = &mut self.found;
        self.asked.retain_mut(|(address, inquiry)| match inquiry.answer(now) {
            Found::NotYet => true,
            Found::Nobody => false,
            Found::Holder(mac) => {
                found.push((*address, mac));
                false
            }
        });
        if !self.asked.is_empty() {
            return false;
        }
        self.holders = std::mem::take(&mut self.found);
        self.next = now + SOON;
        self.holders.is_empty()
    }

    /// When [`turn`](Self::turn) has something to do.
    pub(super) fn deadline(&self) -> Time {
        self.asked.iter().map(|(_, inquiry)| inquiry.due()).min().unwrap_or(self.next)
    }

    /// Who holds what the pair should have.
    pub(super) fn troubles(&self) -> impl Iterator<Item = Trouble> + '_ {
        self.holders.iter().map(|(address, mac)| not_taken(*address, *mac))
    }
}

fn not_taken(address: IpAddr, mac: Mac) -> Trouble {
    Trouble::new(
        format!(
            "the address {address} is held by somebody else, who has the Ethernet address {mac}: Everline has not taken \
             it, and this pair does not serve"
        ),
        "find the holder by that Ethernet address and take the address from it, or choose another [[address]]; as soon \
         as nobody answers for it, it is taken",
    )
}

#[cfg(test)]
mod tests {
    use model::Span;

    use super::*;

    const STRANGER: Mac = Mac([0x02, 0x77, 0, 0, 0, 0x09]);

    /// A search that knows this from that time on.
    #[derive(Debug)]
    struct Told(Time, Found);

    impl Inquiry for Told {
        fn due(&self) -> Time {
            self.0
        }

        fn answer(&mut self, now: Time) -> Found {
            if self.0 <= now { self.1 } else { Found::NotYet }
        }
    }

    const fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    fn nobody(begun: u64) -> Option<Told> {
        Some(Told(at(begun + 500), Found::Nobody))
    }

    fn somebody(begun: u64) -> Option<Told> {
        Some(Told(at(begun + 1), Found::Holder(STRANGER)))
    }

    fn begun_earlier(_: &VirtualAddress) -> Option<Told> {
        panic!("nothing is asked now");
    }

    fn address(text: &str) -> VirtualAddress {
        text.parse().expect("an address")
    }

    fn question(addresses: &[&str]) -> Question<Told> {
        Question::new(addresses.iter().map(|text| address(text)).collect(), at(0))
    }

    #[test]
    fn what_nobody_answers_for_is_free_when_the_time_is_over() {
        let mut question = question(&["10.0.0.5/24@eth0"]);
        assert_eq!(question.deadline(), at(0));
        assert!(!question.turn(at(0), |_| nobody(0)));
        assert_eq!(question.deadline(), at(500));
        assert!(!question.turn(at(499), begun_earlier));
        assert!(question.turn(at(500), begun_earlier));
        assert_eq!(question.troubles().count(), 0);
    }

    #[test]
    fn a_holder_is_told_of_and_asked_again_each_second_until_it_has_let_go() {
        let mut question = question(&["10.0.0.5/24@eth0"]);
        assert!(!question.turn(at(0), |_| somebody(0)));
        assert!(!question.turn(at(1), begun_earlier));
        let told: Vec<String> = question.troubles().map(|trouble| trouble.what).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("the address 10.0.0.5 is held by somebody else, who has"), "{told:?}");
        assert!(told[0].contains("02:77:00:00:00:09"), "{told:?}");
        assert_eq!(question.deadline(), at(1_001));
        assert!(!question.turn(at(1_000), begun_earlier));
        assert!(!question.turn(at(1_001), |_| somebody(1_001)));
        assert!(!question.turn(at(1_002), begun_earlier));
        assert!(!question.turn(at(2_002), |_| nobody(2_002)));
        assert_eq!(question.troubles().count(), 1, "as long as it is not known that it is over");
        assert!(question.turn(at(2_502), begun_earlier));
        assert_eq!(question.troubles().count(), 0);
    }

    #[test]
    fn all_are_asked_for_again_though_one_was_free() {
        let mut question = question(&["10.0.0.5/24@eth0", "fd00::5/64@eth0"]);
        let ipv6 = |begun: u64, held: bool| {
            move |one: &VirtualAddress| if held && one.address.is_ipv6() { somebody(begun) } else { nobody(begun) }
        };
        assert!(!question.turn(at(0), ipv6(0, true)));
        assert!(!question.turn(at(1), begun_earlier));
        assert_eq!(question.deadline(), at(500), "the other one");
        assert!(!question.turn(at(500), begun_earlier));
        assert!(question.troubles().all(|trouble| trouble.what.contains("fd00::5 is held")));
        assert_eq!((question.troubles().count(), question.deadline()), (1, at(1_500)));
        assert!(!question.turn(at(1_500), ipv6(1_500, false)));
        assert!(!question.turn(at(1_999), begun_earlier));
        assert!(question.turn(at(2_000), begun_earlier), "both in one round");
    }

    #[test]
    fn what_cannot_be_asked_for_keeps_nobody_from_beginning() {
        assert!(question(&["10.0.0.5/24@eth0"]).turn(at(0), |_| None));
        let mut both = question(&["10.0.0.5/24@eth0", "10.0.0.6/24@eth1"]);
        let first = |one: &VirtualAddress| if one.interface == "eth0" { nobody(0) } else { None };
        assert!(!both.turn(at(0), first));
        assert!(both.turn(at(0) + Span::from_millis(500), begun_earlier));
    }
}
