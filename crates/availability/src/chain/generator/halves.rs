//! Models with two halves that are alike: what changes places with what, so that states which differ by that alone are one.
//!
//! An exchange takes each variable to a variable, and the values of a variable that rules only compare with constants and set to
//! constants (`crew = at_left`) to values, so that done twice it does nothing. If the rules, labels and rewards are the same
//! after it, it is an automorphism of the chain, whose orbits are ordinarily lumpable (Buchholz 1994): of two states that it
//! exchanges one is enough, and every measure that does not tell the halves apart stays what it was.
//!
//! Candidates come from colour refinement (Weisfeiler and Leman 1968) of variables and values by the rules in which they stand;
//! nothing is believed of them: the text of the rules is compared, in a form that does not depend on the order of rules and
//! operands.

use std::collections::{BTreeMap, BTreeSet};

use super::forms::{Forms, Node};
use super::rules::{Expression, Rules};

/// Most pairs that are tried.
const PAIRS: usize = 16;

/// An exchange of the two halves of a model.
#[derive(Clone, Debug)]
pub(super) struct Halves {
    /// Where each variable goes.
    to: Vec<usize>,
    /// Of each variable that is asked for by name only, where each value goes, counted from its low; for others they stay.
    values: Vec<Option<Vec<u32>>>,
    forms: Forms,
}

type Colours = BTreeMap<Node, usize>;

impl Halves {
    /// The exchange of the halves of a model, if it has two that are alike and begins in a state that is alike for both.
    pub(super) fn of(rules: &Rules) -> Option<Self> {
        let forms = Forms::of(rules);
        let colours = refined(&forms, rules, first(&forms, rules));
        let mut nodes: Vec<Node> = colours.keys().copied().filter(|node| matches!(node, Node::Variable(_))).collect();
        // What has most values saves most.
        let span = |node: &Node| rules.variables.get(node.variable()).map_or(0, |of| of.high - of.low);
        nodes.sort_by_key(|node| -span(node));
        let nodes = nodes.into_iter().chain(colours.keys().copied().filter(|node| matches!(node, Node::Value(..))));
        let nodes: Vec<Node> = nodes.collect();
        let pairs =
            nodes.iter().enumerate().flat_map(|(place, one)| nodes[place + 1..].iter().map(move |two| (*one, *two)));
        let alike = pairs.filter(|(one, two)| colours[one] == colours[two]);
        alike.take(PAIRS).find_map(|pair| Self::exchanging(&forms, rules, &colours, pair))
    }

    /// The exchange that takes one of these to the other and changes no more than it must, if there is one.
    fn exchanging(forms: &Forms, rules: &Rules, colours: &Colours, (one, two): (Node, Node)) -> Option<Self> {
        let marked = |first, second| {
            let mut marked = colours.clone();
            marked.insert(first, colours.len());
            marked.insert(second, colours.len() + 1);
            refined(forms, rules, marked)
        };
        let (before, after) = (marked(one, two), marked(two, one));
        let mut places: BTreeMap<usize, Vec<Node>> = BTreeMap::new();
        after.iter().for_each(|(node, colour)| places.entry(*colour).or_default().push(*node));
        let goes = |node: &Node| match places.get(before.get(node)?)?.as_slice() {
            [only] => Some(*only),
            several => several.contains(node).then_some(*node),
        };
        let to = (0..rules.variables.len()).map(|variable| Some(goes(&Node::Variable(variable))?.variable()));
        let to = to.collect::<Option<Vec<usize>>>()?;
        let value_goes = |variable: usize, value: u32| match goes(&Node::Value(variable, value))? {
            Node::Value(other, value) if other == to[variable] => Some(value),
            _ => None,
        };
        let of_variable = |variable: usize| {
            if !forms.is_named(variable) {
                return Some(None);
            }
            let count = u32::try_from(rules.variables[variable].high - rules.variables[variable].low + 1).ok()?;
            let all: Option<Vec<u32>> = (0..count).map(|value| value_goes(variable, value)).collect();
            all.map(Some)
        };
        let values = (0..rules.variables.len()).map(of_variable).collect::<Option<Vec<_>>>()?;
        let halves = Self { to, values, forms: forms.clone() };
        halves.holds(rules).then_some(halves)
    }

