//! How long a solution with many extensions takes to start.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use super::report::median;
use crate::lab::everline::{self, Everline};
use crate::lab::ports::Ports;
use crate::lab::{SERVER, isolate};

/// What issue 3 allows for [`MANY`] extensions.
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
}

/// Measures, prints, and fails if the promised number of extensions takes too long.
pub(super) fn run(options: &Options) -> Result<()> {
    everline::build()?;
    isolate::enter()?;
    let mut millis = Vec::new();
    for run in 1..=options.runs {
        let configuration = configuration(options.extensions)?;
        let begun = Instant::now();
        let everline = Everline::start("start", &configuration, None)?;
        millis.push(begun.elapsed().as_millis() as f64);
        everline.stop()?;
        eprintln!("  run {run}: ready after {:.0} ms", millis[run - 1]);
    }
    let median = median(millis).unwrap_or(0.0);
    println!("{} extensions: ready after {median:.0} ms, median of {}", options.extensions, options.runs);
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
