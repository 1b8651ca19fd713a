//! Everything that the simulator can show, run once and written down: figures for machines, tables for people.

mod sheets;

use std::time::Instant;

use redundancy::hot_standby::{Commit, Sabotage};
use serde::Serialize;
use sheets::Sheet;

use crate::explore::{Budget, search};
use crate::plan::{World, name_of, name_of_world};
use crate::table::{self, Table};
use crate::{budget, case, rules};

/// How much is run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Extent {
    /// Seeds of the world of calls.
    pub calls_seeds: u64,
    /// Seeds of the world of the toy.
    pub toy_seeds: u64,
    /// Seeds of the world of calls on several hosts.
    pub hosts_seeds: u64,
    /// Seeds of the world of the toy on several hosts.
    pub toy_hosts_seeds: u64,
    /// The first seed of each.
    pub from: u64,
    /// Steps after each state of a call at which the crash-point table strikes.
    pub steps: u32,
    /// States that are explored within each budget.
    pub states: usize,
    /// Threads.
    pub jobs: usize,
}

/// What it has come to.
#[derive(Debug, Serialize)]
pub struct Record {
    extent: Extent,
    seeds: Vec<Range>,
    rules: Vec<Rule>,
    explored: Vec<Explored>,
    crash_points: CrashPoints,
    cases: Vec<Replayed>,
    /// The same as tables.
    tables: Vec<Sheet>,
}

/// A range of seeds.
#[derive(Debug, Serialize)]
struct Range {
    world: String,
    from: u64,
    seeds: u64,
    events: u64,
    takeovers: u64,
    cold_starts: u64,
    seconds: f64,
    broken: Vec<String>,
}

/// A rule broken on purpose.
#[derive(Debug, Serialize)]
struct Rule {
    rule: &'static str,
    /// What is done wrong then.
    meaning: &'static str,
    world: String,
    bound: u64,
    seed: Option<u64>,
    checker: Option<&'static str>,
    what: Option<String>,
    as_stated: bool,
}

/// A small world of which every order of events was tried.
#[derive(Debug, Serialize)]
struct Explored {
    commit: String,
    budget: String,
    states: usize,
    complete: bool,
    seconds: f64,
    broken: Option<String>,
}

/// The crash-point table.
#[derive(Debug, Serialize)]
struct CrashPoints {
    rows: Vec<table::Row>,
    cells: usize,
    kept: usize,
    broken: Vec<String>,
    never_reached: Vec<String>,
}

/// A saved case.
#[derive(Debug, Serialize)]
struct Replayed {
    name: String,
    differs: Option<String>,
}

impl Record {
    /// Runs everything; `say` is told how far it is.
    ///
    /// # Errors
    /// If the saved cases cannot be read.
    pub fn take(extent: Extent, mut say: impl FnMut(&str)) -> Result<Self, String> {
        say("the saved cases");
        let cases = case::all()?.into_iter().map(|(name, case)| Replayed { name, differs: case.replay().err() });
        let cases = cases.collect();
        say("the rules, broken one at a time");
        let rules = rules::ALL.iter().map(|broken| Rule::of(&broken.look(extent.jobs))).collect();
        say("the crash-point table");
        let crash_points = CrashPoints::of(&Table::run(extent.steps, extent.jobs));
        say("every order of events in small worlds");
        let budgets = [Commit::Acknowledged, Commit::Published].into_iter().flat_map(Budget::ladder);
        let explored = budgets.map(|budget| Explored::take(budget, extent.states)).collect();
        say("the seeds");
        let ranges = [
            (World::Calls, extent.calls_seeds),
            (World::Toy, extent.toy_seeds),
            (World::Hosts, extent.hosts_seeds),
            (World::ToyHosts, extent.toy_hosts_seeds),
        ];
        let seeds = ranges.map(|(world, seeds)| Range::take(world, seeds, extent)).into();
        let mut record = Self { extent, seeds, rules, explored, crash_points, cases, tables: Vec::new() };
        record.tables = record.tables();
        Ok(record)
    }

    /// True if every promise was kept, and every broken rule noticed as stated.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.seeds.iter().all(|range| range.broken.is_empty())
            && self.rules.iter().all(|rule| rule.as_stated)
            && self.explored.iter().all(|one| one.broken.is_none())
            && self.cases.iter().all(|case| case.differs.is_none())
            && self.crash_points.broken.is_empty()
            && self.crash_points.never_reached.is_empty()
    }
}

fn name(world: World) -> String {
    name_of_world(world).to_owned()
}

impl Range {
    fn take(world: World, seeds: u64, extent: Extent) -> Self {
        let started = Instant::now();
        let tally = budget::run(world, extent.from, seeds, extent.jobs, Sabotage::None);
        Self {
            world: name(world),
            from: extent.from,
            seeds,
            events: tally.events,
            takeovers: tally.takeovers,
            cold_starts: tally.cold_starts,
            seconds: started.elapsed().as_secs_f64(),
            broken: tally.broken.iter().map(|(seed, violation)| format!("seed {seed}: {violation}")).collect(),
        }
    }
}

impl Rule {
    fn of(look: &rules::Look) -> Self {
        let rules::Broken { rule, world, bound, .. } = look.broken;
        let violation = look.found.as_ref().map(|(_, violation)| violation);
        Self {
            rule: name_of(rule),
            meaning: rules::meaning(rule),
            world: name(world),
            bound,
            seed: look.found.as_ref().map(|(seed, _)| *seed),
            checker: violation.map(|violation| violation.checker),
            what: violation.map(|violation| violation.what.clone()),
            as_stated: look.is_as_stated(),
        }
    }
}

impl Explored {
    fn take(budget: Budget, states: usize) -> Self {
        let started = Instant::now();
        let found = search(budget, states);
        let Budget { commit, inputs, kills, breaks, losses, ticks, switchovers, .. } = budget;
        Self {
            commit: format!("{commit:?}").to_lowercase(),
            budget: format!("{inputs}, {kills}, {breaks}, {losses}, {ticks}, {switchovers}"),
            states: found.states,
            complete: found.complete,
            seconds: started.elapsed().as_secs_f64(),
            broken: found.broken,
        }
    }
}

impl CrashPoints {
    fn of(table: &Table) -> Self {
        Self {
            rows: table.rows(),
            cells: table.len(),
            kept: table.kept(),
            broken: table.broken(),
            never_reached: table.holes(),
        }
    }
}
