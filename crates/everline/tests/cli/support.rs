//! The built program, and a contact centre that runs.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Times that a question is asked before the answer is taken for final; each takes some milliseconds.
pub(crate) const QUESTIONS: usize = 2_000;

/// The folder of a contact centre, for one test.
#[derive(Clone)]
pub(crate) struct Place {
    folder: Arc<TempDir>,
    /// How this process sees it; another path if it lies in a namespace of its own.
    pub(crate) view: PathBuf,
    /// The program and what runs it, as another user for example.
    pub(crate) by: Vec<String>,
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

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("run")).expect("a folder");
        let view = folder.path().to_owned();
        Self { folder: Arc::new(folder), view, by: vec![env!("CARGO_BIN_EXE_everline").into()] }
    }

    /// Where it is, for this process.
    pub(crate) fn path(&self) -> &Path {
        &self.view
    }

    /// Where it is for the processes that live in it.
    pub(crate) fn inside(&self) -> &Path {
        self.folder.path()
    }

    /// The program in this folder, without the colours and variables of whoever runs the tests.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(&self.by[0]);
        command.args(&self.by[1..]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("EVERLINE_DIR", self.path()).current_dir(self.path());
        command
    }

    /// Writes a configuration with free ports, two extensions and a queue, and `more` behind that.
    pub(crate) fn configure(&self, more: &str) {
        let usual = concat!(
            "[sip]\nlisten = [\"udp:127.0.0.1:0\", \"tcp:127.0.0.1:0\"]\n",
            "[[extension]]\nnumber = \"1001\"\ncontact = \"sip:1001@127.0.0.1:9\"\n",
            "[[extension]]\nnumber = \"1002\"\npassword = \"long enough\"\n",
            "[[agent]]\nid = \"anna\"\nextension = \"1001\"\n",
            "[[queue]]\nnumber = \"9000\"\nagents = [\"anna\"]\n",
        );
        let path = self.path().join("everline.toml");
        std::fs::write(&path, format!("{usual}{more}")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("ours");
    }

    /// Runs a command, its words separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Ended {
        let output = self.program().args(line.split_whitespace()).output().expect("the program starts");
        let Output { status, stdout, stderr } = output;
        let text = |bytes| String::from_utf8(bytes).expect("text").replace(self.path().to_str().expect("text"), "DIR");
        Ended { code: status.code(), out: text(stdout), err: text(stderr) }
    }
}

/// A contact centre on free ports, started by `up`; whatever is left of it ends with the test.
pub(crate) struct Running {
    /// Its folder.
    pub(crate) place: Place,
    /// What `up` said when it was ready.
    pub(crate) welcome: String,
    pub(crate) up: Child,
    pub(crate) out: Option<BufReader<ChildStdout>>,
    pub(crate) err: Option<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts one and waits until it is ready.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// Starts one whose configuration says this as well.
    pub(crate) fn with(more: &str) -> Self {
        let place = Place::new();
        place.configure(more);
        Self::up(place)
    }

    /// Starts `up` in the folder and waits until it says that it is ready.
    pub(crate) fn up(place: Place) -> Self {
        let program = place.program();
        Self::by(place, program)
    }

    /// The same by a program that becomes this one in the end.
    pub(crate) fn by(place: Place, mut program: Command) -> Self {
        let (up, out, err) = start(&mut program);
        let mut running = Self { place, welcome: String::new(), up, out, err };
        running.welcome();
        running
    }

    /// Starts `up` again in the folder, after the end of the one before.
    pub(crate) fn up_again(&mut self) {
        (self.up, self.out, self.err) = start(&mut self.place.program());
        self.welcome();
    }

    /// Kills `up`, and nothing else.
    pub(crate) fn kill_up(&mut self) {
        self.up.kill().expect("killed");
        self.up.wait().expect("ended");
    }

    /// Where it listens.
    pub(crate) fn address(&self, transport: &str) -> SocketAddr {
        let listens = format!("  listens  {transport}:");
        let address = self.welcome.lines().find_map(|line| line.strip_prefix(&listens));
        address.unwrap_or_else(|| panic!("it does not listen for {transport}")).parse().expect("an address")
    }

    /// Takes in what standard output says up to the line `ready`.
    fn welcome(&mut self) {
        let mut text = String::new();
        while !text.ends_with("\nready\n") {
            if self.out.as_mut().expect("heard").read_line(&mut text).expect("text") == 0 {
                let mut remarks = String::new();
                self.err.as_mut().expect("heard").read_to_string(&mut remarks).expect("text");
                panic!("it does not get ready:\n{text}{remarks}{}", self.logs());
            }
        }
        self.welcome = text;
    }

