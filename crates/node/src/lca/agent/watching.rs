//! What is noticed on this host: counted here, told in the log, and shown in the status.

use std::collections::BTreeSet;

use management::limits::{ALARM, ALARM_OF_HOST, Change, HandOver, LOOK_EVERY, Limit, Part, Use};
use management::{Detection, Detections, Sign, Subject, Tally};
use model::{Span, Time};

use super::helpers::{alarm, called};
use super::{Agent, Guest};
use crate::clock;
use crate::lca::supervised::Supervised;
use crate::lca::usage;
use crate::wire::{DetectionRow, FromLca, Role, ServerReport, Sighting};

/// The name of the agent, as the one who has noticed something.
pub(super) const AGENT: &str = "lca";

/// What is observed of one application.
#[derive(Debug)]
pub(super) struct Watched {
    /// How often it had come round its loop at the last look, and since when it had come so far.
    seen: Option<(u64, Time)>,
    /// What it was lost of, about what, and when that was noticed.
    lost: Option<(Detection, String, Time)>,
    /// Its helper threads that have stopped while it goes on.
    pub(super) stuck: BTreeSet<String>,
    descriptors: Limit,
    memory: Limit,
    hand_over: HandOver,
    /// What people should know of its limits.
    alarms: Vec<String>,
}

/// What is observed of the host.
#[derive(Debug)]
pub(super) struct Watch {
    detections: Detections,
    group: Limit,
    host: Limit,
    alarms: Vec<String>,
    /// When the pulses were looked at last.
    looked: Time,
    /// When the limits are looked at next.
    next: Time,
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            seen: None,
            lost: None,
            stuck: BTreeSet::new(),
            descriptors: Limit::new(ALARM),
            memory: Limit::new(ALARM),
            hand_over: HandOver::default(),
            alarms: Vec::new(),
        }
    }

    /// It had come round its loop so often.
    pub(super) fn beats(&mut self, now: Time, beats: u64) {
        if self.seen.is_none_or(|(known, _)| known != beats) {
            self.seen = Some((beats, now));
        }
    }

    /// How long ago it gave its last good sign, or somewhat less.
    fn silence(&self, now: Time, looked: Time, beats: Option<u64>) -> Span {
        match self.seen {
            Some((known, _)) if beats.is_some_and(|beats| beats != known) => now.since(looked),
            Some((_, since)) => now.since(since),
            None => Span::ZERO,
        }
    }
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            detections: Detections::default(),
            group: Limit::new(ALARM),
            host: Limit::new(ALARM_OF_HOST),
            alarms: Vec::new(),
            looked: Time::ZERO,
            next: Time::ZERO,
        }
    }

    /// The pulses are looked at now.
    pub(super) fn looks(&mut self, now: Time) {
        self.looked = now;
    }

    /// Counts what somebody says, and tells it.
    pub(super) fn notice(&mut self, what: Detection, by: &str, about: &str, sign: Sign) {
        let subject = Subject { what, by: by.to_owned(), about: about.to_owned() };
        let tally = self.detections.take(subject, sign, clock::of_day());
        match (sign, tally) {
            (Sign::Noticed(after), tally) => {
                let count = tally.map_or(0, |tally| tally.count);
                tracing::warn!(%what, by, about, after_ms = after.as_millis(), count, "noticed");
            }
            (Sign::Over(after), Some(_)) => tracing::info!(%what, by, about, after_ms = after.as_millis(), "over"),
            (Sign::Over(_), None) => {}
        }
    }

    /// For the status.
    fn rows(&self) -> Vec<DetectionRow> {
        self.detections.iter().map(|(subject, tally)| row(subject, tally)).collect()
    }
}

impl Agent {
    /// An application says what it has noticed.
    pub(super) fn sighted(&mut self, which: usize, sighting: &Sighting) {
        let Some(what) = Detection::named(&sighting.what) else { return };
        let after = Span::from_micros(sighting.after);
        let sign = if sighting.is_over { Sign::Over(after) } else { Sign::Noticed(after) };
        self.watch.notice(what, &self.applications[which].name, &sighting.about, sign);
    }

