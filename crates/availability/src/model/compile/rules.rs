//! Guarded rules, written out as a chain: all states that can be reached, and the arcs between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compiler;
use super::chain::{Chain, Earnings};
use super::program::{Program, Scope, variables_in};
use crate::Error;
use crate::model::chain_solve::ChainShape;
use crate::model::node::{Binary, Id};
use crate::text::ast::{Command, Expr, Module, RuleReward, Rules, Variable, VariableKind};
use crate::text::exact::Exact;
use crate::text::source::{Name, Span};
use crate::text::unit::Dimension;

/// More states are refused before memory runs out.
const MAX_STATES: usize = 10_000_000;

/// The variables of rules, and what a state can be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    pub(crate) scope: Scope,
    pub(crate) bounds: Vec<Bounds>,
    /// The values of the variables of each state.
    pub(crate) states: Vec<Box<[i32]>>,
}

/// The values that a variable may have.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    name: String,
    low: i32,
    high: i32,
    /// The words of a variable that has no numbers.
    words: Vec<(i32, String)>,
    is_bool: bool,
}

/// A rule with one effect, ready to be tried in a state.
struct Rule {
    action: Option<String>,
    module: usize,
    guard: Program,
    rate: Expr,
    /// Variables that the rate needs.
    needs: Vec<usize>,
    effects: Vec<(usize, Program)>,
    span: Span,
}

/// The rates that were lowered: rule and the values that its rate needs.
type Rates = BTreeMap<(usize, Vec<i32>), Id>;

