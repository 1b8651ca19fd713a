//! The log of a process: lines for people, written by a thread of their own.
//!
//! A line is dropped rather than waited for, and the number of dropped lines is logged. Lines go to standard error,
//! which the LCA has opened as the application's log file; a file that has grown too long is put aside, and standard
//! error becomes a new one, so that what the system itself writes there (a panic, an abort) is found in it too.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;

use management::helpers::Wait;
use nix::unistd::dup2_stderr;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::pulse::threads::{Helper, NAP};

/// Lines that wait for the disk at most.
const MOST_LINES: usize = 4_096;
/// The longest log file, in bytes; one older file is kept beside it.
const LONGEST_FILE: u64 = 16 << 20;
/// Names the least important level that is logged: error, warn, info (if unset), debug or trace.
const LEVEL: &str = "EVERLINE_LOG";

/// Opens a log file to append to it.
///
/// # Errors
/// As `open(2)`.
pub fn open(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).mode(0o600).open(path)
}

/// Has this process log to standard error, which is the file at `path` if that is set; returns until when: lines that
/// come before the end of the returned value are written before it ends.
#[must_use]
pub fn begin(path: Option<PathBuf>) -> Log {
    let (lines, waiting) = mpsc::sync_channel(MOST_LINES);
    let queue = Queue { lines, dropped: Arc::default() };
    let dropped = Arc::clone(&queue.dropped);
    let writer = thread::Builder::new().name("log".into()).spawn(move || write(&waiting, &dropped, path.as_deref()));
    let level = std::env::var(LEVEL).ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines = queue.lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_target(false).with_max_level(level).with_writer(queue).finish();
    // Another one is there already only in a test.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Log { lines, writer: writer.ok() }
}

/// The log of this process; dropped last.
#[derive(Debug)]
pub struct Log {
    lines: SyncSender<Line>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.lines.send(Line::End);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    End,
}

/// Lines on their way to the writer.
struct Queue {
    lines: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

/// One line that is being put together; sent when it is dropped.
struct Draft<'a> {
    queue: &'a Queue,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Draft<'a>;

    fn make_writer(&'a self) -> Draft<'a> {
        Draft { queue: self, text: Vec::new() }
    }
}

impl Write for Draft<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        let line = Line::Text(std::mem::take(&mut self.text));
        if self.queue.lines.try_send(line).is_err() {
            self.queue.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The writer's life.
fn write(lines: &Receiver<Line>, dropped: &AtomicU64, path: Option<&Path>) {
    let helper = Helper::begin("log");
    let mut out = io::stderr();
    loop {
        helper.beat();
        let text = match lines.recv_timeout(NAP) {
            Ok(Line::Text(text)) => text,
            Ok(Line::End) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => continue,
        };
        helper.waits(Wait::Disk, || {
            // Nobody can be told that the log cannot be written; the process serves on.
            let _ = out.write_all(&text);
            let lost = dropped.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let _ = writeln!(out, "{lost} lines were dropped here: the disk did not keep up");
            }
            if let Some(path) = path {
                let _ = rotate(path);
            }
        });
    }
}

/// Puts the file at `path` aside if it has grown too long, and makes standard error a new one.
fn rotate(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.size() > LONGEST_FILE {
        fs::rename(path, path.with_added_extension("1"))?;
        dup2_stderr(open(path)?)?;
    }
    Ok(())
}
