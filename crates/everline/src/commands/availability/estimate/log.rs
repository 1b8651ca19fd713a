//! `everline availability estimate log`.

use std::io;

use availability::Error;
use availability::estimate::drill::Law;
use availability::estimate::log::{EventLog, History};
use availability::estimate::{
    Confidence, ExponentialTest, Exposure, HyperErlang, Interval, Lifetime, RateBelief, TestResult, exponential_test,
    total_time_on_test,
};
use serde_json::{Value, json};

use crate::cli::{EstimateLog, Until};
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, plain};

use super::super::amounts::{digits, quantity};
use super::super::near;
use super::{Row, ending, failed, from_failures, rate_law, table, text, wrong};

/// The most samples of a test's statistic.
const RUNS: u32 = 9_999;
/// The fewest: enough for a p-value of 0.05.
const FEWEST_RUNS: u32 = 999;
/// So many times all samples of a test have together, unless these would be too few: that takes tenths of a second.
const TIMES: usize = 2_000_000;
/// With more times a test takes some seconds, and a terminal is told.
const MANY: usize = 5_000;
/// Minutes of a year.
const MINUTES: f64 = 365.0 * 24.0 * 60.0;

/// Components that are estimated as one.
struct Group {
    name: String,
    histories: Vec<History>,
}

/// A test, and what it says; what is missing where it cannot be made.
struct Test {
    of: String,
    about: &'static str,
    result: Result<TestResult, Error>,
}

pub(super) fn estimate(order: &EstimateLog) -> Result<String, Failure> {
    let text = text(&order.file)?;
    let name = order.file.display().to_string();
    let log = EventLog::read(&name, &text).map_err(|error| wrong(&error, &text))?;
    let mut notes: Vec<String> = star_note(&log).into_iter().collect();
    let groups = groups(order, log)?;
    let confidence = Confidence::two_sided(order.confidence).map_err(|error| failed(&error))?;
    let prior = prior(order)?;
    let (mut rows, mut tests, mut fits) = (Vec::new(), Vec::new(), Vec::new());
    for group in &groups {
        rows.extend(group.rows(confidence, order.until, prior, &mut notes).map_err(|error| failed(&error))?);
        if order.tests {
            tests.extend(group.tests(order.seed));
        }
        if let Some(phases) = order.phases {
            fits.push((group.name.clone(), group.fit(phases).map_err(|error| failed(&error))?));
        }
    }
    if order.listing.json {
        return Ok(as_json(order, &rows, &notes, &tests, &fits));
    }
    let mut text = table("COMPONENT", &rows);
    notes.iter().for_each(|note| text.push_str(&format!("\n{note}\n")));
    if order.tests {
        text.push_str(&tests_table(&tests));
    }
    fits.iter().for_each(|(name, fit)| text.push_str(&fit_table(name, fit)));
    Ok(text)
}

/// For whom `*` stands: nobody can know of a unit that no line names.
fn star_note(log: &EventLog) -> Option<String> {
    let eventless = log.histories.iter().filter(|history| history.is_eventless()).count();
    log.by_star.then(|| {
        format!(
            "* stands for the {} that the log names, {eventless} of them without an event; a unit that no line names \
             is not counted: name it by `NAME begin` at the instant of `* begin`",
            output::count(log.histories.len(), "component")
        )
    })
}

/// Each component by itself, or all that were asked for as one.
fn groups(order: &EstimateLog, log: EventLog) -> Result<Vec<Group>, Failure> {
    let known: Vec<&str> = log.histories.iter().map(|history| history.component.as_str()).collect();
    if let Some(name) = order.components.iter().find(|name| !known.contains(&name.as_str())) {
        let what = format!("the log has no component \"{name}\"{}", near(name, &known));
        return Err(Failure::new(Kind::Wrong, what).help(format!("it has {}", known.join(", "))));
    }
    let asked = |history: &History| order.components.is_empty() || order.components.contains(&history.component);
    let histories: Vec<History> = log.histories.into_iter().filter(asked).collect();
    if order.pool {
        return Ok(vec![Group { name: format!("all {}", histories.len()), histories }]);
    }
    let single = |history: History| Group { name: history.component.clone(), histories: vec![history] };
    Ok(histories.into_iter().map(single).collect())
}