impl Compiler<'_> {
    /// Writes rules out.
    pub(super) fn generate(&mut self, name: &Name, rules: &Rules) -> Result<Chain, Error> {
        let mut space = self.space(name, rules)?;
        let start = self.start(rules, &space)?;
        let ready = self.ready(rules, &space.scope)?;
        let groups = groups(&ready, rules.modules.len());
        let mut index = BTreeMap::from([(start.clone(), 0_usize)]);
        space.states.push(start);
        let (mut arcs, mut actions, mut rates, mut known) = (Vec::new(), Vec::new(), Vec::new(), Rates::new());
        let mut at = 0;
        while at < space.states.len() {
            let state = space.states[at].clone();
            for group in &groups {
                for combination in enabled(group, &ready, &state) {
                    let next = self.fire(&combination, &ready, &state, &space)?;
                    let rate = self.rate(&combination, &ready, &state, &space.scope, &mut known)?;
                    let fresh = space.states.len();
                    let to = *index.entry(next.clone()).or_insert(fresh);
                    if to == fresh {
                        space.states.push(next);
                        if fresh >= MAX_STATES {
                            let what = format!("the rules of `{}` lead to more than {MAX_STATES} states", name.text);
                            return Err(self.error(name.span, what, "make ranges smaller, or leave details away"));
                        }
                    }
                    arcs.push((at, to));
                    actions.push(ready[combination[0]].action.clone());
                    rates.push(rate);
                }
            }
            at += 1;
        }
        self.chain_of(rules, space, arcs, &actions, rates)
    }

    fn chain_of(
        &mut self,
        rules: &Rules,
        space: Space,
        arcs: Vec<(usize, usize)>,
        actions: &[Option<String>],
        rates: Vec<Id>,
    ) -> Result<Chain, Error> {
        let mut labels = BTreeMap::new();
        for (label, condition) in &rules.labels {
            labels.insert(label.text.clone(), self.states_with(condition, &space)?);
        }
        let up = match (&rules.up, &rules.down) {
            (Some(up), _) => Some(self.states_with(up, &space)?),
            (None, Some(down)) => Some(self.states_with(&down.clone().not(), &space)?),
            (None, None) => None,
        };
        let mut rewards = BTreeMap::new();
        for reward in &rules.rewards {
            let earnings = self.rule_earnings(reward, &space, &arcs, actions)?;
            rewards.insert(reward.name.text.clone(), earnings);
        }
        let states = space.states.iter().map(|state| space.name(state)).collect();
        let shape = Arc::new(ChainShape { states, arcs, start: 0 });
        Ok(Chain { shape, rates, up, labels, rewards, space: Some(Arc::new(space)) })
    }

    pub(super) fn states_with(&mut self, condition: &Expr, space: &Space) -> Result<Vec<bool>, Error> {
        let program = self.program(condition, &space.scope)?;
        Ok(space.states.iter().map(|state| program.holds(state)).collect())
    }

    /// The names and the bounds of all variables.
    fn space(&mut self, name: &Name, rules: &Rules) -> Result<Space, Error> {
        let mut space = Space::default();
        for (formula, value) in rules.formulas.iter().chain(&rules.labels) {
            space.scope.formulas.insert(formula.text.clone(), value.clone());
        }
        for variable in rules.modules.iter().flat_map(|module| &module.variables) {
            let bounds = self.bounds(variable, &mut space.scope)?;
            let index = space.bounds.len();
            if space.scope.variables.insert(variable.name.text.clone(), index).is_some() {
                let what = format!("there are two variables `{}`", variable.name.text);
                return Err(self.error(variable.name.span, what, "give each a name of its own"));
            }
            space.bounds.push(bounds);
        }
        if space.bounds.is_empty() {
            return Err(self.error(name.span, format!("`{}` has no variables", name.text), "declare one, `x : 0..3 start 3`"));
        }
        Ok(space)
    }

    fn bounds(&mut self, variable: &Variable, scope: &mut Scope) -> Result<Bounds, Error> {
        let name = variable.name.text.clone();
        let (low, high) = match &variable.kind {
            VariableKind::Bool => (0, 1),
            VariableKind::Range(low, high) => (self.whole(low)?, self.whole(high)?),
            VariableKind::Words(words) => {
                let mut values = Vec::new();
                for word in words {
                    // A word means the same wherever it is used, so that two variables can be compared.
                    let next = scope.words.len() as i32;
                    values.push((*scope.words.entry(word.text.clone()).or_insert(next), word.text.clone()));
                }
                return Ok(Bounds { name, low: 0, high: i32::MAX, words: values, is_bool: false });
            }
        };
        let fits = |value: i64| i32::try_from(value).is_ok();
        if low > high || !fits(low) || !fits(high) {
            let what = format!("the range of `{name}` goes from {low} to {high}");
            return Err(self.error(variable.name.span, what, "the smallest value comes first, and both fit into 32 bits"));
        }
        let is_bool = matches!(variable.kind, VariableKind::Bool);
        Ok(Bounds { name, low: low as i32, high: high as i32, words: Vec::new(), is_bool })
    }

    fn start(&mut self, rules: &Rules, space: &Space) -> Result<Box<[i32]>, Error> {
        let mut start = Vec::new();
        for (variable, bounds) in rules.modules.iter().flat_map(|module| &module.variables).zip(&space.bounds) {
            let value = match &variable.start {
                Some(expr) => {
                    let program = self.program(expr, &space.scope)?;
                    match program {
                        Program::Value(value) => value,
                        _ => return Err(self.error(expr.span, "a start must not depend on the state", "write a value")),
                    }
                }
                None => f64::from(bounds.words.first().map_or(bounds.low, |word| word.0)),
            };
            let Some(value) = bounds.value(value) else {
                let what = format!("`{}` cannot start with {value}", bounds.name);
                return Err(self.error(variable.name.span, what, format!("its values are {}", bounds.allowed())));
            };
            start.push(value);
        }
        Ok(start.into())
    }

    fn ready(&mut self, rules: &Rules, scope: &Scope) -> Result<Vec<Rule>, Error> {
        let mut ready = Vec::new();
        for (index, module) in rules.modules.iter().enumerate() {
            for command in &module.commands {
                self.command(index, module, command, scope, &mut ready)?;
            }
        }
        Ok(ready)
    }

    fn command(&mut self, index: usize, module: &Module, command: &Command, scope: &Scope, ready: &mut Vec<Rule>) -> Result<(), Error> {
        let guard = self.program(&command.guard, scope)?;
        for (rate, updates) in &command.alternatives {
            let rate = self.inlined(rate, scope, 100)?;
            let mut needs = Vec::new();
            variables_in(&rate, scope, &mut needs);
            needs.sort_unstable();
            needs.dedup();
            let mut effects = Vec::new();
            for (name, value) in updates {
                let own = module.variables.iter().any(|variable| variable.name.text == name.text);
                let Some(&variable) = scope.variables.get(&name.text).filter(|_| own) else {
                    let near = crate::text::source::did_you_mean(&name.text, scope.variables.keys().map(String::as_str));
                    let what = format!("`{}` is no variable that this rule can change{near}", name.text);
                    return Err(self.error(name.span, what, "a rule changes variables of its own module"));
                };
                effects.push((variable, self.program(value, scope)?));
            }
            let action = command.action.as_ref().map(|action| action.text.clone());
            ready.push(Rule { action, module: index, guard: guard.clone(), rate, needs, effects, span: command.span });
        }
        Ok(())
    }

    /// The state after rules that fire together; new values are computed from the old state.
    fn fire(&self, rules: &[usize], ready: &[Rule], state: &[i32], space: &Space) -> Result<Box<[i32]>, Error> {
        let mut next: Box<[i32]> = state.into();
        for rule in rules.iter().map(|&rule| &ready[rule]) {
            for (variable, program) in &rule.effects {
                let bounds = &space.bounds[*variable];
                let value = program.run(state);
                let Some(value) = bounds.value(value) else {
                    let what = format!("in the state {} this rule would make `{}` {value}", space.name(state), bounds.name);
                    return Err(self.error(rule.span, what, format!("its values are {}: guard the rule, or widen the range", bounds.allowed())));
                };
                next[*variable] = value;
            }
        }
        Ok(next)
    }

    /// The rate of rules that fire together: the product of theirs.
    fn rate(&mut self, rules: &[usize], ready: &[Rule], state: &[i32], scope: &Scope, known: &mut Rates) -> Result<Id, Error> {
        let mut product = None;
        for &index in rules {
            let rule = &ready[index];
            let key = (index, rule.needs.iter().map(|&variable| state[variable]).collect::<Vec<_>>());
            let id = match known.get(&key) {
                Some(id) => *id,
                None => {
                    let id = self.rate_in(rule, state, scope, product.is_none())?;
                    known.insert(key, id);
                    id
                }
            };
            product = Some(match product {
                None => id,
                Some(product) => self.binary(Binary::Multiply, product, id, Dimension::RATE),
            });
        }
        Ok(product.unwrap_or_default())
    }

    /// The rate of a rule in a state. Of rules that fire together the first one has the unit, the others are factors.
    fn rate_in(&mut self, rule: &Rule, state: &[i32], scope: &Scope, is_first: bool) -> Result<Id, Error> {
        let before = self.locals.len();
        self.bind(state, scope);
        let dimension = if is_first { Dimension::RATE } else { Dimension::PLAIN };
        let lowered = self.of_dimension(&rule.rate, dimension, if is_first { "the rate of a rule" } else { "the rate of the second rule of an action" });
        self.locals.truncate(before);
        let id = lowered?;
        self.positive(id, &rule.rate)?;
        Ok(id)
    }

    /// Lets the names of variables and their words mean the values of a state.
    fn bind(&mut self, state: &[i32], scope: &Scope) {
        let variables = scope.variables.iter().map(|(name, &index)| (name, state[index]));
        let words = scope.words.iter().map(|(name, &value)| (name, value));
        let named = words.chain(variables).map(|(name, value)| (name.clone(), Exact::from(f64::from(value))));
        self.locals.extend(named);
    }

    fn rule_earnings(
        &mut self,
        reward: &RuleReward,
        space: &Space,
        arcs: &[(usize, usize)],
        actions: &[Option<String>],
    ) -> Result<Earnings, Error> {
        let zero = self.constant(Exact::ZERO, Dimension::PLAIN);
        let (mut states, mut earned) = (vec![zero; space.states.len()], vec![zero; arcs.len()]);
        let mut dimension = None;
        for (condition, amount) in &reward.states {
            let mut amounts = self.amounts(amount, condition.as_ref(), space)?;
            for (index, state) in space.states.iter().enumerate() {
                if let Some((id, own)) = amounts.of(self, state, space)? {
                    let time = if self.unitless { 0 } else { 1 };
                    self.agree(reward, &mut dimension, Dimension(own.0 + time))?;
                    states[index] = self.binary(Binary::Add, states[index], id, own);
                }
            }
        }
        for (action, condition, amount) in &reward.actions {
            let mut amounts = self.amounts(amount, condition.as_ref(), space)?;
            for (arc, &(from, _)) in arcs.iter().enumerate() {
                if actions[arc].as_deref() != action.as_ref().map(|action| action.text.as_str()) {
                    continue;
                }
                if let Some((id, own)) = amounts.of(self, &space.states[from], space)? {
                    self.agree(reward, &mut dimension, own)?;
                    earned[arc] = self.binary(Binary::Add, earned[arc], id, own);
                }
            }
        }
        Ok(Earnings { states, arcs: earned, dimension: dimension.unwrap_or(Dimension::PLAIN) })
    }

    fn agree(&self, reward: &RuleReward, known: &mut Option<Dimension>, found: Dimension) -> Result<(), Error> {
        let expected = *known.get_or_insert(found);
        if expected == found {
            return Ok(());
        }
        let what = format!("the reward `{}` adds {} and {}", reward.name.text, expected.name(), found.name());
        Err(self.error(reward.name.span, what, "what a rule earns is a quantity, and what a state earns is a quantity for each unit of time: `3 per hour`"))
    }

    fn amounts(&mut self, amount: &Expr, condition: Option<&Expr>, space: &Space) -> Result<Amounts, Error> {
        let amount = self.inlined(amount, &space.scope, 100)?;
        let mut needs = Vec::new();
        variables_in(&amount, &space.scope, &mut needs);
        let condition = condition.map(|condition| self.program(condition, &space.scope)).transpose()?;
        Ok(Amounts { amount, needs, condition, known: BTreeMap::new() })
    }
}