    /// Whether it is an exchange under which the model is the same.
    fn holds(&self, rules: &Rules) -> bool {
        let digits = |variable: usize| rules.variables.get(variable).map(|of| (of.low, of.high));
        let begins = |variable: usize| {
            let of = &rules.variables[variable];
            let first = u32::try_from(of.initial - of.low).ok();
            let goes = match &self.values[variable] {
                Some(values) => first.and_then(|first| values.get(first as usize).copied()),
                None => first,
            };
            let there = &rules.variables[self.to[variable]];
            goes.map(i64::from) == Some(there.initial - there.low)
        };
        let mut moves = false;
        for variable in 0..self.to.len() {
            let there = self.to[variable];
            let is_back = self.to.get(there) == Some(&variable) && digits(there) == digits(variable);
            let values_are_back = match (&self.values[variable], &self.values[there]) {
                (None, None) => true,
                (Some(values), Some(back)) => {
                    (0_u32..).zip(values).all(|(value, goes)| back.get(*goes as usize) == Some(&value))
                }
                _ => false,
            };
            if !is_back || !values_are_back || !begins(variable) {
                return false;
            }
            moves |= there != variable || self.renames(variable);
        }
        moves && self.forms.model(rules, &|node| node.to_string()) == self.forms.model(rules, &|node| self.name(node))
    }

    /// Whether a condition that is true in a state is true in the one that is exchanged with it.
    pub(super) fn is_even(&self, condition: &Expression) -> bool {
        let form = |name: &dyn Fn(Node) -> String| self.forms.expression(condition, name);
        form(&|node| node.to_string()) == form(&|node| self.name(node))
    }

    /// The digits of the exchanged state, one for each variable: the value there counted from its low.
    pub(super) fn goes(&self, variable: usize, digit: u64) -> (usize, u64) {
        let digit = match &self.values[variable] {
            Some(values) => values.get(digit as usize).map_or(digit, |value| u64::from(*value)),
            None => digit,
        };
        (self.to[variable], digit)
    }

    /// Whether values of this variable change places.
    fn renames(&self, variable: usize) -> bool {
        self.values[variable].as_ref().is_some_and(|values| (0..).zip(values).any(|(value, goes)| value != *goes))
    }

    /// What stands for something after the exchange.
    fn name(&self, node: Node) -> String {
        match node {
            // As a number it would be another one.
            Node::Variable(variable) if self.renames(variable) => format!("{node} exchanged"),
            Node::Variable(variable) => self.to.get(variable).map_or(node, |to| Node::Variable(*to)).to_string(),
            Node::Value(variable, value) => {
                let (to, value) = self.goes(variable, u64::from(value));
                Node::Value(to, value as u32).to_string()
            }
        }
    }
}

/// The first colours: what is known of each by itself.
fn first(forms: &Forms, rules: &Rules) -> Colours {
    let mut kinds = BTreeMap::new();
    for (variable, of) in rules.variables.iter().enumerate() {
        let kind = (of.low, of.high, forms.is_named(variable));
        kinds.insert(Node::Variable(variable), (false, kind));
        if forms.is_named(variable) {
            let count = u32::try_from(of.high - of.low + 1).unwrap_or(0);
            (0..count).for_each(|value| _ = kinds.insert(Node::Value(variable, value), (true, kind)));
        }
    }
    ranked(kinds)
}

/// Refines colours until they say no more: by the rules in which each stands, and by its variable or values.
fn refined(forms: &Forms, rules: &Rules, mut colours: Colours) -> Colours {
    let count = |colours: &Colours| colours.values().collect::<BTreeSet<_>>().len();
    let mut known = count(&colours);
    loop {
        let signature = |node: Node| {
            // A value that the variable never has is like no other.
            let name = |other: Node| match colours.get(&other) {
                _ if other == node => "*".to_owned(),
                Some(colour) => colour.to_string(),
                None => other.to_string(),
            };
            let related = colours.iter().filter(|(other, _)| **other != node && other.variable() == node.variable());
            let mut related: Vec<usize> = related.map(|(_, colour)| *colour).collect();
            related.sort_unstable();
            (colours[&node], related, forms.elements(rules, node, &name))
        };
        colours = ranked(colours.keys().map(|&node| (node, signature(node))).collect());
        let now = count(&colours);
        if now == known {
            return colours;
        }
        known = now;
    }
}

