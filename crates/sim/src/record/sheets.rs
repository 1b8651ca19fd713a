//! The record as tables for people.

use serde::Serialize;

use super::{Explored, Range, Record, Rule};
use crate::plan::{World, name_of_world};
use crate::table;

/// A table for people.
#[derive(Debug, Serialize)]
pub(super) struct Sheet {
    title: String,
    note: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Record {
    pub(super) fn tables(&self) -> Vec<Sheet> {
        let mut sheets = vec![
            self.seeds_sheet(),
            self.rules_sheet("one host or two", &[World::Toy, World::Calls]),
            self.rules_sheet("several hosts", &[World::ToyHosts, World::Hosts, World::OwnAddresses]),
        ];
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

    /// The rules that were broken in these worlds, which run in that place.
    fn rules_sheet(&self, place: &str, worlds: &[World]) -> Sheet {
        let row = |rule: &Rule| {
            let seed = rule.seed.map_or_else(|| "never".to_owned(), |seed| seed.to_string());
            let checker = rule.checker.unwrap_or("-").to_owned();
            let figures = [rule.bound.to_string(), seed, checker];
            [rule.rule, rule.meaning, rule.world.as_str()].map(str::to_owned).into_iter().chain(figures).collect()
        };
        let is_there = |rule: &&Rule| worlds.iter().any(|world| name_of_world(*world) == rule.world);
        sheet(
            &format!("Rules broken on purpose, on {place}"),
            "The first seed, from 0 on, at which a checker notices.".to_owned(),
            ["rule", "what is done wrong", "world", "seeds allowed", "first seed", "noticed by"],
            self.rules.iter().filter(is_there).map(row).collect(),
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
                 SIP Server; p, b: of the Routing Server; C: the coordinator. Of {} cells in the tables of both layouts \
                 together, {} were reached and kept, {} broken; in the others the state has no such further step.",
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

#[cfg(test)]
mod tests {
    use model::Time;

    use super::super::{CrashPoints, Extent};
    use super::*;
    use crate::kernel::Violation;
    use crate::rules::{ALL, Broken, Look};

    /// What was looked for, each found at the seed before its bound.
    fn record() -> Record {
        let found = |broken: &Broken| {
            let violation = Violation { checker: broken.checker, at: Time::ZERO, what: String::new() };
            Look { broken: *broken, found: Some((broken.bound - 1, violation)) }
        };
        Record {
            extent: Extent {
                calls_seeds: 0,
                toy_seeds: 0,
                hosts_seeds: 0,
                toy_hosts_seeds: 0,
                from: 0,
                steps: 0,
                states: 0,
                jobs: 1,
            },
            seeds: Vec::new(),
            rules: ALL.iter().map(|broken| Rule::of(&found(broken))).collect(),
            explored: Vec::new(),
            crash_points: CrashPoints {
                rows: Vec::new(),
                cells: 0,
                kept: 0,
                broken: Vec::new(),
                never_reached: Vec::new(),
            },
            cases: Vec::new(),
            tables: Vec::new(),
        }
    }

    #[test]
    fn what_is_broken_on_several_hosts_has_a_table_with_the_seed_of_each() {
        let sheets = record().tables();
        let of = |place: &str| {
            let title = format!("Rules broken on purpose, on {place}");
            sheets.iter().find(|sheet| sheet.title == title).expect("a table").rows.clone()
        };
        let far = of("several hosts");
        for rule in ["keep-address", "trust-beats", "unchecked-epoch", "watch-gap", "solo-unasked"] {
            let row = far.iter().find(|row| row[0] == rule).expect("a row");
            let bound: u64 = row[3].parse().expect("a count");
            assert_eq!((row[2].as_str(), row[4].clone()), ("toy-hosts", (bound - 1).to_string()), "{rule}");
            assert!(row[1].len() > 10, "{rule} says nothing");
        }
        assert_eq!(far.len() + of("one host or two").len(), ALL.len(), "each rule stands in one of both");
    }
}
