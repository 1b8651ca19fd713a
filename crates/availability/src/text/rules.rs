//! Guarded rules over bounded variables.

use crate::Error;
use crate::text::ast::{Command, Expr, ExprKind, Module, RuleReward, Rules, Variable, VariableKind};
use crate::text::parser::Parser;
use crate::text::source::Name;

/// Everything that may stand in a block of rules.
const LINES: &str = "a variable `x : 0..N start N`, a rule `when GUARD then x := x - 1 at RATE`, `module NAME { ... }`, `let`, `label`, `up:`, `down:` or `reward NAME:`";

impl Parser<'_> {
    /// `{ variables, rules, modules, labels, rewards }`.
    pub(crate) fn rules(&mut self) -> Result<Rules, Error> {
        self.sign("{", "before the rules")?;
        let mut rules = Rules::default();
        let mut own = Module { name: None, variables: Vec::new(), commands: Vec::new() };
        loop {
            while self.eat_sign(";") {}
            if self.eat_sign("}") {
                break;
            }
            if !self.rules_line(&mut rules)? && !self.module_line(&mut own)? {
                return Err(self.unexpected(LINES));
            }
        }
        if !own.variables.is_empty() || !own.commands.is_empty() {
            rules.modules.insert(0, own);
        }
        Ok(rules)
    }

    /// A line that belongs to the rules as a whole.
    fn rules_line(&mut self, rules: &mut Rules) -> Result<bool, Error> {
        if self.is_sign(1, ":") && (self.is_word(0, "up") || self.is_word(0, "down")) {
            let is_up = self.is_word(0, "up");
            self.take();
            self.take();
            let states = Some(self.expression()?);
            *(if is_up { &mut rules.up } else { &mut rules.down }) = states;
        } else if self.is_word(0, "reward") && self.is_sign(2, ":") {
            self.take();
            self.rule_reward(rules)?;
        } else if self.is_sign(2, "=") && (self.is_word(0, "label") || self.is_word(0, "let")) {
            let is_label = self.is_word(0, "label");
            self.take();
            let name = self.name("a name")?;
            self.take();
            let value = self.expression()?;
            (if is_label { &mut rules.labels } else { &mut rules.formulas }).push((name, value));
        } else if self.is_sign(2, "{") && self.eat_word("module") {
            let name = self.name("the name of the module")?;
            self.take();
            let mut module = Module { name: Some(name), variables: Vec::new(), commands: Vec::new() };
            while !self.eat_sign("}") {
                if !self.eat_sign(";") && !self.module_line(&mut module)? {
                    return Err(self.unexpected("a variable, a rule, or `}` at the end of the module"));
                }
            }
            rules.modules.push(module);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// A variable or a rule.
    fn module_line(&mut self, module: &mut Module) -> Result<bool, Error> {
        if self.is_sign(0, "[") || self.is_word(0, "when") {
            module.commands.push(self.command()?);
        } else if self.is_sign(1, ":") {
            module.variables.push(self.variable()?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `x : 0..N start N`, `x : bool start true`, `x : {idle, busy} start idle`.
    fn variable(&mut self) -> Result<Variable, Error> {
        let name = self.name("the name of a variable")?;
        self.sign(":", "and its values")?;
        let kind = if self.eat_word("bool") {
            VariableKind::Bool
        } else if self.eat_sign("{") {
            let mut words = vec![self.name("a value")?];
            while self.eat_sign(",") {
                words.push(self.name("a value")?);
            }
            self.sign("}", "after the last value")?;
            VariableKind::Words(words)
        } else {
            let low = self.sum()?;
            self.sign("..", "between the smallest and the largest value")?;
            VariableKind::Range(low, self.sum()?)
        };
        let start = if self.eat_word("start") { Some(self.expression()?) } else { None };
        Ok(Variable { name, kind, start })
    }

    fn command(&mut self) -> Result<Command, Error> {
        let start = self.peek(0).span;
        let action = self.action()?;
        self.word("when", "and the guard of the rule")?;
        let guard = self.expression()?;
        self.word("then", "and what changes")?;
        let mut effects = vec![self.effect()?];
        while self.eat_sign(",") {
            effects.push(self.effect()?);
        }
        self.word("at", "and the rate of the rule")?;
        let rate = self.rate()?;
        let span = start.to(self.previous().span);
        Ok(Command { action, guard, alternatives: vec![(rate, effects)], span })
    }

    /// `[NAME]`; nothing if there are no brackets, or nothing in them.
    fn action(&mut self) -> Result<Option<Name>, Error> {
        if !self.eat_sign("[") {
            return Ok(None);
        }
        let name = self.name("the name of an action")?;
        self.sign("]", "after the action")?;
        Ok(Some(name))
    }

    fn effect(&mut self) -> Result<(Name, Expr), Error> {
        let name = self.name("a variable")?;
        self.sign(":=", "and its new value")?;
        Ok((name, self.expression()?))
    }

    /// `reward NAME: EXPR when CONDITION, [ACTION] EXPR when CONDITION`.
    fn rule_reward(&mut self, rules: &mut Rules) -> Result<(), Error> {
        let name = self.name("a name for the reward")?;
        self.take();
        let mut reward = RuleReward { name, states: Vec::new(), actions: Vec::new() };
        loop {
            let action = self.action()?;
            let amount = self.sum()?;
            // A rule begins with `when` as well, but in a line of its own.
            let condition = if self.same_line() && self.eat_word("when") { Some(self.expression()?) } else { None };
            match action {
                Some(action) => reward.actions.push((Some(action), condition, amount)),
                None => reward.states.push((condition, amount)),
            }
            if !self.eat_sign(",") {
                break;
            }
        }
        rules.rewards.push(reward);
        Ok(())
    }
}

impl Expr {
    /// The name that this expression is, if it is nothing but a name.
    pub(crate) fn as_name(&self) -> Option<&Name> {
        match &self.kind {
            ExprKind::Reference(reference) if reference.indexes.is_empty() => Some(&reference.name),
            _ => None,
        }
    }
}
