//! What a front end can get wrong about rules, found before anything runs.

use std::collections::BTreeMap;

use super::rules::{Clause, Expression, Rule, Rules};
use crate::Error;

/// Checks that all variables and parameters exist, and that nothing is set twice at once.
pub(super) fn check(rules: &Rules) -> Result<(), Error> {
    if rules.variables.is_empty() {
        return Err(Error::new("the model has no variables", "a state is a value for each variable: declare one"));
    }
    for (module, rule) in rules.modules.iter().flat_map(|module| module.rules.iter().map(move |rule| (module, rule))) {
        let of_rule = |error: Error| {
            let what = format!("in rule '{}' of module '{}': {}", rule.name, module.name, error.what);
            Error::new(what, error.remedy).naming(rule.place.clone())
        };
        check_rule(rules, rule).map_err(of_rule)?;
    }
    written_once(rules)?;
    rules.labels.iter().try_for_each(|(_, states)| check_expression(rules, states))?;
    for clause in rules.rewards.iter().flat_map(|(_, clauses)| clauses) {
        let (Clause::State { guard, value } | Clause::Transition { guard, value, .. }) = clause;
        check_expression(rules, guard)?;
        check_expression(rules, value)?;
    }
    Ok(())
}

fn check_rule(rules: &Rules, rule: &Rule) -> Result<(), Error> {
    check_expression(rules, &rule.guard)?;
    for outcome in &rule.outcomes {
        check_expression(rules, &outcome.rate)?;
        for (place, (variable, value)) in outcome.effects.iter().enumerate() {
            check_expression(rules, &Expression::Variable(*variable))?;
            check_expression(rules, value)?;
            if outcome.effects[..place].iter().any(|(earlier, _)| earlier == variable) {
                return Err(twice(rules, *variable));
            }
        }
    }
    Ok(())
}

fn check_expression(rules: &Rules, expression: &Expression) -> Result<(), Error> {
    let missing = |what: &str, index: usize| {
        Err(Error::new(
            format!("{what} number {index} does not exist"),
            "count from 0 in the order of their declaration",
        ))
    };
    match expression {
        Expression::Variable(index) if *index >= rules.variables.len() => missing("variable", *index),
        Expression::Parameter(index) if *index >= rules.parameters.len() => missing("parameter", *index),
        Expression::Number(_) | Expression::Variable(_) | Expression::Parameter(_) => Ok(()),
        Expression::Unary(_, of) => check_expression(rules, of),
        Expression::Binary(_, first, second) => {
            check_expression(rules, first)?;
            check_expression(rules, second)
        }
        Expression::If(condition, then, otherwise) => {
            [condition, then, otherwise].into_iter().try_for_each(|part| check_expression(rules, part))
        }
    }
}

/// Rules that happen together must not set the same variable.
fn written_once(rules: &Rules) -> Result<(), Error> {
    let mut writers: BTreeMap<(&String, usize), usize> = BTreeMap::new();
    for (module, part) in rules.modules.iter().enumerate() {
        for rule in &part.rules {
            let Some(action) = &rule.action else { continue };
            for (variable, _) in rule.outcomes.iter().flat_map(|outcome| &outcome.effects) {
                if *writers.entry((action, *variable)).or_insert(module) != module {
                    let error = twice(rules, *variable);
                    return Err(Error::new(format!("action '{action}': {}", error.what), error.remedy));
                }
            }
        }
    }
    Ok(())
}

fn twice(rules: &Rules, variable: usize) -> Error {
    let name = &rules.variables[variable].name;
    Error::new(format!("variable '{name}' would be set twice at once"), "let one module set it, once in each outcome")
}
