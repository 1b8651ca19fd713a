//! What is said on the agent's socket.

use std::os::fd::OwnedFd;

use management::State;
use model::Incarnation;

use super::{Agent, Application, Guest};
use crate::clock;
use crate::last_word::Key;
use crate::lca::farewell::Farewell;
use crate::lca::lock;
use crate::lca::supervised::Supervised;
use crate::pulse::Pulse;
use crate::pulse::threads::Threads;
use crate::wire::{ApplicationRow, FromLca, Role, ToLca};

impl Application {
    /// The application gives its connections with another host, which end as soon as it does.
    fn entrusts(&mut self, connections: Vec<(OwnedFd, Option<Key>)>) {
        let Some(pulse) = &self.pulse else { return };
        if self.farewell.is_none() {
            let prepared = Farewell::prepare(pulse.clone());
            self.farewell = prepared.inspect_err(|error| tracing::warn!("nobody ends them at once: {error}")).ok();
        }
        if let Some(farewell) = &self.farewell {
            farewell.hold(connections);
        }
    }
}

impl Agent {
    /// Takes in what was said over the socket.
    pub(super) fn serve(&mut self) {
        for guest in self.hub.ready() {
            while let Some((message, descriptors)) = self.hub.receive::<ToLca>(guest) {
                self.hear(guest, message, descriptors);
            }
        }
    }

    pub(super) fn hear(&mut self, guest: u64, message: ToLca, descriptors: Vec<OwnedFd>) {
        let now = clock::now();
        match (message, self.hub.note(guest).copied().unwrap_or_default()) {
            (ToLca::Hello(incarnation), _) => self.welcome(guest, &incarnation, descriptors),
            (ToLca::Connections, Guest::Application(which)) => {
                self.applications[which]
                    .entrusts(descriptors.into_iter().map(|connection| (connection, None)).collect());
            }
            (ToLca::Entrusted(keys), Guest::Application(which)) => {
                self.applications[which].entrusts(descriptors.into_iter().zip(keys.into_iter().map(Some)).collect());
            }
            (ToLca::Report(report), Guest::Application(which)) => {
                if report.role == Some(Role::Primary) {
                    self.host.reported(which, report.level);
                }
                self.host.reported_backup(which, report.role == Some(Role::Backup));
                self.applications[which].report = Some(report);
            }
            (ToLca::Ready, Guest::Application(which)) => {
                self.host.ready(which, now);
                self.applications[which].trouble = None;
                self.is_back(which);
            }
            (ToLca::Noticed(sighting), Guest::Application(which)) => self.sighted(which, &sighting),
            (ToLca::Harm(harm), _) => self.harm(guest, harm),
            (ToLca::Detections, _) => self.hub.send(guest, &self.detections()),
            (ToLca::Fatal(trouble), Guest::Application(which)) => {
                tracing::error!("{}: {trouble}", self.applications[which].name);
                self.applications[which].ending = Some(trouble);
            }
            (ToLca::Follow, _) => {
                if let Some(note) = self.hub.note(guest) {
                    *note = Guest::Follower;
                }
                self.hub.send(guest, &FromLca::Applications(self.rows()));
            }
            (ToLca::Watch, _) => {
                if let Some(note) = self.hub.note(guest) {
                    *note = Guest::Watcher;
                }
                // That it is reached, where nothing has ended yet.
                self.hub.send(guest, &FromLca::Ended(Incarnation::new("lca", 0)));
                self.tell_ended(guest);
            }
            (ToLca::StopAll, _) => {
                tracing::info!("everything was asked to end");
                self.host.stop(now);
            }
            (ToLca::Fenced(ended), _) => {
                let news = self.elsewhere.learn(ended);
                news.iter().for_each(|fact| {
                    tracing::warn!("{fact} has certainly ended: its host was fenced, or taken out of the solution");
                });
                self.tell_of_elsewhere(news);
            }
            (
                ToLca::Connections
                | ToLca::Entrusted(_)
                | ToLca::Report(_)
                | ToLca::Ready
                | ToLca::Fatal(_)
                | ToLca::Noticed(_),
                _,
            ) => {
                self.hub.close(guest, "it has not said who it is");
            }
        }
    }

