//! What a server notices of itself and of its other side, told to the local control agent, which counts it.

use management::{Detection, Sign, Steady};
use model::Time;

use super::alarms::Alarms;
use super::service::Service;
use super::shell::Shell;

/// What the alarms are about.
const ALARMS: [Detection; 4] = [Detection::Disk, Detection::Backup, Detection::Address, Detection::Coordinator];

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
    /// Each network that leads there, and when something was heard over it last.
    networks: Vec<(Steady, Time)>,
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
        if last.is_some() {
            self.networks.resize_with(heard.len(), || (Steady::default(), now));
            for (number, (path, (steady, last))) in heard.iter().zip(&mut self.networks).enumerate() {
                *last = path.unwrap_or(*last);
                let sign = steady.see(now, path.is_none().then_some(*last));
                signs.extend(sign.map(|sign| (Detection::Link, network(number, name), sign)));
            }
        }
        signs
    }

    /// The other side is another one from now on.
    fn leave(&mut self, now: Time, signs: &mut Vec<(Detection, String, Sign)>) {
        let name = std::mem::take(&mut self.name);
        for (number, (mut steady, _)) in std::mem::take(&mut self.networks).into_iter().enumerate() {
            signs.extend(steady.end(now).map(|sign| (Detection::Link, network(number, &name), sign)));
        }
        signs.extend(self.other.end(now).map(|sign| (Detection::Host, name, sign)));
        self.heard = None;
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
    use model::Span;

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
        let lost = told(3, "sip-c", [Some(at(3)), None]);
        assert_eq!(lost, [format!("link of network 2 to sip-c: {:?}", Sign::Noticed(seconds(2)))]);
        let silent = told(5, "sip-c", [None; 2]);
        assert_eq!(silent, [format!("host of sip-c: {:?}", Sign::Noticed(seconds(2)))]);
        let left = told(8, "sip-b", [None; 2]);
        let expected = [
            format!("link of network 2 to sip-c: {:?}", Sign::Over(seconds(5))),
            format!("host of sip-c: {:?}", Sign::Over(seconds(3))),
        ];
        assert_eq!(left, expected);
        assert_eq!(told(9, "sip-b", [None; 2]), [""; 0], "who was never there is not missed");
        assert_eq!(told(10, "sip-b", [Some(at(10)); 2]), [""; 0]);
    }
}
