//! Rules as text that does not depend on the order of rules and of operands, with names of one's choice.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::rules::{Binary, Clause, Expression, Outcome, Rule, Rules};

/// A variable with more values than this is a number, however it is used.
const MOST_NAMES: i64 = 32;

/// What can change places: a variable, or a value of one (counted from its low) that is asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Variable(usize),
    Value(usize, u32),
}

impl Node {
    /// The variable, or that of the value.
    pub(super) const fn variable(self) -> usize {
        match self {
            Self::Variable(variable) | Self::Value(variable, _) => variable,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => write!(f, "v{variable}"),
            Self::Value(variable, value) => write!(f, "v{variable}={value}"),
        }
    }
}

/// How names are chosen.
type Name<'n> = dyn Fn(Node) -> String + 'n;

/// What is needed to write expressions of some rules so.
#[derive(Clone, Debug)]
pub(super) struct Forms {
    /// Of each variable that is only compared with constants and set to constants its low; none for others.
    named: Vec<Option<i64>>,
    /// Where each stands.
    places: BTreeMap<Node, Vec<Element>>,
}

/// A part of a model whose order among others does not matter, by its indexes.
#[derive(Clone, Copy, Debug)]
enum Element {
    /// A rule of a module.
    Rule(usize, usize),
    Label(usize),
    /// A clause of a reward.
    Clause(usize, usize),
}

impl Forms {
    pub(super) fn of(rules: &Rules) -> Self {
        let few = rules.variables.iter().map(|of| (of.high - of.low < MOST_NAMES).then_some(of.low));
        let mut forms = Self { named: few.collect(), places: BTreeMap::new() };
        let mut numbers = BTreeSet::new();
        for rule in rules.modules.iter().flat_map(|module| &module.rules) {
            forms.numbers(&rule.guard, &mut numbers);
            for Outcome { rate, effects } in &rule.outcomes {
                forms.numbers(rate, &mut numbers);
                for (variable, value) in effects {
                    if forms.value(*variable, value).is_none() {
                        numbers.insert(*variable);
                        forms.numbers(value, &mut numbers);
                    }
                }
            }
        }
        rules.labels.iter().for_each(|(_, states)| forms.numbers(states, &mut numbers));
        for (guard, value) in rules.rewards.iter().flat_map(|(_, clauses)| clauses).map(parts) {
            forms.numbers(guard, &mut numbers);
            forms.numbers(value, &mut numbers);
        }
        numbers.into_iter().for_each(|variable| forms.named[variable] = None);
        for element in all(rules) {
            let found = RefCell::new(BTreeSet::new());
            forms.element(rules, element, &|node| {
                found.borrow_mut().insert(node);
                String::new()
            });
            found.into_inner().into_iter().for_each(|node| forms.places.entry(node).or_default().push(element));
        }
        forms
    }

    /// Whether the variable is asked for by name only.
    pub(super) fn is_named(&self, variable: usize) -> bool {
        self.named[variable].is_some()
    }

    /// The variables that an expression uses as numbers.
    fn numbers(&self, expression: &Expression, found: &mut BTreeSet<usize>) {
        match expression {
            Expression::Number(_) | Expression::Parameter(_) => {}
            Expression::Variable(variable) => _ = found.insert(*variable),
            Expression::Unary(_, of) => self.numbers(of, found),
            Expression::Binary(operation, one, two) => {
                if self.comparison(*operation, one, two).is_none() {
                    self.numbers(one, found);
                    self.numbers(two, found);
                }
            }
            Expression::If(condition, then, otherwise) => {
                [condition, then, otherwise].into_iter().for_each(|part| self.numbers(part, found));
            }
        }
    }

    /// A value of a variable by name, if the expression is one.
    fn value(&self, variable: usize, expression: &Expression) -> Option<Node> {
        let low = self.named.get(variable).copied().flatten()?;
        let Expression::Number(number) = expression else { return None };
        let from_low = number - low as f64;
        let fits = from_low.fract() == 0.0 && (0.0..MOST_NAMES as f64).contains(&from_low);
        fits.then_some(Node::Value(variable, from_low as u32))
    }

    /// The value with which a variable is compared by name.
    fn comparison(&self, operation: Binary, one: &Expression, two: &Expression) -> Option<Node> {
        match (operation, one, two) {
            (Binary::Equal | Binary::Different, Expression::Variable(variable), constant)
            | (Binary::Equal | Binary::Different, constant, Expression::Variable(variable)) => {
                self.value(*variable, constant)
            }
            _ => None,
        }
    }

    /// An expression.
    pub(super) fn expression(&self, expression: &Expression, name: &Name<'_>) -> String {
        match expression {
            Expression::Number(number) => format!("{number:?}"),
            Expression::Variable(variable) => name(Node::Variable(*variable)),
            Expression::Parameter(parameter) => format!("p{parameter}"),
            Expression::Unary(operation, of) => format!("{operation:?}({})", self.expression(of, name)),
            Expression::If(condition, then, otherwise) => {
                let parts = [condition, then, otherwise].map(|part| self.expression(part, name));
                format!("If({})", parts.join(","))
            }
            Expression::Binary(operation, one, two) => {
                if let Some(value) = self.comparison(*operation, one, two) {
                    return format!("{operation:?}[{}]", name(value));
                }
                let mut parts = Vec::new();
                self.operands(*operation, one, name, &mut parts);
                self.operands(*operation, two, name, &mut parts);
                if commutes(*operation) {
                    parts.sort_unstable();
                }
                format!("{operation:?}({})", parts.join(","))
            }
        }
    }

