//! A model compiled: from a state to all that can happen in it.

use super::code::{Code, Machine};
use super::halves::Halves;
use super::rules::{Clause, Outcome, Rule, Rules, Variable};
use crate::{Error, Place, Scalar};

/// Something that can happen in a state.
pub(super) struct Move<T> {
    /// Key of the state that follows.
    pub(super) to: u128,
    pub(super) rate: T,
    /// Index of its action in [`Program::actions`]; none for a rule without one.
    pub(super) action: Option<usize>,
}

/// One outcome of one rule.
struct Choice {
    rate: Code,
    effects: Vec<(usize, Code)>,
}

/// A rule with its outcomes.
struct Guarded {
    name: String,
    place: Option<Place>,
    action: Option<usize>,
    guard: Code,
    choices: Vec<Choice>,
}

/// A model compiled. A state is a key: the number whose digits are the values of the variables, each counted from its low,
/// the digits having the ranges as their bases.
pub(super) struct Program {
    pub(super) variables: Vec<Variable>,
    /// What one more of each variable adds to the key.
    strides: Vec<u128>,
    /// How many keys there are.
    pub(super) keys: u128,
    pub(super) actions: Vec<String>,
    /// Rules that happen alone.
    alone: Vec<Guarded>,
    /// Rules that happen together: by action, then by module.
    together: Vec<Vec<Vec<Guarded>>>,
}

impl Program {
    pub(super) fn new(rules: &Rules) -> Result<Self, Error> {
        let (strides, keys) = strides(&rules.variables)?;
        let mut actions: Vec<String> =
            rules.modules.iter().flat_map(|module| &module.rules).filter_map(|rule| rule.action.clone()).collect();
        actions.sort();
        actions.dedup();
        let shared = |action: &String| {
            rules
                .modules
                .iter()
                .filter(|module| module.rules.iter().any(|rule| rule.action.as_ref() == Some(action)))
                .count()
                > 1
        };
        let index = |action: &Option<String>| action.as_ref().and_then(|action| actions.binary_search(action).ok());
        let all = rules.modules.iter().flat_map(|module| &module.rules);
        let alone = all.filter(|rule| !rule.action.as_ref().is_some_and(shared));
        let alone = alone.map(|rule| Guarded::new(rule, index(&rule.action))).collect();
        let together = actions.iter().filter(|action| shared(action)).map(|action| {
            let of_module = rules.modules.iter().map(|module| {
                let own = module.rules.iter().filter(|rule| rule.action.as_ref() == Some(action));
                own.map(|rule| Guarded::new(rule, index(&rule.action))).collect::<Vec<_>>()
            });
            of_module.filter(|own| !own.is_empty()).collect()
        });
        let together = together.collect();
        Ok(Self { variables: rules.variables.clone(), strides, keys, actions, alone, together })
    }

    /// The key of the state in which the model begins.
    pub(super) fn initial(&self) -> u128 {
        let digits = self.variables.iter().zip(&self.strides);
        digits.map(|(variable, stride)| (variable.initial - variable.low) as u128 * stride).sum()
    }

    /// The values of the variables in a state.
    pub(super) fn decode(&self, key: u128, values: &mut [f64]) {
        let Ok(mut rest) = u64::try_from(key) else { return self.decode_wide(key, values) };
        for (variable, value) in self.variables.iter().zip(values) {
            let base = (variable.high - variable.low + 1) as u64;
            *value = (variable.low + (rest % base) as i64) as f64;
            rest /= base;
        }
    }

    /// The key of the state that an exchange of halves takes this one to.
    pub(super) fn exchanged(&self, key: u128, halves: &Halves) -> u128 {
        let mut rest = key;
        let mut to = 0;
        for (index, variable) in self.variables.iter().enumerate() {
            let base = (variable.high - variable.low + 1) as u128;
            // Division of 64 bits is several times quicker.
            let digit = match u64::try_from(rest) {
                Ok(narrow) => {
                    rest = u128::from(narrow / base as u64);
                    narrow % base as u64
                }
                Err(_) => {
                    let digit = rest % base;
                    rest /= base;
                    digit as u64
                }
            };
            let (there, digit) = halves.goes(index, digit);
            to += u128::from(digit) * self.strides[there];
        }
        to
    }

    fn decode_wide(&self, key: u128, values: &mut [f64]) {
        let mut rest = key;
        for (variable, value) in self.variables.iter().zip(values) {
            let base = (variable.high - variable.low + 1) as u128;
            *value = (variable.low + (rest % base) as i64) as f64;
            rest /= base;
        }
    }

