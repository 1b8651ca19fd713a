//! Conditions and new values of variables, as programs that are run in each state.

use std::collections::BTreeMap;

use super::Compiler;
use crate::Error;
use crate::text::ast::{Expr, ExprKind, Operator};
use crate::text::source::did_you_mean;

/// An expression over the variables of a state. Truth is 1 and 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Program {
    Value(f64),
    /// The variable of this index.
    Variable(usize),
    Negate(Box<Program>),
    Not(Box<Program>),
    Floor(Box<Program>),
    Binary(Operator, Box<Program>, Box<Program>),
    Min(Box<Program>, Box<Program>),
    Max(Box<Program>, Box<Program>),
    Remainder(Box<Program>, Box<Program>),
    If(Box<Program>, Box<Program>, Box<Program>),
}

impl Program {
    /// Its value in a state.
    pub(crate) fn run(&self, state: &[i32]) -> f64 {
        match self {
            Self::Value(value) => *value,
            Self::Variable(index) => f64::from(state[*index]),
            Self::Negate(x) => -x.run(state),
            Self::Not(x) => f64::from(x.run(state) == 0.0),
            Self::Floor(x) => x.run(state).floor(),
            Self::Min(a, b) => a.run(state).min(b.run(state)),
            Self::Max(a, b) => a.run(state).max(b.run(state)),
            Self::Remainder(a, b) => a.run(state).rem_euclid(b.run(state)),
            Self::If(condition, yes, no) => if condition.run(state) == 0.0 { no.run(state) } else { yes.run(state) },
            Self::Binary(operator, a, b) => operator.run(a, b, state),
        }
    }

    /// Whether it is true in a state.
    pub(crate) fn holds(&self, state: &[i32]) -> bool {
        self.run(state) != 0.0
    }
}

impl Operator {
    fn run(self, a: &Program, b: &Program, state: &[i32]) -> f64 {
        let left = a.run(state);
        // The second side of a condition is not looked at if the first decides.
        match (self, left == 0.0) {
            (Self::And, true) => return 0.0,
            (Self::Or, false) => return 1.0,
            _ => {}
        }
        let right = b.run(state);
        match self {
            Self::Or | Self::And => f64::from(right != 0.0),
            Self::Equal => f64::from(left == right),
            Self::NotEqual => f64::from(left != right),
            Self::Less => f64::from(left < right),
            Self::LessEqual => f64::from(left <= right),
            Self::Greater => f64::from(left > right),
            Self::GreaterEqual => f64::from(left >= right),
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Divide => left / right,
            Self::Power => left.powf(right),
        }
    }
}

/// The names that mean something in a state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Variables with their index.
    pub(crate) variables: BTreeMap<String, usize>,
    /// Values of variables that have words for values.
    pub(crate) words: BTreeMap<String, i32>,
    /// Named conditions and expressions.
    pub(crate) formulas: BTreeMap<String, Expr>,
}

/// Formulas within formulas; more are taken for a circle.
const MAX_FORMULAS: u32 = 100;

