//! What people must know of a server that runs: it stands in the log once, with its end, and in the report as long as it
//! is so.

use management::Detection;
use model::{Span, Time};
use redundancy::hot_standby::{RoleName, Status};

use crate::wire::Trouble;

/// A primary that has waited for the coordinator for so long, and let nothing out meanwhile, says so.
const PATIENCE: Span = Span::from_secs(1);
/// One that has had no backup for so long says so: longer than a start takes, and a spare.
const ALONE: Span = Span::from_secs(15);

/// The alarms and losses of one process.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// What was lost before this process served: it is so as long as the process lives.
    losses: Vec<String>,
    /// Since when a primary waits to hear whether it still is one.
    waits_since: Option<Time>,
    /// Since when it has had no backup that could take over.
    alone_since: Option<Time>,
    /// What is wrong now; it was logged.
    told: Vec<Alarm>,
    /// When it was looked last.
    seen: Time,
}

/// Something that is wrong.
#[derive(Debug)]
struct Alarm {
    what: Detection,
    trouble: Trouble,
    /// Since when, or when it was last known to be right.
    since: Time,
}

impl Alarms {
    /// Logs what was lost, and keeps it for the report.
    pub(super) fn lost(&mut self, what: String) {
        tracing::warn!("{what}");
        self.losses.push(what);
    }

    /// Takes notice of how it stands now with this side of its pair, which may have other sides, and of other troubles: with its journal, with its addresses.
    pub(super) fn see(
        &mut self,
        now: Time,
        status: &Status,
        has_peers: bool,
        troubles: impl IntoIterator<Item = (Detection, Trouble)>,
    ) {
        let since = *self.waits_since.get_or_insert(now);
        if !status.undecided {
            self.waits_since = None;
        }
        let undecided =
            (status.undecided && since + PATIENCE <= now).then(|| (Detection::Coordinator, undecided(), since));
        let seen = std::mem::replace(&mut self.seen, now);
        let forgotten = status.forgotten.then(|| (Detection::Coordinator, forgotten(), seen));
        let is_alone = has_peers && status.role == RoleName::Primary && !status.level;
        self.alone_since = is_alone.then(|| self.alone_since.unwrap_or(now));
        let alone = self.alone_since.filter(|since| *since + ALONE <= now);
        let alone = alone.map(|since| (Detection::Backup, alone_text(), since));
        let troubles = troubles.into_iter().map(|(what, trouble)| (what, trouble, seen));
        let alarms = troubles.chain(undecided).chain(forgotten).chain(alone);
        let alarms: Vec<_> = alarms.map(|(what, trouble, since)| Alarm { what, trouble, since }).collect();
        let (begun, over) = (new_of(&alarms, &self.told), new_of(&self.told, &alarms));
        begun.for_each(|alarm| tracing::error!("{}", alarm.trouble));
        over.for_each(|alarm| tracing::info!("no more: {}", alarm.trouble.what));
        self.told = alarms;
    }

    /// What is wrong, and since when, or when it was last known to be right.
    pub(super) fn told(&self) -> impl Iterator<Item = (Detection, Time)> + '_ {
        self.told.iter().map(|alarm| (alarm.what, alarm.since))
    }

    /// For the report: everything that is wrong or lost.
    pub(super) fn note(&self) -> Option<String> {
        let notes: Vec<_> =
            self.told.iter().map(|alarm| alarm.trouble.to_string()).chain(self.losses.iter().cloned()).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// Rule 14 of the protocol.
fn undecided() -> Trouble {
    Trouble::new(
        "lets nothing out: its backup is lost, and without the coordinator it cannot know whether it was superseded",
        "calls go on as soon as the coordinator answers: see in `everline status` whether `control` runs, and on several hosts \
         whether a majority of etcd answers it, over networks with a round trip of 120 ms at most",
    )
}

/// A pair without a backup: what detection is for, and no loss yet.
fn alone_text() -> Trouble {
    Trouble::new(
        "has no backup that could take over: if its process or its host ended now, its calls would be lost",
        "`everline status` shows what of the pair does not run, and why",
    )
}

/// The coordinator was emptied, or an old copy of it was put in its place, while the pair ran.
fn forgotten() -> Trouble {
    Trouble::new(
        "the coordinator knows less of this pair than the pair does: its file was lost or replaced, and nobody can take over",
        "calls go on; at a quiet hour, `everline stop` and `everline up` make it whole",
    )
}

/// Those of `some` that are not among the `others`.
fn new_of<'a>(some: &'a [Alarm], others: &'a [Alarm]) -> impl Iterator<Item = &'a Alarm> {
    some.iter().filter(|one| !others.iter().any(|other| other.trouble == one.trouble))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Status {
        Status { role: RoleName::Primary, ready: true, level: true, complete: true, ..Status::default() }
    }

    #[test]
    fn a_primary_that_waits_for_a_second_says_so_until_it_goes_on() {
        let (mut alarms, began) = (Alarms::default(), Time::from_micros(5));
        alarms.see(began, &fine(), true, None);
        for (after, undecided, told) in
            [(10, true, false), (1_009, true, false), (1_010, true, true), (1_011, false, false)]
        {
            alarms.see(began + Span::from_millis(after), &Status { undecided, ..fine() }, true, None);
            assert_eq!(alarms.note().is_some_and(|note| note.contains("superseded")), told, "after {after} ms");
        }
        let waits = Status { undecided: true, ..fine() };
        alarms.see(began + Span::from_millis(1_020), &waits, true, None);
        alarms.see(began + Span::from_millis(2_015), &waits, true, None);
        assert_eq!(alarms.note(), None, "every wait has a second of its own");
    }

    #[test]
    fn a_primary_without_a_backup_says_so_after_a_while_unless_it_should_have_none() {
        let alone = Status { level: false, ..fine() };
        for (has_peers, after, told) in [(true, 14, false), (true, 15, true), (false, 60, false)] {
            let mut alarms = Alarms::default();
            alarms.see(Time::ZERO, &alone, has_peers, None);
            alarms.see(Time::ZERO + Span::from_secs(after), &alone, has_peers, None);
            assert_eq!(alarms.note().is_some_and(|note| note.contains("has no backup")), told, "after {after} s");
            alarms.see(Time::ZERO + Span::from_secs(61), &fine(), has_peers, None);
            assert_eq!(alarms.note(), None);
        }
    }

    #[test]
    fn losses_stay_and_troubles_go() {
        let mut alarms = Alarms::default();
        alarms.lost("up to 3 calls were lost".into());
        alarms.see(Time::ZERO, &fine(), true, Some((Detection::Disk, Trouble::new("the disk is full", "make room"))));
        assert_eq!(alarms.note().as_deref(), Some("the disk is full (make room); up to 3 calls were lost"));
        alarms.see(Time::ZERO, &Status { forgotten: true, ..fine() }, true, None);
        assert!(
            alarms.note().is_some_and(|note| note.starts_with("the coordinator knows less")),
            "{:?}",
            alarms.note()
        );
        alarms.see(Time::ZERO, &fine(), true, None);
        assert_eq!(alarms.note().as_deref(), Some("up to 3 calls were lost"));
    }
}
