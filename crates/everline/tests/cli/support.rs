//! The built program, and a control server that says what a test wants.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

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
