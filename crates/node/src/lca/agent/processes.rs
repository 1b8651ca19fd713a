//! The processes of the applications: found, started, taken leave of.

use std::io;
use std::path::Path;
use std::process::Stdio;

use management::{Detection, State};
use nix::sys::epoll::{EpollEvent, EpollFlags};

use super::{Agent, Guest, PROCESS};
use crate::lca::lock;
use crate::lca::supervised::Supervised;
use crate::wire::Trouble;
use crate::{clock, log, process};

impl Agent {
    /// Finds out whether an application lives, and adopts its process if it has said which one that is.
    pub(super) fn find(&mut self, which: usize) {
        let name = self.applications[which].name.clone();
        let path = self.settings.folder.lock(&name);
        let now = clock::now();
        let is_free = || lock::take(&path).is_ok_and(|lock| lock.is_some());
        if is_free() {
            self.give_up_addresses(&name);
            if self.host.run(which).1 {
                self.host.ended(which, now);
            } else {
                self.host.found(which, now, self.runs.last(&name), false);
            }
            return;
        }
        // A process that holds the lock after its descriptor was opened has held it all the time, so the descriptor does
        // not mean a later process of the same id.
        let holder = lock::holder(&path).and_then(|(run, pid)| Some((run, Supervised::open(pid).ok()?)));
        match holder.filter(|_| !is_free()) {
            Some((run, process)) => {
                tracing::info!("{name}#{run} lives as process {}", process.pid());
                self.runs.learn(&name, run);
                self.host.found(which, now, run, true);
                self.watch(which, process);
            }
            None if !self.host.run(which).1 => self.host.found(which, now, self.runs.last(&name), true),
            None => {}
        }
    }

    /// Watches over the process of an application.
    pub(super) fn watch(&mut self, which: usize, process: Supervised) {
        if let Err(error) = self.epoll.add(&process, EpollEvent::new(EpollFlags::EPOLLIN, PROCESS + which as u64)) {
            tracing::error!("process {} cannot be watched: {error}", process.pid());
        }
        self.applications[which].process = Some(process);
    }

    /// The process of an application has ended.
    pub(super) fn ended(&mut self, which: usize) {
        // What it has said before it ended comes first.
        self.serve();
        if let Some(farewell) = self.applications[which].farewell.take() {
            farewell.say();
        }
        for guest in self.hub.whose(|guest| *guest == Guest::Application(which)) {
            self.hub.forget(guest);
        }
        let run = self.host.run(which).0;
        let is_stopping = self.host.state(which) == State::Stopping;
        if !is_stopping && self.applications[which].process.is_some() {
            self.lost(which, Detection::Exit);
        }
        self.is_gone(which);
        let application = &mut self.applications[which];
        let Some(process) = application.process.take() else { return };
        self.give_up_addresses(&self.applications[which].name.clone());
        let application = &mut self.applications[which];
        let how = process.how_it_ended();
        let crash = application.pulse.take().and_then(|pulse| pulse.crashed());
        let how = crash.map_or(how, |signal| format!("it has crashed (signal {signal})"));
        if is_stopping {
            tracing::info!("{}#{run} has ended: {how}", application.name);
        } else {
            tracing::warn!("{}#{run} has ended: {how}", application.name);
        }
        (application.report, application.threads) = (None, None);
        application.siblings.clear();
        let remedy = format!("{} says more", self.settings.folder.log(&application.name).display());
        let ended = || Trouble::new(format!("{} does not run: {how}", application.name), remedy);
        application.trouble = application.ending.take().or_else(|| (!is_stopping).then(ended));
        self.host.ended(which, clock::now());
    }

    /// Starts the next run of an application.
    pub(super) fn start(&mut self, which: usize) {
        let now = clock::now();
        let name = self.applications[which].name.clone();
        self.leave_addresses(&name);
        match self.spawn(&name) {
            Ok((run, process)) => {
                tracing::info!("{name}#{run} is started as process {}", process.pid());
                self.host.started(which, now, run);
                self.watch(which, process);
            }
            Err(trouble) => {
                tracing::error!("{name} cannot be started: {trouble}");
                self.host.not_started(which, now);
                self.applications[which].trouble = Some(trouble);
            }
        }
    }

    pub(super) fn spawn(&mut self, name: &str) -> Result<(u64, Supervised), Trouble> {
        let (path, log) = (self.settings.folder.lock(name), self.settings.folder.log(name));
        let lock = lock::take(&path)
            .map_err(|error| Trouble::of_file("lock", &path, &error))?
            .ok_or_else(|| Trouble::new(format!("another process holds {}", path.display()), "end that process"))?;
        let run = self.runs.next(name)?;
        let log = log::open(&log).map_err(|error| Trouble::of_file("open", &log, &error))?;
        let errors = log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from);
        let mut command = process::program_of("self");
        command.arg("--dir").arg(self.settings.folder.path()).args(["run", name, "--run-number", &run.to_string()]);
        let mut child = command.stdin(lock).stdout(log).stderr(errors).spawn();
        let watched = child.as_mut().map_err(|error| io::Error::from(error.kind())).and_then(|child| {
            Supervised::open(child.id()).inspect_err(|_| drop(child.kill().and_then(|()| child.wait())))
        });
        Ok((run, watched.map_err(|error| Trouble::of_file("start", Path::new(command.get_program()), &error))?))
    }
}
