//! The networks between the hosts: each direction of each of them between each two hosts has its own faults.

use model::{Chance, Span, Time};

use super::{HOSTS, NETWORKS};
use crate::plan::{Ill, Reach};

/// What a segment holds on an ordinary network, in octets: what is longer is a long packet.
const SEGMENT: usize = 1_400;
/// The least time until TCP sends a lost segment again, in microseconds (Linux; RFC 6298 2.4 asks for more).
const RETRANSMISSION: u64 = 200_000;

/// One direction of one network between two hosts: until when it suffers from what.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    cut: Time,
    carries_beats: Time,
    carries_short: Time,
    slows: (Span, Time),
    loses: (u32, Time),
}

/// What is sent over a network.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    /// A heartbeat, and nothing else.
    pub is_beat: bool,
    /// Its length in octets.
    pub length: usize,
}

/// The networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    ways: [[[Way; HOSTS]; HOSTS]; NETWORKS],
    /// Until when each host is cut off from all of them.
    isolated: [Time; HOSTS],
}

impl Way {
    fn suffers(&mut self, ill: Ill, until: Time) {
        match ill {
            Ill::Cut => self.cut = self.cut.max(until),
            Ill::CarriesBeats => self.carries_beats = self.carries_beats.max(until),
            Ill::CarriesShort => self.carries_short = self.carries_short.max(until),
            Ill::Slows(by) => self.slows = (by, self.slows.1.max(until)),
            Ill::Loses(of_thousand) => self.loses = (of_thousand, self.loses.1.max(until)),
        }
    }

    /// Until when it is not as it should be.
    fn ill_until(&self) -> Time {
        self.cut.max(self.carries_beats).max(self.carries_short).max(self.slows.1).max(self.loses.1)
    }
}

impl Networks {
    /// Something is wrong until then.
    pub fn suffer(&mut self, reach: Reach, ill: Ill, until: Time) {
        let [one, other] = reach.hosts.map(usize::from);
        for (number, network) in self.ways.iter_mut().enumerate() {
            if reach.network.is_some_and(|only| usize::from(only) != number) {
                continue;
            }
            for (side, (from, to)) in [(one, other), (other, one)].into_iter().enumerate() {
                if reach.way.covers(side) {
                    network[from][to].suffers(ill, until);
                }
            }
        }
    }

    /// A host is cut off from everything until then.
    pub fn isolate(&mut self, host: usize, until: Time) {
        self.isolated[host] = self.isolated[host].max(until);
    }

    /// Until when nothing passes from one host to another over this network; past if it does.
    fn cut_until(&self, network: usize, from: usize, to: usize) -> Time {
        self.ways[network][from][to].cut.max(self.isolated[from]).max(self.isolated[to])
    }

    /// When something short passes from one host to another, over whichever network; now within a host.
    #[must_use]
    pub fn passes(&self, from: usize, to: usize, now: Time) -> Time {
        if from == to {
            return now;
        }
        let cuts = (0..NETWORKS).map(|network| self.cut_until(network, from, to));
        cuts.min().unwrap_or(now).max(now)
    }

    /// True if two hosts reach each other, both ways.
    #[must_use]
    pub fn joins(&self, one: usize, other: usize, now: Time) -> bool {
        self.passes(one, other, now) == now && self.passes(other, one, now) == now
    }

    /// When a parcel of a TCP connection arrives that is sent now and usually takes `delay`: TCP loses nothing, it sends again.
    #[must_use]
    pub fn arrival(
        &self,
        network: usize,
        (from, to): (usize, usize),
        now: Time,
        parcel: Parcel,
        (delay, chance): (Span, &mut Chance),
    ) -> Time {
        let way = &self.ways[network][from][to];
        let mut at = self.cut_until(network, from, to).max(now);
        if !parcel.is_beat {
            at = at.max(way.carries_beats);
        }
        if parcel.length > SEGMENT {
            at = at.max(way.carries_short);
        }
        let slow = if at < way.slows.1 { way.slows.0 } else { Span::ZERO };
        let lost = at < way.loses.1 && chance.happens(way.loses.0.into(), 1_000);
        let again = if lost { RETRANSMISSION + chance.below(RETRANSMISSION) } else { 0 };
        at + delay + slow + Span::from_micros(again)
    }

