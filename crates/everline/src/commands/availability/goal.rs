//! `everline availability goal`: what must a parameter be?

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use availability::goal::{Found, Range, Root, Steps, Trend, search};
use availability::model::{Model, Parameter, Plan};
use availability::{Certain, Error};
use serde_json::{Value, json};

use crate::cli::Goal;
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, plain};

use super::amounts::{digits, humane, measured, sensible, target};
use super::source::Source;
use super::{by_option, near, wanted};

/// The goal, and where the model is now.
struct Aim<'a> {
    plan: &'a Plan<'a>,
    measure: String,
    unit: String,
    now: Certain,
    target: f64,
}

impl Aim<'_> {
    fn search(&self, index: usize, steps: Steps) -> Result<Found, Error> {
        search(self.plan, 0, index, self.target, steps)
    }
}

/// Searches one parameter or all of them.
///
/// # Errors
/// [`Kind::Wrong`] if the model, the measure, the target or the parameter is; a failure if the model cannot be solved.
pub(crate) fn goal(order: &Goal) -> Result<(), Failure> {
    let source = Source::open(&order.model, None)?.with_top(order.top.as_deref())?;
    source.tell_kept();
    let model = source.read(&order.with).map_err(|failure| by_option(failure, "--with"))?;
    if model.parameters().is_empty() {
        let what = format!("{} has no parameters, so that none of them could change", source.name);
        return Err(Failure::new(Kind::Wrong, what).help("give a number of it a name, by `parameter NAME = VALUE`"));
    }
    let measure = wanted(&source, &model, order.measure.as_slice())?[0];
    let plan = model.plan(&[measure]);
    let (name, unit) = (model.measures()[measure].name().to_owned(), model.measures()[measure].unit().to_owned());
    let target = sensible(target(&order.target, &unit)?, &order.target, &unit)?;
    let named = order.parameter.as_ref().map(|name| parameter(&model, name)).transpose()?;
    let aim = Aim { now: source.solve(&plan)?[0], plan: &plan, measure: name, unit, target };
    let text = match named {
        Some(index) => {
            let found = aim.search(index, Steps::Many).map_err(|error| source.failure(Kind::Wrong, error))?;
            let own = &model.parameters()[index];
            if order.listing.json { one_json(&aim, own, &found) } else { one(&aim, own, &found) }
        }
        None => {
            let found = all(&aim).map_err(|error| source.failure(Kind::Wrong, error))?;
            if order.listing.json { all_json(&aim, &found) } else { table(&aim, &found) }
        }
    };
    output::result(&text)
}

/// The index of the parameter of this name.
fn parameter(model: &Model, name: &str) -> Result<usize, Failure> {
    let known: Vec<&str> = model.parameters().iter().map(Parameter::name).collect();
    known.iter().position(|known| *known == name).ok_or_else(|| {
        Failure::new(Kind::Wrong, format!("the model has no parameter \"{name}\"{}", near(name, &known)))
            .help(format!("it has {}", known.join(", ")))
    })
}

