//! How the links of a rehearsal are: a value, and how commands change it.

use std::collections::{BTreeMap, BTreeSet};

use model::{Span, Trouble};
use serde::{Deserialize, Serialize};

use super::names::{Network, Place};

/// The longest delay of a link.
const LONGEST: Span = Span::from_secs(60);
/// All of a share.
pub(super) const WHOLE: u16 = 10_000;

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The network in which it is.
    pub network: Network,
    /// Who sends.
    pub from: Place,
    /// Who receives.
    pub to: Place,
}

/// How one direction of a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Nothing passes.
    pub is_cut: bool,
    /// How much later everything arrives.
    pub delay: Span,
    /// How many of 10,000 packets are lost, each by its own chance.
    pub loss: u16,
    /// The length in bytes of the largest IP packet that passes; nobody is told of larger ones.
    pub largest: Option<u32>,
}

/// What is changed about a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Nothing passes any more.
    Cut,
    /// Everything arrives that much later; zero ends it. A minute at most.
    Delay(Span),
    /// This share of all packets is lost, in percent; zero ends it.
    Loss(f64),
    /// Packets of more bytes than this are lost (an MTU black hole): heartbeats pass, bulk data does not.
    BlackHole(u32),
    /// Everything passes at once again.
    Repair,
}

/// The links between two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Who sends.
    pub from: Place,
    /// Who receives.
    pub to: Place,
    /// Only what goes that way; else both ways.
    pub one_way: bool,
    /// In these networks; none means all in which both are.
    pub networks: Vec<Network>,
}

impl Stretch {
    fn links(&self) -> Result<Vec<Link>, Trouble> {
        let Self { from, to, .. } = *self;
        let shared: Vec<Network> =
            from.networks().iter().filter(|network| to.networks().contains(network)).copied().collect();
        if from == to {
            return Err(Trouble::new(format!("{from} has no link to itself"), "name two different places"));
        }
        if let Some(network) = self.networks.iter().find(|network| !shared.contains(network)) {
            let remedy = format!("they share {}", shared.iter().map(|one| one.name()).collect::<Vec<_>>().join(", "));
            return Err(Trouble::new(format!("{from} and {to} have no link in the network {network}"), remedy));
        }
        let networks = if self.networks.is_empty() { &shared } else { &self.networks };
        let there = networks.iter().map(|network| Link { network: *network, from, to });
        let back =
            networks.iter().filter(|_| !self.one_way).map(|network| Link { network: *network, from: to, to: from });
        Ok(there.chain(back).collect())
    }
}

/// How the whole net of a rehearsal is: whatever is not named is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    #[serde(with = "as_list")]
    links: BTreeMap<Link, Condition>,
    failed: BTreeSet<u8>,
}

impl Conditions {
    /// Every direction of a link that is not whole.
    pub fn links(&self) -> impl Iterator<Item = (&Link, &Condition)> {
        self.links.iter()
    }

    /// The numbers of the hosts that have failed.
    pub fn failed(&self) -> impl Iterator<Item = u8> {
        self.failed.iter().copied()
    }

    /// Changes the links of a stretch; other conditions of them stay.
    ///
    /// # Errors
    /// There is no such link, or the figure is out of range.
    pub fn change(&mut self, stretch: &Stretch, change: Change) -> Result<(), Trouble> {
        check(change)?;
        for link in stretch.links()? {
            let condition = self.links.entry(link).or_default();
            match change {
                Change::Cut => condition.is_cut = true,
                Change::Delay(delay) => condition.delay = delay,
                // It was checked that it lies between 0 and 100.
                Change::Loss(percent) => condition.loss = (percent * 100.0).round() as u16,
                Change::BlackHole(largest) => condition.largest = Some(largest),
                Change::Repair => *condition = Condition::default(),
            }
            if *condition == Condition::default() {
                self.links.remove(&link);
            }
        }
        Ok(())
    }

    /// Every link is whole again; failed hosts stay so.
    pub fn repair_links(&mut self) {
        self.links.clear();
    }

