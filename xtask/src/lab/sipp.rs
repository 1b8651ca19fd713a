//! SIPp: starting it, ending it, and what its statistics say.
//!
//! Its traps: a clock of 4 ms, so no time that it prints is used; it can hang beyond every limit of its
//! own, so a hard one stands around it; a failed call is believed only with the lines of its error log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde::Serialize;

use super::child::Guard;
use crate::process::{pinned, root};

/// A lost message ends its call: later than every timer of SIP (64 * T1 = 32 s).
const RECEIVE_LIMIT_MS: &str = "40000";
/// Calls at once, more than any load here holds.
const MAX_CALLS: &str = "15000";
/// Connections at once, where each call has its own.
const MAX_SOCKETS: &str = "2000";
/// Lines of the error log that are kept as evidence.
const MAX_EVIDENCE: usize = 20;
/// Longest line of evidence, in characters.
const MAX_EVIDENCE_LINE: usize = 300;

/// UDP or TCP, as SIPp and a SIP URI call them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    /// The name in a `transport` parameter.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// What to start.
pub(crate) struct Plan<'a> {
    /// For file names and messages.
    pub(crate) name: &'a str,
    /// A file of `interop/sipp`, without its ending.
    pub(crate) scenario: &'a str,
    pub(crate) own: SocketAddr,
    /// For TCP: a connection for each call instead of one for all.
    pub(crate) connection_each: bool,
    pub(crate) transport: Transport,
    pub(crate) role: Role<'a>,
    /// The core that it runs on; `None`: any.
    pub(crate) core: Option<usize>,
}

/// Who begins.
pub(crate) enum Role<'a> {
    /// Calls `number` at `server`, `rate` times a second, at most `calls` in all. Pauses of the scenario
    /// without a length of their own last `hold`.
    Caller {
        server: SocketAddr,
        number: &'a str,
        own_number: &'a str,
        password: &'a str,
        rate: f64,
        calls: u64,
        hold: Duration,
    },
    /// Waits to be called.
    Phone,
}

/// What one SIPp did.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// Calls begun by it or to it.
    pub(crate) calls: u64,
    pub(crate) successful: u64,
    pub(crate) failed: u64,
    /// Messages that it sent again.
    pub(crate) retransmissions: u64,
    /// It had to be killed with calls open.
    pub(crate) hung: bool,
    /// The first lines of its error log that tell of a failure.
    pub(crate) evidence: Vec<String>,
}

/// A running SIPp.
pub(crate) struct Sipp {
    name: String,
    guard: Guard,
    statistics: PathBuf,
    errors: PathBuf,
}

impl Sipp {
    /// Starts it; its files go to `folder`.
    pub(crate) fn start(plan: &Plan<'_>, folder: &Path) -> Result<Self> {
        let file = |ending: &str| folder.join(format!("{}.{ending}", plan.name));
        let (statistics, errors) = (file("csv"), file("err"));
        let mut command = pinned(plan.core, "sipp".as_ref());
        command.arg("-sf").arg(root().join(format!("interop/sipp/{}.xml", plan.scenario)));
        command.args(["-i", &plan.own.ip().to_string(), "-p", &plan.own.port().to_string()]);
        command.args(["-t", transport_mode(plan), "-max_socket", MAX_SOCKETS, "-l", MAX_CALLS, "-nostdin"]);
        command.args(["-recv_timeout", RECEIVE_LIMIT_MS, "-trace_err", "-error_file"]).arg(&errors);
        command.args(["-trace_stat", "-fd", "1", "-stf"]).arg(&statistics);
        if let Role::Caller { server, number, own_number, password, rate, calls, hold } = plan.role {
            // Long periods keep fractions of a call a second exact.
            let (per_period, period_ms) = (rate * 10.0, 10_000);
            command.args(["-r", &format!("{per_period:.0}"), "-rp", &period_ms.to_string()]);
            command.args(["-m", &calls.to_string(), "-s", number, "-key", "caller", own_number]);
            command.args(["-d", &hold.as_millis().to_string()]);
            // By itself SIPp would sign a URI that is not the one it calls (RFC 7616 3.4).
            let signed = format!("{number}@{server}");
            command.args(["-au", own_number, "-ap", password, "-auth_uri", &signed]);
            command.args(["-cid_str", &format!("{}-%u-%p@%s", plan.name)]);
            command.arg(server.to_string());
        }
        command.stdin(Stdio::null()).stdout(File::create(file("out"))?).stderr(File::create(file("out2"))?);
        let guard = Guard::start("sipp (package sip-tester)", &mut command)?;
        Ok(Self { name: plan.name.to_owned(), guard, statistics, errors })
    }

    /// Fails if it has ended, with what it said last.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        self.guard.check_alive().with_context(|| format!("{}: {}", self.name, self.evidence().join("; ")))
    }

    /// Asks it to begin no more calls and to end when the last one has.
    pub(crate) fn drain(&mut self) -> Result<()> {
        self.guard.signal(Signal::USR1)
    }

    /// Waits for its end, at most so long, and reads what it counted.
    pub(crate) fn finish(mut self, limit: Duration) -> Result<Outcome> {
        let hung = self.guard.wait(limit)?.is_none();
        let mut outcome = self.counted()?;
        outcome.hung = hung && outcome.calls > outcome.successful + outcome.failed;
        Ok(outcome)
    }

    /// What it has counted up to the last second.
    pub(crate) fn counted(&self) -> Result<Outcome> {
        let text = fs::read_to_string(&self.statistics)
            .with_context(|| format!("SIPp wrote no statistics {}", self.statistics.display()))?;
        let row = last_row(&text);
        let number = |column: &str| row.get(column).copied().unwrap_or(0);
        Ok(Outcome {
            name: self.name.clone(),
            calls: number("TotalCallCreated"),
            successful: number("SuccessfulCall(C)"),
            failed: number("FailedCall(C)"),
            retransmissions: number("Retransmissions(C)"),
            hung: false,
            evidence: self.evidence(),
        })
    }

    /// The lines of the error log, without those that tell of a wait that ended as planned.
    fn evidence(&self) -> Vec<String> {
        let text = fs::read(&self.errors).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let tells = |line: &&str| ["Aborting", "unexpected", "Unable", "Error"].iter().any(|word| line.contains(word));
        // Entries stand on one line, each behind a date, a tab, a time and a tab.
        let lines = text.split(['\n', '\t']).filter(tells).take(MAX_EVIDENCE);
        lines.map(|line| line.trim().chars().take(MAX_EVIDENCE_LINE).collect()).collect()
    }
}

const fn transport_mode(plan: &Plan<'_>) -> &'static str {
    match (plan.transport, plan.connection_each) {
        (Transport::Udp, _) => "u1",
        (Transport::Tcp, false) => "t1",
        (Transport::Tcp, true) => "tn",
    }
}

/// The counters of the last whole line, by the names in the first.
fn last_row(text: &str) -> BTreeMap<&str, u64> {
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default().split(';');
    let values = lines.last().unwrap_or_default().split(';');
    names.zip(values).filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_counts() {
        let text = "StartTime;TotalCallCreated;FailedCall(C);\n08:00;1;0;\n08:01;12;3;\n";
        let row = last_row(text);
        assert_eq!((row.get("TotalCallCreated"), row.get("FailedCall(C)")), (Some(&12), Some(&3)));
        assert!(last_row("").is_empty());
    }
}
