//! Taking the measurements.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use model::Chance;

use super::Options;
use super::cost::{Memory, Ticks, cpu_us};
use super::latency;
use super::load::{Load, Places, burners};
use super::report::{Bench, Costs, Held};
use super::subject::{Kind, Processes, Subject};
use crate::interop::fault::Kind as Fault;
use crate::lab::capture::Capture;
use crate::lab::child::Guard;
use crate::lab::everline::Everline;
use crate::lab::now;

/// A run in which the host or strangers took away more of the processors than this is thrown away.
const MAX_LOST_PERCENT: f64 = 5.0;
/// Runs that are thrown away before the machine is given up as too unsteady.
const MAX_DISCARDED: usize = 20;
/// What a call is held for: some hundreds to thousands are in progress at once.
const HOLD: Duration = Duration::from_secs(1);
/// The first calls meet cold caches and untouched pages.
const WARM_UP_SECONDS: u64 = 2;
/// The rate at which the calls that are held are set up.
const FILL_RATE: u64 = 500;
/// Longer than the measurement of memory and of a returned backup takes.
const HELD_FOR: Duration = Duration::from_secs(180);
/// What is kept of each packet: the head of a SIP message and its SDP.
const SNAP: usize = 2_048;
/// A backup that is not level by then never will be.
const LEVEL_LIMIT: Duration = Duration::from_secs(60);

/// Measures subjects.
pub(super) struct Bencher<'a> {
    options: &'a Options,
    folder: PathBuf,
    discarded: usize,
    // Burns until it is dropped.
    _burners: Vec<Guard>,
}

impl<'a> Bencher<'a> {
    /// Wakes all cores.
    pub(super) fn new(options: &'a Options) -> Result<Self> {
        let folder = options.out.join("work");
        fs::create_dir_all(&folder)?;
        // Kamailio changes its folder.
        let folder = folder.canonicalize()?;
        Ok(Self { options, folder, discarded: 0, _burners: burners()? })
    }

    /// Every subject at every rate in turn, as often as asked for, so that a slow quarter of an hour of the
    /// machine hits all of them; then the memory.
    pub(super) fn run(mut self, subjects: &[Kind], bench: &mut Bench) -> Result<()> {
        for run in 1..=self.options.runs {
            for rate in &self.options.rates {
                for kind in subjects {
                    eprintln!("  run {run}: {} at {rate}/s", kind.name());
                    let costs = self.costs(*kind, *rate)?;
                    eprintln!("    {costs}");
                    bench.costs.push(costs);
                    bench.write(&self.options.out)?;
                }
            }
            for kind in subjects.iter().filter(|_| self.options.held > 0) {
                eprintln!("  run {run}: {} holds {} calls", kind.name(), self.options.held);
                let held = self.held(*kind)?;
                eprintln!("    {held}");
                bench.held.push(held);
                bench.write(&self.options.out)?;
            }
        }
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }

    /// CPU a call in one load, set-up time in another: capturing costs the sender.
    fn costs(&mut self, kind: Kind, rate: u64) -> Result<Costs> {
        loop {
            let places = Places::find()?;
            let subject = Subject::start(kind, &places, &self.folder)?;
            let load = |seconds| Load { rate, calls: rate * seconds, hold: HOLD };
            load(WARM_UP_SECONDS).start(&places, &self.folder)?.finish()?;
            let processes = subject.processes()?;
            let (ticks, before) = (Ticks::now(), used(&processes));
            let (called, answered) = load(self.options.seconds).start(&places, &self.folder)?.finish()?;
            let after = used(&processes);
            let lost_percent = Ticks::now().lost_percent_since(ticks, sum(after) - sum(before));
            let file = self.folder.join("bench.pcap");
            let capture = Capture::start(&file, &format!("udp port {}", places.server.port()), SNAP)?;
            let (ticks, begun) = (Ticks::now(), sum(used(&processes)));
            let captured = load(self.options.seconds).start(&places, &self.folder)?.finish()?;
            let captured_used = sum(used(&processes)) - begun;
            let capture = capture.stop()?;
            let lost_captured = Ticks::now().lost_percent_since(ticks, captured_used);
            let added = latency::read(capture, &places)?;
            subject.stop()?;
            if self.is_disturbed(lost_percent.max(lost_captured))? {
                continue;
            }
            let calls = called.successful.max(1) as f64;
            let [primary_us, backup_us, rest_us] =
                std::array::from_fn(|group| (after[group] - before[group]) as f64 / calls);
            let failed = called.failed + answered.failed + captured.0.failed + captured.1.failed;
            let retransmissions = called.retransmissions + answered.retransmissions;
            return Ok(Costs {
                subject: kind,
                rate,
                calls: called.successful,
                failed,
                retransmissions,
                lost_percent,
                primary_us,
                backup_us,
                rest_us,
                added,
            });
        }
    }

