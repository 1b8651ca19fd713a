//! What was measured, as it is written to the raw file, and what is promised of it.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::cases::{Case, Group};
use super::coverage::Coverage;
use super::run::{Measurement, Number, Outcome, VALUE};
use super::venv::Versions;
use super::{Options, tables};
use crate::bench::report::{command, median};
use crate::lab::machine::Machine;

/// What a relative error of ours may be: of unavailabilities of stiff chains, and of hierarchies with their derivatives.
const MAX_ERROR: f64 = 1e-14;
/// The side of this project.
pub(super) const OURS: &str = "everline";

/// Everything that was measured.
#[derive(Serialize)]
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) peers: Versions,
    pub(super) command: String,
    pub(super) runs: usize,
    pub(super) limit_s: u64,
    pub(super) memory_gib: u64,
    pub(super) coverages: Vec<Coverage>,
    pub(super) measurements: Vec<Measurement>,
}

impl Bench {
    pub(super) fn new(machine: Machine, peers: Versions, options: &Options) -> Self {
        let Options { runs, limit, memory, .. } = *options;
        let (coverages, measurements) = (Vec::new(), Vec::new());
        let command = command();
        Self { machine, peers, command, runs, limit_s: limit, memory_gib: memory, coverages, measurements }
    }

    /// Writes tables and raw data.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::write(folder.join("availability.json"), serde_json::to_vec_pretty(self)?)?;
        fs::write(folder.join("availability.md"), tables::text(self))?;
        Ok(())
    }

    /// The cases of a group with their sizes, in the order in which they were measured.
    pub(super) fn cases(&self, group: Group) -> Vec<(&str, usize)> {
        let mut cases: Vec<(&str, usize)> = Vec::new();
        for found in self.measurements.iter().filter(|found| found.group == group) {
            if !cases.iter().any(|(name, _)| *name == found.case) {
                cases.push((&found.case, found.size));
            }
        }
        cases
    }

    /// The sides of a group, in their order.
    pub(super) fn sides(&self, group: Group) -> Vec<&str> {
        let mut sides: Vec<&str> = Vec::new();
        for found in self.measurements.iter().filter(|found| found.group == group) {
            if !sides.contains(&found.side.as_str()) {
                sides.push(&found.side);
            }
        }
        sides
    }

    /// All numbers of a side at a case.
    pub(super) fn numbers<'a>(&'a self, case: &'a str, side: &'a str) -> impl Iterator<Item = &'a Number> + 'a {
        self.measurements.iter().filter(move |found| found.case == case && found.side == side).filter_map(|found| {
            match &found.outcome {
                Outcome::Number(number) => Some(number),
                Outcome::Nothing(_) => None,
            }
        })
    }

    /// The median of what was measured of a side at a case.
    pub(super) fn median(&self, case: &str, side: &str, what: impl Fn(&Number) -> Option<f64>) -> Option<f64> {
        median(self.numbers(case, side).filter_map(what).collect())
    }

    /// The promises: every number of ours has its digits, and is as near to the truth as its bound says.
    pub(super) fn verdict(&self) -> Result<()> {
        let mut broken = Vec::new();
        for found in self.measurements.iter().filter(|found| found.side == OURS) {
            let case = &found.case;
            let Outcome::Number(number) = &found.outcome else { continue };
            for (kind, worst) in number.errors.iter().filter(|(kind, _)| *kind != tables::SAMPLES) {
                let error = worst.relative_error.unwrap_or(f64::INFINITY);
                if error > MAX_ERROR && matches!(found.group, Group::Stiff | Group::Hierarchy) {
                    broken.push(format!("{case}: a {kind} is {error:.1e} off, more than {MAX_ERROR:e}"));
                }
                if kind == VALUE && number.bound.is_some_and(|bound| error > bound + f64::EPSILON) {
                    broken.push(format!("{case}: a {kind} is {error:.1e} off, more than its bound"));
                }
            }
        }
        if !broken.is_empty() {
            bail!("promises broken:\n  {}", broken.join("\n  "));
        }
        Ok(())
    }

    /// Keeps what a side came to at a case.
    pub(super) fn keep(&mut self, case: &Case, side: &str, run: usize, outcome: Outcome) {
        let (case, group, size) = (case.name.clone(), case.group, case.size);
        self.measurements.push(Measurement { group, case, size, side: side.to_owned(), run, outcome });
    }
}
