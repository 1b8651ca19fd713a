//! `sim`: runs seeds, replays cases, explores the protocol.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use redundancy::hot_standby::{Commit, Sabotage};
use sim::explore::{Budget, search};
use sim::plan::{Plan, World, sabotage_named, world_named};
use sim::record::{Extent, Record};
use sim::table::Table;
use sim::{budget, case, outcome, rules, shrink};

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
    /// What runs in the pairs, `toy` or `calls`.
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
    /// What runs in the pairs, `toy` or `calls`.
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

/// Writes a line for people; whoever closes the pipe has read enough.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// Fresh seeds of the gate, with the toy.
const GATE_TOY_SEEDS: u64 = 40_000;

/// Fresh seeds of the gate, with calls.
const GATE_CALLS_SEEDS: u64 = 3_000;

/// States that the gate explores for each way to commit.
const GATE_STATES: usize = 150_000;

fn parse_sabotage(word: &str) -> Result<Sabotage, String> {
    sabotage_named(word).ok_or_else(|| format!("no rule is called {word}; try `release-early`"))
}

fn parse_world(word: &str) -> Result<World, String> {
    world_named(word).ok_or_else(|| format!("there is no world {word}; try `toy` or `calls`"))
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let good = match cli.command {
        None => run_one(&cli.one),
        Some(Command::Run(many)) => run_many(&many),
        Some(Command::Gate { jobs }) => {
            let cases = replay_cases();
            let rules = broken(jobs);
            let explored = explore(GATE_STATES);
            let fresh = |world, seeds| run_many(&Many { seeds, from: 0, jobs, world, sabotage: Sabotage::None });
            let toy = fresh(World::Toy, GATE_TOY_SEEDS);
            let calls = fresh(World::Calls, GATE_CALLS_SEEDS);
            cases && rules && explored && toy && calls
        }
        Some(Command::Table { steps, jobs }) => table(steps, jobs),
        Some(Command::Broken { jobs }) => broken(jobs),
        Some(Command::Record(recording)) => record(&recording),
        Some(Command::Explore { states }) => explore(states),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_one(one: &One) -> bool {
    let plan = match (&one.case, one.seed) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
            match text.and_then(|text| case::Case::read(&text).map_err(|error| error.to_string())) {
                Ok(case) => case.plan,
                Err(why) => {
                    eprintln!("{}: {why}", path.display());
                    return false;
                }
            }
        }
        (None, seed) => Plan::draw_world(one.world, seed.unwrap_or(0), one.sabotage),
    };
    let outcome = outcome::run(&plan, one.ladder);
    say!("{plan}{}", outcome.ladder);
    say!("hash {:016x}, {} events", outcome.hash, outcome.events);
    let Some(violation) = outcome.violation else {
        say!("every promise was kept");
        return true;
    };
    say!("{violation}");
    if one.shrink {
        let small = shrink::shrink(&plan, violation.checker, |plan| outcome::run(plan, false).violation);
        let what = outcome::run(&small, false).violation.map_or_else(String::new, |violation| violation.what);
        say!("{}", case::Case { story: what, expects: None, plan: small });
    }
    false
}

fn run_many(many: &Many) -> bool {
    let started = Instant::now();
    let tally = budget::run(many.world, many.from, many.seeds, many.jobs, many.sabotage);
    let seconds = started.elapsed().as_secs_f64();
    say!(
        "{} seeds in {seconds:.1} s, {} events, {} takeovers, {} cold starts, {} broken",
        tally.seeds,
        tally.events,
        tally.takeovers,
        tally.cold_starts,
        tally.broken.len()
    );
    for (seed, violation) in tally.broken.iter().take(20) {
        say!("seed {seed}: {violation}");
    }
    if let Some((seed, violation)) = tally.broken.first() {
        let plan = Plan::draw_world(many.world, *seed, many.sabotage);
        let small = shrink::shrink(&plan, violation.checker, |plan| outcome::run(plan, false).violation);
        say!("seed {seed} as a case:\n{}", case::Case { story: violation.what.clone(), expects: None, plan: small });
    }
    tally.broken.is_empty()
}

fn replay_cases() -> bool {
    let cases = match case::all() {
        Ok(cases) => cases,
        Err(why) => {
            say!("{why}");
            return false;
        }
    };
    let bad: Vec<String> =
        cases.iter().filter_map(|(name, case)| case.replay().err().map(|why| format!("{name}: {why}"))).collect();
    say!("{} saved cases, {} not as expected", cases.len(), bad.len());
    for line in &bad {
        say!("{line}");
    }
    bad.is_empty()
}

fn table(steps: u32, jobs: usize) -> bool {
    let table = Table::run(steps, jobs);
    say!("{table}");
    for line in table.broken().iter().take(40) {
        say!("{line}");
    }
    for line in table.holes() {
        say!("never reached: {line}");
    }
    table.broken().is_empty()
}

fn explore(states: usize) -> bool {
    let mut good = true;
    for commit in [Commit::Acknowledged, Commit::Published] {
        for budget in Budget::ladder(commit) {
            let started = Instant::now();
            let found = search(budget, states);
            say!("{budget:?}\n  {found} ({:.1} s)", started.elapsed().as_secs_f64());
            good &= found.broken.is_none();
        }
    }
    good
}

fn broken(jobs: usize) -> bool {
    let mut good = true;
    for look in rules::ALL.map(|broken| broken.look(jobs)) {
        say!("{look}");
        good &= look.is_as_stated();
    }
    good
}

fn record(recording: &Recording) -> bool {
    let Recording { seeds, toy_seeds, from, steps, states, jobs } = *recording;
    let extent = Extent { calls_seeds: seeds, toy_seeds, from, steps, states, jobs };
    let taken = Record::take(extent, |what| eprintln!("{what}"));
    match taken.and_then(|record| Ok((serde_json::to_string(&record).map_err(|error| error.to_string())?, record))) {
        Ok((text, record)) => {
            say!("{text}");
            record.is_good()
        }
        Err(why) => {
            eprintln!("{why}");
            false
        }
    }
}
