//! The table of the bench, and its raw data.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::Options;
use super::cost::Memory;
use super::latency::Added;
use super::subject::Kind;
use crate::lab::machine::Machine;
use drill::figures::markdown;

/// What an established call may take on each side of a pair, in KiB.
const MAX_KIB_A_CALL: f64 = 12.0;
/// With so many calls held a returned backup must be level within [`MAX_LEVEL_MS`].
const LEVEL_WITH_CALLS: u64 = 10_000;
const MAX_LEVEL_MS: f64 = 2_000.0;

/// What one load cost.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Costs {
    pub(super) subject: Kind,
    pub(super) rate: u64,
    /// Calls that went the whole way while the processors' time was counted.
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) retransmissions: u64,
    /// Of the processors' time, what the host and strangers took.
    pub(super) lost_percent: f64,
    /// CPU a call, in microseconds.
    pub(super) primary_us: f64,
    pub(super) backup_us: f64,
    pub(super) rest_us: f64,
    /// Set-up time, under a second load of the same kind.
    pub(super) added: Added,
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} + {:.0} us of CPU a call, set-up + {:.0} us p50, {:.0} us p99, {} failed, {:.1} % of the processors elsewhere",
            self.primary_us, self.backup_us, self.added.p50_us, self.added.p99_us, self.failed, self.lost_percent
        )
    }
}

/// What held calls cost.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Held {
    pub(super) subject: Kind,
    pub(super) calls: u64,
    /// What the processes have grown by.
    pub(super) primary: Memory,
    pub(super) backup: Memory,
    /// From the death of the backup until a new one was level, the calls being held.
    pub(super) level_again_ms: Option<u64>,
}

impl Held {
    fn kib_a_call(&self, memory: Memory) -> f64 {
        memory.pss_kib as f64 / self.calls as f64
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [primary, backup] = [self.primary, self.backup].map(|memory| self.kib_a_call(memory));
        write!(f, "{primary:.1} + {backup:.1} KiB a call")?;
        self.level_again_ms.map_or(Ok(()), |millis| write!(f, ", a new backup level after {millis} ms"))
    }
}

/// Everything that was measured, as it is written to the raw file.
#[derive(Serialize)]
pub(super) struct Bench {
    machine: Machine,
    command: String,
    runs: usize,
    seconds: u64,
    pub(super) costs: Vec<Costs>,
    pub(super) held: Vec<Held>,
}

/// What was typed.
pub(super) fn command() -> String {
    std::env::args().skip(1).fold("cargo xtask".to_owned(), |line, word| line + " " + &word)
}

