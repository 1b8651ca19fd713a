//! The report as tables on a terminal.

use std::fmt::Write as _;

use availability::compose::Kept;
use availability::model::OriginKind;
use availability::report::{
    BUDGETS, Language, Report, Service, Source, duration, elasticity, percent, share, short, value_with_unit,
};

use crate::output::{self, Cell, bad, good, optional, plain};

/// Parameters that matter less than this are counted and not listed.
const MATTERS: f64 = 0.01;

/// All tables. `replaced` is how many parameters were taken from a drill.
pub(super) fn tables(report: &Report, replaced: usize) -> String {
    let mut text = services(report);
    for service in &report.services {
        let name = report.service_title(service, Language::English);
        // Writing into a String cannot fail, here and below.
        let _ = write!(text, "\n{name}: what its downtime is made of\n{}", members(report, service));
    }
    if report.assumed().of > 0 {
        let main = report.title(&report.main().name, Language::English);
        let _ = write!(text, "\nWhat to improve first for {main}, if it were half as bad\n{}", improvements(report));
        let _ = write!(text, "\nWhere the figures for {main} come from\n{}", sources(report));
    }
    let _ = writeln!(text, "\n{}", report.assumptions(Language::English));
    if replaced > 0 {
        let _ = writeln!(text, "{} from the results of drills.", output::count(replaced, "parameter"));
    }
    for kept in &report.kept {
        let _ = writeln!(text, "{}", kept_value(kept));
    }
    if let Some((seed, count)) = report.sampled {
        let _ = writeln!(text, "Intervals are those of {count} samples with seed {seed}.");
    }
    text
}

fn services(report: &Report) -> String {
    let row = |service: &Service| {
        let keeps = service.keeps().map_or_else(|| bad("none"), |budget| good(BUDGETS[budget].0));
        let interval = service.spread.as_ref().map(|spread| {
            let [low, _, high] = spread.points.map(short);
            format!("{low} to {high}")
        });
        [
            plain(report.service_title(service, Language::English)),
            plain(percent(service.unavailability())),
            plain(short(service.downtime.value)),
            optional(service.planned.map(short)),
            optional(service.unplanned().map(short)),
            optional(interval),
            keeps,
        ]
    };
    let rows: Vec<[Cell; 7]> = report.services.iter().map(row).collect();
    let head = ["SERVICE", "AVAILABILITY", "DOWN MIN/YEAR", "PLANNED", "UNPLANNED", "5 % TO 95 %", "KEEPS"];
    let mut text = output::table(head, &rows, "no services");
    let budgets = BUDGETS.map(|(name, minutes)| format!("{name} allows {}", duration(minutes, Language::English)));
    let _ = writeln!(text, "\nA year of {}.", budgets.join(", "));
    if let Some(said) = report.not_built(Language::English) {
        let _ = writeln!(text, "{said}");
    }
    let main = report.main();
    for ((class, minutes), share) in BUDGETS.iter().zip(main.spread.iter().flat_map(|spread| spread.keeps)) {
        let used = 100.0 * main.downtime.value / minutes;
        let (share, used, name) = (100.0 * share, short(used), report.title(&main.name, Language::English));
        let _ =
            writeln!(text, "{name}: {used} % of what {class} allows, which is kept in {share:.1} % of the samples.");
    }
    if report.sampled.is_some() {
        let _ = writeln!(text, "{}", report.what_was_varied(Language::English));
    }
    text
}

fn members(report: &Report, service: &Service) -> String {
    let row = |member: &availability::report::Member| {
        let component = report.component(member);
        [
            plain(report.component_title(component, Language::English)),
            plain(member.copies),
            plain(percent(component.unavailability())),
            plain(short(component.downtime.value)),
            optional(component.planned.map(short)),
            optional(component.unplanned().map(short)),
            plain(share(member.share)),
        ]
    };
    let rows: Vec<[Cell; 7]> = service.members.iter().map(row).collect();
    let head = ["COMPONENT", "COPIES", "AVAILABILITY", "DOWN MIN/YEAR", "PLANNED", "UNPLANNED", "SHARE"];
    output::table(head, &rows, "nothing")
}

fn improvements(report: &Report) -> String {
    let row = |improvement: &availability::report::Improvement| {
        let source = &report.sources[improvement.source];
        [
            plain(&source.name),
            plain(value(source, source.value)),
            plain(value(source, improvement.better)),
            plain(short(improvement.saves)),
            plain(elasticity(source.sensitivity)),
            origin(report, source),
            plain(report.described(source, Language::English)),
        ]
    };
    let rows: Vec<[Cell; 7]> = report.improvements.iter().map(row).collect();
    let head = ["PARAMETER", "NOW", "BETTER", "SAVES MIN/YEAR", "SENSITIVITY", "FROM", "WHAT IT IS"];
    output::table(head, &rows, "nothing matters")
}

fn sources(report: &Report) -> String {
    let matters = |source: &&Source| source.sensitivity.is_some_and(|sensitivity| sensitivity.abs() >= MATTERS);
    let row = |source: &Source| {
        [
            plain(&source.name),
            plain(value(source, source.value)),
            plain(elasticity(source.sensitivity)),
            origin(report, source),
            plain(report.described(source, Language::English)),
            optional(source.origin.as_ref().map(|_| source.said())),
        ]
    };
    let rows: Vec<[Cell; 6]> = report.sources.iter().filter(matters).map(row).collect();
    let others = report.sources.len() - rows.len();
    let head = ["PARAMETER", "VALUE", "SENSITIVITY", "FROM", "WHAT IT IS", "SOURCE"];
    let mut text = output::table(head, &rows, "nothing matters");
    if others > 0 {
        let (others, verb) = (output::count(others, "other"), if others == 1 { "matters" } else { "matter" });
        let _ = writeln!(text, "and {others} that hardly {verb} (all are in the page and in the JSON).");
    }
    text
}

fn value(source: &Source, value: f64) -> String {
    value_with_unit(value, &source.unit, Language::English)
}

/// That a parameter keeps its value, since a drill has nothing about it.
pub(super) fn kept_value(Kept { parameter, file, estimate }: &Kept) -> String {
    format!("{parameter} keeps the value of the model: {file} has no `{estimate}`.")
}

/// The kind of origin; what nobody knows, or cannot look up, is marked.
fn origin(report: &Report, source: &Source) -> Cell {
    match source.origin.as_ref().map(|(kind, _)| *kind) {
        Some(OriginKind::Measured) if report.lacks_file(source) => bad("! file missing"),
        Some(OriginKind::Measured) => good("measured"),
        Some(OriginKind::Published) => plain("published"),
        Some(OriginKind::Assumed) => bad("! assumed"),
        None if source.is_assumed() => bad("! not said"),
        None => plain("chosen"),
    }
}
