//! Everything that the simulator can show, run once and written down: figures for machines, tables for people.

use std::time::Instant;

use redundancy::hot_standby::{Commit, Sabotage};
use serde::Serialize;

use crate::explore::{Budget, search};
use crate::plan::{World, name_of};
use crate::table::{self, Table};
use crate::{budget, case, rules};

/// How much is run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Extent {
    /// Seeds of the world of calls.
    pub calls_seeds: u64,
    /// Seeds of the world of the toy.
    pub toy_seeds: u64,
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

/// A table for people.
#[derive(Debug, Serialize)]
struct Sheet {
    title: String,
    note: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
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
        let ranges = [(World::Calls, extent.calls_seeds), (World::Toy, extent.toy_seeds)];
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

    fn tables(&self) -> Vec<Sheet> {
        let mut sheets = vec![self.seeds_sheet(), self.rules_sheet()];
        sheets.extend(["OneHost", "TwoHosts"].map(|layout| self.crash_sheet(layout)));
        sheets.push(self.explored_sheet());
        sheets
    }

    fn seeds_sheet(&self) -> Sheet {
        let row = |range: &Range| {
            let last = range.from + range.seeds.saturating_sub(1);
            let figures = [range.events, range.takeovers, range.cold_starts, range.broken.len() as u64];
            let cells = [range.world.clone(), format!("{} to {last}", range.from)];
            let figures = figures.map(|figure| figure.to_string());
            cells.into_iter().chain(figures).chain([format!("{:.0}", range.seconds)]).collect()
        };
        let bad = self.cases.iter().filter(|case| case.differs.is_some()).count();
        sheet(
            "Seeds",
            format!("And {} saved cases, of which {bad} do not end as expected.", self.cases.len()),
            ["world", "seeds", "events", "takeovers", "cold starts", "broken", "seconds"],
            self.seeds.iter().map(row).collect(),
        )
    }

    fn rules_sheet(&self) -> Sheet {
        let row = |rule: &Rule| {
            let seed = rule.seed.map_or_else(|| "never".to_owned(), |seed| seed.to_string());
            let checker = rule.checker.unwrap_or("-").to_owned();
            vec![rule.rule.to_owned(), rule.world.clone(), rule.bound.to_string(), seed, checker]
        };
        sheet(
            "Rules broken on purpose",
            "The first seed, from 0 on, at which a checker notices.".to_owned(),
            ["rule", "world", "seeds allowed", "first seed", "noticed by"],
            self.rules.iter().map(row).collect(),
        )
    }

    fn crash_sheet(&self, layout: &str) -> Sheet {
        let rows: Vec<&table::Row> = self.crash_points.rows.iter().filter(|row| row.layout == layout).collect();
        let victims =
            rows.first().map_or_else(Vec::new, |row| row.cells.iter().map(|(name, _)| name.clone()).collect());
        let cells = |row: &&table::Row| {
            let letters = row.cells.iter().map(|(_, letters)| format!("`{letters}`"));
            std::iter::once(row.state.to_owned()).chain(letters).collect()
        };
        Sheet {
            title: format!("Crash points, {layout}"),
            note: format!(
                "Each cell: struck {}; `.` kept, `x` broken, `-` not reached, over {} steps. P, B: primary, backup of the \
                 SIP Server; p, b: of the Routing Server; C: the coordinator. Of {} cells in all, {} were reached and \
                 kept, {} broken.",
                table::POINTS.map(|(name, ..)| name).join(", "),
                self.extent.steps,
                self.crash_points.cells,
                self.crash_points.kept,
                self.crash_points.broken.len()
            ),
            head: std::iter::once("state".to_owned()).chain(victims).collect(),
            rows: rows.iter().map(cells).collect(),
        }
    }

    fn explored_sheet(&self) -> Sheet {
        let row = |one: &Explored| {
            let all = if one.complete { "all" } else { "the first" };
            let found = one.broken.as_deref().unwrap_or("kept").lines().next().unwrap_or_default().to_owned();
            vec![one.commit.clone(), one.budget.clone(), format!("{all} {}", one.states), found]
        };
        sheet(
            "Every order of events in small worlds",
            "Each world may use so many inputs, kills, breaks of the link, losses of the coordinator, ticks, switchovers."
                .to_owned(),
            ["commit", "budget", "states", "promises"],
            self.explored.iter().map(row).collect(),
        )
    }
}

fn sheet<const N: usize>(title: &str, note: String, head: [&str; N], rows: Vec<Vec<String>>) -> Sheet {
    Sheet { title: title.to_owned(), note, head: head.map(str::to_owned).into(), rows }
}

fn name(world: World) -> String {
    format!("{world:?}").to_lowercase()
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