/// What is earned in states, each different amount lowered once.
struct Amounts {
    amount: Expr,
    needs: Vec<usize>,
    condition: Option<Program>,
    known: BTreeMap<Vec<i32>, (Id, Dimension)>,
}

impl Amounts {
    /// What is earned in a state, if the condition holds there.
    fn of(&mut self, compiler: &mut Compiler<'_>, state: &[i32], space: &Space) -> Result<Option<(Id, Dimension)>, Error> {
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(state)) {
            return Ok(None);
        }
        let key: Vec<i32> = self.needs.iter().map(|&variable| state[variable]).collect();
        if let Some(known) = self.known.get(&key) {
            return Ok(Some(*known));
        }
        let before = compiler.locals.len();
        compiler.bind(state, &space.scope);
        let lowered = compiler.lower(&self.amount);
        compiler.locals.truncate(before);
        let lowered = lowered?;
        self.known.insert(key, (lowered.id, lowered.dimension));
        Ok(Some((lowered.id, lowered.dimension)))
    }
}

impl Bounds {
    /// A value of the variable, if it is one.
    fn value(&self, value: f64) -> Option<i32> {
        let whole = value as i32;
        let is_allowed = if self.words.is_empty() {
            (self.low..=self.high).contains(&whole)
        } else {
            self.words.iter().any(|(word, _)| *word == whole)
        };
        (f64::from(whole) == value && is_allowed).then_some(whole)
    }

