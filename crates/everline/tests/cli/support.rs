//! The built program, a control server that says what a test wants, and a contact centre that runs.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Times that a question is asked before the answer is taken for final; each takes some milliseconds.
const QUESTIONS: usize = 2_000;

/// The folder of a contact centre, for one test.
pub(crate) struct Place {
    folder: TempDir,
}

/// What the control server says; nothing if it dies over the request.
pub(crate) type Answer = Option<(u16, String)>;

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
        Self { folder }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program in this folder, without the colours and variables of whoever runs the tests.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everline"));
        command.env_clear().env("EVERLINE_DIR", self.path()).current_dir(self.path());
        command
    }

    /// Runs a command, its words separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Ended {
        let output = self.program().args(line.split_whitespace()).output().expect("the program starts");
        let Output { status, stdout, stderr } = output;
        let text = |bytes| String::from_utf8(bytes).expect("text").replace(self.path().to_str().expect("text"), "DIR");
        Ended { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// A control server that answers each request with a status and a body, or hangs up, and notes what was asked.
    pub(crate) fn serve(&self, answer: impl Fn(&str) -> Answer + Send + 'static) -> Arc<Mutex<Vec<String>>> {
        let listener = UnixListener::bind(self.path().join("run/control.sock")).expect("a socket");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                if let Some((request, stream)) = stream.ok().and_then(read) {
                    notes.lock().expect("no test fails here").push(request.clone());
                    if let Some((status, body)) = answer(&request) {
                        respond(stream, status, &body);
                    }
                }
            }
        });
        asked
    }
}

/// `GET /v1/status`, with the body behind it if there is one; nothing if the caller only looked whether somebody lives.
fn read(stream: UnixStream) -> Option<(String, UnixStream)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let request = line.strip_suffix(" HTTP/1.1\r\n")?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some((format!("{request} {body}").trim_end().to_owned(), reader.into_inner()))
}

fn respond(mut stream: UnixStream, status: u16, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} .\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    // Whoever asked may have gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// A contact centre on free ports, started by `up`; whatever is left of it ends with the test.
pub(crate) struct Running {
    /// Its folder.
    pub(crate) place: Place,
    up: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Running {
    /// Starts one and waits until it is ready.
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let configuration = concat!(
            "[sip]\nlisten = [\"udp:127.0.0.1:0\", \"tcp:127.0.0.1:0\"]\n",
            "[[extension]]\nnumber = \"1001\"\ncontact = \"sip:1001@127.0.0.1:9\"\n",
            "[[extension]]\nnumber = \"1002\"\npassword = \"long enough\"\n",
            "[[agent]]\nid = \"anna\"\nextension = \"1001\"\n",
            "[[queue]]\nnumber = \"9000\"\nagents = [\"anna\"]\n",
        );
        std::fs::write(place.path().join("everline.toml"), configuration).expect("written");
        Self::up(place)
    }

    /// Starts `up` in the folder and waits until it says that it is ready.
    pub(crate) fn up(place: Place) -> Self {
        let mut up = place.program().arg("up").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        let out = BufReader::new(up.stdout.take().expect("piped"));
        let err = BufReader::new(up.stderr.take().expect("piped"));
        let mut running = Self { place, up, out, err };
        running.welcome();
        running
    }

    /// Starts `up` again in the folder, after the end of the one before.
    pub(crate) fn up_again(&mut self) {
        let mut up = self.place.program();
        let mut up = up.arg("up").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        self.out = BufReader::new(up.stdout.take().expect("piped"));
        self.err = BufReader::new(up.stderr.take().expect("piped"));
        self.up = up;
        self.welcome();
    }

    /// Kills `up`, and nothing else.
    pub(crate) fn kill_up(&mut self) {
        self.up.kill().expect("killed");
        self.up.wait().expect("ended");
    }

    /// What standard output says up to the line `ready`.
    fn welcome(&mut self) -> String {
        let mut text = String::new();
        while !text.ends_with("\nready\n") {
            if self.out.read_line(&mut text).expect("text") == 0 {
                let mut remarks = String::new();
                self.err.read_to_string(&mut remarks).expect("text");
                panic!("it does not get ready:\n{text}{remarks}{}", self.logs());
            }
        }
        text
    }

    /// Reads standard error until a line holds the words.
    pub(crate) fn until(&mut self, words: &str) {
        let mut text = String::new();
        while !text.lines().last().is_some_and(|line| line.contains(words)) {
            let count = self.err.read_line(&mut text).expect("text");
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
        let run = std::fs::read_dir(self.place.path().join("run")).expect("a folder");
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
        let folder = self.place.path().as_os_str().as_encoded_bytes();
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
        self.err.read_to_string(&mut remarks).expect("text");
        (self.up.wait().expect("ended"), remarks)
    }

    fn logs(&self) -> String {
        let logs = std::fs::read_dir(self.place.path().join("log")).into_iter().flatten().flatten();
        let text = |log: std::fs::DirEntry| std::fs::read_to_string(log.path()).unwrap_or_default();
        logs.map(|log| format!("-- {}\n{}", log.path().display(), text(log))).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The order matters: nobody is left to start what is killed.
        let _ = self.up.kill();
        let mut living = self.living();
        let first = living.remove("lca").into_iter();
        for pid in first.chain(living.into_values()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.up.wait();
    }
}
