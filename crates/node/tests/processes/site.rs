//! A contact centre of test applications in a folder of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use management::Description;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use node::channel::Channel;
use node::client::{Client, Event};
use node::folder::Folder;
use node::lca::{self, LcaSettings};
use node::local;
use node::wire::{ApplicationRow, FromLca, ToLca};
use tempfile::TempDir;

use crate::application::{Answer, Order, order_socket};

/// The applications: the control server, one pair, and a server that stands alone.
pub(crate) const NAMES: [&str; 4] = ["control", "sip-a", "sip-b", "routing-a"];
/// A test that waits this long for what should come at once has failed, in milliseconds.
const TOO_LONG: u16 = 30_000;

/// The process of a local control agent.
pub(crate) fn run_lca(dir: &str) {
    let describe = |name: &str| Description {
        name: name.into(),
        pair: name.split_once('-').map(|(pair, _)| pair.into()),
        ends_last: name == "control",
        spare: None,
    };
    let settings = LcaSettings {
        folder: Folder::new(dir),
        applications: NAMES.map(describe).into(),
        moved: BTreeMap::new(),
        addresses: Vec::new(),
        others: Vec::new(),
        isolated: None,
        may_harm: false,
    };
    if let Err(trouble) = lca::run(settings) {
        eprintln!("{trouble}");
        std::process::exit(1);
    }
}

/// A folder, its local control agent, and what this tells.
pub(crate) struct Site {
    _place: TempDir,
    pub(crate) folder: Folder,
    pub(crate) lca: Child,
    follower: Client<ToLca, FromLca>,
    /// What the agent has told last; nothing once its connection has ended.
    rows: Vec<ApplicationRow>,
}

impl Site {
    /// A contact centre in which everything serves.
    pub(crate) fn running() -> Self {
        let mut site = Self::starting(&[]);
        site.await_all_started();
        site
    }

    /// A contact centre in which these cannot start.
    pub(crate) fn starting(hindered: &[&str]) -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        folder.create().unwrap();
        for name in hindered {
            File::create(crate::application::obstacle(&folder, name)).unwrap();
        }
        let follower = Client::new(folder.socket("lca")).unwrap();
        let lca = Self::start(&folder);
        Self { _place: place, folder, lca, follower, rows: Vec::new() }
    }

    fn start(folder: &Folder) -> Child {
        Self::command(folder).stderr(node::log::open(&folder.log("lca")).unwrap()).spawn().unwrap()
    }

    /// What starts an agent.
    pub(crate) fn command(folder: &Folder) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--dir").arg(folder.path()).args(["run", "lca"]).stdin(Stdio::null());
        command
    }

    /// Kills the agent, and nothing else.
    pub(crate) fn kill_lca(&mut self) {
        self.lca.kill().unwrap();
        self.lca.wait().unwrap();
        self.rows.clear();
        self.follower = Client::new(self.folder.socket("lca")).unwrap();
    }

    /// Starts an agent again.
    pub(crate) fn start_lca(&mut self) {
        self.lca = Self::start(&self.folder);
    }

    /// Waits until the agent tells of applications that are as they should be.
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&[ApplicationRow]) -> bool) -> Vec<ApplicationRow> {
        loop {
            if !self.rows.is_empty() && is_so(&self.rows) {
                return self.rows.clone();
            }
            if self.listen() {
                continue;
            }
            let count = poll(&mut [PollFd::new(self.follower.as_fd(), PollFlags::POLLIN)], PollTimeout::from(TOO_LONG));
            assert_ne!(count, Ok(0), "waited in vain for: {what}; last: {:#?}\n{}", self.rows, self.logs());
        }
    }

    /// Takes in one thing that the agent has told; false if there is none now.
    fn listen(&mut self) -> bool {
        let event = self.follower.poll();
        match &event {
            Some(Event::Connected) => drop(self.follower.send(&ToLca::Follow)),
            Some(Event::Message(FromLca::Applications(rows))) => self.rows.clone_from(rows),
            Some(Event::Disconnected) => self.rows.clear(),
            Some(Event::Message(
                FromLca::Ended(_) | FromLca::Stop | FromLca::HandOver | FromLca::Detections(_) | FromLca::Harmed(_),
            ))
            | None => {}
        }
        event.is_some()
    }

    /// Waits until all serve, and gives their runs.
    pub(crate) fn await_all_started(&mut self) -> Vec<ApplicationRow> {
        self.until("all have started", |rows| rows.iter().all(|row| row.state == "started"))
    }

    /// Waits until this run of an application serves.
    pub(crate) fn await_run(&mut self, name: &str, run: u64) -> ApplicationRow {
        let is_it = |row: &ApplicationRow| row.name == name && row.run == run && row.state == "started";
        let rows = self.until(&format!("{name}#{run} has started"), |rows| rows.iter().any(is_it));
        rows.into_iter().find(is_it).unwrap()
    }

    /// The application as it stands now.
    pub(crate) fn row(&mut self, name: &str) -> ApplicationRow {
        while self.listen() {}
        let rows = self.until("any row", |rows| !rows.is_empty());
        rows.into_iter().find(|row| row.name == name).unwrap()
    }

    /// Sends a signal to an application.
    pub(crate) fn signal(&mut self, name: &str, signal: Signal) {
        let pid = self.row(name).pid.unwrap();
        kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
    }

    /// Tells an application to do something of which it may hang or end.
    pub(crate) fn tell(&self, name: &str, order: &Order) -> Channel {
        let mut channel = Channel::new(local::connect(&order_socket(&self.folder, name)).unwrap());
        channel.send(order).unwrap();
        channel
    }

    /// Tells an application to do something, and waits for its answer.
    pub(crate) fn ask(&self, name: &str, order: &Order) -> Answer {
        let mut channel = self.tell(name, order);
        loop {
            if let Some((answer, _)) = channel.receive().unwrap() {
                return answer;
            }
            let count = poll(&mut [PollFd::new(channel.as_fd(), PollFlags::POLLIN)], PollTimeout::from(TOO_LONG));
            assert_ne!(count, Ok(0), "{name} does not answer {order:?}");
        }
    }

    /// Asks the agent to end everything, and waits until it has.
    pub(crate) fn stop(&mut self) -> std::process::ExitStatus {
        let mut channel = Channel::new(local::connect(&self.folder.socket("lca")).unwrap());
        channel.send(&ToLca::StopAll).unwrap();
        self.lca.wait().unwrap()
    }

    fn logs(&self) -> String {
        let texts =
            ["lca"].iter().chain(&NAMES).map(|name| fs::read_to_string(self.folder.log(name)).unwrap_or_default());
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Site {
    /// Leaves no process behind, however a test ends.
    fn drop(&mut self) {
        let _ = self.lca.kill();
        let _ = self.lca.wait();
        for name in NAMES {
            // One that has just been started has not signed its lock yet.
            while is_held(&self.folder, name) {
                if let Some(pid) = holder(&self.folder, name) {
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                }
                std::thread::yield_now();
            }
        }
    }
}

/// Whether a process holds the lock of an application.
pub(crate) fn is_held(folder: &Folder, name: &str) -> bool {
    File::open(folder.lock(name)).is_ok_and(|file| file.try_lock().is_err())
}

/// The process that has signed the lock of an application last.
pub(crate) fn holder(folder: &Folder, name: &str) -> Option<i32> {
    fs::read_to_string(folder.lock(name)).ok()?.split_whitespace().nth(1)?.parse().ok()
}
