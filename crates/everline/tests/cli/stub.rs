//! A control server that says what a test wants.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::Place;

/// What the control server says; nothing if it dies over the request.
pub(crate) type Answer = Option<(u16, String)>;

impl Place {
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