    /// The operands of an operation, those of the same one within it among them where brackets do not matter.
    fn operands(&self, operation: Binary, of: &Expression, name: &Name<'_>, parts: &mut Vec<String>) {
        match of {
            Expression::Binary(inner, one, two)
                if *inner == operation && associates(operation) && self.comparison(*inner, one, two).is_none() =>
            {
                self.operands(operation, one, name, parts);
                self.operands(operation, two, name, parts);
            }
            _ => parts.push(self.expression(of, name)),
        }
    }

    fn rule(&self, rule: &Rule, name: &Name<'_>) -> String {
        let outcome = |outcome: &Outcome| {
            let effect = |(variable, value): &(usize, Expression)| match self.value(*variable, value) {
                Some(value) => name(value),
                None => format!("{}:={}", name(Node::Variable(*variable)), self.expression(value, name)),
            };
            format!("{}>{}", self.expression(&outcome.rate, name), sorted(outcome.effects.iter().map(effect)))
        };
        let guard = self.expression(&rule.guard, name);
        format!("{:?}|{guard}|{}", rule.action, sorted(rule.outcomes.iter().map(outcome)))
    }

    fn clause(&self, clause: &Clause, name: &Name<'_>) -> String {
        let action = match clause {
            Clause::State { .. } => String::new(),
            Clause::Transition { action, .. } => format!("{action:?}"),
        };
        let (guard, value) = parts(clause);
        format!("{action}|{}|{}", self.expression(guard, name), self.expression(value, name))
    }

    /// A whole model.
    pub(super) fn model(&self, rules: &Rules, name: &Name<'_>) -> String {
        let module = |module: &super::Module| sorted(module.rules.iter().map(|rule| self.rule(rule, name)));
        let modules = sorted(rules.modules.iter().map(module));
        let labels = rules.labels.iter().map(|label| self.label(label, name));
        let reward = |(reward, clauses): &(String, Vec<Clause>)| {
            format!("{reward:?}: {}", sorted(clauses.iter().map(|clause| self.clause(clause, name))))
        };
        let rewards = rules.rewards.iter().map(reward);
        format!("{modules}\n{}\n{}", sorted(labels), sorted(rewards))
    }

    /// The rules, labels and clauses in which something stands.
    pub(super) fn elements(&self, rules: &Rules, node: Node, name: &Name<'_>) -> Vec<String> {
        let places = self.places.get(&node).map_or(&[][..], Vec::as_slice);
        let mut all: Vec<String> = places.iter().map(|&element| self.element(rules, element, name)).collect();
        all.sort_unstable();
        all
    }

    fn element(&self, rules: &Rules, element: Element, name: &Name<'_>) -> String {
        match element {
            Element::Rule(module, rule) => self.rule(&rules.modules[module].rules[rule], name),
            Element::Label(label) => self.label(&rules.labels[label], name),
            Element::Clause(reward, clause) => {
                let (reward, clauses) = &rules.rewards[reward];
                format!("{reward:?}: {}", self.clause(&clauses[clause], name))
            }
        }
    }

    fn label(&self, (label, states): &(String, Expression), name: &Name<'_>) -> String {
        format!("{label:?}: {}", self.expression(states, name))
    }
}

/// All parts of a model.
fn all(rules: &Rules) -> Vec<Element> {
    let of = |(module, count): (usize, usize)| (0..count).map(move |rule| (module, rule));
    let modules = rules.modules.iter().map(|module| module.rules.len()).enumerate().flat_map(of);
    let labels = (0..rules.labels.len()).map(Element::Label);
    let rewards = rules.rewards.iter().map(|(_, clauses)| clauses.len()).enumerate().flat_map(of);
    let rules = modules.map(|(module, rule)| Element::Rule(module, rule));
    rules.chain(labels).chain(rewards.map(|(reward, clause)| Element::Clause(reward, clause))).collect()
}

/// The guard and the value of a clause.
const fn parts(clause: &Clause) -> (&Expression, &Expression) {
    match clause {
        Clause::State { guard, value } | Clause::Transition { guard, value, .. } => (guard, value),
    }
}

/// Whether the order of operands does not matter.
const fn commutes(operation: Binary) -> bool {
    use Binary as B;
    matches!(operation, B::Add | B::Multiply | B::And | B::Or | B::Equal | B::Different | B::Least | B::Greatest)
}

/// Whether brackets do not matter either.
const fn associates(operation: Binary) -> bool {
    use Binary as B;
    matches!(operation, B::Add | B::Multiply | B::And | B::Or | B::Least | B::Greatest)
}

fn sorted(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    parts.sort_unstable();
    format!("{{{}}}", parts.join(";"))
}
