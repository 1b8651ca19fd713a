//! `everline availability report`.

use availability::report::{Language, Question, Samples};
use availability::{Error, own};

use crate::cli::{AvailabilityReport, PageLanguage};
use crate::failure::{Failure, Kind};
use crate::output;

use super::machine::with_resources;
use super::source::Source;
use super::{figures, once, publish, sampling};

/// Reports a solution.
///
/// # Errors
/// [`Kind::Wrong`] if the model or the drill's result is wrong; a failure if the model cannot be solved or the page cannot be
/// written.
pub(crate) fn report(order: &AvailabilityReport) -> Result<(), Failure> {
    once(&order.given.parameters)?;
    let drill = order.drill.as_deref();
    let (path, source) = match &order.file {
        Some(file) => (file.display().to_string(), Source::open(file, drill)?),
        None => (own::path(&order.solution), Source::built_in(&order.solution, drill)?),
    };
    let (text, taken) = source.text("no report can be made of")?;
    if let Some(page) = &order.html {
        source.spare(page)?;
    }
    let told = |kind: Kind| {
        let source = &source;
        move |error: Error| source.failure(kind, error)
    };
    let question = with_resources(|resources| Question::new(&path, &text, &order.given.parameters, resources));
    let question = question.map_err(told(Kind::Wrong))?;
    let samples = if question.is_uncertain() {
        let values = sampling::all(&question.plan(), order.seed, order.samples).map_err(told(Kind::Failed))?;
        Some(Samples { seed: order.seed, values })
    } else {
        None
    };
    let mut report = question.report(samples.as_ref()).map_err(told(Kind::Failed))?;
    report.kept.clone_from(&taken.kept);
    report.absent.clone_from(&taken.absent);
    if let Some(file) = &order.html {
        let language = if order.language == PageLanguage::Zh { Language::Chinese } else { Language::English };
        let file = publish(file, &report.html(language))?;
        output::remark(&format!("the page is {}", file.display()));
    }
    let replaced = taken.replaced.len();
    let text = if order.listing.json { format!("{}\n", report.json()) } else { figures::tables(&report, replaced) };
    output::result(&text)
}
