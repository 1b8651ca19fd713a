//! What is asked of a chain whose files ask nothing, and which labels go into files.

use crate::Error;
use crate::chain::{Chain, States};
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

/// The labels of a chain that go into files, which have `init` and `deadlock` themselves: a label of that name stays behind if it
/// means the same.
///
/// # Errors
/// If it means something else.
pub(super) fn labels(chain: &Chain<f64>, start: usize) -> Result<Vec<(&String, &States)>, Error> {
    let mut own = Vec::new();
    for (name, states) in chain.labels() {
        let same = match name.as_str() {
            "init" => vec![start],
            "deadlock" => {
                let mut stays = vec![true; chain.states().len()];
                for arc in chain.arcs().iter().filter(|arc| arc.rate > 0.0 && arc.to != arc.from) {
                    stays[arc.from] = false;
                }
                (0..stays.len()).filter(|&state| stays[state]).collect()
            }
            _ => {
                own.push((name, states));
                continue;
            }
        };
        if !states.iter().eq(same) {
            let what = format!("the label `{name}` means something else in these files, where it is there always");
            return Err(Error::new(what, "give it another name in the model"));
        }
    }
    Ok(own)
}

fn measure(model: &str, title: &str, phrase: &str, target: Option<&str>) -> Measure {
    let name = |text: &str| Name { text: text.to_owned(), span: Span::default() };
    let expr = |kind| Expr { kind, span: Span::default() };
    let target = target.map(|target| expr(ExprKind::Reference(Reference { name: name(target), indexes: Vec::new() })));
    let ask = Ask { phrase: name(phrase), target, model: name(model), clauses: Vec::new() };
    let value = expr(ExprKind::Ask(Box::new(ask)));
    Measure { name: title.to_owned(), span: Span::default(), value, unit: None }
}
