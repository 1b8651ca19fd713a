//! The record as tables for people.

use serde::Serialize;

use super::{Explored, Range, Record, Rule};
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
