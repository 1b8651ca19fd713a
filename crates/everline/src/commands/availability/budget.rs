//! `everline availability budget`: what each part of a service may be down.

use availability::budget::{Rule, shares, together};
use availability::model::Model;
use serde_json::json;

use crate::cli::Budget;
use crate::failure::{Failure, Kind};
use crate::output::{self, Cell, bad, good, plain};

use super::amounts::{digits, sensible, target};
use super::machine::with_resources;
use super::source::Source;
use super::{failure, wanted};

/// Minutes of a year.
const MINUTES: f64 = 365.0 * 24.0 * 60.0;
/// The rules with their names in the table and in JSON.
const RULES: [(&str, &str, Rule); 3] = [
    ("IN PROPORTION", "proportional", Rule::Proportional),
    ("EQUAL", "equal", Rule::Equal),
    ("LEAST EFFORT", "least_effort", Rule::LeastEffort),
];

/// A part of the service; all in minutes a year.
struct Part {
    name: String,
    now: f64,
    /// What it may have, by each rule.
    may: [f64; 3],
}

impl Part {
    /// Whether it has what it may have, up to the rounding of the rule.
    fn keeps(&self, rule: usize) -> bool {
        self.now <= self.may[rule] * (1.0 + 1e-9)
    }
}

/// Shares out an allowed downtime, and says which parts keep to their shares.
///
/// # Errors
/// [`Kind::Wrong`] if the model, the measure or the target is; a failure if the model cannot be solved.
pub(crate) fn budget(order: &Budget) -> Result<(), Failure> {
    let allowed = sensible(target(&order.target, "min/year")?, &order.target, "min/year")?;
    let source = Source::open(&order.model, None)?;
    // Before the model is read: a tree that has several tops would ask for a `--top`, which is of no use here.
    let (text, _) = source.text("the parts of a service cannot be told apart in")?;
    source.tell_kept();
    let model = source.read(&order.given.parameters)?;
    let whole = wanted(&source, &model, order.measure.as_slice())?[0];
    let name = model.measures()[whole].name().to_owned();
    let own = model.measures().len();
    let model =
        with_resources(|resources| Model::read_parts(&source.name, &text, &order.given.parameters, &name, resources));
    let model = model.map_err(|error| source.failure(Kind::Wrong, error))?;
    let plan = model.plan(&(own..model.measures().len()).collect::<Vec<_>>());
    let now: Vec<f64> = source.solve(&plan)?.iter().map(|value| value.value).collect();
    let present: Vec<f64> = now.iter().map(|minutes| minutes / MINUTES).collect();
    let mut may = Vec::new();
    for (_, _, rule) in RULES {
        may.push(shares(&present, allowed / MINUTES, rule).map_err(|error| failure(Kind::Failed, &error, ""))?);
    }
    let part = |(k, now): (usize, f64)| Part {
        name: model.measures()[own + k].name().to_owned(),
        now,
        may: std::array::from_fn(|rule| may[rule][k] * MINUTES),
    };
    let mut parts: Vec<Part> = now.into_iter().enumerate().map(part).collect();
    parts.sort_by(|a, b| b.now.total_cmp(&a.now));
    let total = together(&present) * MINUTES;
    let text =
        if order.listing.json { as_json(&name, allowed, total, &parts) } else { table(&name, allowed, total, &parts) };
    output::result(&text)
}

fn table(measure: &str, allowed: f64, total: f64, parts: &[Part]) -> String {
    let sum: f64 = parts.iter().map(|part| part.now).sum();
    let row = |part: &Part| -> [Cell; 6] {
        let may = |rule: usize| {
            let text = digits(part.may[rule], 4);
            if part.keeps(rule) {
                good(format!("{text} has it"))
            } else {
                bad(format!("{text} over by {}", digits(part.now / part.may[rule], 3)))
            }
        };
        let share = format!("{:.1} %", 100.0 * part.now / sum);
        [plain(&part.name), plain(digits(part.now, 5)), plain(share), may(0), may(1), may(2)]
    };
    let rows: Vec<[Cell; 6]> = parts.iter().map(row).collect();
    let head = ["PART", "NOW", "SHARE", RULES[0].0, RULES[1].0, RULES[2].0];
    let (total_text, allowed_text) = (digits(total, 5), digits(allowed, 5));
    let verdict = if total <= allowed { "is kept" } else { "is not kept" };
    format!(
        "{measure}: the parts have {total_text} min/year together, {allowed_text} are allowed, which {verdict}\n\n{}\n\
         minutes a year; \"over by 3\" is three times what the part may have\n{}",
        output::table(head, &rows, "no parts"),
        notes(parts)
    )
}

/// What the names of parts mean that are more than one gate or event; no name of a model has a blank in it.
fn notes(parts: &[Part]) -> String {
    let has = |word: &str| parts.iter().any(|part| part.name.contains(word));
    let mut text = String::new();
    if has(" or ") {
        text.push_str(
            "\"a or b\" is one part: what stands on both sides shares events, so that the two fail together\n",
        );
    }
    if has(" while ") {
        text.push_str("\"a while b is up\": b alone is a part, and below a as well; this is what a adds to it\n");
    }
    text
}

/// `{"measure", "unit", "allowed", "now", "kept", "parts": [{"name", "now", "proportional", "equal", "least_effort"}]}`, each of
/// the three rules being `{"may", "kept"}`. Names are those of the table.
fn as_json(measure: &str, allowed: f64, total: f64, parts: &[Part]) -> String {
    let of = |part: &Part| {
        let mut value = json!({ "name": part.name, "now": part.now });
        for (rule, (_, key, _)) in RULES.iter().enumerate() {
            value[*key] = json!({ "may": part.may[rule], "kept": part.keeps(rule) });
        }
        value
    };
    let parts: Vec<_> = parts.iter().map(of).collect();
    format!(
        "{}\n",
        json!({ "measure": measure, "unit": "min/year", "allowed": allowed, "now": total, "kept": total <= allowed, "parts": parts })
    )
}