    /// A state as people read it.
    pub(super) fn describe(&self, key: u128) -> String {
        let mut values = vec![0.0; self.variables.len()];
        self.decode(key, &mut values);
        let words = self.variables.iter().zip(values).map(|(variable, value)| {
            let word = variable.words.get((value as i64 - variable.low) as usize);
            format!("{}={}", variable.name, word.cloned().unwrap_or_else(|| value.to_string()))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// Hands all that can happen in the state of `key`, whose values the machine holds, to `visit`.
    pub(super) fn moves<T: Scalar>(
        &self,
        key: u128,
        machine: &mut Machine<'_, T>,
        visit: &mut impl FnMut(Move<T>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for rule in &self.alone {
            if !machine.holds(&rule.guard) {
                continue;
            }
            for choice in &rule.choices {
                let rate = self.rate(rule, choice, key, machine)?;
                if rate.value() > 0.0 {
                    visit(Move { to: self.apply(rule, choice, key, key, machine)?, rate, action: rule.action })?;
                }
            }
        }
        self.together.iter().try_for_each(|modules| self.moves_together(modules, key, machine, visit))
    }

    /// One rule of each module at once: all combinations.
    fn moves_together<T: Scalar>(
        &self,
        modules: &[Vec<Guarded>],
        key: u128,
        machine: &mut Machine<'_, T>,
        visit: &mut impl FnMut(Move<T>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut enabled: Vec<Vec<(&Guarded, &Choice)>> = Vec::with_capacity(modules.len());
        for own in modules {
            let ready = own.iter().filter(|rule| machine.holds(&rule.guard));
            enabled.push(ready.flat_map(|rule| rule.choices.iter().map(move |choice| (rule, choice))).collect());
        }
        let count: usize = enabled.iter().map(Vec::len).product();
        for combination in 0..count {
            let (mut rest, mut rate, mut to, mut action) = (combination, T::ONE, key, None);
            for own in &enabled {
                let (rule, choice) = own[rest % own.len()];
                rest /= own.len();
                rate *= self.rate(rule, choice, key, machine)?;
                to = self.apply(rule, choice, key, to, machine)?;
                action = rule.action;
            }
            if rate.value() > 0.0 {
                visit(Move { to, rate, action })?;
            }
        }
        Ok(())
    }

    fn rate<T: Scalar>(
        &self,
        rule: &Guarded,
        choice: &Choice,
        key: u128,
        machine: &mut Machine<'_, T>,
    ) -> Result<T, Error> {
        let rate = machine.run(&choice.rate);
        if rate.value().is_finite() && rate.value() >= 0.0 {
            return Ok(rate);
        }
        let what = format!("the rate of rule '{}' is {} in state {}", rule.name, rate.value(), self.describe(key));
        let remedy = "a rate is a finite number, 0 or more; guard the rule against this state";
        Err(Error::new(what, remedy).naming(rule.place.clone()))
    }

    /// The key after the effects of a choice in state `key`, other effects having led to `so_far` already.
    fn apply<T: Scalar>(
        &self,
        rule: &Guarded,
        choice: &Choice,
        key: u128,
        so_far: u128,
        machine: &mut Machine<'_, T>,
    ) -> Result<u128, Error> {
        let mut to = so_far;
        for (index, code) in &choice.effects {
            let (value, variable) = (machine.run(code).value(), &self.variables[*index]);
            if value.fract() != 0.0 || !(variable.low as f64..=variable.high as f64).contains(&value) {
                let Variable { name, low, high, .. } = variable;
                let state = self.describe(key);
                let what = format!("rule '{}' would set '{name}' to {value} in state {state}", rule.name);
                let remedy = format!("its values are the whole numbers from {low} to {high}; guard the rule");
                return Err(Error::new(what, remedy).naming(rule.place.clone()));
            }
            // Two's complement: a step down adds its complement.
            let step = (value - machine.variables[*index]) as i128 as u128;
            to = to.wrapping_add(step.wrapping_mul(self.strides[*index]));
        }
        Ok(to)
    }
}

impl Guarded {
    fn new(rule: &Rule, action: Option<usize>) -> Self {
        let choice = |outcome: &Outcome| Choice {
            rate: Code::new(&outcome.rate),
            effects: outcome.effects.iter().map(|(variable, value)| (*variable, Code::new(value))).collect(),
        };
        let choices = rule.outcomes.iter().map(choice).collect();
        let (name, place) = (rule.name.clone(), rule.place.clone());
        Self { name, place, action, guard: Code::new(&rule.guard), choices }
    }
}

/// What one more of each variable adds to the key, and how many keys there are.
fn strides(variables: &[Variable]) -> Result<(Vec<u128>, u128), Error> {
    let mut strides = Vec::with_capacity(variables.len());
    let mut keys: u128 = 1;
    for variable in variables {
        let Variable { name, low, high, initial, .. } = variable;
        if low > high || !(low..=high).contains(&initial) || high.checked_sub(*low).is_none_or(|span| span >= 1 << 52) {
            return Err(Error::new(
                format!("variable '{name}' would begin at {initial} within {low} to {high}"),
                "its range is from the smaller to the larger whole number and holds where it begins",
            ));
        }
        strides.push(keys);
        keys = keys.checked_mul((high - low + 1) as u128).ok_or_else(|| {
            Error::new(
                format!("the values of all variables up to '{name}' have more than 2^128 combinations"),
                "narrow their ranges",
            )
        })?;
    }
    Ok((strides, keys))
}

/// A compiled clause of a reward: action (for transitions), guard, value.
pub(super) struct Earning {
    /// None for states; for transitions the action, which may be none.
    pub(super) action: Option<Option<usize>>,
    pub(super) guard: Code,
    pub(super) value: Code,
}

impl Earning {
    /// Compiles a clause; a transition clause whose action no rule has earns nothing and is left away.
    pub(super) fn new(clause: &Clause, actions: &[String]) -> Option<Self> {
        let (action, guard, value) = match clause {
            Clause::State { guard, value } => (None, guard, value),
            Clause::Transition { action: None, guard, value } => (Some(None), guard, value),
            Clause::Transition { action: Some(name), guard, value } => {
                (Some(Some(actions.binary_search(name).ok()?)), guard, value)
            }
        };
        Some(Self { action, guard: Code::new(guard), value: Code::new(value) })
    }
}
