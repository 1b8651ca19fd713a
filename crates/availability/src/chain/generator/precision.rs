//! How far rounding can take the rates of rules, whatever the state, without looking at all states.

use std::collections::BTreeMap;

use super::rules::{Binary, Expression, Rules, Unary, Variable};
use crate::structure::Bounded;

/// Half the distance from 1 to the next number: what one rounding can be wrong by.
const UNIT: f64 = f64::EPSILON / 2.0;
/// Whole numbers up to here are exact, and so are their sums and products.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What holds for the value of an expression in all states.
#[derive(Clone, Copy, Debug)]
struct Known {
    low: f64,
    high: f64,
    /// A bound of its relative error; infinite if none is known.
    wrong: f64,
    /// Whether it is a whole number without an error.
    whole: bool,
}

impl Known {
    /// A whole number within these bounds.
    fn whole(low: f64, high: f64) -> Self {
        let whole = low.abs().max(high.abs()) <= EXACT;
        Self { low, high, wrong: if whole { 0.0 } else { UNIT }, whole }
    }

    /// The result of an operation with one rounding, of numbers that are wrong by so much together.
    fn rounded(low: f64, high: f64, inherited: f64) -> Self {
        // Products of errors are far below a thousandth of them.
        Self { low, high, wrong: (inherited + UNIT) * 1.001, whole: false }
    }

    fn unknown() -> Self {
        Self { low: f64::NEG_INFINITY, high: f64::INFINITY, wrong: f64::INFINITY, whole: false }
    }

    fn sum(self, other: Self) -> Self {
        let (low, high) = (self.low + other.low, self.high + other.high);
        if self.whole && other.whole {
            return Self::whole(low, high);
        }
        let same_sign = (self.low >= 0.0 && other.low >= 0.0) || (self.high <= 0.0 && other.high <= 0.0);
        // Numbers without errors may cancel; others may not.
        match self.wrong.max(other.wrong) {
            wrong if wrong == 0.0 || same_sign => Self::rounded(low, high, wrong),
            _ => Self { low, high, ..Self::unknown() },
        }
    }

    fn negated(self) -> Self {
        Self { low: -self.high, high: -self.low, ..self }
    }

    fn product(self, other: Self) -> Self {
        let ends = [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high];
        // Nothing times what has no bound is nothing.
        let ends = ends.map(|end| if end.is_nan() { 0.0 } else { end });
        let (low, high) = (
            ends.iter().copied().fold(f64::INFINITY, f64::min),
            ends.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        );
        if self.whole && other.whole {
            return Self::whole(low, high);
        }
        Self::rounded(low, high, self.wrong + other.wrong)
    }

    fn quotient(self, other: Self) -> Self {
        let positive = self.low >= 0.0 && other.low >= 0.0;
        let (low, high) = if positive { (0.0, f64::INFINITY) } else { (f64::NEG_INFINITY, f64::INFINITY) };
        Self::rounded(low, high, self.wrong + other.wrong)
    }

    /// One or the other of two.
    fn either(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            wrong: self.wrong.max(other.wrong),
            whole: self.whole && other.whole,
        }
    }
}

/// What is known of an expression; decisions in it (comparisons, conditions, whole parts) are taken as they are computed.
fn known(expression: &Expression, variables: &[Variable], parameters: &[Bounded]) -> Known {
    let of = |expression: &Expression| known(expression, variables, parameters);
    match expression {
        Expression::Number(value) if value.fract() == 0.0 => Known::whole(*value, *value),
        Expression::Number(value) => Known { low: *value, high: *value, wrong: 0.0, whole: false },
        Expression::Variable(index) => {
            let variable = &variables[*index];
            Known::whole(variable.low as f64, variable.high as f64)
        }
        Expression::Parameter(index) => {
            let Bounded { value, error } = parameters[*index];
            let whole = error == 0.0 && value.fract() == 0.0 && value.abs() <= EXACT;
            Known { low: value, high: value, wrong: if error == 0.0 { 0.0 } else { error / value.abs() }, whole }
        }
        Expression::Unary(operation, inner) => match operation {
            Unary::Not => Known::whole(0.0, 1.0),
            Unary::Negate => of(inner).negated(),
            Unary::Floor | Unary::Ceiling => {
                let inner = of(inner);
                Known::whole(inner.low.floor(), inner.high.ceil())
            }
            Unary::Root => {
                let inner = of(inner);
                Known::rounded(0.0, inner.high.sqrt(), inner.wrong)
            }
            Unary::Exponential | Unary::Logarithm => Known::unknown(),
        },
        Expression::Binary(operation, first, second) => match operation {
            Binary::Add => of(first).sum(of(second)),
            Binary::Subtract => of(first).sum(of(second).negated()),
            Binary::Multiply => of(first).product(of(second)),
            Binary::Divide => of(first).quotient(of(second)),
            Binary::Least | Binary::Greatest => of(first).either(of(second)),
            Binary::Modulo | Binary::Power | Binary::Refused | Binary::Waiting => Known::unknown(),
            _ => Known::whole(0.0, 1.0),
        },
        Expression::If(_, then, otherwise) => of(then).either(of(otherwise)),
    }
}

/// A bound of the relative error of every rate of every arc: infinite if the rules alone do not tell it.
pub(super) fn rates(rules: &Rules, parameters: &[Bounded]) -> f64 {
    let mut worst = 0.0_f64;
    let mut together = 0.0;
    for module in &rules.modules {
        let wrong = |with_action: bool| {
            let rules_of = module.rules.iter().filter(|rule| rule.action.is_some() == with_action);
            let outcomes = rules_of.flat_map(|rule| &rule.outcomes);
            outcomes.map(|outcome| known(&outcome.rate, &rules.variables, parameters).wrong).reduce(f64::max)
        };
        worst = worst.max(wrong(false).unwrap_or(0.0));
        // Rates of rules that happen together are multiplied, one of each module.
        together += wrong(true).map_or(0.0, |wrong| wrong + UNIT);
    }
    (worst.max(together) + summing(rules)) * 1.001
}

/// What adding up the rates between the same two states can be wrong by: one rounding for each outcome or combination of
/// outcomes that can lead from the one to the other.
pub(super) fn summing(rules: &Rules) -> f64 {
    let mut alone = 0;
    let mut together: BTreeMap<&str, f64> = BTreeMap::new();
    for module in &rules.modules {
        let mut own: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in &module.rules {
            match &rule.action {
                Some(action) => *own.entry(action).or_default() += rule.outcomes.len(),
                None => alone += rule.outcomes.len(),
            }
        }
        own.into_iter().for_each(|(action, outcomes)| *together.entry(action).or_insert(1.0) *= outcomes as f64);
    }
    (alone as f64 + together.values().sum::<f64>()) * UNIT
}
