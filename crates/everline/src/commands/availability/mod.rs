//! `everline availability`.

pub(crate) mod amounts;
mod budget;
mod compare;
mod estimate;
mod export;
mod figures;
mod goal;
mod machine;
mod print;
mod report;
mod sampling;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use availability::formats::File;
use availability::model::{Measure, Model, Parameter, Plan};
use availability::{Certain, Error, explain};
use node::wire::Trouble;

use crate::cli::Solve;
use crate::failure::{Failure, Kind};
use crate::{files, output};

pub(crate) use budget::budget;
pub(crate) use compare::compare;
pub(crate) use estimate::estimate;
pub(crate) use export::export;
pub(crate) use goal::goal;
pub(crate) use report::report;
use sampling::Spread;
use source::Source;

/// Everything that was computed of one measure.
struct Answer {
    name: String,
    unit: String,
    value: Certain,
    /// Whether there are derivatives of it.
    is_smooth: bool,
    /// By each parameter.
    gradient: Vec<Slope>,
    /// By each two parameters.
    hessian: Vec<Slope>,
    spread: Option<Spread>,
}

/// A derivative of a measure.
struct Slope {
    /// The parameter, or the two of a second derivative.
    by: Vec<String>,
    derivative: f64,
    /// The unit of the measure over those of the parameters, `min/year per h`.
    unit: String,
    /// The derivative times the parameters over the measure: of a first one the elasticity.
    share: f64,
}

impl Slope {
    fn new(derivative: f64, by: &[&Parameter], measure: &Measure, value: Certain) -> Self {
        let units = by.iter().map(|parameter| parameter.unit()).filter(|unit| unit != "1");
        let unit = units.fold(measure.unit().to_owned(), |unit, per| format!("{unit} per {per}"));
        let product: f64 = by.iter().map(|parameter| parameter.value()).product();
        let share = if derivative == 0.0 { 0.0 } else { derivative * product / value.value };
        let by = by.iter().map(|parameter| parameter.name().to_owned()).collect();
        Self { by, derivative, unit, share }
    }
}

/// Solves a model and prints its measures.
///
/// # Errors
/// [`Kind::Wrong`] if the model is, or there is no such measure; a failure if it cannot be solved.
pub(crate) fn solve(order: &Solve) -> Result<(), Failure> {
    let source = Source::open(&order.model, None)?.with_top(order.top.as_deref())?;
    source.tell_kept();
    let model = source.read(&order.given.parameters)?;
    let failed = |error: Error| source.failure(Kind::Failed, error);
    let plan = model.plan(&wanted(&source, &model, &order.measures)?);
    let values = plan.solve().map_err(failed)?;
    let mut answers = Vec::new();
    for (place, (&index, value)) in plan.measures().iter().zip(values).enumerate() {
        let measure = &model.measures()[index];
        let (name, unit) = (measure.name().to_owned(), measure.unit().to_owned());
        let is_smooth = plan.has_derivatives(place);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        if is_smooth && order.gradient {
            first = gradient(&plan, place, value).map_err(failed)?;
        }
        if is_smooth && order.hessian {
            second = hessian(&model, index, value).map_err(failed)?;
        }
        answers.push(Answer { name, unit, value, is_smooth, gradient: first, hessian: second, spread: None });
    }
    if let Some(count) = order.samples {
        let spreads = sampling::spreads(&plan, order.seed, count).map_err(failed)?;
        answers.iter_mut().zip(spreads).for_each(|(answer, spread)| answer.spread = Some(spread));
    }
    let text = if order.listing.json { print::json(&answers, order) } else { print::tables(&answers, order) };
    output::result(&text)
}

/// The derivatives of a measure, by its place in the plan.
fn gradient(plan: &Plan<'_>, place: usize, value: Certain) -> Result<Vec<Slope>, Error> {
    let measure = &plan.model().measures()[plan.measures()[place]];
    let slopes = plan.gradient(place)?.into_iter().zip(plan.model().parameters());
    let free = slopes.filter(|(_, parameter)| !parameter.is_structural());
    Ok(free.map(|(slope, parameter)| Slope::new(slope, &[parameter], measure, value)).collect())
}