    /// An application says who it is: the kernel knows better which process it is.
    pub(super) fn welcome(&mut self, guest: u64, incarnation: &Incarnation, mut descriptors: Vec<OwnedFd>) {
        let place = self.applications.iter().position(|application| application.name == incarnation.application);
        let known = place.filter(|which| {
            if self.applications[*which].process.is_none() {
                self.find(*which);
            }
            let pid = self.applications[*which].process.as_ref().map(Supervised::pid);
            pid.is_some() && pid == self.hub.peer(guest) && self.host.run(*which).0 == incarnation.run
        });
        let Some(which) = known else {
            return self.hub.close(guest, &format!("its process is not {incarnation}, as it says"));
        };
        if let Some(note) = self.hub.note(guest) {
            *note = Guest::Application(which);
        }
        if let Some(pulse) = descriptors.pop() {
            let application = &mut self.applications[which];
            application.pulse = Pulse::open(&pulse).inspect_err(|error| tracing::warn!("{error}")).ok();
            application.farewell = None;
            // One that is older than this agent has none.
            let threads = descriptors.pop().map(|threads| Threads::open(&threads));
            application.threads = threads.and_then(|opened| opened.inspect_err(|error| tracing::warn!("{error}")).ok());
        }
        self.tell_ended(guest);
        for fact in self.elsewhere.all() {
            self.hub.send(guest, &FromLca::Ended(fact));
        }
        if self.host.state(which) == State::Stopping {
            self.hub.send(guest, &FromLca::Stop);
        }
    }

    /// Tells what has ended on this host.
    fn tell_ended(&mut self, guest: u64) {
        for which in 0..self.applications.len() {
            if let Some(fact) = self.ended_up_to(which) {
                self.hub.send(guest, &FromLca::Ended(fact));
            }
        }
        for fact in self.gone() {
            self.hub.send(guest, &FromLca::Ended(fact));
        }
    }

    /// What was on this host before it moved to another one, and has ended.
    fn gone(&self) -> Vec<Incarnation> {
        let has_ended = |who: &Incarnation| {
            // Its present place is that of the host that has it now, whatever was counted here before.
            if who.move_number() == self.runs.moved(&who.application) {
                return false;
            }
            match self.applications.iter().position(|application| application.name == who.application) {
                Some(which) => {
                    let now = Incarnation::new(who.application.clone(), self.host.run(which).0);
                    who.move_number() != now.move_number()
                }
                None => lock::take(&self.settings.folder.lock(&who.application)).is_ok_and(|lock| lock.is_some()),
            }
        };
        self.runs.all().filter(has_ended).collect()
    }

    /// The agent of another host says what has ended there.
    pub(super) fn hear_elsewhere(&mut self, number: usize) {
        let news = self.elsewhere.hear(number);
        self.tell_of_elsewhere(news);
    }

    fn tell_of_elsewhere(&mut self, news: Vec<Incarnation>) {
        for fact in news {
            for guest in self.hub.whose(|guest| matches!(guest, Guest::Application(_))) {
                self.hub.send(guest, &FromLca::Ended(fact.clone()));
            }
        }
    }

    /// The last run of an application that has certainly ended, and all before it.
    pub(super) fn ended_up_to(&self, which: usize) -> Option<Incarnation> {
        let (run, lives) = self.host.run(which);
        let run = run.checked_sub(u64::from(lives))?;
        (run > 0).then(|| Incarnation::new(self.applications[which].name.clone(), run))
    }

    pub(super) fn rows(&self) -> Vec<ApplicationRow> {
        let row = |(which, application): (usize, &Application)| ApplicationRow {
            name: application.name.clone(),
            pair: application.pair.clone(),
            run: self.host.run(which).0,
            state: self.host.state(which).to_string(),
            pid: application.process.as_ref().map(Supervised::pid),
            report: self.told_of(which),
            trouble: application.trouble.clone(),
        };
        // Whoever looks is not to wait for one that is not wanted.
        let is_there = |(which, one): &(usize, &Application)| {
            !one.is_spare || one.process.is_some() || self.host.state(*which) != State::Stopped
        };
        self.applications.iter().enumerate().filter(is_there).map(row).collect()
    }

    pub(super) fn tell_followers(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let rows = self.rows();
        if rows != self.told {
            for guest in self.hub.whose(|guest| *guest == Guest::Follower) {
                self.hub.send(guest, &FromLca::Applications(rows.clone()));
            }
            self.told = rows;
        }
    }
}
