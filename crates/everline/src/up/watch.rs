//! The hands of [`Course`]: signals, the process of the local control agent, and what it tells.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

use model::{Span, Time};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use node::client::{Client, Event};
use node::process;
use node::wire::{ApplicationRow, FromLca, ToLca, Trouble};

use super::course::{Action, Course, Input};
use super::notify::{Notify, VARIABLES};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::output::remark;

/// Starts, watches and ends the solution in one folder.
pub(super) struct Watch<'a> {
    folder: &'a Folder,
    began: Instant,
    course: Course,
    signals: SignalFd,
    client: Client<ToLca, FromLca>,
    lca: Option<Lca>,
    rows: Vec<ApplicationRow>,
    notify: Notify,
    answers: Answers,
}

/// Whether the local control agent answers.
#[derive(Default)]
struct Answers {
    /// Since when it is asked and has not answered.
    asked: Option<Time>,
    /// When it is asked next.
    next: Time,
}

/// How often the local control agent is asked whether it answers.
const ASK: Span = Span::from_secs(2);

/// After so long without an answer it is killed: its own death disturbs nobody, and its silence leaves dead servers dead.
const SILENCE: Span = Span::from_secs(10);

/// The process of the local control agent.
struct Lca {
    pid: Pid,
    /// Readable when it has ended; only for one that an earlier `up` has started, which is not our child.
    adopted: Option<OwnedFd>,
    /// Where it says why it cannot go on; only from our child.
    last_word: Option<ChildStdout>,
}

/// The longest last word, in bytes.
const LAST_WORD: u64 = 64 << 10;

impl<'a> Watch<'a> {
    /// A watch over the solution in `folder`, whose local control agent may live already.
    ///
    /// From here on the process takes the signals that ask for its end or tell that of its terminal or children, and every process
    /// that the local control agent leaves behind becomes its child.
    ///
    /// # Errors
    /// If the system has no resources left.
    pub(super) fn new(folder: &'a Folder, lca: Option<u32>, course: Course) -> io::Result<Self> {
        let mut watched = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD] {
            watched.add(signal);
        }
        watched.thread_block()?;
        set_child_subreaper(true)?;
        Ok(Self {
            folder,
            began: Instant::now(),
            course,
            signals: SignalFd::with_flags(&watched, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?,
            client: Client::new(folder.socket("lca"))?,
            lca: lca.map(Lca::adopt).transpose()?,
            rows: Vec::new(),
            notify: Notify::from_environment(),
            answers: Answers::default(),
        })
    }

    /// Works until everything has ended; `welcome` is called when everything is up.
    ///
    /// # Errors
    /// Why it did not come up, or did not end as it should; or why nobody watches over it any more, though it goes on.
    pub(super) fn run(mut self, welcome: impl Fn()) -> Result<(), Failure> {
        loop {
            match self.turn(&welcome) {
                Ok(None) => {}
                Ok(Some(result)) => {
                    self.sweep();
                    return result;
                }
                Err(error) => {
                    let what = format!("cannot watch over the solution, which goes on without: {error}");
                    return Err(Failure::failed(what).help("give this command again, or `everline stop`"));
                }
            }
        }
    }

    /// Waits until something happens and does what is to be done about it; gives the result when all is over.
    fn turn(&mut self, welcome: &impl Fn()) -> io::Result<Option<Result<(), Failure>>> {
        let mut inputs = VecDeque::from(self.wait()?);
        while let Some(input) = inputs.pop_front() {
            for action in self.course.handle(self.now(), input) {
                match action {
                    Action::Start => {
                        // To the course that is an agent which ends as soon as it is started.
                        if let Err(trouble) = self.start() {
                            inputs.extend([Input::LastWord(trouble), Input::Ended(Some(1))]);
                        }
                    }
                    Action::Say(text) => {
                        self.notify.status(text.lines().next().unwrap_or_default());
                        remark(&text);
                    }
                    Action::Welcome => {
                        welcome();
                        self.notify.ready("Everything is up");
                    }
                    Action::Stop => {
                        self.notify.stopping();
                        self.stop();
                    }
                    Action::Kill => self.kill(),
                    Action::Finish(result) => return Ok(Some(result)),
                }
            }
        }
        Ok(None)
    }

    /// The time since the watch began, which is the course's own.
    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Sleeps until something happens.
    fn wait(&mut self) -> io::Result<Vec<Input>> {
        let timeout = self.timeout();
        let adopted = self.lca.as_ref().and_then(|lca| lca.adopted.as_ref());
        let descriptors = [self.signals.as_fd(), self.client.as_fd()].into_iter().chain(adopted.map(AsFd::as_fd));
        let mut descriptors: Vec<_> = descriptors.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let adopted_ended = descriptors.get(2).is_some_and(|fd| fd.any().unwrap_or(false));
        let mut inputs = vec![Input::Tick];
        self.listen(&mut inputs);
        self.ask();
        self.notify.turns(Instant::now());
        if adopted_ended {
            self.lca = None;
            // How it ended is told to its parent only, and that is gone. If it was asked to end, it has told before that
            // nothing runs any more.
            let nothing_runs = !self.rows.is_empty() && self.rows.iter().all(|row| row.pid.is_none());
            inputs.push(Input::Ended(nothing_runs.then_some(0)));
        }
        while let Some(signal) = self.signals.read_signal()? {
            match i32::try_from(signal.ssi_signo).map(Signal::try_from) {
                Ok(Ok(Signal::SIGCHLD)) => self.reap(&mut inputs),
                Ok(Ok(Signal::SIGHUP)) => inputs.push(Input::HangUp),
                _ => inputs.push(Input::Signal),
            }
        }
        Ok(inputs)
    }

