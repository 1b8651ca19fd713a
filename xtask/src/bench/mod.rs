//! What a call costs: Everline with and without its backup, and Kamailio, in turn, under the same load. And what the
//! availability toolkit comes to beside other solvers.

mod availability;
mod cost;
mod latency;
mod load;
mod report;
mod run;
mod start;
mod subject;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::lab::machine::Machine;
use crate::lab::{everline, isolate};
use crate::setup;
use report::Bench;
use run::Bencher;
use subject::Kind;

/// The benches.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Which {
    /// CPU a call, added set-up time, and memory for each held call, beside Kamailio.
    Signalling(Options),
    /// From `everline up` to `ready` with many extensions in the configuration.
    Start(start::Options),
    /// Digits, time and memory of the availability toolkit, beside Storm and numpy.
    Availability(availability::Options),
}

/// How to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Only these; all in turn if none is named.
    #[arg(long = "subject", value_enum)]
    subjects: Vec<Kind>,
    /// Calls a second.
    #[arg(long, value_delimiter = ',', default_value = "500,1000,2000")]
    rates: Vec<u64>,
    /// Measurements of each kind; the table shows their median.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Length of one measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Calls held while the memory is measured; 0 measures none.
    #[arg(long, default_value_t = 10_000)]
    held: u64,
    /// Keep also what was measured while other programs or the host took more than 5 % of the processors.
    #[arg(long)]
    allow_noise: bool,
    /// Where table and raw data go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// Runs a bench.
pub(crate) fn run(which: &Which) -> Result<()> {
    match which {
        Which::Signalling(options) => signalling(options),
        Which::Start(options) => start::run(options),
        Which::Availability(options) => availability::run(options),
    }
}

fn signalling(options: &Options) -> Result<()> {
    setup::check(setup::Need::Bench)?;
    let subjects = if options.subjects.is_empty() { Kind::all() } else { options.subjects.clone() };
    if subjects.iter().any(|subject| subject.is_everline()) {
        everline::build()?;
    }
    isolate::enter()?;
    let mut bench = Bench::new(Machine::here(), options);
    Bencher::new(options)?.run(&subjects, &mut bench)?;
    println!("{}", bench.table());
    bench.verdict()
}
