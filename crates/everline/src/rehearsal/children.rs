//! The hosts of a rehearsal as processes: started, and started again when they have power and do not run.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use network::rehearsal::{Place, Rehearsal};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use super::folders::HostFolder;
use super::play::start_order;
use crate::failure::Failure;
use crate::output::remark;
use crate::processes;

/// The line with which a host says that it is up.
const READY: &str = "ready";
/// How often it is looked which hosts have power.
const LOOK: Duration = Duration::from_millis(100);
/// How long a host that has ended by itself stays ended: as long as systemd lets it, with the unit that Everline brings.
const PAUSE: Duration = Duration::from_secs(1);

/// What happens.
enum Event {
    /// A host says something.
    Said(Place, String),
    /// A host's process has ended.
    Ended(Place, io::Result<ExitStatus>),
    /// A signal asks for the end.
    Signal,
}

/// A host.
struct Host {
    place: Place,
    folder: HostFolder,
    process: Option<Pid>,
    /// It has said that it is up.
    is_up: bool,
    /// When it may be started; once it was stopped in order, only by [`start_order`].
    start_at: Option<Instant>,
}

/// The processes.
pub(super) struct Children<'a> {
    net: &'a Rehearsal,
    hosts: Vec<Host>,
    sender: Sender<Event>,
    events: Receiver<Event>,
    /// All were up once.
    is_up: bool,
    stops: bool,
}

impl<'a> Children<'a> {
    /// None of them is started yet; from here on the signals that ask for the end of this process are for it.
    ///
    /// # Errors
    /// If the system has no resources left.
    pub(super) fn new(net: &'a Rehearsal, folders: &[HostFolder]) -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel();
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        let listened = signals.thread_block().map_err(io::Error::from);
        listened.and_then(|()| listen_to_signals(signals, sender.clone())).map_err(cannot_start)?;
        let host = |folder: &HostFolder| Host {
            place: folder.0,
            folder: folder.clone(),
            process: None,
            is_up: false,
            start_at: Some(Instant::now()),
        };
        let hosts = folders.iter().map(host).collect();
        Ok(Self { net, hosts, sender, events, is_up: false, stops: false })
    }

    /// Lets them run until the end is asked for and all have ended; `welcome` is called when all are up.
    ///
    /// # Errors
    /// If one of them fails before all are up, or the welcome cannot be said.
    pub(super) fn watch(&mut self, welcome: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
        let mut result = Ok(());
        loop {
            let rests = |host: &Host| host.process.is_none() && (self.stops || host.start_at.is_none());
            if self.hosts.iter().all(rests) {
                return result;
            }
            if !self.stops {
                self.start_those_with_power()?;
            }
            match self.events.recv_timeout(LOOK) {
                Ok(Event::Said(place, line)) if line == READY => {
                    self.host(place).is_up = true;
                    if !self.is_up && self.hosts.iter().all(|host| host.is_up) {
                        self.is_up = true;
                        welcome()?;
                    }
                }
                Ok(Event::Said(place, line)) => remark(&format!("{place}: {line}")),
                Ok(Event::Ended(place, status)) => {
                    if let Err(failure) = self.has_ended(place, status) {
                        result = Err(failure);
                        self.stop();
                    }
                }
                Ok(Event::Signal) => self.stop(),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    /// Starts every host that has power and does not run.
    fn start_those_with_power(&mut self) -> Result<(), Failure> {
        let conditions = self.net.conditions()?;
        let now = Instant::now();
        for number in 0..self.hosts.len() {
            let host = &mut self.hosts[number];
            if fs::remove_file(start_order(&host.folder.1)).is_ok() && host.process.is_none() {
                host.start_at = Some(now);
            }
            let has_power = !conditions.failed().any(|failed| Place::Host(failed) == host.place);
            if has_power && host.process.is_none() && host.start_at.is_some_and(|at| at <= now) {
                self.hosts[number].process = Some(self.start(number).map_err(cannot_start)?);
            }
        }
        Ok(())
    }

    /// Runs `everline host run` in the namespace of a host.
    fn start(&self, number: usize) -> io::Result<Pid> {
        let (place, folder) = &self.hosts[number].folder;
        let mut command = self.net.command(*place, &processes::program().to_string_lossy());
        command.arg("--dir").arg(folder.path()).args(["host", "run"]);
        // A terminal's Ctrl-C is meant for this process, which ends them in order.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let outputs: [Option<Box<dyn Read + Send>>; 2] =
            [child.stdout.take().map(|out| Box::new(out) as _), child.stderr.take().map(|err| Box::new(err) as _)];
        for output in outputs.into_iter().flatten() {
            listen_to(*place, output, self.sender.clone())?;
        }
        wait_for(*place, child, self.sender.clone())?;
        Ok(pid)
    }

    fn has_ended(&mut self, place: Place, status: io::Result<ExitStatus>) -> Result<(), Failure> {
        let is_first = !self.is_up;
        let fine = status.is_ok_and(|status| status.success());
        let host = self.host(place);
        (host.process, host.start_at) = (None, (!fine).then(|| Instant::now() + PAUSE));
        if self.stops {
            return Ok(());
        }
        if !fine && is_first {
            return Err(Failure::failed(format!("{place} does not come up")));
        }
        remark(&format!("{place} has ended"));
        Ok(())
    }

    fn host(&mut self, place: Place) -> &mut Host {
        let found = self.hosts.iter().position(|host| host.place == place);
        &mut self.hosts[found.unwrap_or_default()]
    }

    fn stop(&mut self) {
        self.stops = true;
        for pid in self.hosts.iter().filter_map(|host| host.process) {
            // An error says that it has ended.
            let _ = kill(pid, Signal::SIGTERM);
        }
    }
}

fn cannot_start(error: io::Error) -> Failure {
    Failure::failed(format!("cannot start the hosts: {error}"))
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