impl Compiler<'_> {
    /// An expression as a program over the variables of a scope; everything else in it is known now.
    pub(super) fn program(&mut self, expr: &Expr, scope: &Scope) -> Result<Program, Error> {
        let expr = self.inlined(expr, scope, MAX_FORMULAS)?;
        self.program_of(&expr, scope)
    }

    fn program_of(&mut self, expr: &Expr, scope: &Scope) -> Result<Program, Error> {
        let boxed = |compiler: &mut Self, expr: &Expr| compiler.program_of(expr, scope).map(Box::new);
        let program = match &expr.kind {
            ExprKind::Bool(value) => Program::Value(f64::from(*value)),
            ExprKind::Reference(reference) if reference.indexes.is_empty() => {
                let name = reference.name.text.as_str();
                match (scope.variables.get(name), scope.words.get(name)) {
                    (Some(&index), _) => Program::Variable(index),
                    (None, Some(&word)) => Program::Value(f64::from(word)),
                    (None, None) if self.is_known(name) => self.value_now(expr)?,
                    (None, None) => {
                        let known = scope.variables.keys().chain(scope.words.keys()).chain(scope.formulas.keys());
                        let near = did_you_mean(name, known.map(String::as_str).chain(self.names.keys().copied()));
                        let what = format!("there is no variable, value, label or parameter `{name}`{near}");
                        return Err(self.error(expr.span, what, "declare it, `x : 0..3 start 3`"));
                    }
                }
            }
            ExprKind::Negate(x) => Program::Negate(boxed(self, x)?),
            ExprKind::Not(x) => Program::Not(boxed(self, x)?),
            ExprKind::Binary(operator, a, b) => Program::Binary(*operator, boxed(self, a)?, boxed(self, b)?),
            ExprKind::Call(name, arguments) => {
                let mut programs = Vec::new();
                for argument in arguments {
                    programs.push(self.program_of(argument, scope)?);
                }
                return self.called(&name.text, programs, expr);
            }
            _ => self.value_now(expr)?,
        };
        Ok(program.folded())
    }

    fn called(&mut self, name: &str, mut programs: Vec<Program>, expr: &Expr) -> Result<Program, Error> {
        let first = Box::new(programs.remove(0));
        let pair = |function: fn(Box<Program>, Box<Program>) -> Program, first: Box<Program>, rest: Vec<Program>| {
            rest.into_iter().fold(*first, |all, next| function(Box::new(all), Box::new(next)))
        };
        let program = match (name, programs.len()) {
            ("floor", 0) => Program::Floor(first),
            ("ceil", 0) => Program::Negate(Box::new(Program::Floor(Box::new(Program::Negate(first))))),
            ("min", _) => pair(Program::Min, first, programs),
            ("max", _) => pair(Program::Max, first, programs),
            ("mod", 1) => pair(Program::Remainder, first, programs),
            ("pow", 1) => Program::Binary(Operator::Power, first, Box::new(programs.remove(0))),
            ("if", 2) => {
                let no = Box::new(programs.remove(1));
                Program::If(first, Box::new(programs.remove(0)), no)
            }
            _ => {
                let what = format!("`{name}` cannot stand in a condition over states");
                return Err(self.error(expr.span, what, "floor, ceil, min, max, mod, pow and if can"));
            }
        };
        Ok(program.folded())
    }

    fn is_known(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.locals.iter().any(|(local, _)| local == name)
    }

    /// What does not depend on the state.
    fn value_now(&mut self, expr: &Expr) -> Result<Program, Error> {
        let id = self.plain(expr)?;
        Ok(Program::Value(self.fold(id, expr.span)?.rounded()))
    }

    /// The expression with all formulas of the scope written out.
    pub(super) fn inlined(&self, expr: &Expr, scope: &Scope, deeper: u32) -> Result<Expr, Error> {
        let inner = |expr: &Expr| self.inlined(expr, scope, deeper);
        let boxed = |expr: &Expr| inner(expr).map(Box::new);
        let kind = match &expr.kind {
            ExprKind::Reference(reference) if reference.indexes.is_empty() => match scope.formulas.get(&reference.name.text) {
                Some(_) if deeper == 0 => {
                    let what = format!("`{}` needs itself", reference.name.text);
                    return Err(self.error(expr.span, what, "a formula must not need its own value"));
                }
                Some(formula) => return self.inlined(formula, scope, deeper - 1),
                None => expr.kind.clone(),
            },
            ExprKind::Negate(x) => ExprKind::Negate(boxed(x)?),
            ExprKind::Not(x) => ExprKind::Not(boxed(x)?),
            ExprKind::Binary(operator, a, b) => ExprKind::Binary(*operator, boxed(a)?, boxed(b)?),
            ExprKind::Call(name, arguments) => {
                ExprKind::Call(name.clone(), arguments.iter().map(inner).collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        };
        Ok(Expr { kind, span: expr.span })
    }
}

impl Program {
    /// The same, computed now if it needs no variable.
    fn folded(self) -> Self {
        let is_value = |program: &Self| matches!(program, Self::Value(_));
        let is_constant = match &self {
            Self::Value(_) | Self::Variable(_) => false,
            Self::Negate(x) | Self::Not(x) | Self::Floor(x) => is_value(x),
            Self::Binary(_, a, b) | Self::Min(a, b) | Self::Max(a, b) | Self::Remainder(a, b) => is_value(a) && is_value(b),
            Self::If(condition, yes, no) => is_value(condition) && is_value(yes) && is_value(no),
        };
        if is_constant { Self::Value(self.run(&[])) } else { self }
    }
}

/// The names of variables that an expression needs.
pub(super) fn variables_in(expr: &Expr, scope: &Scope, found: &mut Vec<usize>) {
    match &expr.kind {
        ExprKind::Reference(reference) => found.extend(scope.variables.get(&reference.name.text)),
        ExprKind::Negate(x) | ExprKind::Not(x) => variables_in(x, scope, found),
        ExprKind::Binary(_, a, b) => {
            variables_in(a, scope, found);
            variables_in(b, scope, found);
        }
        ExprKind::Call(_, arguments) => arguments.iter().for_each(|argument| variables_in(argument, scope, found)),
        _ => {}
    }
}