    /// Memory for each held call; with a pair also how soon a backup that was killed is level again.
    fn held(&mut self, kind: Kind) -> Result<Held> {
        let places = Places::find()?;
        let mut subject = Subject::start(kind, &places, &self.folder)?;
        let warm = Load { rate: FILL_RATE, calls: FILL_RATE * WARM_UP_SECONDS, hold: Duration::ZERO };
        warm.start(&places, &self.folder)?.finish()?;
        let processes = subject.processes()?;
        let before = memory(&processes);
        let load = Load { rate: FILL_RATE, calls: self.options.held, hold: HELD_FOR };
        let both = load.start(&places, &self.folder)?;
        let setting_up = load.planned().saturating_sub(HELD_FOR) + Duration::from_secs(3);
        sleep(setting_up);
        let outcome = both.called()?;
        ensure!(outcome.calls == self.options.held && outcome.failed == 0, "not all calls are held: {outcome:?}");
        let after = memory(&processes);
        let grown = |group: usize| after[group] - before[group];
        let level_again_ms = match &mut subject {
            Subject::Everline(everline) if kind == Kind::Pair => Some(return_of_backup(everline)?),
            _ => None,
        };
        // Nothing is learned from the end of held calls; their SIPp is killed.
        drop(both);
        subject.stop()?;
        Ok(Held { subject: kind, calls: self.options.held, primary: grown(0), backup: grown(1), level_again_ms })
    }

    /// Whether the run is worth nothing; fails when that has happened too often.
    fn is_disturbed(&mut self, lost_percent: f64) -> Result<bool> {
        if lost_percent <= MAX_LOST_PERCENT || self.options.allow_noise {
            return Ok(false);
        }
        self.discarded += 1;
        eprintln!("    thrown away: {lost_percent:.1} % of the processors went elsewhere");
        if self.discarded > MAX_DISCARDED {
            bail!("{MAX_DISCARDED} runs were thrown away: this machine is too unsteady to measure on");
        }
        Ok(true)
    }
}

/// CPU time of the three groups.
fn used(processes: &Processes) -> [u64; 3] {
    [&processes.primary, &processes.backup, &processes.rest].map(|pids| cpu_us(pids))
}

fn sum(groups: [u64; 3]) -> u64 {
    groups.iter().sum()
}

/// Memory of primary and backup.
fn memory(processes: &Processes) -> [Memory; 2] {
    [&processes.primary, &processes.backup].map(|pids| Memory::of(pids))
}

/// Kills the backup; milliseconds from its end until a new one is level.
fn return_of_backup(everline: &mut Everline) -> Result<u64> {
    let before = everline.status()?;
    let fault = Fault::BackupKill.inflict(everline, &before, &mut Chance::new(0))?;
    everline.wait_until("level again", LEVEL_LIMIT, |after| Fault::BackupKill.is_over(&before, after))?;
    Ok((now() - fault.certain) / 1_000_000)
}