    fn allowed(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|(_, word)| word.as_str()).collect();
        match (self.is_bool, words.is_empty()) {
            (true, _) => "true and false".to_owned(),
            (false, true) => format!("{}..{}", self.low, self.high),
            (false, false) => words.join(", "),
        }
    }
}

impl Space {
    /// A state as people read it: `left=3 sw_left=true crew=idle`.
    pub(crate) fn name(&self, state: &[i32]) -> String {
        let value = |bounds: &Bounds, value: i32| match bounds.words.iter().find(|(word, _)| *word == value) {
            Some((_, word)) => word.clone(),
            None if bounds.is_bool => (value != 0).to_string(),
            None => value.to_string(),
        };
        let parts = self.bounds.iter().zip(state).map(|(bounds, &at)| format!("{}={}", bounds.name, value(bounds, at)));
        parts.collect::<Vec<_>>().join(" ")
    }
}

/// Rules that fire together: each without an action alone, and those of an action one from each module that knows it.
fn groups(ready: &[Rule], modules: usize) -> Vec<Vec<Vec<usize>>> {
    let mut groups: Vec<Vec<Vec<usize>>> = Vec::new();
    let mut by_action: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, rule) in ready.iter().enumerate() {
        match &rule.action {
            None => groups.push(vec![vec![index]]),
            Some(action) => {
                let group = *by_action.entry(action).or_insert_with(|| {
                    groups.push(vec![Vec::new(); modules]);
                    groups.len() - 1
                });
                groups[group][rule.module].push(index);
            }
        }
    }
    for group in &mut groups {
        group.retain(|of_module| !of_module.is_empty());
    }
    groups
}

/// All combinations of one rule from each module whose guards hold.
fn enabled(group: &[Vec<usize>], ready: &[Rule], state: &[i32]) -> Vec<Vec<usize>> {
    let mut combinations = vec![Vec::new()];
    for of_module in group {
        let open: Vec<usize> = of_module.iter().copied().filter(|&rule| ready[rule].guard.holds(state)).collect();
        combinations = combinations
            .into_iter()
            .flat_map(|combination: Vec<usize>| open.iter().map(move |&rule| [&combination[..], &[rule]].concat()))
            .collect();
        if combinations.is_empty() {
            break;
        }
    }
    combinations
}