    /// Reads standard error until a line holds the words.
    pub(crate) fn until(&mut self, words: &str) {
        let mut text = String::new();
        while !text.lines().last().is_some_and(|line| line.contains(words)) {
            let count = self.err.as_mut().expect("heard").read_line(&mut text).expect("text");
            assert_ne!(count, 0, "never said {words:?}, but:\n{text}{}", self.logs());
        }
    }

    /// Asks by a command, again and again, until the answer is what is waited for.
    pub(crate) fn ask<T>(&self, line: &str, wanted: impl Fn(&serde_json::Value) -> Option<T>) -> T {
        let mut last = String::new();
        for _ in 0..QUESTIONS {
            let answer = self.place.run(line);
            assert_eq!(answer.code, Some(0), "{line}: {}", answer.err);
            if let Some(found) = wanted(&serde_json::from_str(&answer.out).expect("JSON")) {
                return found;
            }
            last = answer.out;
        }
        panic!("{line} never answered what was waited for, but:\n{last}{}", self.logs())
    }

    /// Process ids by the name of the application, the local control agent's included.
    pub(crate) fn pids(&self) -> BTreeMap<String, i32> {
        let run = std::fs::read_dir(self.place.path().join("run")).into_iter().flatten();
        let pid = |entry: std::fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?.strip_suffix(".lock")?.to_owned();
            let text = std::fs::read_to_string(entry.path()).ok()?;
            let (_, pid) = text.trim_end().split_once(' ')?;
            Some((name, pid.parse().ok()?))
        };
        run.filter_map(|entry| pid(entry.ok()?)).collect()
    }

    /// Those of them that live.
    pub(crate) fn living(&self) -> BTreeMap<String, i32> {
        let folder = self.place.inside().as_os_str().as_encoded_bytes();
        let is_ours = |pid: i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|argument| argument == folder)
        };
        self.pids().into_iter().filter(|(_, pid)| is_ours(*pid)).collect()
    }

    /// Sends a signal to an application.
    pub(crate) fn signal(&self, application: &str, signal: Signal) {
        kill(Pid::from_raw(self.pids()[application]), signal).expect("it lives");
    }

    /// Sends a signal to `up`.
    pub(crate) fn signal_up(&self, signal: Signal) {
        kill(Pid::from_raw(self.up.id().cast_signed()), signal).expect("it lives");
    }

    /// Waits for the end of `up`; gives its exit code and what it said since it was read last.
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        let mut remarks = String::new();
        self.err.as_mut().expect("heard").read_to_string(&mut remarks).expect("text");
        (self.up.wait().expect("ended"), remarks)
    }

    /// All that the servers have logged.
    pub(crate) fn logs(&self) -> String {
        let logs = std::fs::read_dir(self.place.path().join("log")).into_iter().flatten().flatten();
        let text = |log: std::fs::DirEntry| std::fs::read_to_string(log.path()).unwrap_or_default();
        logs.map(|log| format!("-- {}\n{}", log.path().display(), text(log))).collect()
    }
}

/// Whether what the status says of a detection is a measurement: it is counted, its time is no shorter than so many milliseconds
/// (longer it may be on a busy machine), and the longest one is no shorter than the last.
pub(crate) fn is_measured(noticed: &serde_json::Value, at_least: f64) -> bool {
    let [Some(last), Some(max)] = ["last_ms", "max_ms"].map(|key| noticed[key].as_f64()) else { return false };
    noticed["count"].as_u64() >= Some(1) && last >= at_least && max >= last
}

/// Starts `up`, whose words can be read.
fn start(program: &mut Command) -> (Child, Option<BufReader<ChildStdout>>, Option<BufReader<ChildStderr>>) {
    let mut up = program.arg("up").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let (out, err) = (up.stdout.take().map(BufReader::new), up.stderr.take().map(BufReader::new));
    (up, out, err)
}

impl Drop for Running {
    fn drop(&mut self) {
        // The order matters: nobody is left to start what is killed. With `up` the view of a namespace may go.
        let mut living = self.living();
        let _ = self.up.kill();
        living.extend(self.living());
        let first = living.remove("lca").into_iter();
        for pid in first.chain(living.into_values()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.up.wait();
    }
}
