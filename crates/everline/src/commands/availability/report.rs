//! `everline availability report`.

use std::fs;
use std::path::Path;

use availability::compose::{Composed, Replaced};
use availability::estimate::Confidence;
use availability::report::{Language, Question, Samples};
use availability::{Error, own};
use node::wire::Trouble;

use crate::cli::{AvailabilityReport, PageLanguage};
use crate::failure::{Failure, Kind};
use crate::{files, output};

use super::{failure, figures, sampling};

/// The confidence of intervals taken from a drill.
const CONFIDENCE: f64 = 0.95;

/// Reports a solution.
///
/// # Errors
/// [`Kind::Wrong`] if the model or the drill's result is wrong; a failure if the model cannot be solved or the page cannot be
/// written.
pub(crate) fn report(order: &AvailabilityReport) -> Result<(), Failure> {
    let (path, mut whole) = composed(order)?;
    let replaced = measure(order, &mut whole)?;
    let text = whole.text();
    let told = |kind: Kind| {
        let (whole, text) = (&whole, &text);
        // The line shown is one of the whole text; the place is that of its file.
        move |error: Error| {
            let line = error.place.as_ref().and_then(|place| text.lines().nth(place.line as usize - 1)).map(str::trim);
            let shown = failure(kind, &whole.explain(error.clone()), "");
            line.map_or(shown.clone(), |line| {
                Failure::new(kind, format!("{}\n  {line}", shown.what())).help(error.remedy)
            })
        }
    };
    let question = Question::new(&path, &text, &order.parameters).map_err(told(Kind::Wrong))?;
    let samples = if question.is_uncertain() {
        let values = sampling::all(&question.plan(), order.seed, order.samples).map_err(told(Kind::Failed))?;
        Some(Samples { seed: order.seed, values })
    } else {
        None
    };
    let report = question.report(samples.as_ref()).map_err(told(Kind::Failed))?;
    if let Some(file) = &order.html {
        let language = if order.language == PageLanguage::Zh { Language::Chinese } else { Language::English };
        let file = &std::path::absolute(file).map_err(|error| Trouble::of_file("write", file, &error))?;
        files::replace(file, report.html(language).as_bytes())
            .map_err(|error| Trouble::of_file("write", file, &error))?;
        output::remark(&format!("the page is {}", file.display()));
    }
    let text = if order.json { format!("{}\n", report.json()) } else { figures::tables(&report, replaced.len()) };
    output::result(&text)
}

/// The path of the model, and the model put together.
fn composed(order: &AvailabilityReport) -> Result<(String, Composed), Failure> {
    let wrong = |error: Error| failure(Kind::Wrong, &error, "");
    let Some(file) = &order.file else {
        return Ok((own::path(&order.solution), own::solution(&order.solution).map_err(wrong)?));
    };
    if file.extension().is_none_or(|ending| ending != "avail") {
        let what = format!("{} is no model that a report can be made of", file.display());
        return Err(Failure::new(Kind::Wrong, what)
            .help("write a model in the language of docs/availability.md, its name ending with .avail"));
    }
    let path = file.display().to_string();
    let whole = Composed::new(&path, &mut |path| {
        fs::read_to_string(path).map_err(|error| Error::new(format!("cannot read {path}: {error}"), "look at its name"))
    });
    Ok((path, whole.map_err(wrong)?))
}

/// Takes what drills have measured: of the file that was named, else of those that the models name, if they are at hand.
fn measure(order: &AvailabilityReport, whole: &mut Composed) -> Result<Vec<Replaced>, Failure> {
    let wrong = |error: Error| failure(Kind::Wrong, &error, "");
    let confidence = Confidence::two_sided(CONFIDENCE).map_err(wrong)?;
    let Some(drill) = &order.drill else {
        let at_hand = |path: &str| order.file.as_ref().and_then(|_| fs::read_to_string(path).ok());
        return whole.measure(confidence, &mut |path| at_hand(path)).map_err(wrong);
    };
    let text = read(drill)?;
    let replaced = whole.measure(confidence, &mut |_| Some(text.clone())).map_err(wrong)?;
    if replaced.is_empty() {
        let what = format!("the model takes nothing from a drill, so that {} changes nothing", drill.display());
        return Err(Failure::new(Kind::Wrong, what).help("leave --drill away"));
    }
    Ok(replaced)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Trouble::of_file("read", path, &error).into())
}
