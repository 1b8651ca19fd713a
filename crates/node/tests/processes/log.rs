//! The log of a process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

pub(crate) const TESTS: &[(&str, fn())] =
    &[("log::every_line_is_written_or_counted", every_line_is_written_or_counted)];

/// Lines that the child logs, of a hundred bytes and more each: too many for one file.
const LINES: usize = 200_000;

/// The child: logs a lot, then something that the system would write.
pub(crate) fn run(path: &str) {
    let log = node::log::begin(Some(path.into()));
    for number in 0..LINES {
        tracing::info!("line {number} {}", "x".repeat(100));
    }
    drop(log);
    eprintln!("a last word");
}

fn every_line_is_written_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.log");
    let mut command = Command::new(std::env::current_exe().unwrap());
    assert!(command.arg("log").arg(&path).stderr(node::log::open(&path).unwrap()).status().unwrap().success());
    let older = path.with_added_extension("1");
    let (mut written, mut dropped, mut last) = (0, 0, String::new());
    let files = [older.as_path(), &path].into_iter().filter(|path| path.exists());
    for path in files {
        let length = fs::metadata(path).unwrap().len();
        assert!(length < (16 << 20) + 1_000, "{} is {length} bytes long", path.display());
        for line in lines(path) {
            match line.split_once(" lines were dropped here") {
                Some((count, _)) => dropped += count.parse::<usize>().unwrap(),
                None => written += usize::from(line.contains(" INFO line ")),
            }
            last = line;
        }
    }
    assert_eq!(last, "a last word");
    assert_eq!(written + dropped, LINES);
    assert!(older.exists() || dropped > 0, "all lines do not fit into one file");
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    BufReader::new(File::open(path).unwrap()).lines().map(Result::unwrap)
}
