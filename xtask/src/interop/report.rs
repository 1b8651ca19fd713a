//! The table, the promises, and the raw data.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::campaign::{Measured, Report};
use super::history::Standing;
use crate::lab::machine::Machine;

/// Everything that a drill found, as it is written to the raw file.
#[derive(Serialize)]
pub(super) struct Drill {
    pub(super) machine: Machine,
    /// The command line that repeats it.
    pub(super) command: String,
    pub(super) seed: u64,
    pub(super) campaigns: Vec<Report>,
    /// What the phones with audio found, one line for each promise.
    pub(super) phones: Vec<String>,
}

impl Report {
    /// The promises that this campaign saw broken, but for those about time.
    pub(super) fn broken_promises(&self) -> Vec<String> {
        let counts = [
            (self.lost(), "calls lost"),
            (self.illegal(), "messages that no RFC allows, or that are missing"),
            (self.broken_connections, "TCP connections broken by the server"),
            (self.lost_datagrams, "datagrams lost"),
            (self.unreadable, "messages that are not SIP"),
        ];
        let broken = counts.iter().filter(|(count, _)| *count > 0);
        broken.map(|(count, what)| format!("{}: {count} {what}", self.name)).collect()
    }

    /// The service gaps that were longer than is allowed.
    pub(super) fn long_gaps(&self) -> Vec<String> {
        let mut long = Vec::new();
        for (kind, gaps) in self.gaps_by_kind() {
            for (part, limit) in kind.gap_limits() {
                let gap = percentile(&gaps, *part);
                if u128::from(gap) > limit.as_micros() {
                    let (gap, limit) = (millis(gap), limit.as_millis());
                    long.push(format!("{}: {kind:?}: gap p{part} of {gap} ms, allowed are {limit} ms", self.name));
                }
            }
        }
        long
    }

    fn gaps_by_kind(&self) -> BTreeMap<super::fault::Kind, Vec<u64>> {
        let mut by_kind = BTreeMap::<_, Vec<u64>>::new();
        for measured in &self.faults {
            by_kind.entry(measured.fault.kind).or_default().push(measured.gap_us);
        }
        by_kind
    }

    fn row(&self) -> [String; 12] {
        let of = |field: fn(&Measured) -> u64| self.faults.iter().map(field).collect::<Vec<_>>();
        let (gaps, level) = (of(|fault| fault.gap_us), of(|fault| fault.fault.level_after_ms));
        let repeated = self.verdict.repeated_by_server + self.verdict.repeated_by_peers;
        [
            self.name.clone(),
            self.faults.len().to_string(),
            self.offered().to_string(),
            self.completed().to_string(),
            self.lost().to_string(),
            self.illegal().to_string(),
            repeated.to_string(),
            self.lost_datagrams.to_string(),
            millis(percentile(&gaps, 50)),
            millis(percentile(&gaps, 99)),
            millis(percentile(&gaps, 100)),
            percentile(&level, 50).to_string(),
        ]
    }
}

const HEAD: [&str; 12] = [
    "fault",
    "faults",
    "offered",
    "completed",
    "lost",
    "illegal",
    "repeats",
    "datagrams lost",
    "gap p50 ms",
    "gap p99 ms",
    "gap max ms",
    "level after ms",
];

impl Drill {
    /// The table as Markdown, with what stands in which state at the instant of a fault.
    pub(super) fn table(&self) -> String {
        let mut text = format!("{}\nseed {}; `{}`\n\n", self.machine.summary(), self.seed, self.command);
        if !self.campaigns.is_empty() {
            let rows = self.campaigns.iter().map(Report::row).collect::<Vec<_>>();
            text.push_str(&markdown(&HEAD, &rows));
            text.push_str("\nCalls by state at the instant of a fault: fewest, mean, most\n\n");
            text.push_str(&self.standings());
        }
        for line in &self.phones {
            // Writing into a String cannot fail.
            let _ = write!(text, "\nbaresip: {line}");
        }
        text
    }

    fn standings(&self) -> String {
        let states = [
            Standing::Trying,
            Standing::Ringing,
            Standing::AnsweredNotAcknowledged,
            Standing::Talking,
            Standing::Queued,
            Standing::ReinviteOpen,
            Standing::BeingCancelled,
            Standing::BeingTornDown,
        ];
        let faults: Vec<&Measured> = self.campaigns.iter().flat_map(|campaign| &campaign.faults).collect();
        let rows = states.map(|state| {
            let counts = faults.iter().map(|fault| fault.standing.get(&state).copied().unwrap_or(0));
            let counts: Vec<u64> = counts.collect();
            let mean = counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64;
            let ends = [percentile(&counts, 0), percentile(&counts, 100)];
            [format!("{state:?}"), ends[0].to_string(), format!("{mean:.1}"), ends[1].to_string()]
        });
        markdown(&["state", "fewest", "mean", "most"], &rows)
    }
}

/// A table in Markdown that is also straight in a terminal; each row has as many cells as the head.
pub(crate) fn markdown<R: AsRef<[String]>>(head: &[&str], rows: &[R]) -> String {
    let width = |(column, name): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.as_ref().get(column)).map(|cell| cell.chars().count());
        cells.chain([name.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = head.iter().enumerate().map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let rule =
        |(column, width): (usize, &usize)| "-".repeat(width.saturating_sub(1)) + if column == 0 { "-" } else { ":" };
    let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
    let mut text = line(&mut head.iter().copied());
    text.push_str(&line(&mut rules.iter().map(String::as_str)));
    for row in rows {
        text.push_str(&line(&mut row.as_ref().iter().map(String::as_str)));
    }
    text
}

/// The smallest value that `part` of 100 do not exceed; 0 of nothing.
pub(crate) fn percentile(values: &[u64], part: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * part).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// Microseconds as milliseconds, to a hundredth.
pub(crate) fn millis(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!([0, 50, 99, 100].map(|part| percentile(&hundred, part)), [1, 50, 99, 100]);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn the_table_is_straight() {
        let table = markdown(&["a", "long"], &[["name".into(), "1".into()]]);
        assert_eq!(table, "| a    | long |\n| ---- | ---: |\n| name |    1 |\n");
    }
}