    /// True if heartbeats pass from one host to another where nothing else does.
    #[must_use]
    pub fn withholds(&self, network: usize, (from, to): (usize, usize), now: Time) -> bool {
        self.ways[network][from][to].carries_beats > now
    }

    /// Since when one of the networks is as it should be in both directions between two hosts.
    #[must_use]
    pub fn whole_since(&self, one: usize, other: usize) -> Time {
        let ill_until =
            |network: usize| self.ways[network][one][other].ill_until().max(self.ways[network][other][one].ill_until());
        let best = (0..NETWORKS).map(ill_until).min().unwrap_or(Time::NEVER);
        best.max(self.isolated[one]).max(self.isolated[other])
    }

    /// Since when no network between two hosts has been slow: what is waited for on one that was goes by its longer round trip for a while.
    #[must_use]
    pub fn quick_since(&self, one: usize, other: usize) -> Time {
        let slow_until = |way: &[[Way; HOSTS]; HOSTS]| way[one][other].slows.1.max(way[other][one].slows.1);
        self.ways.iter().map(slow_until).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Direction;

    const LONG: Parcel = Parcel { is_beat: false, length: 5_000 };
    const SHORT: Parcel = Parcel { is_beat: false, length: 100 };
    const BEAT: Parcel = Parcel { is_beat: true, length: 100 };

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    fn suffering(ill: Ill) -> Networks {
        let mut networks = Networks::default();
        networks.suffer(Reach { network: Some(1), hosts: [0, 1], way: Direction::BToA }, ill, at(50));
        networks
    }

    fn arrival(networks: &Networks, network: usize, way: (usize, usize), parcel: Parcel) -> Time {
        networks.arrival(network, way, at(10), parcel, (Span::from_millis(1), &mut Chance::new(1)))
    }

    #[test]
    fn one_direction_of_one_network_suffers_and_nothing_else_does() {
        let networks = suffering(Ill::Cut);
        assert_eq!(arrival(&networks, 1, (1, 0), SHORT), at(51));
        for (network, way) in [(1, (0, 1)), (0, (1, 0)), (1, (1, 2))] {
            assert_eq!(arrival(&networks, network, way, LONG), at(11));
        }
        assert!(networks.joins(0, 1, at(10)), "the other network does");
        assert_eq!((networks.whole_since(0, 1), networks.whole_since(0, 2)), (at(0), at(0)));
    }

    #[test]
    fn each_ill_stops_what_it_says() {
        let all = |ill| [BEAT, SHORT, LONG].map(|parcel| arrival(&suffering(ill), 1, (1, 0), parcel));
        assert_eq!(all(Ill::CarriesBeats), [at(11), at(51), at(51)]);
        assert_eq!(all(Ill::CarriesShort), [at(11), at(11), at(51)]);
        assert_eq!(all(Ill::Slows(Span::from_millis(7))), [at(18); 3]);
        assert!(all(Ill::Loses(1_000)).iter().all(|arrival| *arrival >= at(211)));
        assert_eq!(all(Ill::Loses(0)), [at(11); 3]);
    }

    #[test]
    fn who_is_isolated_is_so_in_every_network() {
        let mut networks = Networks::default();
        networks.isolate(2, at(50));
        assert_eq!((networks.passes(0, 2, at(10)), networks.passes(2, 2, at(10))), (at(50), at(10)));
        assert!(networks.joins(0, 1, at(10)) && !networks.joins(1, 2, at(10)));
        assert_eq!(networks.whole_since(1, 2), at(50));
    }
}
