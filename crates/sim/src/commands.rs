//! What the commands do; each says whether everything was as it should be.

use std::io::Write as _;
use std::time::Instant;

use redundancy::hot_standby::{Commit, Sabotage};
use sim::explore::{Budget, search};
use sim::plan::{Plan, World};
use sim::record::{Extent, Record};
use sim::table::Table;
use sim::{budget, case, outcome, rules, shrink};

use crate::{Many, One, Recording};

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

/// Fresh seeds of the gate on several hosts, with the toy.
const GATE_TOY_HOSTS_SEEDS: u64 = 5_000;

/// Fresh seeds of the gate on several hosts, with calls.
const GATE_HOSTS_SEEDS: u64 = 200;

/// Fresh seeds of the gate where hosts serve at addresses of their own.
const GATE_OWN_SEEDS: u64 = 400;

/// States that the gate explores for each way to commit.
const GATE_STATES: usize = 150_000;

/// Everything that the gate wants to see.
pub(crate) fn gate(jobs: usize) -> bool {
    let cases = replay_cases();
    let rules = broken(jobs);
    let explored = explore(GATE_STATES);
    let fresh = |world, seeds| run_many(&Many { seeds, from: 0, jobs, world, sabotage: Sabotage::None });
    let toy = fresh(World::Toy, GATE_TOY_SEEDS);
    let calls = fresh(World::Calls, GATE_CALLS_SEEDS);
    let toy_hosts = fresh(World::ToyHosts, GATE_TOY_HOSTS_SEEDS);
    let hosts = fresh(World::Hosts, GATE_HOSTS_SEEDS);
    let own = fresh(World::OwnAddresses, GATE_OWN_SEEDS);
    cases && rules && explored && toy && calls && toy_hosts && hosts && own
}

pub(crate) fn run_one(one: &One) -> bool {
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

pub(crate) fn run_many(many: &Many) -> bool {
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

pub(crate) fn table(steps: u32, jobs: usize) -> bool {
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

pub(crate) fn explore(states: usize) -> bool {
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

pub(crate) fn broken(jobs: usize) -> bool {
    let mut good = true;
    for look in rules::ALL.map(|broken| broken.look(jobs)) {
        say!("{look}");
        good &= look.is_as_stated();
    }
    good
}

pub(crate) fn record(recording: &Recording) -> bool {
    let Recording { seeds, toy_seeds, hosts_seeds, toy_hosts_seeds, from, steps, states, jobs } = *recording;
    let extent = Extent { calls_seeds: seeds, toy_seeds, hosts_seeds, toy_hosts_seeds, from, steps, states, jobs };
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
