//! `sim`: runs seeds, replays cases, explores the protocol.

mod commands;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use redundancy::hot_standby::Sabotage;
use sim::plan::{World, sabotage_named, world_named};

/// The simulated world of Everline: pairs of servers under every fault, from one seed.
#[derive(Parser)]
#[command(name = "sim", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    one: One,
}

#[derive(Subcommand)]
enum Command {
    /// Runs many seeds; example: sim run --seeds 100000 --jobs 2
    Run(Many),
    /// Replays every saved case, looks for the broken rules, and runs a fixed budget of seeds.
    Gate {
        /// Threads.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Prints the crash-point table: call state by crash point by victims.
    Table {
        /// How many steps after the state is reached are struck, one at a time.
        #[arg(long, default_value_t = 3)]
        steps: u32,
        /// Threads.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Breaks the rules of the protocol one at a time, and prints the seeds at which that is noticed.
    Broken {
        /// Threads.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Runs all of it once, and prints what it came to as JSON.
    Record(Recording),
    /// Explores every order of events within a bound, on the real protocol code.
    Explore {
        /// Ends after so many states.
        #[arg(long, default_value_t = 2_000_000)]
        states: usize,
    },
}

#[derive(Args)]
struct One {
    /// The seed to run.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints everything that happened.
    #[arg(long)]
    ladder: bool,
    /// Replays a saved case instead of a seed.
    #[arg(long, conflicts_with = "seed")]
    case: Option<std::path::PathBuf>,
    /// Breaks a rule of the protocol, `release-early`.
    #[arg(long, default_value = "none", value_parser = parse_sabotage)]
    sabotage: Sabotage,
    /// What runs in the pairs, and where: `toy`, `calls`, `toy-hosts`, `hosts` or `own-addresses`.
    #[arg(long, default_value = "calls", value_parser = parse_world)]
    world: World,
    /// Makes a failing seed smaller, and prints it as a case.
    #[arg(long)]
    shrink: bool,
}

#[derive(Args)]
struct Many {
    /// How many seeds.
    #[arg(long)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// What runs in the pairs, and where: `toy`, `calls`, `toy-hosts`, `hosts` or `own-addresses`.
    #[arg(long, default_value = "calls", value_parser = parse_world)]
    world: World,
    /// Breaks a rule of the protocol, `release-early`.
    #[arg(long, default_value = "none", value_parser = parse_sabotage)]
    sabotage: Sabotage,
}

#[derive(Args)]
struct Recording {
    /// Seeds with calls.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// Seeds with the toy.
    #[arg(long, default_value_t = 300_000)]
    toy_seeds: u64,
    /// Seeds with calls on several hosts.
    #[arg(long, default_value_t = 100_000)]
    hosts_seeds: u64,
    /// Seeds with the toy on several hosts.
    #[arg(long, default_value_t = 100_000)]
    toy_hosts_seeds: u64,
    /// The first seed of each.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Steps of the crash-point table.
    #[arg(long, default_value_t = 3)]
    steps: u32,
    /// States to explore in each small world.
    #[arg(long, default_value_t = 1_000_000)]
    states: usize,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

fn parse_sabotage(word: &str) -> Result<Sabotage, String> {
    sabotage_named(word).ok_or_else(|| format!("no rule is called {word}; try `release-early`"))
}

fn parse_world(word: &str) -> Result<World, String> {
    world_named(word)
        .ok_or_else(|| format!("there is no world {word}; try `toy`, `calls`, `toy-hosts`, `hosts` or `own-addresses`"))
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let good = match cli.command {
        None => commands::run_one(&cli.one),
        Some(Command::Run(many)) => commands::run_many(&many),
        Some(Command::Gate { jobs }) => commands::gate(jobs),
        Some(Command::Table { steps, jobs }) => commands::table(steps, jobs),
        Some(Command::Broken { jobs }) => commands::broken(jobs),
        Some(Command::Record(recording)) => commands::record(&recording),
        Some(Command::Explore { states }) => commands::explore(states),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