/// Numbers for what is equal, in its order.
fn ranked<T: Ord>(kinds: BTreeMap<Node, T>) -> Colours {
    let all: BTreeSet<&T> = kinds.values().collect();
    let ranks: BTreeMap<&T, usize> = all.into_iter().zip(0..).collect();
    kinds.iter().map(|(&node, kind)| (node, ranks[kind])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Measure;
    use crate::chain::generator::{Binary, Limits, Module, NOBODY, Outcome, Rule, Space, Variable};

    const A: usize = 0;
    const B: usize = 1;
    const CREW: usize = 2;

    fn number(value: f64) -> Expression {
        Expression::Number(value)
    }

    fn compare(operation: Binary, variable: usize, value: f64) -> Expression {
        Expression::binary(operation, Expression::Variable(variable), number(value))
    }

    fn rule(guard: Expression, rate: f64, effects: Vec<(usize, Expression)>) -> Rule {
        let outcomes = vec![Outcome { rate: number(rate), effects }];
        Rule { name: String::new(), place: None, action: None, guard, outcomes }
    }

    /// Two groups of three units, and a crew that repairs one of them at a time.
    fn groups() -> Rules {
        let step = |of, by| (of, Expression::binary(Binary::Add, Expression::Variable(of), number(by)));
        let of_group = |(group, name): (usize, f64)| {
            let away = compare(Binary::Less, group, 3.0);
            let idle = compare(Binary::Equal, CREW, 0.0);
            // The operands stand in another order in the other group.
            let begins = if group == A {
                Expression::binary(Binary::And, away, idle)
            } else {
                Expression::binary(Binary::And, idle, away)
            };
            [
                rule(compare(Binary::Different, group, 0.0), 0.125, vec![step(group, -1.0)]),
                rule(begins, 4.0, vec![(CREW, number(name))]),
                rule(compare(Binary::Equal, CREW, name), 2.0, vec![step(group, 1.0), (CREW, number(0.0))]),
            ]
        };
        let variable =
            |name: &str, high, initial| Variable { name: name.into(), low: 0, high, initial, words: Vec::new() };
        Rules {
            variables: vec![variable("a", 3, 3), variable("b", 3, 3), variable("crew", 2, 0)],
            modules: vec![Module {
                name: "all".into(),
                rules: [(A, 1.0), (B, 2.0)].into_iter().flat_map(of_group).collect(),
            }],
            ..Rules::default()
        }
    }

    fn sum_is_less(than: f64) -> Expression {
        let sum = Expression::binary(Binary::Add, Expression::Variable(B), Expression::Variable(A));
        Expression::binary(Binary::Less, sum, number(than))
    }

    #[test]
    fn halves_are_found_with_the_names_that_change_places() {
        let halves = Halves::of(&groups()).expect("two halves");
        assert_eq!([halves.goes(A, 2), halves.goes(B, 0), halves.goes(CREW, 1)], [(B, 2), (A, 0), (CREW, 2)]);
        let even = [sum_is_less(4.0), compare(Binary::Equal, CREW, 0.0)];
        assert!(even.iter().all(|condition| halves.is_even(condition)));
        let odd = [compare(Binary::Less, A, 1.0), compare(Binary::Equal, CREW, 1.0), compare(Binary::Less, CREW, 1.0)];
        assert!(odd.iter().all(|condition| !halves.is_even(condition)));
    }

    #[test]
    fn what_is_alike_by_halves_only_has_none() {
        let mut quicker = groups();
        quicker.modules[0].rules[0].outcomes[0].rate = number(0.25);
        let mut begins_apart = groups();
        begins_apart.variables[B].initial = 2;
        let mut labelled = groups();
        labelled.labels.push(("a is down".into(), compare(Binary::Equal, A, 0.0)));
        let mut wider = groups();
        wider.variables[B].high = 4;
        let mut as_a_number = groups();
        as_a_number.modules[0].rules[0].outcomes[0].rate =
            Expression::binary(Binary::Add, number(1.0), Expression::Variable(CREW));
        for rules in [quicker, begins_apart, labelled, wider, as_a_number] {
            assert!(Halves::of(&rules).is_none(), "{rules:?}");
        }
    }

    #[test]
    fn measures_of_half_the_states_are_those_of_all() {
        let rules = groups();
        let [half, all] = [true, false].map(|alike| {
            let halves = |_| alike.then(|| Halves::of(&rules)).flatten();
            Space::explore_with(&rules, &[], Limits::default(), halves, NOBODY).unwrap()
        });
        // States that are alike for both halves stand for themselves: as many in each, and the crew is idle.
        assert_eq!((half.states_of_model(), half.states() * 2 - 4), (all.states(), all.states()));
        let [few, many] = [&half, &all].map(|space| {
            let chain = space.chain::<f64>(&[]).unwrap();
            let down = space.holding(&sum_is_less(3.0));
            [Measure::unavailability(down.clone()), Measure::time_to(down)]
                .map(|measure| chain.evaluate(&measure).unwrap())
        });
        for (few, many) in few.into_iter().zip(many) {
            assert!((few / many - 1.0).abs() < 1e-14, "{few} {many}");
        }
        let (whole, stands) = half.whole().unwrap().expect("they are not all here");
        assert_eq!((whole.states(), stands.len()), (all.states(), all.states()));
        assert!(all.whole().unwrap().is_none() && half.tells_apart(&compare(Binary::Less, A, 1.0)));
    }
}
