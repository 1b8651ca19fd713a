//! One campaign: a load, faults under it at random instants, and what came of the calls.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use drill::gap::Gaps;
use drill::history::{History, Nanos, Standing, Verdict};
use drill::status::Status;
use model::Chance;
use serde::Serialize;

use super::fault::{Fault, Kind};
use super::load::{Load, drain};
use super::probe::Prober;
use crate::lab::capture::Capture;
use crate::lab::everline::Everline;
use crate::lab::now;
use crate::lab::sipp::{Outcome, Sipp, Transport};
use crate::lab::wire::{self, Remarks};
use crate::lab::{EXTENSIONS, PHONES, PROBER, TRUNKS};

/// Calls must stand in every state before the first fault.
const WARM_UP: Duration = Duration::from_secs(5);
/// The prober asks for so long before a fault.
const PROBE_BEFORE: Duration = Duration::from_millis(20);
/// Generous: it only bounds how long a solution that does not recover is waited for.
const LEVEL_LIMIT: Duration = Duration::from_secs(60);
/// Longer than SIPp waits for a lost message, and than every timer of SIP.
const DRAIN_LIMIT: Duration = Duration::from_secs(100);

/// What to do.
pub(super) struct Campaign {
    /// For the table and for file names.
    pub(super) name: String,
    pub(super) transport: Transport,
    /// Calls a second.
    pub(super) rate: u64,
    /// The faults, in order.
    pub(super) kinds: Vec<Kind>,
    /// Where the files go.
    pub(super) folder: PathBuf,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) rate: u64,
    /// By SIPp's own count: callers, then phones.
    pub(super) callers: Vec<Outcome>,
    pub(super) phones: Vec<Outcome>,
    pub(super) faults: Vec<Measured>,
    pub(super) verdict: Verdict,
    /// TCP connections that the server broke.
    pub(super) broken_connections: u64,
    /// Probes without an answer, and datagrams that the kernel dropped at the server's socket.
    pub(super) lost_datagrams: u64,
    pub(super) unreadable: u64,
    /// From Ctrl-C to the end of everything, in milliseconds.
    pub(super) stop_ms: u64,
}

/// A fault, and what it did.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    #[serde(flatten)]
    pub(super) fault: Fault,
    pub(super) gap_us: u64,
    /// How many calls stood in each state at that moment.
    pub(super) standing: std::collections::BTreeMap<Standing, u64>,
}

impl Report {
    /// Calls that callers began.
    pub(super) fn offered(&self) -> u64 {
        self.callers.iter().map(|outcome| outcome.calls).sum()
    }

    /// Calls that went the whole way as their callers meant them to.
    pub(super) fn completed(&self) -> u64 {
        self.callers.iter().map(|outcome| outcome.successful).sum()
    }

    /// Calls that did not, at either end. A call that fails at both ends counts once for each.
    pub(super) fn lost(&self) -> u64 {
        let at_phones: u64 = self.phones.iter().map(|outcome| outcome.failed).sum();
        self.offered() - self.completed() + at_phones
    }

    /// Messages that no RFC allows, and messages that are missing.
    pub(super) fn illegal(&self) -> u64 {
        self.verdict.breaches.values().sum()
    }
}

impl Campaign {
    /// Runs it. The folder keeps the capture, SIPp's files and the solution's folder if something is wrong.
    pub(super) fn run(&self, chance: &mut Chance) -> Result<Report> {
        // What an earlier drill has kept would be taken for this one's.
        fs::remove_dir_all(&self.folder).ok();
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        let load = Load::plan(self.transport, self.rate)?;
        let phones = load.start_phones(&self.folder)?;
        let mut everline = Everline::start(&self.name, &load.configuration(), None)?;
        match self.run_on(&mut everline, &load, phones, chance) {
            Ok(mut report) => {
                if report.broken_promises().is_empty() {
                    fs::remove_dir_all(&self.folder)?;
                } else {
                    everline.keep_folder();
                    eprintln!("  kept: {} and {}", self.folder.display(), everline.folder().display());
                }
                report.stop_ms = everline.stop()?.as_millis() as u64;
                Ok(report)
            }
            Err(error) => {
                everline.keep_folder();
                let kept = everline.folder().display();
                Err(error.context(format!("{}: see {} and {kept}", self.name, self.folder.display())))
            }
        }
    }