fn prior(order: &EstimateLog) -> Result<Option<RateBelief>, Failure> {
    let Some(text) = &order.prior else { return Ok(None) };
    let (mean, unit) = quantity("prior", text)?;
    if unit != "1/h" {
        return Err(
            Failure::new(Kind::Wrong, format!("the prior `{text}` is no rate")).help("write it as `3 per year`")
        );
    }
    RateBelief::from_error_factor(mean, order.error_factor).map(Some).map_err(|error| wrong(&error, ""))
}

impl Group {
    /// The estimates; what cannot be estimated is noted.
    fn rows(
        &self,
        confidence: Confidence,
        until: Option<Until>,
        prior: Option<RateBelief>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Row>, Error> {
        let row = |what, interval, unit, from: &str, model: Option<Law>| Row {
            of: self.name.clone(),
            what,
            interval,
            unit,
            from: from.to_owned(),
            model,
        };
        let up = match until {
            Some(until) => History::failures_until(&self.histories, ending(until))?,
            None => History::failures(&self.histories)?,
        };
        let from = from_failures(&up);
        let mut rows = vec![
            row("failure rate", up.rate(confidence), "1/h", &from, Some(rate_law(up.belief()))),
            row("mean up time", up.mean_time(confidence), "h", &from, None),
        ];
        if let Some(prior) = prior {
            let belief = prior.updated(up.events, up.time)?;
            let law = Some(rate_law(belief));
            rows.push(row("failure rate with prior", belief.rate(confidence)?, "1/h", &from, law));
        }
        // Without a time down there is no repair, and no availability below 1.
        let Ok(down) = History::repairs(&self.histories) else { return Ok(rows) };
        let mut from = output::count(down.events as usize, "repair") + &format!(" in {} h down", digits(down.time, 6));
        let open = History::still_down(&self.histories);
        if open > 0 {
            from.push_str(&format!(", {open} more not seen: still down at the end"));
        }
        rows.push(row("repair rate", down.rate(confidence), "1/h", &from, Some(rate_law(down.belief()))));
        rows.push(row("mean down time", down.mean_time(confidence), "h", &from, None));
        match self.availability_rows(&up, &down, confidence) {
            Ok(more) => rows.extend(more),
            Err(error) => notes.push(format!("no unavailability of {}: {error}", self.name)),
        }
        Ok(rows)
    }

    /// The availability and the downtime, if there were a failure and a repair.
    fn availability_rows(&self, up: &Exposure, down: &Exposure, confidence: Confidence) -> Result<Vec<Row>, Error> {
        let found = availability::estimate::availability(up, down, confidence)?;
        let (failures, repairs) = (up.events as usize, down.events as usize);
        let from = format!("{}, {}", output::count(failures, "failure"), output::count(repairs, "repair"));
        let Interval { point, lower, upper } = found.unavailable;
        let minutes = Interval { point: point * MINUTES, lower: lower * MINUTES, upper: upper * MINUTES };
        let row =
            |what, interval, unit| Row { of: self.name.clone(), what, interval, unit, from: from.clone(), model: None };
        Ok(vec![row("unavailability", found.unavailable, "1"), row("downtime", minutes, "min/year")])
    }

    /// Whether the rate is constant, and the times up and down are exponential.
    fn tests(&self, seed: u64) -> Vec<Test> {
        let test = |about, result| Test { of: self.name.clone(), about, result };
        let mut tests = vec![
            test("constant rate: Laplace", History::trend(&self.histories)),
            test("constant rate: power law", History::power_law_trend(&self.histories)),
        ];
        let names = [
            (
                true,
                "times up exponential: Lilliefors",
                "times up exponential: Anderson-Darling",
                "times up exponential: total time",
            ),
            (
                false,
                "times down exponential: Lilliefors",
                "times down exponential: Anderson-Darling",
                "times down exponential: total time",
            ),
        ];
        for (up, lilliefors, anderson, total) in names {
            let hours = History::complete_hours(&self.histories, up);
            let (runs, shows) = (runs(hours.len()), hours.len() > MANY && output::colours(&io::stderr()));
            if shows {
                eprint!("\rtesting {} times of {}", hours.len(), self.name);
            }
            tests.push(test(lilliefors, exponential_test(&hours, ExponentialTest::Lilliefors, runs, seed)));
            tests.push(test(anderson, exponential_test(&hours, ExponentialTest::AndersonDarling, runs, seed)));
            tests.push(test(total, total_time_on_test(&hours)));
            if shows {
                eprint!("\r\x1b[K");
            }
        }
        tests
    }

    /// The times down as phases.
    fn fit(&self, phases: u32) -> Result<HyperErlang, Error> {
        let spells = self.histories.iter().flat_map(|history| &history.spells);
        let times: Vec<Lifetime> = spells
            .filter(|spell| !spell.up && spell.begun)
            .map(|spell| Lifetime { time: spell.hours, complete: spell.ended })
            .collect();
        HyperErlang::fit(&times, phases)
    }
}

/// How many samples of so many times are drawn for a test.
fn runs(times: usize) -> u32 {
    u32::try_from(TIMES / times.max(1)).unwrap_or(RUNS).clamp(FEWEST_RUNS, RUNS)
}

fn tests_table(tests: &[Test]) -> String {
    let row = |test: &Test| -> [Cell; 5] {
        let (statistic, p, says) = match &test.result {
            Ok(TestResult { statistic, p_value }) => {
                let says = if *p_value < 0.05 { "doubtful" } else { "nothing against it" };
                (digits(*statistic, 4), digits(*p_value, 3), says.to_owned())
            }
            Err(error) => ("-".to_owned(), "-".to_owned(), error.remedy.clone()),
        };
        [plain(&test.of), plain(test.about), plain(statistic), plain(p), plain(says)]
    };
    let rows: Vec<[Cell; 5]> = tests.iter().map(row).collect();
    format!("\n{}", output::table(["COMPONENT", "ASSUMPTION: TEST", "STATISTIC", "P-VALUE", "SAYS"], &rows, "no tests"))
}

fn fit_table(name: &str, fit: &HyperErlang) -> String {
    let row = |branch: &availability::estimate::Branch| -> [Cell; 3] {
        [plain(digits(branch.weight, 5)), plain(branch.phases), plain(digits(branch.rate, 5))]
    };
    let rows: Vec<[Cell; 3]> = fit.branches.iter().map(row).collect();
    let table = output::table(["WEIGHT", "PHASES", "RATE OF EACH, 1/h"], &rows, "no branches");
    format!("\ntimes down of {name} as phases of a chain\n{table}")
}

fn as_json(
    order: &EstimateLog,
    rows: &[Row],
    notes: &[String],
    tests: &[Test],
    fits: &[(String, HyperErlang)],
) -> String {
    let estimates: Vec<Value> = rows.iter().map(Row::json).collect();
    let mut value = json!({ "confidence": order.confidence, "estimates": estimates, "notes": notes });
    if order.tests {
        let test = |test: &Test| match &test.result {
            Ok(result) => {
                json!({ "of": test.of, "test": test.about, "statistic": result.statistic, "p_value": result.p_value })
            }
            Err(error) => json!({ "of": test.of, "test": test.about, "missing": error.remedy }),
        };
        value["tests"] = tests.iter().map(test).collect();
    }
    if order.phases.is_some() {
        let fit = |(name, fit): &(String, HyperErlang)| {
            let branch = |branch: &availability::estimate::Branch| json!({ "weight": branch.weight, "phases": branch.phases, "rate": branch.rate });
            json!({ "of": name, "unit": "1/h", "branches": fit.branches.iter().map(branch).collect::<Vec<Value>>() })
        };
        value["phases"] = fits.iter().map(fit).collect();
    }
    format!("{value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_times_are_tested_by_fewer_samples() {
        assert_eq!([0, 5, 200, 1_000, 1_000_000].map(runs), [9_999, 9_999, 9_999, 2_000, 999]);
    }
}