    /// The agent itself has lost an application.
    pub(super) fn lost(&mut self, which: usize, what: Detection) {
        let now = clock::now();
        let application = &mut self.applications[which];
        let beats = application.pulse.as_ref().map(crate::pulse::Pulse::beats);
        let silence = application.watched.silence(now, self.watch.looked, beats);
        let name = application.name.clone();
        self.is_lost(which, what, name, silence);
    }

    /// The agent ends an application because of a helper thread, whose last good sign was so long ago.
    pub(super) fn lost_by_helper(&mut self, which: usize, helper: &str, silence: Span) {
        let about = called(helper, &self.applications[which].name);
        self.is_lost(which, Detection::Hang, about, silence);
    }

    fn is_lost(&mut self, which: usize, what: Detection, about: String, silence: Span) {
        let lost = &mut self.applications[which].watched.lost;
        if lost.is_none() {
            self.watch.notice(what, AGENT, &about, Sign::Noticed(silence));
            *lost = Some((what, about, clock::now()));
        }
    }

    /// The process of an application has ended: it notices nothing any more.
    pub(super) fn is_gone(&mut self, which: usize) {
        let watched = &mut self.applications[which].watched;
        let lost = watched.lost.take();
        let stuck = std::mem::replace(watched, Watched { lost, ..Watched::new() }).stuck;
        let name = &self.applications[which].name;
        for helper in stuck {
            self.watch.notice(Detection::Hang, AGENT, &called(&helper, name), Sign::Over(Span::ZERO));
        }
        self.watch.detections.forget(name);
        for what in [Detection::Descriptors, Detection::Memory] {
            self.watch.notice(what, AGENT, name, Sign::Over(Span::ZERO));
        }
    }

    /// An application serves, or could.
    pub(super) fn is_back(&mut self, which: usize) {
        let application = &mut self.applications[which];
        if let Some((what, about, since)) = application.watched.lost.take() {
            self.watch.notice(what, AGENT, &about, Sign::Over(clock::now().since(since)));
        }
    }

    pub(super) fn detections(&self) -> FromLca {
        FromLca::Detections(self.watch.rows())
    }

    /// Looks how near everybody is to what it may use, now and then.
    pub(super) fn look_at_limits(&mut self, now: Time) {
        if now < self.watch.next {
            return;
        }
        self.watch.next = now + LOOK_EVERY;
        self.look_at_host(now);
        for which in 0..self.applications.len() {
            if let Some(pid) = self.applications[which].process.as_ref().map(Supervised::pid) {
                self.look_at_process(now, which, pid);
            }
        }
    }

    fn look_at_host(&mut self, now: Time) {
        let (group, host) = (usage::memory_of_group(), usage::memory_of_host());
        let seen = [("control group", self.watch.group.see(now, group)), ("host", self.watch.host.see(now, host))];
        for (about, change) in seen {
            self.changed(Detection::Memory, about, change);
        }
        let mut alarms = Vec::new();
        if self.watch.group.is_told() {
            alarms.push(format!(
                "the processes of this host use {} of the {} MiB that their control group may: raise memory.max (MemoryMax= \
                 of the unit), or look what uses so much",
                group.used >> 20,
                group.most >> 20
            ));
        }
        if self.watch.host.is_told() {
            alarms.push(format!(
                "this host has {} of {} MiB of memory left: look what uses so much",
                host.most.saturating_sub(host.used) >> 20,
                host.most >> 20
            ));
        }
        self.watch.alarms = alarms;
    }