/// The second derivatives by each two of the parameters that a measure needs; those that decide about a structure have none.
fn hessian(model: &Model, measure: usize, value: Certain) -> Result<Vec<Slope>, Error> {
    let plan = model.plan(&[measure]);
    let (matrix, parameters) = (plan.hessian(0)?, model.parameters());
    let free: Vec<usize> =
        (0..parameters.len()).filter(|&index| plan.needs(index) && !parameters[index].is_structural()).collect();
    let mut all = Vec::new();
    for (place, &a) in free.iter().enumerate() {
        for &b in &free[place..] {
            all.push(Slope::new(matrix[a][b], &[&parameters[a], &parameters[b]], &model.measures()[measure], value));
        }
    }
    Ok(all)
}

/// The text of a file, if there is one.
fn text_of(path: &Path) -> Result<Option<File>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(File { name: path.display().to_string(), text })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let what = format!("{} is no text in UTF-8", path.display());
            Err(Failure::new(Kind::Wrong, what).help("save it as UTF-8, or name another file"))
        }
        Err(error) => Err(Trouble::of_file("read", path, &error).into()),
    }
}

/// Writes a file that somebody named, whole or not at all, and says where it is; what is there is replaced.
fn publish(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let failed = |path: &Path, error: &io::Error| {
        let failure = Failure::from(Trouble::of_file("write", path, error));
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                failure.help("create its folder, or name another file")
            }
            _ => failure,
        }
    };
    let path = std::path::absolute(path).map_err(|error| failed(path, &error))?;
    files::publish(&path, text.as_bytes()).map_err(|error| failed(&path, &error))?;
    Ok(path)
}

/// The measures of these names, or the only ones that begin with these words (`downtime` for `downtime of duplex`); all if
/// none is named.
fn wanted(source: &Source, model: &Model, names: &[String]) -> Result<Vec<usize>, Failure> {
    let all = model.measures();
    if all.is_empty() {
        return Err(Failure::new(Kind::Wrong, "the model asks for no measure").help(source.how_to_ask()));
    }
    if names.is_empty() {
        return Ok((0..all.len()).collect());
    }
    let known: Vec<&str> = all.iter().map(Measure::name).collect();
    let find = |name: &String| {
        if let Some(found) = known.iter().position(|known| known == name) {
            return Ok(found);
        }
        let words = format!("{} ", name.trim_end());
        let begun: Vec<usize> = (0..known.len()).filter(|&index| known[index].starts_with(&words)).collect();
        let what = match begun[..] {
            [only] => return Ok(only),
            [] => format!("the model has no measure \"{name}\"{}", near(name, &known)),
            _ => format!("the model has several measures that begin with \"{name}\""),
        };
        Err(Failure::new(Kind::Wrong, what).help(format!("it has {}", known.join(", "))))
    };
    names.iter().map(find).collect()
}

/// Refuses two values for one parameter, of which only the last one would count.
fn once(given: &[(String, String)]) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    for (name, _) in given {
        if !names.insert(name) {
            return Err(Failure::new(Kind::Wrong, format!("{name} is set twice"))
                .help("give it one value; `compare` takes several in one --set"));
        }
    }
    Ok(())
}

/// The same failure for a command that takes values of parameters by another option than `--parameter`.
fn by_option(failure: Failure, option: &str) -> Failure {
    let remedy = failure.remedy().map(|remedy| remedy.replace("--parameter", option));
    match remedy {
        Some(remedy) => failure.help(remedy),
        None => failure,
    }
}

/// `; did you mean "calls"?` if one of the names is near to one that does not exist.
fn near(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::osa_distance(known, name), known)).min();
    let near = near.filter(|(distance, _)| distance * 3 <= name.len().max(3));
    near.map_or_else(String::new, |(_, near)| format!("; did you mean \"{near}\"?"))
}

/// An error of the model as one of the program; with its place comes the line that it is about.
fn failure(kind: Kind, error: &Error, text: &str) -> Failure {
    let what = Error { remedy: String::new(), ..error.clone() };
    let shown = explain(&what, text);
    let (first, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
    let first = first.trim_end().trim_end_matches(':');
    let shown = if rest.is_empty() { first.to_owned() } else { format!("{first}\n{rest}") };
    Failure::new(kind, shown).help(error.remedy.clone())
}
