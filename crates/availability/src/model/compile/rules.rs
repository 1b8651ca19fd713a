//! Guarded rules: names are looked up and units checked, then all states are generated.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compiler;
use super::chain::Chain;
use super::formula::Scope;
use crate::Error;
use crate::chain::generator::{Clause, Expression, Module, Outcome, Rule, Rules, Space, Variable};
use crate::model::Resources;
use crate::model::chain_solve::{ChainModel, Generated};
use crate::model::node::{Id, Values};
use crate::text::ast::{self, Command, Expr, RuleReward, VariableKind};
use crate::text::source::{Name, did_you_mean};
use crate::text::unit::Dimension;

/// The values of a yes-or-no variable.
const TRUTH: [&str; 2] = ["false", "true"];

impl Compiler<'_> {
    /// All states that rules lead to.
    pub(super) fn generate(&mut self, name: &Name, rules: &ast::Rules) -> Result<Chain, Error> {
        let (mut scope, variables) = self.scope(name, rules)?;
        let mut made = Rules { variables, ..Rules::default() };
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, module) in rules.modules.iter().enumerate() {
            let mut own = Module {
                name: module.name.as_ref().map_or(String::new(), |name| name.text.clone()),
                rules: Vec::new(),
            };
            for command in &module.commands {
                let action = command.action.as_ref().map(|action| action.text.as_str());
                let is_first = action.is_none_or(|action| *first.entry(action).or_insert(index) == index);
                own.rules.push(self.rule(module, command, &mut scope, is_first)?);
            }
            made.modules.push(own);
        }
        let mut dimensions = BTreeMap::new();
        for reward in &rules.rewards {
            let (clauses, dimension) = self.clauses_of(reward, &mut scope)?;
            made.rewards.push((reward.name.text.clone(), clauses));
            dimensions.insert(reward.name.text.clone(), dimension);
        }
        made.parameters = (0..scope.inputs.len()).map(|index| format!("input {index}")).collect();
        let values = self.values_now(&scope.inputs)?;
        let Resources { spaces, explored, .. } = self.resources;
        let space = Space::explore_told(&made, &values, spaces, !self.whole, explored);
        let space = space.map_err(|error| self.at_rule(error, name))?;
        self.resources.spaces = spaces.without(space.bytes());
        let mut chain = Chain {
            model: ChainModel::Rules(Arc::new(Generated { space })),
            inputs: scope.inputs.clone(),
            up: None,
            labels: BTreeMap::new(),
            rewards: BTreeMap::new(),
            dimensions,
            scope: Some(scope),
        };
        for (label, condition) in &rules.labels {
            self.free_label(label)?;
            let states = self.holding(&mut chain, condition)?;
            chain.labels.insert(label.text.clone(), states);
        }
        chain.up = match (&rules.up, &rules.down) {
            (Some(up), _) => Some(self.holding(&mut chain, up)?),
            (None, Some(down)) => Some(self.holding(&mut chain, &down.clone().not())?),
            (None, None) => None,
        };
        Ok(chain)
    }

    /// The states in which a condition over variables holds.
    pub(super) fn holding(&mut self, chain: &mut Chain, condition: &Expr) -> Result<Vec<bool>, Error> {
        let (Some(scope), ChainModel::Rules(rules)) = (&mut chain.scope, &chain.model) else { return Ok(Vec::new()) };
        let condition = self.condition(condition, scope)?;
        self.tells_apart |= rules.space.tells_apart(&condition);
        let states = rules.space.holding(&condition);
        Ok((0..rules.space.states()).map(|state| states.contains(state)).collect())
    }

    /// The values that nodes have with the parameters as they are.
    fn values_now(&self, ids: &[Id]) -> Result<Vec<f64>, Error> {
        let exact: Vec<_> = self.parameters.iter().map(|parameter| parameter.value).collect();
        let seeds: Vec<f64> = self.parameters.iter().map(crate::model::Parameter::value).collect();
        let values = Values::new(&self.nodes, &exact, &seeds)?;
        Ok(ids.iter().map(|&id| values.carried[id]).collect())
    }

    /// The names and the bounds of all variables.
    fn scope(&mut self, name: &Name, rules: &ast::Rules) -> Result<(Scope, Vec<Variable>), Error> {
        let mut scope = Scope::default();
        for (formula, value) in rules.formulas.iter().chain(&rules.labels) {
            if scope.formulas.insert(formula.text.clone(), value.clone()).is_some() {
                let what = format!("there are two formulas or labels `{}`", formula.text);
                return Err(self.error(formula.span, what, "give each a name of its own"));
            }
        }
        let mut variables = Vec::new();
        for declared in rules.modules.iter().flat_map(|module| &module.variables) {
            let variable = self.variable(declared, &mut scope)?;
            if scope.variables.insert(variable.name.clone(), variables.len()).is_some() {
                let what = format!("there are two variables `{}`", variable.name);
                return Err(self.error(declared.name.span, what, "give each a name of its own"));
            }
            variables.push(variable);
        }
        if variables.is_empty() {
            return Err(self.error(
                name.span,
                format!("`{}` has no variables", name.text),
                "declare one, `x : 0..3 start 3`",
            ));
        }
        for (declared, variable) in rules.modules.iter().flat_map(|module| &module.variables).zip(&mut variables) {
            if let Some(start) = &declared.start {
                variable.initial = self.start(start, variable, &mut scope)?;
            }
        }
        Ok((scope, variables))
    }

    fn variable(&mut self, declared: &ast::Variable, scope: &mut Scope) -> Result<Variable, Error> {
        let name = declared.name.text.clone();
        let (low, high, words) = match &declared.kind {
            VariableKind::Bool => (0, 1, TRUTH.map(str::to_owned).to_vec()),
            VariableKind::Range(low, high) => (self.whole(low)?, self.whole(high)?, Vec::new()),
            VariableKind::Words(words) => {
                for (place, word) in words.iter().enumerate() {
                    let value = place as i64;
                    if *scope.words.entry(word.text.clone()).or_insert(value) != value {
                        let what = format!("`{}` stands at another place in an earlier list of values", word.text);
                        return Err(self.error(
                            word.span,
                            what,
                            "variables that share values list them in the same order",
                        ));
                    }
                }
                (0, words.len() as i64 - 1, words.iter().map(|word| word.text.clone()).collect())
            }
        };
        if low > high {
            let what = format!("the range of `{name}` goes from {low} to {high}");
            return Err(self.error(declared.name.span, what, "the smallest value comes first"));
        }
        Ok(Variable { name, low, high, initial: low, words })
    }

    fn start(&mut self, start: &Expr, variable: &Variable, scope: &mut Scope) -> Result<i64, Error> {
        let Expression::Number(value) = self.condition(start, scope)? else {
            return Err(self.error(start.span, "a start must not depend on variables", "write a value"));
        };
        let range = variable.low..=variable.high;
        if value.fract() == 0.0 && range.contains(&(value as i64)) {
            return Ok(value as i64);
        }
        let allowed = if variable.words.is_empty() {
            format!("{}..{}", variable.low, variable.high)
        } else {
            variable.words.join(", ")
        };
        Err(self.error(
            start.span,
            format!("`{}` cannot start with {value}", variable.name),
            format!("its values are {allowed}"),
        ))
    }

    /// A rule. Of the rules of an action those of the first module have a rate with a unit, the others are factors.
    fn rule(
        &mut self,
        module: &ast::Module,
        command: &Command,
        scope: &mut Scope,
        is_first: bool,
    ) -> Result<Rule, Error> {
        let guard = self.condition(&command.guard, scope)?;
        let (wanted, what) = if is_first {
            (Dimension::RATE, "the rate of a rule")
        } else {
            (Dimension::PLAIN, "the rate of the second rule of an action")
        };
        let mut outcomes = Vec::new();
        for (rate, updates) in &command.alternatives {
            let rate = self.mixed_of(rate, scope, wanted, what)?;
            let mut effects = Vec::new();
            for (name, value) in updates {
                let own = module.variables.iter().any(|variable| variable.name.text == name.text);
                let Some(&variable) = scope.variables.get(&name.text).filter(|_| own) else {
                    let near =
                        did_you_mean(&name.text, module.variables.iter().map(|variable| variable.name.text.as_str()));
                    let what = format!("`{}` is no variable that this rule can change{near}", name.text);
                    return Err(self.error(name.span, what, "a rule changes variables of its own module"));
                };
                effects.push((variable, self.condition(value, scope)?));
            }
            outcomes.push(Outcome { rate, effects });
        }
        let place = self.place(command.span);
        Ok(Rule {
            name: format!("the rule in {}", place.in_words()),
            place: Some(place),
            action: command.action.as_ref().map(|action| action.text.clone()),
            guard,
            outcomes,
        })
    }

    /// The error at the rule that it names, or else where the model has its name.
    fn at_rule(&self, error: Error, name: &Name) -> Error {
        let place = error.named.as_deref().cloned().unwrap_or_else(|| self.place(name.span));
        error.at(place)
    }

    /// The clauses of a reward, and the unit of what is earned in all.
    fn clauses_of(&mut self, reward: &RuleReward, scope: &mut Scope) -> Result<(Vec<Clause>, Dimension), Error> {
        let (mut clauses, mut known) = (Vec::new(), None);
        let time = i32::from(!self.unitless);
        let mut agree = |compiler: &Self, found: Dimension| {
            let expected = *known.get_or_insert(found);
            if expected == found {
                return Ok(());
            }
            let what = format!("the reward `{}` adds {} and {}", reward.name.text, expected.name(), found.name());
            Err(compiler.error(reward.name.span, what, "what a rule earns is a quantity, and what a state earns is a quantity for each unit of time: `3 per hour`"))
        };
        let always = || Expression::Number(1.0);
        for (condition, amount) in &reward.states {
            let guard =
                condition.as_ref().map_or_else(|| Ok(always()), |condition| self.condition(condition, scope))?;
            let (value, dimension) = self.mixed(amount, scope)?;
            agree(self, Dimension(dimension.0 + time))?;
            clauses.push(Clause::State { guard, value });
        }
        for (action, condition, amount) in &reward.actions {
            let guard =
                condition.as_ref().map_or_else(|| Ok(always()), |condition| self.condition(condition, scope))?;
            let (value, dimension) = self.mixed(amount, scope)?;
            agree(self, dimension)?;
            clauses.push(Clause::Transition {
                action: action.as_ref().map(|action| action.text.clone()),
                guard,
                value,
            });
        }
        Ok((clauses, known.unwrap_or(Dimension::PLAIN)))
    }
}