    /// A host goes dark on all its links, or comes back.
    pub fn set_failed(&mut self, host: u8, is_failed: bool) {
        if is_failed {
            self.failed.insert(host);
        } else {
            self.failed.remove(&host);
        }
    }

    /// Whether anything is delayed.
    pub(super) fn delays(&self) -> bool {
        self.links.values().any(|condition| condition.delay > Span::ZERO)
    }
}

fn check(change: Change) -> Result<(), Trouble> {
    match change {
        Change::Delay(delay) if delay > LONGEST => {
            Err(Trouble::new(format!("a delay of {delay} is too long"), format!("take {LONGEST} at most")))
        }
        Change::Loss(percent) if !(0.0..=100.0).contains(&percent) => {
            Err(Trouble::new(format!("{percent} is no share in percent"), "take a number from 0 to 100"))
        }
        _ => Ok(()),
    }
}

/// A map whose keys are no strings, as a list of pairs.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Condition, Link};

    pub(super) fn serialize<S: Serializer>(links: &BTreeMap<Link, Condition>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(links)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Link, Condition>, D::Error> {
        Ok(Vec::<(Link, Condition)>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: &str, to: &str, one_way: bool, networks: &[Network]) -> Stretch {
        let place = |text: &str| text.parse().expect("a place");
        Stretch { from: place(from), to: place(to), one_way, networks: networks.to_vec() }
    }

    #[test]
    fn one_way_is_one_direction_and_all_networks_are_those_that_both_share() {
        let count = |stretch: Stretch| {
            let mut conditions = Conditions::default();
            conditions.change(&stretch, Change::Cut).expect("links");
            conditions.links().count()
        };
        assert_eq!(count(stretch("h1", "h2", false, &[])), 6);
        assert_eq!(count(stretch("h1", "h2", true, &[])), 3);
        assert_eq!(count(stretch("h1", "h2", true, &[Network::A])), 1);
        assert_eq!(count(stretch("phones", "h2", false, &[])), 2);
    }

    #[test]
    fn conditions_add_up_and_go_together() {
        let (there, mut conditions) = (stretch("h1", "h2", true, &[Network::B]), Conditions::default());
        for change in [Change::Delay(Span::from_millis(20)), Change::Loss(0.5), Change::BlackHole(1_400)] {
            conditions.change(&there, change).expect("a link");
        }
        let expected = Condition { is_cut: false, delay: Span::from_millis(20), loss: 50, largest: Some(1_400) };
        assert_eq!(conditions.links().map(|(_, condition)| *condition).collect::<Vec<_>>(), [expected]);
        let text = serde_json::to_string(&conditions).expect("written");
        assert_eq!(serde_json::from_str::<Conditions>(&text).expect("read"), conditions);
        conditions.change(&there, Change::Repair).expect("a link");
        assert_eq!(conditions, Conditions::default());
    }

    #[test]
    fn a_host_that_failed_stays_so_when_links_are_repaired() {
        let mut conditions = Conditions::default();
        conditions.set_failed(2, true);
        conditions.change(&stretch("h1", "h2", false, &[]), Change::Cut).expect("links");
        conditions.repair_links();
        assert_eq!((conditions.links().count(), conditions.failed().collect::<Vec<_>>()), (0, vec![2]));
        conditions.set_failed(2, false);
        assert_eq!(conditions, Conditions::default());
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let mut conditions = Conditions::default();
        for (from, to, networks, change, why) in [
            ("h1", "h1", &[][..], Change::Cut, "no link to itself"),
            ("h1", "phones", &[Network::A][..], Change::Cut, "no link in the network a"),
            ("h1", "h2", &[][..], Change::Loss(100.1), "no share in percent"),
            ("h1", "h2", &[][..], Change::Loss(f64::NAN), "no share in percent"),
            ("h1", "h2", &[][..], Change::Delay(Span::from_secs(61)), "too long"),
        ] {
            let trouble = conditions.change(&stretch(from, to, false, networks), change).expect_err(why);
            assert!(trouble.what.contains(why), "{trouble}");
        }
        assert_eq!(conditions, Conditions::default());
    }
}
