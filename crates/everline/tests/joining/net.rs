//! Machines that are namespaces, and what is typed on them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use network::rehearsal::{Id, Place, Rehearsal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Times that a question is asked before the answer is taken for final; each takes some milliseconds.
const QUESTIONS: usize = 2_000;

/// Some machines, and the folder of each.
pub(crate) struct Net {
    /// The namespaces.
    pub(crate) net: Rehearsal,
    /// Its name.
    pub(crate) id: Id,
    place: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// `everline host run` on one machine.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Net {
    /// So many machines.
    pub(crate) fn new(name: &str, hosts: u8) -> Self {
        let id: Id = name.parse().expect("a name");
        let net = Rehearsal::make(&id, hosts).expect("a net");
        let place = tempfile::tempdir().expect("a folder");
        (1..=hosts).for_each(|host| std::fs::create_dir(place.path().join(format!("h{host}"))).expect("a folder"));
        Self { net, id, place }
    }

    /// The folder of a machine.
    pub(crate) fn folder(&self, host: u8) -> PathBuf {
        self.place.path().join(format!("h{host}"))
    }

    /// A shell on a machine; `everline` is the built program there, and its folder that of the machine.
    pub(crate) fn shell(&self, host: u8, script: &str) -> Command {
        self.shell_at(Place::Host(host), &self.folder(host), script)
    }

    /// The same elsewhere.
    pub(crate) fn shell_at(&self, place: Place, folder: &Path, script: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_everline"));
        let path = format!("{}:{}", program.parent().expect("a folder").display(), "/usr/sbin:/usr/bin:/sbin:/bin");
        let mut command = self.net.command(place, "sh");
        command.args(["-c", script]).env_clear().env("PATH", path).env("EVERLINE_DIR", folder).current_dir(folder);
        command
    }

    /// Runs a script on a machine.
    pub(crate) fn run(&self, host: u8, script: &str) -> Ended {
        let Output { status, stdout, stderr } = self.shell(host, script).output().expect("started");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ended { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Runs a script that must succeed; gives its standard output.
    pub(crate) fn does(&self, host: u8, script: &str) -> String {
        let ended = self.run(host, script);
        assert_eq!(ended.code, Some(0), "h{host}: {script}\n{}{}", ended.out, ended.err);
        ended.out
    }

    /// Runs a script that must fail; gives its standard error, which holds one error and a remedy.
    pub(crate) fn fails(&self, host: u8, script: &str) -> String {
        let ended = self.run(host, script);
        assert!(matches!(ended.code, Some(1..=3)), "h{host}: {script}: {:?}\n{}", ended.code, ended.out);
        assert_eq!(ended.err.matches("error: ").count(), 1, "one error: {}", ended.err);
        assert!(ended.err.contains("  help: "), "it says what to do: {}", ended.err);
        ended.err
    }

    /// Starts a script that goes on.
    pub(crate) fn start(&self, host: u8, script: &str) -> Running {
        Running::new(self.shell(host, script))
    }

    /// Asks on a machine, again and again, until the answer is what is waited for.
    pub(crate) fn ask<T>(&self, host: u8, line: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let mut last = String::new();
        for _ in 0..QUESTIONS {
            let ended = self.run(host, line);
            if ended.code == Some(3) {
                // What was started a moment ago does not run yet.
                continue;
            }
            assert_eq!(ended.code, Some(0), "h{host}: {line}\n{}", ended.err);
            last = ended.out;
            if let Some(found) = wanted(&serde_json::from_str(&last).expect("JSON")) {
                return found;
            }
        }
        panic!("h{host}: {line} never answered what was waited for, but:\n{last}\n{}", self.logs(host))
    }

    /// The status of an application, as a machine sees it, once it is as it should be.
    pub(crate) fn until(&self, host: u8, application: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.ask(host, "everline status --json", |status| {
            let rows = status["applications"].as_array()?;
            rows.iter().find(|row| row["name"] == application && wanted(row)).cloned()
        })
    }

    /// What was noticed of this kind on that machine itself, once it is as it should be: counted, with a time that is no shorter than
    /// so many milliseconds.
    pub(crate) fn noticed(&self, host: u8, name: &str, at_least: f64, wanted: impl Fn(&Value) -> bool) -> Value {
        let here = format!("h{host}");
        let noticed = self.ask(host, "everline status --json", |status| {
            let all = status["detections"].as_array()?;
            all.iter().find(|one| one["name"] == name && one["host"] == here && wanted(one)).cloned()
        });
        let [last, max] = ["last_ms", "max_ms"].map(|key| noticed[key].as_f64());
        let is_measured = noticed["count"].as_u64() >= Some(1) && last >= Some(at_least) && max >= last;
        assert!(is_measured, "{name} on {here}: {noticed}");
        noticed
    }

    fn logs(&self, host: u8) -> String {
        let logs = std::fs::read_dir(self.folder(host).join("log")).into_iter().flatten().flatten();
        let text = |log: std::fs::DirEntry| std::fs::read_to_string(log.path()).unwrap_or_default();
        logs.map(|log| format!("-- {}\n{}", log.path().display(), text(log))).collect()
    }
}

/// A line that lets a host join, without the folder that it names: each machine here has another one.
pub(crate) fn bare(line: &str) -> &str {
    line.split_once(" --dir ").expect("it names the folder of the first machine").0
}

impl Drop for Net {
    fn drop(&mut self) {
        // Whatever still runs there ends with it.
        let _ = Rehearsal::tear_down(&self.id);
    }
}

impl Running {
    fn new(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        let (sender, lines) = mpsc::channel();
        let out = child.stdout.take().expect("piped");
        let heard = sender.clone();
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).for_each(|line| drop(heard.send(line)));
        });
        let mut err = child.stderr.take().expect("piped");
        thread::spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text);
            text.lines().for_each(|line| drop(sender.send(line.to_owned())));
        });
        Self { child, lines, said: String::new() }
    }

    /// Waits until it says `ready`.
    pub(crate) fn is_ready(&mut self) {
        while !self.said.ends_with("ready\n") {
            match self.lines.recv() {
                Ok(line) => self.said.push_str(&format!("{line}\n")),
                Err(_) => panic!("it does not get ready:\n{}", self.said),
            }
        }
    }

    /// Waits for its end; gives all that it said.
    pub(crate) fn ends(self) -> String {
        let (succeeded, said) = self.outcome();
        assert!(succeeded, "{said}");
        said
    }

    /// The same for one that may fail: whether it has not comes first.
    pub(crate) fn outcome(mut self) -> (bool, String) {
        self.lines.iter().for_each(|line| self.said.push_str(&format!("{line}\n")));
        let status = self.child.wait().expect("ended");
        (status.success(), std::mem::take(&mut self.said))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended was waited for, or is a child of ours still.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}
