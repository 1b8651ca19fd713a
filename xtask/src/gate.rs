//! The gate: what must hold before a change is merged.

use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::layers;
use crate::process::{cargo, find_program, run as run_command};

/// What the gate builds for release is built in a third of the time: it asks whether that is right, not how fast it is.
const QUICK: [(&str, &str); 2] = [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];

/// One step of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// The formatting is that of rustfmt.
    Fmt,
    /// The architecture: who may depend on whom, and what the pure crates must not know.
    Layers,
    /// Licences, sources and banned crates of the whole dependency tree.
    Deny,
    /// No warning of the compiler or of clippy, in any target.
    Clippy,
    /// The documentation builds without a warning.
    Docs,
    /// All tests.
    Tests,
    /// Saved cases and a fixed budget of fresh seeds in the simulated world.
    Sim,
    /// A short drill against SIPp and baresip: one fault of each kind.
    Interop,
}

impl Step {
    fn run(self) -> Result<()> {
        match self {
            Self::Fmt => run_command(&mut cargo(["fmt", "--all", "--check"])),
            Self::Layers => layers::check(),
            Self::Deny => deny(),
            Self::Clippy => run_command(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
            Self::Docs => {
                let mut docs = cargo(["doc", "--workspace", "--no-deps"]);
                run_command(docs.env("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Tests => tests(),
            Self::Sim => chore(&["sim", "gate"]),
            Self::Interop => first_command().and_then(|()| chore(&["interop", "--smoke"])),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Runs the steps (all if none is named) and ends with one line of summary.
///
/// A step that fails does not stop the others: one run tells everything that is wrong.
pub(crate) fn run(steps: &[Step]) -> Result<()> {
    let steps = if steps.is_empty() { Step::value_variants() } else { steps };
    let started = Instant::now();
    let mut failed = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        eprintln!("[{}/{}] {}", number + 1, steps.len(), step.name());
        let begun = Instant::now();
        match step.run() {
            Ok(()) => eprintln!("  ok, {}", minutes(begun.elapsed())),
            Err(error) => {
                eprintln!("  FAILED after {}: {error:#}", minutes(begun.elapsed()));
                failed.push(step.name());
            }
        }
    }
    let passed = steps.len() - failed.len();
    let summary = format!("{passed} of {} steps passed in {}", steps.len(), minutes(started.elapsed()));
    if !failed.is_empty() {
        bail!("gate: {summary}; failed: {}", failed.join(", "));
    }
    println!("gate: {summary}");
    Ok(())
}

/// Another chore, with what it builds built quickly.
fn chore(arguments: &[&str]) -> Result<()> {
    run_command(Command::new(env::current_exe()?).args(arguments).envs(QUICK))
}

/// The first command of the README, as it stands there, as far as it ends by itself.
fn first_command() -> Result<()> {
    let readme = include_str!("../../README.md");
    let Some(line) = readme.lines().find(|line| line.starts_with("cargo run ") && line.contains(" -- up")) else {
        bail!("README.md has no line `cargo run ... -- up` any more: say here what its first command is");
    };
    let words = line.split_whitespace().skip(1).take_while(|word| *word != "up");
    run_command(cargo(words).arg("--version").envs(QUICK))
}

/// A version that the stated Rust builds.
const CARGO_DENY: &str = "0.20.2";

/// `cargo nextest` where it is installed (it isolates tests and runs them all at once), else `cargo test`.
fn tests() -> Result<()> {
    if find_program("cargo-nextest").is_none() {
        return run_command(&mut cargo(["test", "--workspace", "--quiet"]));
    }
    run_command(&mut cargo(["nextest", "run", "--workspace", "--no-fail-fast"]))?;
    run_command(&mut cargo(["test", "--workspace", "--doc", "--quiet"]))
}

fn deny() -> Result<()> {
    if find_program("cargo-deny").is_none() {
        // It runs for a second, which is not worth optimising it.
        let mut install = cargo(["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY]);
        run_command(install.env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
    }
    // The advisories need a network and change under a commit's feet: they are for a release, not for a merge.
    run_command(&mut cargo(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
}

fn minutes(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{} ms", span.as_millis()),
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
