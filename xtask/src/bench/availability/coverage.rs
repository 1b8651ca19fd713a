//! How often intervals hold the truth, by the test of the crate that samples them.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::process::cargo;

/// What the lines of the test begin with.
const MARK: &str = "coverage: ";

/// A kind of 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Coverage {
    pub(super) interval: String,
    /// `exact` ones promise to hold in 94 to 96 % of the samples, `conservative` ones, from counts, in 94 % or more.
    pub(super) kind: String,
    pub(super) samples: u64,
    /// The share of the samples in which it held.
    pub(super) held: f64,
}

/// Runs the test, which fails if an interval does not keep its promise.
pub(super) fn run() -> Result<Vec<Coverage>> {
    let test = ["test", "--quiet", "--release", "--package", "availability", "--test", "interval_coverage"];
    let mut command = cargo(test);
    let output = command.args(["--", "--ignored", "--nocapture"]).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start the test of the intervals")?;
    let coverages = read(&String::from_utf8_lossy(&output.stdout));
    ensure!(output.status.success(), "promise broken: an interval does not hold as often as it says");
    ensure!(!coverages.is_empty(), "the test interval_coverage printed no line `{MARK}...`");
    Ok(coverages)
}

fn read(printed: &str) -> Vec<Coverage> {
    // Before the first line the harness has written a word without an end of line.
    printed.lines().filter_map(|line| line.split_once(MARK)).filter_map(|(_, rest)| coverage(rest)).collect()
}

fn coverage(line: &str) -> Option<Coverage> {
    let mut fields = line.split(" | ");
    let mut next = || fields.next().map(str::to_owned);
    let (interval, kind) = (next()?, next()?);
    Some(Coverage { interval, kind, samples: next()?.parse().ok()?, held: next()?.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_test_are_read_and_others_are_not() {
        let printed =
            "\nrunning 1 test\ntest x ... coverage: a rate, n = 3 | exact | 400 | 0.95125\nok\ncoverage: odd\n";
        let expected =
            Coverage { interval: "a rate, n = 3".into(), kind: "exact".into(), samples: 400, held: 0.951_25 };
        assert_eq!(read(printed), [expected]);
    }
}
