//! The table, the promises, and the raw data.

use std::collections::BTreeMap;
use std::fmt::Write;

use drill::figures::{markdown, millis, percentile};
use drill::history::Standing;
use serde::Serialize;

use super::campaign::{Measured, Report};
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
