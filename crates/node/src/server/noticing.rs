//! What a server notices of itself and of its other side, told to the local control agent, which counts it.

use management::{Detection, Sign, Steady};
use model::{Span, Time};

use super::alarms::Alarms;
use super::service::Service;
use super::shell::Shell;

/// What the alarms are about.
const ALARMS: [Detection; 4] = [Detection::Disk, Detection::Backup, Detection::Address, Detection::Coordinator];

/// So long a network has to join the first one that leads to the other side: connections take their time to stand.
const JOINING: Span = Span::from_secs(2);

/// What is watched.
#[derive(Debug, Default)]
pub(super) struct Noticing {
    alarms: [Steady; ALARMS.len()],
    /// The application that is the other side, if it is on another host.
    name: String,
    /// Whether it is silent.
    other: Steady,
    /// When it was heard last.
    heard: Option<Time>,
    /// Each network that leads there.
    networks: Vec<Way>,
}

/// A network that leads to the other side.
#[derive(Debug, Default)]
struct Way {
    steady: Steady,
    /// Its last good sign since the other side is there, if it was heard since; or else since when it is waited for.
    good: Option<Time>,
    /// It was heard since the other side is there.
    has_joined: bool,
    /// When it was first seen not to stand any more.
    lost: Option<Time>,
}

impl<S: Service> Shell<S> {
    /// Tells what has changed.
    pub(super) fn notice(&mut self) {
        self.notice_alarms();
        self.notice_far();
    }

    fn notice_alarms(&mut self) {
        for (what, steady) in ALARMS.into_iter().zip(&mut self.noticing.alarms) {
            if let Some(sign) = steady.see(self.now, self.alarms.since(what)) {
                let about = if what == Detection::Backup { &self.settings.pair } else { &self.settings.me.application };
                self.lca.noticed(what, about, sign);
            }
        }
    }

    fn notice_far(&mut self) {
        let Some(far) = &self.far else { return };
        let heard: Vec<_> = far.heard().collect();
        for (what, about, sign) in self.noticing.far(self.now, far.other(), &heard) {
            self.lca.noticed(what, about, sign);
        }
    }
}

impl Noticing {
    /// What is to be told of the other side of this name, which was heard so over each network that stands.
    fn far(&mut self, now: Time, name: &str, heard: &[Option<Time>]) -> Vec<(Detection, String, Sign)> {
        let mut signs = Vec::new();
        if self.name != name {
            // Nobody waits for the one before any more: the spare has gone home, or stands in.
            self.leave(now, &mut signs);
            name.clone_into(&mut self.name);
        }
        let last = heard.iter().flatten().max().copied();
        self.heard = last.or(self.heard);
        // Nobody is missed who was never there.
        let silent_since = self.heard.filter(|_| last.is_none());
        signs.extend(self.other.see(now, silent_since).map(|sign| (Detection::Host, name.to_owned(), sign)));
        let Some(last) = last else {
            // Whoever comes back comes by one network first, and the others are not missed for that.
            self.networks.iter_mut().for_each(|way| (way.good, way.has_joined, way.lost) = (None, false, None));
            return signs;
        };
        self.networks.resize_with(heard.len(), Way::default);
        for (number, (heard, way)) in heard.iter().zip(&mut self.networks).enumerate() {
            let sign = way.see(now, *heard, last);
            signs.extend(sign.map(|sign| (Detection::Link, network(number, name), sign)));
        }
        signs
    }

    /// The other side is another one from now on.
    fn leave(&mut self, now: Time, signs: &mut Vec<(Detection, String, Sign)>) {
        let name = std::mem::take(&mut self.name);
        for (number, mut way) in std::mem::take(&mut self.networks).into_iter().enumerate() {
            signs.extend(way.steady.end(now).map(|sign| (Detection::Link, network(number, &name), sign)));
        }
        signs.extend(self.other.end(now).map(|sign| (Detection::Host, name, sign)));
        self.heard = None;
    }
}

impl Way {
    /// Something was heard then, if it stands; the other side was heard `last` over one that does. Gives what is to be told.
    fn see(&mut self, now: Time, heard: Option<Time>, last: Time) -> Option<Sign> {
        if heard.is_some() {
            (self.good, self.has_joined, self.lost) = (heard, true, None);
            return self.steady.see(now, None);
        }
        let good = *self.good.get_or_insert(now);
        let lost = *self.lost.get_or_insert(now);
        // Of a link that ends as a whole, the networks go one after another, and the other side is heard over none from then on.
        let is_missed = if self.has_joined { last > lost } else { now.since(good) >= JOINING };
        if is_missed { self.steady.see(now, Some(good)) } else { None }
    }
}

/// A network as people know it.
fn network(number: usize, name: &str) -> String {
    format!("network {} to {name}", number + 1)
}

