//! How long a solution with many extensions takes to start.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::report::{command, median};
use crate::lab::everline::{self, Everline};
use crate::lab::machine::Machine;
use crate::lab::ports::Ports;
use crate::lab::{SERVER, isolate};

/// What is allowed for [`MANY`] extensions.
const LIMIT: Duration = Duration::from_secs(3);
const MANY: usize = 100_000;

/// What to start, and how often.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Extensions with a password in the configuration.
    #[arg(long, default_value_t = MANY)]
    extensions: usize,
    /// Starts; the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Where table and raw data go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// What was measured, as it is written to the raw file.
#[derive(Serialize)]
struct Starts {
    machine: Machine,
    command: String,
    extensions: usize,
    ready_ms: Vec<f64>,
}

/// Measures, prints, and fails if the promised number of extensions takes too long.
pub(super) fn run(options: &Options) -> Result<()> {
    everline::build()?;
    isolate::enter()?;
    let machine = Machine::here();
    let mut millis = Vec::new();
    for run in 1..=options.runs {
        let configuration = configuration(options.extensions)?;
        let begun = Instant::now();
        let everline = Everline::start("start", &configuration, None)?;
        millis.push(begun.elapsed().as_millis() as f64);
        everline.stop()?;
        eprintln!("  run {run}: ready after {:.0} ms", millis[run - 1]);
    }
    let starts = Starts { machine, command: command(), extensions: options.extensions, ready_ms: millis.clone() };
    let median = median(millis).unwrap_or(0.0);
    let said = format!("{} extensions: ready after {median:.0} ms, median of {}", options.extensions, options.runs);
    println!("{said}");
    fs::create_dir_all(&options.out)?;
    fs::write(options.out.join("start.json"), serde_json::to_vec_pretty(&starts)?)?;
    let summary = starts.machine.summary();
    fs::write(options.out.join("start.md"), format!("{summary}\n`{}`\n\n{said}\n", starts.command))?;
    if options.extensions <= MANY && median > LIMIT.as_millis() as f64 {
        bail!("promise broken: {MANY} extensions start within {} s", LIMIT.as_secs());
    }
    Ok(())
}

fn configuration(extensions: usize) -> Result<String> {
    let server = Ports::default().take(SERVER)?;
    let mut text = format!("[sip]\ndomain = \"127.0.0.1\"\nlisten = [\"udp:{server}\", \"tcp:{server}\"]\n");
    for number in 0..extensions {
        // Writing into a String cannot fail.
        let _ = write!(text, "\n[[extension]]\nnumber = \"{}\"\npassword = \"secret-{number:08}\"\n", 100_000 + number);
    }
    Ok(text)
}
