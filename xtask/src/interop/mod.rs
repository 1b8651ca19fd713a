//! The drill against software that we did not write: faults under the load of SIPp, and phones with audio.

mod campaign;
pub(crate) mod fault;
mod load;
mod phones;
mod probe;
pub(crate) mod report;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use model::Chance;

use crate::lab::machine::Machine;
use crate::lab::sipp::Transport;
use crate::lab::{everline, isolate, now};
use crate::setup;
use campaign::{Campaign, Report};
use fault::Kind;
use report::Drill;

/// What to drill, and how hard.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// One to three minutes: one fault of each kind at a modest rate, and one call between phones.
    #[arg(long)]
    smoke: bool,
    /// Only these kinds of fault, and no phones with audio; all if none is named.
    #[arg(long = "kind", value_enum)]
    kinds: Vec<Kind>,
    /// Faults of each kind, over each transport.
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// Calls a second.
    #[arg(long, default_value_t = 150)]
    rate: u64,
    /// Only the phones with audio, no load.
    #[arg(long, conflicts_with_all = ["kinds", "smoke"])]
    phones_only: bool,
    /// Only this transport; both if none is named.
    #[arg(long, value_enum)]
    transport: Option<Transport>,
    /// Decides at which instants the faults come; drawn from the clock if none is given.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the table, the raw data and the traces of what went wrong go.
    #[arg(long, default_value = "target/interop")]
    out: PathBuf,
}

/// The rate of the smoke drill: modest, so that it finds nothing but errors on a busy machine.
const SMOKE_RATE: u64 = 40;

/// Runs the drill; fails if a promise was broken.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::check(setup::Need::Tests)?;
    everline::build()?;
    isolate::enter()?;
    let seed = options.seed.unwrap_or_else(now);
    let mut chance = Chance::new(seed);
    let mut drill = Drill {
        machine: Machine::here(),
        command: std::env::args().skip(1).fold("cargo xtask".to_owned(), |line, word| line + " " + &word),
        seed,
        campaigns: Vec::new(),
        phones: Vec::new(),
    };
    eprintln!("  seed {seed}");
    let transports = options.transport.map_or_else(|| vec![Transport::Udp, Transport::Tcp], |only| vec![only]);
    for transport in transports.iter().filter(|_| options.kinds.is_empty()) {
        drill.phones.extend(phones::run(*transport, &options.out, &mut chance)?);
    }
    for campaign in campaigns(options, &transports, &mut chance) {
        let report = campaign.run(&mut chance)?;
        report.broken_promises().iter().for_each(|broken| eprintln!("  BROKEN: {broken}"));
        drill.campaigns.push(report);
        write(options, &drill)?;
    }
    println!("{}", drill.table());
    verdict(options, &drill)
}

/// The campaigns: for a smoke drill all kinds one after the other under one load, else one for each kind.
fn campaigns(options: &Options, transports: &[Transport], chance: &mut Chance) -> Vec<Campaign> {
    if options.phones_only {
        return Vec::new();
    }
    let kinds = if options.kinds.is_empty() { Kind::value_variants() } else { &options.kinds[..] };
    let rate = if options.smoke { SMOKE_RATE } else { options.rate };
    let campaign = |name: &str, transport: Transport, kinds: Vec<Kind>| {
        let name = format!("{name}-{}", transport.name());
        Campaign { folder: options.out.join(&name), name, transport, rate, kinds }
    };
    if options.smoke {
        return transports.iter().map(|transport| campaign("each", *transport, shuffled(kinds, chance))).collect();
    }
    let of_kind = |kind: Kind, transport: Transport| {
        let name = kind.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        campaign(&name, transport, vec![kind; options.runs])
    };
    kinds.iter().flat_map(|kind| transports.iter().map(|transport| of_kind(*kind, *transport))).collect()
}

fn shuffled(kinds: &[Kind], chance: &mut Chance) -> Vec<Kind> {
    let mut kinds = kinds.to_vec();
    for last in (1..kinds.len()).rev() {
        kinds.swap(last, chance.below(last as u64 + 1) as usize);
    }
    kinds
}

/// Writes table and raw data anew after each campaign, so that a drill that is cut short leaves both.
fn write(options: &Options, drill: &Drill) -> Result<()> {
    fs::create_dir_all(&options.out).with_context(|| format!("cannot create {}", options.out.display()))?;
    fs::write(options.out.join("drill.json"), serde_json::to_vec_pretty(drill)?)?;
    fs::write(options.out.join("drill.md"), drill.table())?;
    Ok(())
}

fn verdict(options: &Options, drill: &Drill) -> Result<()> {
    let mut broken: Vec<String> = drill.campaigns.iter().flat_map(Report::broken_promises).collect();
    let long: Vec<String> = drill.campaigns.iter().flat_map(Report::long_gaps).collect();
    if options.smoke {
        // A gate runs on whatever machine there is: there a time is a remark and not a failure.
        long.iter().for_each(|gap| eprintln!("  remark: {gap}"));
    } else {
        broken.extend(long);
    }
    if !broken.is_empty() {
        bail!("promises broken:\n  {}\nladders: {}", broken.join("\n  "), options.out.join("drill.json").display());
    }
    Ok(())
}