impl Alarms {
    /// Since when it is not as it should be, or was last known to be; `None` if it is.
    fn since(&self, what: Detection) -> Option<Time> {
        self.told().find(|(told, _)| *told == what).map(|(_, since)| since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_the_other_side_no_more_is_missed_no_more() {
        let at = |second| Time::ZERO + Span::from_secs(second);
        let mut noticing = Noticing::default();
        let mut told = |second, name: &str, heard: [Option<Time>; 2]| {
            let signs = noticing.far(at(second), name, &heard);
            signs.into_iter().map(|(what, about, sign)| format!("{what} of {about}: {sign:?}")).collect::<Vec<_>>()
        };
        let seconds = |count| Span::from_secs(count);
        assert_eq!(told(1, "sip-c", [Some(at(1)); 2]), [""; 0]);
        assert_eq!(told(3, "sip-c", [Some(at(3)), None]), [""; 0], "it may be the link that ends");
        let lost = told(4, "sip-c", [Some(at(4)), None]);
        assert_eq!(lost, [format!("link of network 2 to sip-c: {:?}", Sign::Noticed(seconds(3)))]);
        let silent = told(5, "sip-c", [None; 2]);
        assert_eq!(silent, [format!("host of sip-c: {:?}", Sign::Noticed(seconds(1)))]);
        let left = told(8, "sip-b", [None; 2]);
        let expected = [
            format!("link of network 2 to sip-c: {:?}", Sign::Over(seconds(4))),
            format!("host of sip-c: {:?}", Sign::Over(seconds(3))),
        ];
        assert_eq!(left, expected);
        assert_eq!(told(9, "sip-b", [None; 2]), [""; 0], "who was never there is not missed");
        assert_eq!(told(10, "sip-b", [Some(at(10)); 2]), [""; 0]);
    }

    #[test]
    fn a_network_is_missed_once_it_was_there_or_has_had_the_time_to_come() {
        let at = |millis| Time::ZERO + Span::from_millis(millis);
        let mut noticing = Noticing::default();
        let mut told = |millis, heard: [bool; 2]| {
            let heard = heard.map(|is_heard| is_heard.then(|| at(millis)));
            let signs = noticing.far(at(millis), "sip-b", &heard).into_iter();
            signs.map(|(what, about, sign)| format!("{what} of {about}: {sign:?}")).collect::<Vec<_>>()
        };
        let noticed = |millis| [format!("link of network 2 to sip-b: {:?}", Sign::Noticed(Span::from_millis(millis)))];
        assert_eq!(told(0, [true, false]), [""; 0], "it is being made");
        assert_eq!([told(30, [true; 2]), told(60, [true; 2])], [[""; 0], [""; 0]]);
        assert_eq!(told(200, [true, false]), [""; 0], "it may be the link that ends");
        assert_eq!(told(220, [true, false]), noticed(160), "it was there, and the other side still is");
        assert_eq!(told(400, [false; 2]), ["host of sip-b: Noticed(Span(180000))"]);
        // The other side comes back after a minute, over one network first.
        assert_eq!([told(60_000, [true, false]), told(60_500, [true; 2])], [[""; 0], [""; 0]]);
        let over = told(62_500, [true; 2]);
        assert_eq!(over.len(), 2, "the host and the network, which were well for two seconds: {over:?}");
        assert_eq!([told(63_000, [true, false]), told(63_020, [true, false])], [vec![], noticed(520).into()]);
        // One that never comes is missed all the same.
        assert_eq!([told(64_000, [false; 2]).len(), told(70_000, [true, false]).len()], [1, 0]);
        let over = told(72_000, [true, false]);
        assert!(over.iter().all(|sign| sign.starts_with("host ")), "the network was missed already: {over:?}");
        let mut noticing = Noticing::default();
        let heard = |millis| [Some(at(millis)), None];
        let counts = [0, 1_999, 2_000, 9_000].map(|millis| noticing.far(at(millis), "sip-b", &heard(millis)).len());
        assert_eq!(counts, [0, 0, 1, 0]);
    }

    #[test]
    fn a_link_that_ends_as_a_whole_is_no_network_that_is_lost() {
        let at = |millis| Time::ZERO + Span::from_millis(millis);
        let mut noticing = Noticing::default();
        // A side that is not ready yet ends each connection as soon as it stands, one after the other.
        for millis in (0..1_000).step_by(50) {
            for (later, heard) in [(0, [0, 0]), (1, [0, 1]), (2, [1, 1])] {
                let heard = heard.map(|gone| (gone == 0).then(|| at(millis)));
                let signs = noticing.far(at(millis + later), "sip-b", &heard);
                assert!(signs.iter().all(|(what, ..)| *what == Detection::Host), "{signs:?} at {millis}");
            }
        }
    }
}
