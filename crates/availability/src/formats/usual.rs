//! What is asked of a chain whose files ask nothing.

use crate::text::ast::{Ask, Expr, ExprKind, Measure, Reference};
use crate::text::source::{Name, Span};

/// The probability of each label in the long run, if it is known which states are down their unavailability, failure
/// frequency and the mean time to them, and the rate of each reward. Labels are named as the model has them, with quotes or
/// without.
pub(super) fn measures<'a>(
    model: &str,
    labels: impl Iterator<Item = &'a str>,
    has_down: bool,
    rewards: impl Iterator<Item = &'a str>,
) -> Vec<Measure> {
    let mut measures: Vec<Measure> = Vec::new();
    for label in labels {
        let title = label.trim_matches('"');
        // The two that these formats have themselves.
        if !matches!(title, "init" | "deadlock") {
            measures.push(measure(model, &format!("probability of {title}"), "probability", Some(label)));
        }
    }
    if has_down {
        let phrases = ["unavailability", "failure frequency", "mttf"];
        measures.extend(phrases.map(|phrase| measure(model, phrase, phrase, None)));
    }
    for reward in rewards {
        // One reward of a file may have no name.
        let title = format!("reward {reward}");
        if measures.iter().all(|known| known.name != title.trim_end()) {
            measures.push(measure(model, title.trim_end(), "reward", Some(reward)));
        }
    }
    measures
}

fn measure(model: &str, title: &str, phrase: &str, target: Option<&str>) -> Measure {
    let name = |text: &str| Name { text: text.to_owned(), span: Span::default() };
    let expr = |kind| Expr { kind, span: Span::default() };
    let target = target.map(|target| expr(ExprKind::Reference(Reference { name: name(target), indexes: Vec::new() })));
    let ask = Ask { phrase: name(phrase), target, model: name(model), clauses: Vec::new() };
    let value = expr(ExprKind::Ask(Box::new(ask)));
    Measure { name: title.to_owned(), span: Span::default(), value, unit: None }
}
