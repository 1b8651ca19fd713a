//! The hosts of a rehearsal as processes.

use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use network::rehearsal::{Place, Rehearsal};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use super::folders::HostFolder;
use crate::failure::Failure;
use crate::output::remark;
use crate::processes;

/// The line with which a host says that it is up.
const READY: &str = "ready";

/// What happens.
enum Event {
    /// A host says something.
    Said(Place, String),
    /// A host's process has ended.
    Ended(Place, io::Result<ExitStatus>),
    /// A signal asks for the end.
    Signal,
}

/// The processes.
pub(super) struct Children {
    hosts: Vec<(Place, Pid, bool)>,
    events: Receiver<Event>,
}

impl Children {
    /// Starts `everline host run` in the namespace of each host.
    ///
    /// # Errors
    /// If a process cannot be started.
    pub(super) fn start(net: &Rehearsal, folders: &[HostFolder]) -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel();
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        let started = || -> io::Result<Vec<_>> {
            signals.thread_block()?;
            listen_to_signals(signals, sender.clone())?;
            let program = processes::program();
            let start = |(place, folder): &HostFolder| {
                let mut command = net.command(*place, &program.to_string_lossy());
                command.arg("--dir").arg(folder.path()).args(["host", "run"]);
                // A terminal's Ctrl-C is meant for this process, which ends them in order.
                command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let mut child = command.spawn()?;
                let pid = Pid::from_raw(child.id().cast_signed());
                let outputs: [Option<Box<dyn Read + Send>>; 2] = [
                    child.stdout.take().map(|out| Box::new(out) as _),
                    child.stderr.take().map(|err| Box::new(err) as _),
                ];
                for output in outputs.into_iter().flatten() {
                    listen_to(*place, output, sender.clone())?;
                }
                wait_for(*place, child, sender.clone())?;
                Ok((*place, pid, false))
            };
            folders.iter().map(start).collect()
        };
        let hosts = started().map_err(|error| Failure::failed(format!("cannot start the hosts: {error}")))?;
        Ok(Self { hosts, events })
    }

    /// Says what they say until all have ended; `welcome` is called when all are up.
    ///
    /// # Errors
    /// If one of them fails before all are up, or the welcome cannot be said.
    pub(super) fn watch(&mut self, welcome: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
        let (mut result, mut is_up, mut stops) = (Ok(()), false, false);
        while !self.hosts.is_empty() {
            let Ok(event) = self.events.recv() else { break };
            match event {
                Event::Said(place, line) if line == READY => {
                    self.hosts.iter_mut().filter(|host| host.0 == place).for_each(|host| host.2 = true);
                    if !is_up && self.hosts.iter().all(|host| host.2) {
                        is_up = true;
                        welcome()?;
                    }
                }
                Event::Said(place, line) => remark(&format!("{place}: {line}")),
                Event::Ended(place, status) => {
                    self.hosts.retain(|host| host.0 != place);
                    let fine = status.is_ok_and(|status| status.success());
                    if !fine && !is_up {
                        result = Err(Failure::failed(format!("{place} does not come up")));
                        self.stop();
                    } else if !stops {
                        remark(&format!("{place} has ended"));
                    }
                }
                Event::Signal => {
                    stops = true;
                    self.stop();
                }
            }
        }
        result
    }

    fn stop(&self) {
        for (_, pid, _) in &self.hosts {
            // An error says that it has ended.
            let _ = kill(*pid, Signal::SIGTERM);
        }
    }
}

fn listen_to_signals(signals: SigSet, events: Sender<Event>) -> io::Result<()> {
    let listen = move || {
        while signals.wait().is_ok() && events.send(Event::Signal).is_ok() {}
    };
    thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
}

fn listen_to(place: Place, output: Box<dyn Read + Send>, events: Sender<Event>) -> io::Result<()> {
    let listen = move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = events.send(Event::Said(place, line));
        }
    };
    thread::Builder::new().name(place.to_string()).spawn(listen).map(drop)
}

fn wait_for(place: Place, mut child: Child, events: Sender<Event>) -> io::Result<()> {
    let wait = move || {
        let _ = events.send(Event::Ended(place, child.wait()));
    };
    thread::Builder::new().name(place.to_string()).spawn(wait).map(drop)
}