    fn run_on(&self, everline: &mut Everline, load: &Load, phones: Vec<Sipp>, chance: &mut Chance) -> Result<Report> {
        everline.wait_until("level", LEVEL_LIMIT, Status::is_level)?;
        let capture_file = self.folder.join("loopback.pcap");
        let capture = Capture::start(&capture_file, &filter(), SNAP)?;
        let mut callers = load.start_callers(&self.folder)?;
        sleep(WARM_UP);
        let mut faults = Vec::new();
        for kind in &self.kinds {
            for sipp in &mut callers {
                sipp.check_alive()?;
            }
            sleep(Duration::from_millis(300 + chance.below(1_500)));
            faults.extend(self.strike(*kind, everline, load.server(), chance)?);
        }
        sleep(Duration::from_secs(1));
        let callers = drain(callers, DRAIN_LIMIT)?;
        let phones = drain(phones, DRAIN_LIMIT)?;
        let dropped = dropped_datagrams(load.server());
        let capture = capture.stop()?;
        let (faults, verdict, remarks, lost_probes) = judge(capture, load, faults)?;
        Ok(Report {
            name: self.name.clone(),
            transport: self.transport,
            rate: self.rate,
            callers,
            phones,
            faults,
            verdict,
            broken_connections: remarks.broken_connections,
            lost_datagrams: lost_probes + dropped,
            unreadable: remarks.unreadable,
            stop_ms: 0,
        })
    }

    /// One fault, or two where the kind says so, each followed by the wait until all is level again.
    fn strike(
        &self,
        kind: Kind,
        everline: &mut Everline,
        server: SocketAddr,
        chance: &mut Chance,
    ) -> Result<Vec<Fault>> {
        let blows = if kind == Kind::SipTwice { 2 } else { 1 };
        let mut faults = Vec::new();
        for _ in 0..blows {
            let before = everline.wait_until("level", LEVEL_LIMIT, Status::is_level)?;
            let prober = Prober::start(server)?;
            sleep(PROBE_BEFORE);
            let mut fault = kind.inflict(everline, &before, chance)?;
            prober.stop_at(fault.watched_until());
            everline.wait_until("level again", LEVEL_LIMIT, |after| kind.is_over(&before, after))?;
            fault.level_after_ms = (now() - fault.certain) / 1_000_000;
            drop(prober);
            eprintln!("  {}: {kind:?} {}, level after {} ms", self.name, fault.victim, fault.level_after_ms);
            faults.push(fault);
        }
        Ok(faults)
    }
}

/// Everything between the server and its peers, and nothing else.
fn filter() -> String {
    let hosts = [TRUNKS, EXTENSIONS, PHONES, PROBER].map(|host| format!("host {}", std::net::Ipv4Addr::from(host)));
    format!("(udp or tcp) and ({})", hosts.join(" or "))
}

/// Whole packets: a TCP segment that is cut would lose a message.
const SNAP: usize = 262_144;

/// Reads the capture once, in order of time.
fn judge(
    capture: impl std::io::BufRead,
    load: &Load,
    faults: Vec<Fault>,
) -> Result<(Vec<Measured>, Verdict, Remarks, u64)> {
    let mut history = History::with_people(load.people());
    let mut gaps = Gaps::new(&faults.iter().map(|fault| (fault.at, fault.watched_until())).collect::<Vec<_>>());
    let mut standings = Vec::new();
    let remarks = wire::read(capture, load.server().ip(), |event| {
        while faults.get(standings.len()).is_some_and(|fault: &Fault| fault.at <= event.at) {
            standings.push(history.standing());
        }
        if !gaps.take(&event) {
            history.take(&event);
        }
    })?;
    let (gaps, lost_probes) = gaps.finish();
    standings.resize(faults.len(), std::collections::BTreeMap::new());
    let measured = faults.into_iter().zip(gaps).zip(standings);
    let measured = measured.map(|((fault, gap), standing)| Measured { fault, gap_us: micros(gap), standing });
    Ok((measured.collect(), history.finish(), remarks, lost_probes))
}

/// Rounded up: a gap is never shown smaller than it was.
const fn micros(nanos: Nanos) -> u64 {
    nanos.div_ceil(1_000)
}

/// What the kernel dropped at the UDP sockets of this address, by `/proc/net/udp`.
fn dropped_datagrams(server: SocketAddr) -> u64 {
    let text = fs::read_to_string(Path::new("/proc/net/udp")).unwrap_or_default();
    let port = format!(":{:04X}", server.port());
    let drops = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ours = fields.get(1).is_some_and(|local| local.ends_with(&port));
        ours.then(|| fields.last()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(drops).sum()
}