    /// How long nothing is due.
    fn timeout(&self) -> PollTimeout {
        let now = self.now();
        let course = self.course.deadline().map(|at| at.since(now));
        let answer = self.answers.asked.map_or(self.answers.next, |asked| asked + SILENCE);
        let answer = self.lca.is_some().then(|| answer.since(now));
        let micros = |left: Duration| Span::from_micros(u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
        let systemd = self.notify.due(Instant::now()).map(micros);
        // Rounded up, so that what is due has come when the sleep ends.
        let left = course.into_iter().chain(answer).chain(systemd).min().map(|left| left.as_micros().div_ceil(1_000));
        left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX))
    }

    /// Asks the local control agent whether it answers, and kills it if it has not for long: it is started again.
    fn ask(&mut self) {
        let now = self.now();
        match self.answers.asked {
            Some(since) if since + SILENCE <= now && self.lca.is_some() => {
                remark(&format!(
                    "The local control agent has not answered for {SILENCE} and is killed. No call notices."
                ));
                self.answers = Answers { asked: None, next: now + ASK };
                self.kill();
            }
            None if self.answers.next <= now && self.lca.is_some() => {
                self.answers.next = now + ASK;
                self.answers.asked = self.client.send(&ToLca::Follow).then_some(now);
            }
            _ => {}
        }
    }

    /// Takes in what the local control agent tells.
    fn listen(&mut self, inputs: &mut Vec<Input>) {
        while let Some(event) = self.client.poll() {
            match event {
                Event::Connected => drop(self.client.send(&ToLca::Follow)),
                Event::Message(FromLca::Applications(rows)) => {
                    self.rows.clone_from(&rows);
                    self.answers.asked = None;
                    if self.course.waits() {
                        // Whether the other hosts are there is not for systemd to wait for.
                        self.notify.ready("Runs, and waits for other hosts as long as it must");
                    }
                    inputs.push(Input::Applications(rows));
                }
                Event::Disconnected => self.answers.asked = None,
                Event::Message(
                    FromLca::Ended(_) | FromLca::Stop | FromLca::HandOver | FromLca::Detections(_) | FromLca::Harmed(_),
                ) => {}
            }
        }
    }

    /// Takes leave of every child that has ended: the local control agent, and servers that it left behind.
    fn reap(&mut self, inputs: &mut Vec<Input>) {
        loop {
            let (pid, code) = match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, Some(code)),
                Ok(WaitStatus::Signaled(pid, ..)) => (pid, None),
                Ok(WaitStatus::StillAlive) | Err(_) => return,
                Ok(_) => continue,
            };
            if let Some(lca) = self.lca.take_if(|lca| lca.pid == pid) {
                inputs.extend(lca.last_word().map(Input::LastWord));
                inputs.push(Input::Ended(code));
            }
        }
    }

    fn start(&mut self) -> Result<(), Trouble> {
        let path = self.folder.log("lca");
        let log = node::log::open(&path).map_err(|error| Trouble::of_file("open", &path, &error))?;
        let mut command = process::program_of("self");
        command.arg("--dir").arg(self.folder.path()).args(["run", "lca"]);
        // Those are for this process.
        for name in VARIABLES {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.map_err(|error| Trouble::of_file("start", Path::new(command.get_program()), &error))?;
        let (pid, last_word) = (Pid::from_raw(child.id().cast_signed()), child.stdout.take());
        self.lca = Some(Lca { pid, adopted: None, last_word });
        Ok(())
    }

    /// Asks the local control agent to end everything; by a signal too, in case it does not listen yet.
    fn stop(&mut self) {
        if !self.client.send(&ToLca::StopAll)
            && let Some(lca) = &self.lca
        {
            // An error says that it has ended, which its end will tell.
            let _ = kill(lca.pid, Signal::SIGTERM);
        }
    }

    fn kill(&self) {
        if let Some(lca) = &self.lca {
            let _ = kill(lca.pid, Signal::SIGKILL);
        }
    }

    /// Kills what the local control agent left behind. With its end everything that it had started became our child,
    /// unless an earlier `up` had started it: then it is known from what it told.
    fn sweep(&self) {
        let adopted = self.rows.iter().filter_map(|row| row.pid).filter(|pid| belongs_to(*pid, self.folder));
        adopted.for_each(end);
        // What a child leaves behind when it is killed becomes our child as well.
        loop {
            children().for_each(end);
            if waitpid(Pid::from_raw(-1), None).is_err() {
                return;
            }
        }
    }
}

impl Lca {
    /// What it said last, after its end.
    fn last_word(self) -> Option<Trouble> {
        serde_json::from_reader(self.last_word?.take(LAST_WORD)).ok()
    }

    /// A local control agent that an earlier `up` has started.
    fn adopt(pid: u32) -> io::Result<Self> {
        let pid = pid.cast_signed();
        let process = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
        let ended = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty())?;
        Ok(Self { pid: Pid::from_raw(pid), adopted: Some(ended), last_word: None })
    }
}

fn end(pid: u32) {
    // An error says that it has ended already.
    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
}

/// The children of this process (`proc(5)`: the fourth field of `stat`, the second behind the name in brackets).
fn children() -> impl Iterator<Item = u32> {
    let own = std::process::id().to_string();
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(move |process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        let (_, behind) = stat.rsplit_once(')')?;
        (behind.split_whitespace().nth(1)? == own).then_some(pid)
    })
}

/// Whether the process was started for this folder: an id may have been given to another process meanwhile.
fn belongs_to(pid: u32, folder: &Folder) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|argument| argument == folder.path().as_os_str().as_bytes())
}
