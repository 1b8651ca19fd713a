//! What has been noticed on a host (hot-standby protocol, detection): how often, how long it took, how long it lasted.
//!
//! Whoever notices something says so once when it begins and once when it is over; the local control agent of the host counts,
//! as it outlives what it watches.

use std::collections::BTreeMap;
use std::fmt;

use model::{Span, Time};

/// The most different things that are counted on one host; what comes beyond them is in the log only.
const MOST: usize = 256;

/// What can be noticed, a line of the table of detections each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detection {
    /// A process has ended that was not asked to.
    Exit,
    /// A thread that should come round its loop does not.
    Hang,
    /// The other side of a pair falls silent on every network.
    Host,
    /// One network between the sides of a pair carries nothing any more, while another one does.
    Link,
    /// Nobody answers OPTIONS at the address of the SIP Server.
    Service,
    /// Nobody takes a call there.
    Call,
    /// The disk takes nothing.
    Disk,
    /// A process has nearly as many files and sockets open as it may.
    Descriptors,
    /// A process, its group or its host has nearly no memory left.
    Memory,
    /// A pair has no backup that could take over.
    Backup,
    /// Somebody else has a virtual address, or it cannot be taken or given up; or a host could not serve at it.
    Address,
    /// The coordinator does not answer a primary that waits for it, or has forgotten the pair.
    Coordinator,
    /// The certificate of a host could not be renewed, or that of another one is refused.
    Certificate,
}

impl Detection {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 13] = [
        Self::Exit,
        Self::Hang,
        Self::Host,
        Self::Link,
        Self::Service,
        Self::Call,
        Self::Disk,
        Self::Descriptors,
        Self::Memory,
        Self::Backup,
        Self::Address,
        Self::Coordinator,
        Self::Certificate,
    ];

    /// Its name in the status and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Hang => "hang",
            Self::Host => "host",
            Self::Link => "link",
            Self::Service => "service",
            Self::Call => "call",
            Self::Disk => "disk",
            Self::Descriptors => "descriptors",
            Self::Memory => "memory",
            Self::Backup => "backup",
            Self::Address => "address",
            Self::Coordinator => "coordinator",
            Self::Certificate => "certificate",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl fmt::Display for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said of a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It was noticed, so long after the last good sign.
    Noticed(Span),
    /// It is over, so long after it was noticed; or its remedy has worked.
    Over(Span),
}

/// What is counted of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often it was noticed.
    pub count: u64,
    /// From the last good sign to when it was noticed, the last time.
    pub last: Span,
    /// The same, the longest time.
    pub max: Span,
    /// When it was noticed last, as the time of day.
    pub at: Time,
    /// It is so now, for all that is known.
    pub is_on: bool,
    /// How long it lasted, the last time that it came to an end.
    pub lasted: Option<Span>,
}

/// What a tally is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What was noticed.
    pub what: Detection,
    /// The application that has noticed it.
    pub by: String,
    /// What is not as it should be: an application, a thread of one, a network, an address.
    pub about: String,
}

/// The tallies of a host.
#[derive(Clone, Debug, Default)]
pub struct Detections(BTreeMap<Subject, Tally>);

impl Detections {
    /// Takes a sign in, at this time of day. Gives what is to be told of it: nothing if it says what is known already.
    pub fn take(&mut self, subject: Subject, sign: Sign, at: Time) -> Option<Tally> {
        if self.0.len() >= MOST && !self.0.contains_key(&subject) {
            return None;
        }
        let known = self.0.get(&subject).copied().unwrap_or_default();
        let tally = match sign {
            Sign::Noticed(after) => {
                let (count, max) = (known.count + 1, known.max.max(after));
                Tally { count, last: after, max, at, is_on: true, lasted: known.lasted }
            }
            Sign::Over(_) if !known.is_on => return None,
            Sign::Over(lasted) => Tally { is_on: false, lasted: Some(lasted), ..known },
        };
        self.0.insert(subject, tally);
        Some(tally)
    }

    /// An application has ended: what it had noticed is not known to be so any more.
    pub fn forget(&mut self, by: &str) {
        self.0.iter_mut().filter(|(subject, _)| subject.by == by).for_each(|(_, tally)| tally.is_on = false);
    }

    /// Whether it is so now, for all that is known.
    #[must_use]
    pub fn is_on(&self, subject: &Subject) -> bool {
        self.0.get(subject).is_some_and(|tally| tally.is_on)
    }

    /// All that was ever noticed, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &Tally)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(what: Detection, about: &str) -> Subject {
        Subject { what, by: "lca".into(), about: about.into() }
    }

    const fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn each_is_counted_with_its_last_and_its_longest_time() {
        let mut all = Detections::default();
        for (after, now) in [(30, 1_000), (10, 2_000)] {
            all.take(of(Detection::Exit, "sip-a"), Sign::Noticed(Span::from_millis(after)), at(now));
        }
        let told = all.take(of(Detection::Exit, "sip-a"), Sign::Over(Span::from_millis(200)), at(2_200)).unwrap();
        let (last, max, lasted) = (Span::from_millis(10), Span::from_millis(30), Some(Span::from_millis(200)));
        assert_eq!(told, Tally { count: 2, last, max, at: at(2_000), is_on: false, lasted });
        assert_eq!(all.take(of(Detection::Exit, "sip-a"), Sign::Over(Span::ZERO), at(2_300)), None, "it was over");
        assert_eq!(all.iter().count(), 1);
    }

    #[test]
    fn who_has_ended_notices_nothing_any_more() {
        let mut all = Detections::default();
        let disk = Subject { what: Detection::Disk, by: "sip-a".into(), about: "sip-a".into() };
        for subject in [disk.clone(), of(Detection::Hang, "sip-b")] {
            all.take(subject, Sign::Noticed(Span::ZERO), at(1));
        }
        all.forget("sip-a");
        assert!(!all.is_on(&disk) && all.is_on(&of(Detection::Hang, "sip-b")));
        assert!(!all.is_on(&of(Detection::Hang, "sip-c")));
    }

    #[test]
    fn there_is_room_for_so_many_and_for_what_is_known() {
        let mut all = Detections::default();
        let mut take =
            |number: usize| all.take(of(Detection::Exit, &number.to_string()), Sign::Noticed(Span::ZERO), at(1));
        assert!((0..MOST).all(|number| take(number).is_some()));
        assert_eq!((take(MOST), take(7).map(|tally| tally.count)), (None, Some(2)));
    }

    #[test]
    fn every_one_is_found_by_its_name() {
        assert!(Detection::ALL.iter().all(|one| Detection::named(one.name()) == Some(*one)));
        assert!(Detection::ALL.is_sorted());
        assert_eq!(Detection::named("weather"), None);
    }
}
