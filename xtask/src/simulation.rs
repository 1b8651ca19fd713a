//! The simulator, and the record of what it came to.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lab::machine::Machine;
use crate::process::{cargo, root, run};
use drill::figures::markdown;

/// The sub-command whose results are kept.
const RECORD: &str = "record";

/// Runs the simulator with its own arguments; what it records is written down with the machine and the date.
pub(crate) fn simulate(args: &[String]) -> Result<()> {
    match args.first() {
        Some(first) if first == RECORD => record(args),
        _ => run(&mut simulator(args)),
    }
}

fn simulator(args: &[String]) -> Command {
    let mut command = cargo(["run", "--quiet", "--release", "--package", "sim", "--"]);
    command.args(args);
    command
}

/// What the raw file holds.
#[derive(Serialize)]
struct Raw<'r> {
    date: &'r str,
    command: &'r str,
    machine: &'r Machine,
    /// As the simulator printed it.
    results: &'r Value,
}

/// A table that the simulator made.
#[derive(Deserialize)]
struct Sheet {
    title: String,
    note: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn record(args: &[String]) -> Result<()> {
    let date = today()?;
    let machine = Machine::here();
    let command = format!("cargo xtask sim {}", args.join(" "));
    let output = simulator(args).stderr(Stdio::inherit()).output().context("cannot start the simulator")?;
    let results: Value = serde_json::from_slice(&output.stdout).context("the simulator printed no record")?;
    let folder = root().join("docs/measurements");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let raw = Raw { date: &date, command: &command, machine: &machine, results: &results };
    let text = table(&raw)?;
    fs::write(folder.join("simulation.json"), serde_json::to_vec_pretty(&raw)?)?;
    fs::write(folder.join("simulation.md"), &text)?;
    println!("{text}");
    if !output.status.success() {
        bail!(
            "a promise was broken, or a broken rule went unnoticed: see {}",
            folder.join("simulation.json").display()
        );
    }
    Ok(())
}

fn table(raw: &Raw<'_>) -> Result<String> {
    let sheets: Vec<Sheet> =
        serde_json::from_value(raw.results["tables"].clone()).context("the record has no tables")?;
    let (summary, date, command) = (raw.machine.summary(), raw.date, raw.command);
    let mut text = format!("# Simulation\n\n{date}; {summary}\n\n`{command}`\n");
    for sheet in sheets {
        let head: Vec<&str> = sheet.head.iter().map(String::as_str).collect();
        let rows = markdown(&head, &sheet.rows);
        write!(text, "\n## {}\n\n{}\n\n{rows}", sheet.title, sheet.note)?;
    }
    Ok(text)
}

/// The date, by the clock of this machine.
fn today() -> Result<String> {
    let output = Command::new("date").args(["--utc", "+%Y-%m-%d"]).output().context("cannot ask for the date")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
