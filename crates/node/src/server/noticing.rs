//! What a server notices of itself and of its other side, told to the local control agent, which counts it.

use management::{Detection, Steady};
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
    /// The other side, if it is on another host.
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
        let (other, noticing) = (far.other(), &mut self.noticing);
        let heard = far.heard().flatten().max();
        noticing.heard = heard.or(noticing.heard);
        // Nobody is missed who was never there.
        let silent_since = noticing.heard.filter(|_| heard.is_none());
        if let Some(sign) = noticing.other.see(self.now, silent_since) {
            self.lca.noticed(Detection::Host, other, sign);
        }
        if heard.is_none() {
            return;
        }
        noticing.networks.resize_with(far.heard().count(), || (Steady::default(), self.now));
        for (number, (path, (steady, last))) in far.heard().zip(&mut noticing.networks).enumerate() {
            *last = path.unwrap_or(*last);
            if let Some(sign) = steady.see(self.now, path.is_none().then_some(*last)) {
                self.lca.noticed(Detection::Link, format!("network {} to {other}", number + 1), sign);
            }
        }
    }
}

impl Alarms {
    /// Since when it is not as it should be, or was last known to be; `None` if it is.
    fn since(&self, what: Detection) -> Option<Time> {
        self.told().find(|(told, _)| *told == what).map(|(_, since)| since)
    }
}