impl Bench {
    pub(super) fn new(machine: Machine, options: &Options) -> Self {
        Self {
            machine,
            command: command(),
            runs: options.runs,
            seconds: options.seconds,
            costs: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Writes table and raw data.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::write(folder.join("signalling.json"), serde_json::to_vec_pretty(self)?)?;
        fs::write(folder.join("signalling.md"), self.table())?;
        Ok(())
    }

    /// The tables as Markdown; each figure is the median of the runs.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{}\n`{}`; medians of {} runs of {} s each\n\n",
            self.machine.summary(),
            self.command,
            self.runs,
            self.seconds
        );
        text.push_str(&self.cost_table());
        if !self.held.is_empty() {
            text.push('\n');
            text.push_str(&self.memory_table());
        }
        text
    }

    fn cost_table(&self) -> String {
        let mut places: Vec<(u64, Kind)> = self.costs.iter().map(|costs| (costs.rate, costs.subject)).collect();
        places.sort_unstable();
        places.dedup();
        let rows: Vec<[String; 9]> = places
            .iter()
            .map(|&(rate, subject)| {
                let of = |field: fn(&Costs) -> f64| format!("{:.0}", self.median(subject, rate, field).unwrap_or(0.0));
                [
                    subject.name().to_owned(),
                    rate.to_string(),
                    of(|costs| costs.primary_us),
                    of(|costs| costs.backup_us),
                    of(|costs| costs.rest_us),
                    of(|costs| costs.added.p50_us),
                    of(|costs| costs.added.p99_us),
                    of(|costs| costs.failed as f64),
                    of(|costs| costs.retransmissions as f64),
                ]
            })
            .collect();
        let head =
            ["subject", "calls/s", "CPU us a call", "backup", "rest", "set-up + p50 us", "p99 us", "failed", "repeats"];
        markdown(&head, &rows)
    }

    fn memory_table(&self) -> String {
        let mut subjects: Vec<Kind> = self.held.iter().map(|held| held.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let rows: Vec<[String; 7]> = subjects
            .iter()
            .map(|subject| {
                let held: Vec<&Held> = self.held.iter().filter(|held| held.subject == *subject).collect();
                let of = |field: &dyn Fn(&Held) -> f64| median(held.iter().map(|held| field(held)).collect());
                let cell = |field: &dyn Fn(&Held) -> f64| of(field).map_or("-".into(), |value| format!("{value:.1}"));
                let level = median(held.iter().filter_map(|held| Some(held.level_again_ms? as f64)).collect());
                [
                    subject.name().to_owned(),
                    held.first().map_or(0, |held| held.calls).to_string(),
                    cell(&|held| held.kib_a_call(held.primary)),
                    cell(&|held| held.kib_a_call(held.backup)),
                    cell(&|held| held.primary.rss_kib as f64 / held.calls as f64),
                    cell(&|held| held.backup.rss_kib as f64 / held.calls as f64),
                    level.map_or("-".into(), |millis| format!("{millis:.0}")),
                ]
            })
            .collect();
        let head = [
            "subject",
            "calls held",
            "Pss KiB a call",
            "backup",
            "Rss KiB a call",
            "backup",
            "new backup level after ms",
        ];
        markdown(&head, &rows)
    }

    fn median(&self, subject: Kind, rate: u64, field: fn(&Costs) -> f64) -> Option<f64> {
        let fitting = self.costs.iter().filter(|costs| costs.subject == subject && costs.rate == rate);
        median(fitting.map(field).collect())
    }

    /// The promises, as far as what they compare was measured.
    pub(super) fn verdict(&self) -> Result<()> {
        let mut broken = Vec::new();
        let mut rates: Vec<u64> = self.costs.iter().map(|costs| costs.rate).collect();
        rates.sort_unstable();
        rates.dedup();
        for rate in rates {
            let cost = |subject| self.median(subject, rate, |costs| costs.primary_us);
            if let (Some(pair), Some(peer)) = (cost(Kind::Pair), cost(Kind::Kamailio))
                && pair > peer
            {
                broken.push(format!("at {rate}/s the primary takes {pair:.0} us a call, Kamailio {peer:.0}"));
            }
        }
        let pairs = || self.held.iter().filter(|held| held.subject == Kind::Pair);
        for side in [|held: &Held| held.kib_a_call(held.primary), |held: &Held| held.kib_a_call(held.backup)] {
            let kib = median(pairs().map(side).collect()).unwrap_or(0.0);
            if kib > MAX_KIB_A_CALL {
                broken.push(format!("an established call takes {kib:.1} KiB, more than {MAX_KIB_A_CALL}"));
            }
        }
        let many = pairs().filter(|held| held.calls >= LEVEL_WITH_CALLS);
        let level = median(many.filter_map(|held| Some(held.level_again_ms? as f64)).collect());
        if let Some(millis) = level.filter(|millis| *millis > MAX_LEVEL_MS) {
            broken.push(format!("a new backup is level after {millis:.0} ms, later than {MAX_LEVEL_MS}"));
        }
        if !broken.is_empty() {
            bail!("promises broken:\n  {}", broken.join("\n  "));
        }
        Ok(())
    }
}

/// The value in the middle; of an even number the lower of the two.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_a_value_that_occurred() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(1.0));
        assert_eq!(median(Vec::new()), None);
    }
}
