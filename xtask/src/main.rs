//! The front door for every chore, the same on a desk and in continuous integration: `cargo xtask test`.
//!
//! Start reading at [`gate`] for what must hold before a change is merged, at [`interop`] for the drill
//! against software that we did not write, and at [`mod@bench`] for what a call costs.

mod bench;
mod gate;
mod interop;
mod lab;
mod layers;
mod process;
mod setup;
mod simulation;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every chore of the project has its command here")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must hold: setup, then gate. This is what continuous integration runs.
    Test,
    /// The steps of the gate, or only those that are named.
    Gate {
        /// The steps to run, in this order; all if none is named.
        steps: Vec<gate::Step>,
    },
    /// Installs what the tests need from Debian, or names the one command that does.
    Setup {
        /// Also what only the benches need (Kamailio, Python).
        #[arg(long)]
        bench: bool,
    },
    /// Checks the direction of dependencies, and what the pure crates must not know.
    Layers,
    /// Injects faults under the load of SIPp and phones with audio; fails if a promise is broken.
    Interop(interop::Options),
    /// What a call costs, and what the availability toolkit comes to, beside other software.
    #[command(subcommand)]
    Bench(bench::Which),
    /// Runs the simulator; the arguments are its own. What `record` finds is kept in `docs/measurements`.
    Sim {
        /// Passed on as they stand.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Test => setup::install(setup::Need::Tests).and_then(|()| gate::run(&[])),
        Chore::Gate { steps } => gate::run(&steps),
        Chore::Setup { bench } => setup::install(if bench { setup::Need::Bench } else { setup::Need::Tests }),
        Chore::Layers => layers::check(),
        Chore::Interop(options) => interop::run(&options),
        Chore::Bench(which) => bench::run(&which),
        Chore::Sim { args } => simulation::simulate(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
