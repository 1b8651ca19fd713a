//! The availability toolkit beside Storm and hand-written linear algebra, in turn, on the same models.
//!
//! Start reading at [`cases`] for what is asked and whom, then [`mod@run`], then [`report`]. The peers' side is in `peers/`, the
//! toolkit's in `crates/availability/examples/measured.rs`; both print what [`child::Printed`] reads.

mod cases;
mod child;
mod coverage;
mod reference;
mod report;
mod run;
mod stiff;
mod tables;
mod venv;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::lab::machine::Machine;
use crate::process::{cargo, run as run_command, target};
use cases::Places;
use report::Bench;

/// What to measure, and with what limits.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Measurements of each kind; the tables show their median.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Stations on each side of the workstation cluster, ascending.
    #[arg(long, value_delimiter = ',', default_value = "8,16,32,64,128,256,512")]
    stations: Vec<usize>,
    /// Seconds that a process may take with a cluster; 90 at most with 512 stations, and 60 with everything else.
    #[arg(long, default_value_t = 300)]
    limit: u64,
    /// Address space that a process may take, in GiB.
    #[arg(long, default_value_t = 8)]
    memory: u64,
    /// Where tables and raw data go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// Builds our side, installs the others, measures, and fails if a promise about digits is broken.
pub(super) fn run(options: &Options) -> Result<()> {
    let (python, versions) = venv::make()?;
    run_command(&mut cargo(["build", "--quiet", "--release", "--package", "availability", "--example", "measured"]))?;
    let folder = target().join("bench/models");
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(&options.out)?;
    let measured = target().join("release/examples/measured");
    let places = Places { measured, python, folder, options };
    let mut bench = Bench::new(Machine::here(), versions, options);
    run::run(&places, &cases::all(&places)?, &mut bench)?;
    eprintln!("  95 % intervals");
    bench.coverages = coverage::run()?;
    bench.write(&options.out)?;
    println!("{}", tables::text(&bench));
    bench.verdict()
}
