//! Taking the measurements: each side in turn, as often as asked for.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use serde::Serialize;

use super::cases::{Case, Group, Places, Side};
use super::child::{Printed, Used, measure};
use super::reference::relative_error;
use super::report::Bench;

/// What one process came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Measurement {
    pub(super) group: Group,
    pub(super) case: String,
    /// States of a chain, events of a tree.
    pub(super) size: usize,
    pub(super) side: String,
    pub(super) run: usize,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// A number, or why there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Number(Number),
    Nothing(Nothing),
}

/// Why there is no number.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Nothing {
    /// The process came to none, for this reason.
    Failed(String),
    /// It was not asked, having come to none at this smaller case.
    After(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{:.3} s", number.seconds()),
            Self::Nothing(Nothing::Failed(reason)) => f.write_str(reason),
            Self::Nothing(Nothing::After(case)) => write!(f, "not asked after {case}"),
        }
    }
}

/// What was measured of numbers that came out.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Number {
    /// Seconds by step, from the file of the model to the number; the start of the process is not in it.
    pub(super) steps: BTreeMap<String, f64>,
    /// Of one number, itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    /// By kind of number, as far as the truth is known.
    pub(super) errors: BTreeMap<String, Worst>,
    /// The largest of the proven bounds of relative errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bound: Option<f64>,
    #[serde(flatten)]
    pub(super) used: Used,
}

/// The largest relative error of so many numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Worst {
    pub(super) numbers: usize,
    /// None (`null` in JSON) if one of them is no number.
    pub(super) relative_error: Option<f64>,
}

/// What numbers are called whose name has no kind before a `/`.
pub(super) const VALUE: &str = "value";

impl Number {
    fn of(printed: Printed, truths: &BTreeMap<String, f64>) -> Self {
        let mut errors: BTreeMap<String, (usize, f64)> = BTreeMap::new();
        for (name, text) in &printed.values {
            let Some(truth) = truths.get(name) else { continue };
            let kind = name.split_once('/').map_or(VALUE, |(kind, _)| kind);
            let worst = errors.entry(kind.to_owned()).or_default();
            *worst = (worst.0 + 1, worst.1.max(relative_error(text, *truth)));
        }
        let worst =
            |(numbers, error): (usize, f64)| Worst { numbers, relative_error: error.is_finite().then_some(error) };
        let mut values = printed.values.into_values();
        Self {
            steps: printed.steps,
            value: values.next().filter(|_| values.next().is_none()),
            errors: errors.into_iter().map(|(kind, found)| (kind, worst(found))).collect(),
            bound: printed.bounds.into_values().reduce(f64::max),
            used: printed.used,
        }
    }

    /// Of all steps together.
    pub(super) fn seconds(&self) -> f64 {
        self.steps.values().sum()
    }
}

/// Every side at every case in turn, as often as asked for, so that a slow quarter of an hour of the machine hits all of
/// them. A side that came to nothing is not asked again about this case nor about the larger ones of its group.
pub(super) fn run(places: &Places<'_>, cases: &[Case], bench: &mut Bench) -> Result<()> {
    let mut given_up: BTreeMap<(Group, &str), usize> = BTreeMap::new();
    for run in 1..=places.options.runs {
        for (place, case) in cases.iter().enumerate() {
            for side in &case.sides {
                let key = (case.group, side.name);
                let outcome = match given_up.get(&key) {
                    Some(&at) if at < place && run == 1 => Outcome::Nothing(Nothing::After(cases[at].name.clone())),
                    Some(&at) if at <= place => continue,
                    _ => ask(case, side, places)?,
                };
                if let Outcome::Nothing(Nothing::Failed(_)) = outcome {
                    given_up.insert(key, place);
                }
                eprintln!("  run {run}: {}, {}: {outcome}", case.name, side.name);
                bench.keep(case, side.name, run, outcome);
                bench.write(&places.options.out)?;
            }
        }
    }
    Ok(())
}

fn ask(case: &Case, side: &Side, places: &Places<'_>) -> Result<Outcome> {
    Ok(match measure(&side.words, case.limits, &places.folder)? {
        Ok(printed) => Outcome::Number(Number::of(printed, &case.truths)),
        Err(reason) => Outcome::Nothing(Nothing::Failed(reason)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_kind() {
        let texts = |list: &[(&str, &str)]| list.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        let printed = Printed {
            steps: [("build".into(), 0.25), ("solve".into(), 0.5)].into(),
            values: texts(&[("a", "2"), ("derivative/x", "1.5"), ("derivative/y", "-1"), ("other", "7")]),
            bounds: [("a".into(), 1e-15), ("b".into(), 3e-15)].into(),
            used: Used::default(),
        };
        let truths =
            [("a", 2.0), ("derivative/x", 1.0), ("derivative/y", -1.0)].map(|(name, truth)| (name.into(), truth));
        let number = Number::of(printed, &truths.into());
        assert_eq!(number.errors[VALUE], Worst { numbers: 1, relative_error: Some(0.0) });
        assert_eq!(number.errors["derivative"], Worst { numbers: 2, relative_error: Some(0.5) });
        assert_eq!((number.value.as_deref(), number.bound, number.seconds()), (None, Some(3e-15), 0.75));
    }

    #[test]
    fn what_is_no_number_has_no_error() {
        let printed = Printed {
            steps: BTreeMap::new(),
            values: [("a".into(), "nan".into())].into(),
            bounds: BTreeMap::new(),
            used: Used::default(),
        };
        let number = Number::of(printed, &[("a".into(), 1.0)].into());
        assert_eq!((number.errors[VALUE].relative_error, number.value.as_deref()), (None, Some("nan")));
    }
}