/// What was found for each parameter that the measure needs, in the order of the model; all processors take part.
///
/// # Errors
/// If the measure needs none, or none of them could be searched.
fn all(aim: &Aim<'_>) -> Result<Vec<(usize, Found)>, Error> {
    let parameters = aim.plan.model().parameters();
    let free: Vec<usize> =
        (0..parameters.len()).filter(|&index| aim.plan.needs(index) && !parameters[index].is_structural()).collect();
    if free.is_empty() {
        let what = format!("{} depends on no parameter that could change", aim.measure);
        let remedy = "choose another measure; what decides about a structure can be compared, `compare --set`";
        return Err(Error::new(what, remedy));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found: Vec<(usize, Result<Found, Error>)> = Vec::new();
        while let Some(&index) = free.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((index, aim.search(index, Steps::Few)));
        }
        found
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut found = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    found.sort_by_key(|(index, _)| *index);
    // What has no range (a rate of zero) reaches nothing. If that is so of all, the first one says why.
    let (mut searched, mut failed) = (Vec::new(), None);
    for (index, found) in found {
        match found {
            Ok(found) => searched.push((index, found)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if searched.is_empty() => Err(error),
        _ => Ok(searched),
    }
}

/// `calls is 5.9 min/year now, and should be 5.256 min/year`.
fn heading(aim: &Aim<'_>) -> String {
    let now = measured(aim.now.value, &aim.unit, (aim.now.digits() as usize).min(5));
    format!("{} is {now} now, and should be {}\n", aim.measure, measured(aim.target, &aim.unit, 5))
}

/// The factor by which a parameter changes; of a share, its odds.
fn change(own: &Parameter, root: &Root) -> String {
    let what = if Range::of(own).is_ok_and(|range| range.is_share()) { "odds " } else { "" };
    if root.factor < 1.0 {
        format!("{what}/ {}", digits(root.factor.recip(), 4))
    } else {
        format!("{what}x {}", digits(root.factor, 4))
    }
}

fn one(aim: &Aim<'_>, own: &Parameter, found: &Found) -> String {
    let mut text = heading(aim);
    let unit = own.unit();
    let of = if unit == "1" { String::new() } else { format!(" {unit}") };
    for (k, root) in found.roots.iter().enumerate() {
        let word = if k == 0 { "has to be" } else { "or" };
        let (value, now) = (humane(root.value, &unit), humane(own.value(), &unit));
        text.push_str(&format!("{} {word} {value} (now {now}, {})\n", own.name(), change(own, root)));
        text.push_str(&match root.proven {
            Some((low, high)) => format!("  proven: it lies between {low:e} and {high:e}{of}\n"),
            None => "  not proven: the measure jumps there, or too few of its digits are sure\n".to_owned(),
        });
    }
    if found.roots.is_empty() {
        let (value, measure) = found.closest;
        let (low, high) = (humane(found.searched.0, &unit), humane(found.searched.1, &unit));
        let within = if own.range().is_some() { " (within its range)" } else { "" };
        text.push_str(&format!(
            "no value of {} from {low} to {high}{within} brings it there; the closest is {}, with {}\n",
            own.name(),
            humane(value, &unit),
            measured(measure, &aim.unit, 5)
        ));
    }
    text.push_str(match found.trend {
        Trend::Rises => "it rises with the parameter\n",
        Trend::Falls => "it falls when the parameter rises\n",
        Trend::Turns => "it both rises and falls over the range: look at all values\n",
        Trend::Flat => "it hardly depends on the parameter\n",
    });
    text
}

/// The parameters that can reach it, the least change first.
fn reaching(found: &[(usize, Found)]) -> Vec<(usize, Root)> {
    let mut reaching: Vec<(usize, Root)> =
        found.iter().filter_map(|(index, found)| Some((*index, *found.roots.first()?))).collect();
    let far = |root: &Root| root.factor.ln().abs();
    reaching.sort_by(|a, b| far(&a.1).total_cmp(&far(&b.1)));
    reaching
}

/// The one that comes closest of those that cannot.
fn closest<'f>(aim: &Aim<'_>, found: &'f [(usize, Found)]) -> Option<&'f (usize, Found)> {
    let far = |found: &Found| (found.closest.1 - aim.target).abs();
    found.iter().filter(|(_, found)| found.roots.is_empty()).min_by(|a, b| far(&a.1).total_cmp(&far(&b.1)))
}

fn table(aim: &Aim<'_>, found: &[(usize, Found)]) -> String {
    let parameters = aim.plan.model().parameters();
    let reaching = reaching(found);
    let row = |(index, root): &(usize, Root)| -> [Cell; 5] {
        let own = &parameters[*index];
        let (now, needed) = (humane(own.value(), &own.unit()), humane(root.value, &own.unit()));
        let proven = if root.proven.is_some() { "yes" } else { "no" };
        [plain(own.name()), plain(now), plain(needed), plain(change(own, root)), plain(proven)]
    };
    let rows: Vec<[Cell; 5]> = reaching.iter().map(row).collect();
    let head = ["PARAMETER", "NOW", "NEEDED", "CHANGE", "PROVEN"];
    let mut text =
        format!("{}\n{}", heading(aim), output::table(head, &rows, "no parameter brings it there by itself"));
    let others = found.len() - reaching.len();
    if let Some((index, found)) = closest(aim, found) {
        let own = &parameters[*index];
        let what = if others == 1 { "1 parameter cannot".to_owned() } else { format!("{others} parameters cannot") };
        text.push_str(&format!(
            "\n{what}; closest comes {} = {}, with {}\n",
            own.name(),
            humane(found.closest.0, &own.unit()),
            measured(found.closest.1, &aim.unit, 5)
        ));
    }
    text
}

fn aim_json(aim: &Aim<'_>) -> Value {
    json!({ "measure": aim.measure, "unit": aim.unit, "now": aim.now.value, "target": aim.target })
}

fn found_json(own: &Parameter, found: &Found) -> Value {
    let root = |root: &Root| json!({ "value": root.value, "between": root.proven.map(|(low, high)| [low, high]), "factor": root.factor });
    let trend = match found.trend {
        Trend::Rises => "rises",
        Trend::Falls => "falls",
        Trend::Turns => "turns",
        Trend::Flat => "flat",
    };
    json!({
        "name": own.name(), "unit": own.unit(), "now": own.value(), "reached": !found.roots.is_empty(),
        "values": found.roots.iter().map(root).collect::<Vec<_>>(),
        "closest": { "value": found.closest.0, "measure": found.closest.1 },
        "trend": trend, "searched": [found.searched.0, found.searched.1],
    })
}

fn one_json(aim: &Aim<'_>, own: &Parameter, found: &Found) -> String {
    let mut value = aim_json(aim);
    value["parameters"] = json!([found_json(own, found)]);
    format!("{value}\n")
}

fn all_json(aim: &Aim<'_>, found: &[(usize, Found)]) -> String {
    let parameters = aim.plan.model().parameters();
    let mut order: Vec<&(usize, Found)> = found.iter().collect();
    let far = |found: &Found| found.roots.first().map_or(f64::INFINITY, |root| root.factor.ln().abs());
    order.sort_by(|a, b| far(&a.1).total_cmp(&far(&b.1)));
    let mut value = aim_json(aim);
    value["parameters"] = order.iter().map(|(index, found)| found_json(&parameters[*index], found)).collect();
    format!("{value}\n")
}
