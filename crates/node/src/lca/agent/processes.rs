//! The processes of the applications: found, started, taken leave of.

use std::io;
use std::process::{Command, Stdio};

use management::{Detection, State};
use model::Span;
use network::address::{Deed, Mover};
use nix::sys::epoll::{EpollEvent, EpollFlags};

use super::{Agent, Guest, PROCESS, Release};
use crate::lca::lock;
use crate::lca::supervised::Supervised;
use crate::wire::Trouble;
use crate::{clock, log};

/// How long an orderly end of everything waits for a hook that takes an address away.
const LAST: Span = Span::from_secs(3);

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

    /// Takes back what a process that has ended could not give up: another host may have the address by now. What a hook has to do
    /// goes on beside, until the next run takes that over.
    fn give_up_addresses(&mut self, application: &str) {
        let of_it = self.settings.addresses.iter().filter(|(holder, _)| holder == application);
        for (_, address) in of_it {
            if let Err(trouble) = address.release() {
                tracing::error!("cannot take the address {address} from {application}: {trouble}");
            }
            match address.hook.clone().map(|hook| Mover::new(hook, address.clone())) {
                Some(Ok(mover)) => {
                    mover.order(Deed::Release);
                    let (application, begun) = (application.to_owned(), clock::now());
                    self.releases.push(Release { application, begun, mover });
                }
                Some(Err(error)) => tracing::error!("no hook can be called for {address}: {error}"),
                None => {}
            }
        }
    }

    /// Hears which hooks have ended: each is called once, as whoever takes an address over does not depend on it.
    pub(super) fn look_after_releases(&mut self) {
        self.releases.retain(|release| match release.mover.outcome() {
            None => true,
            Some(outcome) => {
                if let Err(trouble) = outcome {
                    tracing::error!("the address of {} may still lead here: {trouble}", release.application);
                }
                false
            }
        });
    }

    /// Whether the agent may end: not before hooks have had their time. Those that still run then are ended.
    pub(super) fn releases_are_over(&mut self) -> bool {
        let now = clock::now();
        let is_over = self.releases.iter().all(|release| release.begun + LAST <= now);
        if is_over {
            self.releases.drain(..).for_each(|release| release.mover.end());
        }
        is_over
    }

    /// Starts the next run of an application.
    pub(super) fn start(&mut self, which: usize) {
        let now = clock::now();
        let name = &self.applications[which].name;
        self.releases.retain(|release| release.application != *name);
        match self.spawn(&self.applications[which].name.clone()) {
            Ok((run, process)) => {
                tracing::info!("{}#{run} is started as process {}", self.applications[which].name, process.pid());
                self.host.started(which, now, run);
                self.watch(which, process);
            }
            Err(trouble) => {
                tracing::error!("{} cannot be started: {trouble}", self.applications[which].name);
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
        let program = &self.settings.program;
        let mut command = Command::new(program);
        command.arg("--dir").arg(self.settings.folder.path()).args(["run", name, "--run-number", &run.to_string()]);
        let mut child = command.stdin(lock).stdout(log).stderr(errors).spawn();
        let watched = child.as_mut().map_err(|error| io::Error::from(error.kind())).and_then(|child| {
            Supervised::open(child.id()).inspect_err(|_| drop(child.kill().and_then(|()| child.wait())))
        });
        Ok((run, watched.map_err(|error| Trouble::of_file("start", program, &error))?))
    }
}