    fn look_at_process(&mut self, now: Time, which: usize, pid: u32) {
        let (files, memory) = (usage::descriptors(pid), usage::memory(pid));
        let application = &mut self.applications[which];
        let (name, watched) = (application.name.clone(), &mut application.watched);
        let (of_files, of_memory) = (watched.descriptors.see(now, files), watched.memory.see(now, memory));
        let mut alarms = alarms(watched, pid, files, memory);
        alarms.extend(self.host.complaints(which, now).map(|(name, what)| alarm(name, &what)));
        self.changed |= alarms != watched.alarms;
        watched.alarms = alarms;
        let report = application.report.as_ref();
        let part = match report.and_then(|report| report.role) {
            Some(Role::Primary) => Part::Primary { is_level: report.is_some_and(|report| report.level) },
            Some(Role::Backup) => Part::Backup,
            None => Part::None,
        };
        let shared = self.watch.group.is_critical() || self.watch.host.is_critical();
        // On one host the other side has the same memory to live on.
        let is_critical = watched.descriptors.is_critical()
            || watched.memory.is_critical()
            || shared && !self.settings.others.is_empty();
        let is_due = watched.hand_over.is_due(now, is_critical, part);
        self.changed(Detection::Descriptors, &name, of_files);
        self.changed(Detection::Memory, &name, of_memory);
        if is_due {
            tracing::warn!("{name} is to hand over to its backup, before it has no files or no memory left");
            for guest in self.hub.whose(|guest| *guest == Guest::Application(which)) {
                self.hub.send(guest, &FromLca::HandOver);
            }
        }
    }

    fn changed(&mut self, what: Detection, about: &str, change: Option<Change>) {
        let Some(change) = change else { return };
        self.changed = true;
        let sign = match change {
            Change::Noticed(after) => Sign::Noticed(after),
            Change::Over(after) => Sign::Over(after),
        };
        self.watch.notice(what, AGENT, about, sign);
    }

    /// What an application has reported, with what the agent has to say of it. What it has to say of the host is said of the
    /// first application that is in no pair: there is one on each host.
    pub(super) fn told_of(&self, which: usize) -> Option<ServerReport> {
        let application = &self.applications[which];
        let is_for_host = self.applications.iter().position(|one| one.pair.is_none()) == Some(which);
        let of_host = self.watch.alarms.iter().filter(|_| is_for_host);
        let of_addresses = self.kept.of(&application.name);
        let alarms: Vec<String> =
            application.watched.alarms.iter().chain(of_host).cloned().chain(of_addresses).collect();
        if alarms.is_empty() {
            return application.report.clone();
        }
        let usual = || ServerReport { ready: true, ..ServerReport::default() };
        let report = application.report.clone().unwrap_or_else(usual);
        let note = report.note.iter().chain(&alarms).cloned().collect::<Vec<_>>().join("; ");
        Some(ServerReport { note: Some(note), ..report })
    }
}

/// What people should know of the limits of a process.
fn alarms(watched: &Watched, pid: u32, files: Use, memory: Use) -> Vec<String> {
    let mut alarms = Vec::new();
    if watched.descriptors.is_told() {
        alarms.push(format!(
            "it has {} % of the {} files and sockets open that it may: raise the limit (LimitNOFILE= of the unit, `ulimit -n`), \
             or look into /proc/{pid}/fd what they are",
            files.percent(),
            files.most
        ));
    }
    if watched.memory.is_told() {
        let (percent, most) = (memory.percent(), memory.most >> 20);
        alarms.push(format!(
            "it uses {percent} % of the {most} MiB of memory that it may: raise the limit (`ulimit -v`)"
        ));
    }
    alarms
}

fn row(subject: &Subject, tally: &Tally) -> DetectionRow {
    DetectionRow {
        what: subject.what.name().to_owned(),
        by: subject.by.clone(),
        about: subject.about.clone(),
        count: tally.count,
        last: tally.last.as_micros(),
        max: tally.max.as_micros(),
        at: tally.at.as_micros(),
        is_on: tally.is_on,
        lasted: tally.lasted.map(Span::as_micros),
    }
}
