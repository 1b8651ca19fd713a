//! How etcd stands, as people and programs are told.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::Trouble;

/// What is known of the members of etcd.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Where they are, for people; one that is reached in several networks has as many places.
    pub(super) members: Vec<String>,
    /// One of them can be asked.
    pub(super) is_up: bool,
    /// It was searched long enough, and none of them can be asked.
    pub(super) is_missed: bool,
    /// The places where nobody can be asked.
    pub(super) lacking: BTreeSet<usize>,
    /// The places where somebody answers who must not be asked, and why.
    pub(super) refused: BTreeMap<usize, Trouble>,
    /// The alarms of etcd.
    pub(super) alarms: BTreeSet<String>,
}

impl Standing {
    /// What people should know of it now.
    pub(super) fn note(&self) -> Option<String> {
        let refused = self.refusals();
        if self.is_missed {
            let nobody = format!(
                "no member of etcd can be asked: calls go on, but no server can begin to serve, nor take over from a host \
                 that is gone{}",
                self.majority()
            );
            return Some(std::iter::once(nobody).chain(refused).collect::<Vec<_>>().join("; "));
        }
        let alarms = self.alarms.iter().map(|name| of_alarm(name));
        let all: Vec<String> = alarms.chain(refused).chain(self.lack()).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The members that cannot be asked, each once; all of them, until one of them can.
    pub(super) fn missing(&self) -> BTreeSet<&str> {
        let is_missing = |name: &&str| !self.is_up || self.places(name).all(|place| self.lacking.contains(&place));
        self.names().filter(is_missing).collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(String::as_str)
    }

    /// The places of a member.
    fn places(&self, name: &str) -> impl Iterator<Item = usize> {
        self.names().enumerate().filter(move |(_, member)| *member == name).map(|(place, _)| place)
    }

    /// Whether somebody answers there who must not be asked.
    fn is_refused(&self, name: &str) -> bool {
        self.places(name).any(|place| self.refused.contains_key(&place))
    }

    /// Who must not be asked, with the reason and the remedy: each reason once.
    fn refusals(&self) -> Vec<String> {
        let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (place, trouble) in &self.refused {
            names.entry(trouble.to_string()).or_default().extend(self.members.get(*place).map(String::as_str));
        }
        names.iter().map(|(why, names)| format!("etcd at {} cannot be the coordinator: {why}", listed(names))).collect()
    }

    /// What is to be done where no member can be asked; nothing of this kind if all of them run, and none may be asked.
    fn majority(&self) -> String {
        if self.names().all(|name| self.is_refused(name)) {
            return String::new();
        }
        format!(
            " (a majority of {} must run and reach each other; `everline host list` shows which hosts this one reaches)",
            listed(&self.names().collect())
        )
    }

    /// What is to be said of members that are away, though a majority is there.
    fn lack(&self) -> Option<String> {
        let mut away = self.missing();
        // Of those it is told why.
        away.retain(|name| self.is_up && !self.is_refused(name));
        (!away.is_empty()).then(|| {
            format!(
                "the coordinator lacks its member on {}: calls go on; where one more is lost, no server may be able to take over \
                 from a host that is gone (restart this host if that one was taken out)",
                listed(&away)
            )
        })
    }
}

/// What an alarm of etcd means, and what ends it.
fn of_alarm(name: &str) -> String {
    match name {
        "NOSPACE" => "etcd is full (alarm NOSPACE): calls go on, and a server whose process ends is taken over, but no server can \
             begin to serve, nor take over from a host that is gone (compact and defragment it, then end the alarm by \
             `etcdctl alarm disarm`)"
            .to_owned(),
        name => format!(
            "etcd has the alarm {name}: no server may be able to take over from a host that is gone (see the manual of etcd)"
        ),
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three members of which the second one is reached in two networks; the first one can be asked.
    fn standing() -> Standing {
        let members = ["h1", "h2", "h2", "h3"].map(str::to_owned).into();
        Standing { members, is_up: true, ..Standing::default() }
    }

    fn too_old() -> Trouble {
        Trouble::new("it is etcd 3.3.27, and Everline needs 3.4 or newer", "install a newer one")
    }

    #[test]
    fn nothing_is_said_of_one_that_is_whole() {
        assert_eq!(standing().note(), None);
        assert!(standing().missing().is_empty());
    }

    #[test]
    fn a_member_is_missed_when_it_is_in_no_network() {
        let one_network = Standing { lacking: BTreeSet::from([2]), ..standing() };
        assert_eq!((one_network.note(), one_network.missing()), (None, BTreeSet::new()));
        let both = Standing { lacking: BTreeSet::from([1, 2]), ..standing() };
        assert_eq!(both.missing(), BTreeSet::from(["h2"]));
        let note = both.note().expect("a note");
        assert!(note.starts_with("the coordinator lacks its member on h2: "), "{note}");
        let not_yet = Standing { is_up: false, ..standing() };
        assert_eq!((not_yet.note(), not_yet.missing()), (None, BTreeSet::from(["h1", "h2", "h3"])));
    }

    #[test]
    fn who_must_not_be_asked_is_named_with_the_reason_instead_of_being_missed() {
        let one = Standing { lacking: BTreeSet::from([3]), refused: BTreeMap::from([(3, too_old())]), ..standing() };
        let why = "it is etcd 3.3.27, and Everline needs 3.4 or newer (install a newer one)";
        assert_eq!(one.note(), Some(format!("etcd at h3 cannot be the coordinator: {why}")));
        assert_eq!(one.missing(), BTreeSet::from(["h3"]));
        let refused = BTreeMap::from([0, 1, 2, 3].map(|place| (place, too_old())));
        let all = Standing { is_up: false, is_missed: true, refused, ..standing() };
        let note = all.note().expect("a note");
        assert!(note.starts_with("no member of etcd can be asked: "), "{note}");
        assert!(note.ends_with(&format!("; etcd at h1, h2, h3 cannot be the coordinator: {why}")), "{note}");
        assert!(!note.contains("majority"), "they run, and need not be brought back: {note}");
        let refused = BTreeMap::from([(0, too_old())]);
        let some = Standing { is_up: false, is_missed: true, refused, ..standing() };
        let note = some.note().expect("a note");
        assert!(note.contains("(a majority of h1, h2, h3 must run and reach each other"), "{note}");
        assert!(note.contains("; etcd at h1 cannot be the coordinator: it is etcd 3.3.27"), "{note}");
    }

    #[test]
    fn a_full_one_takes_no_takeover_from_who_has_left_a_last_word() {
        let full = Standing { alarms: BTreeSet::from(["NOSPACE".to_owned()]), ..standing() };
        let note = full.note().expect("a note");
        assert!(note.contains("a server whose process ends is taken over") && note.contains("alarm disarm"), "{note}");
        let other = Standing { alarms: BTreeSet::from(["CORRUPT".to_owned()]), ..standing() };
        assert!(other.note().is_some_and(|note| note.starts_with("etcd has the alarm CORRUPT: ")));
    }
}
