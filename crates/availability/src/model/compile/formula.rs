//! Expressions over the variables of rules. Parts without a variable are computed outside, with all digits, and go in as one
//! number.

use std::collections::BTreeMap;

use super::{Compiler, MAX_LEVEL};
use crate::Error;
use crate::chain::generator::{Binary as B, Expression, Unary as U};
use crate::model::node::{Id, Node};
use crate::text::ast::{Expr, ExprKind, Operator};
use crate::text::source::{Name, did_you_mean};
use crate::text::unit::Dimension;

/// The names that mean something in a state, and the numbers that come from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Variables with their index.
    pub(super) variables: BTreeMap<String, usize>,
    /// Values of variables that have words for values.
    pub(super) words: BTreeMap<String, i64>,
    /// Named conditions and expressions.
    pub(super) formulas: BTreeMap<String, Expr>,
    /// The nodes that go into the rules as their parameters.
    pub(super) inputs: Vec<Id>,
}

/// Formulas within formulas; more are taken for a circle.
const MAX_FORMULAS: u32 = 100;
/// Names, numbers and operators of an expression with its formulas written out: each formula may double what it is made of.
const MAX_WRITTEN: usize = 100_000;

impl Compiler<'_> {
    /// A guard, a new value, a label: what is without variables in it decides about the structure, and is computed now.
    pub(super) fn condition(&mut self, expr: &Expr, scope: &mut Scope) -> Result<Expression, Error> {
        let expr = self.inlined(expr, scope)?;
        Ok(self.of_state(&expr, scope, true)?.0)
    }

    /// A rate or a reward, and its unit.
    pub(super) fn mixed(&mut self, expr: &Expr, scope: &mut Scope) -> Result<(Expression, Dimension), Error> {
        let expr = self.inlined(expr, scope)?;
        self.of_state(&expr, scope, false)
    }

    /// The same, of a unit that is known before.
    pub(super) fn mixed_of(
        &mut self,
        expr: &Expr,
        scope: &mut Scope,
        wanted: Dimension,
        what: &str,
    ) -> Result<Expression, Error> {
        let wanted = if self.unitless { Dimension::PLAIN } else { wanted };
        let (found, dimension) = self.mixed(expr, scope)?;
        if dimension == wanted {
            return Ok(found);
        }
        let text = &self.source.text[expr.span.start..expr.span.end];
        let what = format!("{what} must be {}, and `{text}` is {}", wanted.name(), dimension.name());
        Err(self.error(expr.span, what, "a rate is written `2 per hour`, `1 per 3 years`, `150 FIT` or `1/(5 min)`"))
    }

    fn of_state(&mut self, expr: &Expr, scope: &mut Scope, now: bool) -> Result<(Expression, Dimension), Error> {
        if !has_variable(expr, scope) {
            return self.same_everywhere(expr, scope, now);
        }
        let plain = |found| Ok((found, Dimension::PLAIN));
        match &expr.kind {
            ExprKind::Reference(reference) => {
                let name = &reference.name;
                match (scope.variables.get(&name.text), scope.words.get(&name.text)) {
                    (Some(&index), _) => plain(Expression::Variable(index)),
                    (None, Some(&word)) => plain(Expression::Number(word as f64)),
                    (None, None) => Err(self.unknown_in_state(name, scope)),
                }
            }
            ExprKind::Negate(x) => {
                let (x, dimension) = self.of_state(x, scope, now)?;
                Ok((Expression::unary(U::Negate, x), dimension))
            }
            ExprKind::Not(x) => plain(Expression::unary(U::Not, self.of_state(x, scope, now)?.0)),
            ExprKind::Binary(operator, a, b) => self.both_sides(*operator, a, b, scope, now),
            ExprKind::Call(name, arguments) => self.function_of_state(name, arguments, scope, now),
            _ => Err(self.error(
                expr.span,
                "this cannot depend on variables",
                "use arithmetic, conditions and functions",
            )),
        }
    }

    /// An expression that is the same in all states.
    fn same_everywhere(&mut self, expr: &Expr, scope: &mut Scope, now: bool) -> Result<(Expression, Dimension), Error> {
        if let Some(name) = expr.as_name()
            && !self.is_known(&name.text)
            && crate::text::unit::unit(&name.text).is_none()
        {
            return Err(self.unknown_in_state(name, scope));
        }
        let found = self.lower(expr)?;
        if now {
            let value = self.fold(found.id, expr.span)?;
            return Ok((Expression::Number(value.rounded()), found.dimension));
        }
        if let Node::Constant(value, _) = &self.nodes[found.id]
            && value.low == 0.0
        {
            return Ok((Expression::Number(value.rounded()), found.dimension));
        }
        let index = scope.inputs.iter().position(|&input| input == found.id).unwrap_or_else(|| {
            scope.inputs.push(found.id);
            scope.inputs.len() - 1
        });
        Ok((Expression::Parameter(index), found.dimension))
    }

    fn is_known(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.locals.iter().any(|(local, _)| local == name)
    }

    fn unknown_in_state(&self, name: &Name, scope: &Scope) -> Error {
        let known = scope.variables.keys().chain(scope.words.keys()).chain(scope.formulas.keys()).map(String::as_str);
        let near = did_you_mean(&name.text, known.chain(self.names.keys().copied()));
        let what = format!("there is no variable, value, label or parameter `{}`{near}", name.text);
        self.error(name.span, what, "declare it, `x : 0..3 start 3`")
    }

    fn both_sides(
        &mut self,
        operator: Operator,
        a: &Expr,
        b: &Expr,
        scope: &mut Scope,
        now: bool,
    ) -> Result<(Expression, Dimension), Error> {
        use Operator as O;
        let ((left, l), (right, r)) = (self.of_state(a, scope, now)?, self.of_state(b, scope, now)?);
        let dimension = match operator {
            O::Times => Dimension(l.0 + r.0),
            O::Divide => Dimension(l.0 - r.0),
            O::Plus | O::Minus => l,
            _ => Dimension::PLAIN,
        };
        let is_zero = |side: &Expression| *side == Expression::Number(0.0);
        if !matches!(operator, O::Times | O::Divide) && l != r && !is_zero(&left) && !is_zero(&right) {
            let [left, right] = [a, b].map(|side| format!("`{}`", &self.source.text[side.span.start..side.span.end]));
            self.same_dimension(b.span, l, r, &left, &right)?;
        }
        let (operation, swaps) = match operator {
            O::Or => (B::Or, false),
            O::And => (B::And, false),
            O::Equal => (B::Equal, false),
            O::NotEqual => (B::Different, false),
            O::Less => (B::Less, false),
            O::LessEqual => (B::AtMost, false),
            O::Greater => (B::Less, true),
            O::GreaterEqual => (B::AtMost, true),
            O::Plus => (B::Add, false),
            O::Minus => (B::Subtract, false),
            O::Times => (B::Multiply, false),
            O::Divide => (B::Divide, false),
            O::Power => (B::Power, false),
        };
        let (left, right) = if swaps { (right, left) } else { (left, right) };
        Ok((Expression::binary(operation, left, right), dimension))
    }

    fn function_of_state(
        &mut self,
        name: &Name,
        arguments: &[Expr],
        scope: &mut Scope,
        now: bool,
    ) -> Result<(Expression, Dimension), Error> {
        let (mut all, mut dimensions) = (Vec::new(), Vec::new());
        for argument in arguments {
            let (found, dimension) = self.of_state(argument, scope, now)?;
            all.push(found);
            dimensions.push(dimension);
        }
        let unary = |operation, all: &mut Vec<Expression>| Expression::unary(operation, all.remove(0));
        let found = match name.text.as_str() {
            "floor" => unary(U::Floor, &mut all),
            "ceil" => unary(U::Ceiling, &mut all),
            "sqrt" => unary(U::Root, &mut all),
            "exp" => unary(U::Exponential, &mut all),
            "ln" => unary(U::Logarithm, &mut all),
            "mod" => Expression::binary(B::Modulo, all.remove(0), all.remove(0)),
            "pow" => Expression::binary(B::Power, all.remove(0), all.remove(0)),
            "erlang_b" | "erlang_c" => {
                let mut units = arguments.iter().zip(&dimensions);
                if let Some((wrong, dimension)) = units.find(|(_, dimension)| **dimension != Dimension::PLAIN) {
                    let text = &self.source.text[wrong.span.start..wrong.span.end];
                    let what = format!("servers and load must be plain numbers, and `{text}` is {}", dimension.name());
                    return Err(self.error(wrong.span, what, "a load is the rate of calls times their mean length"));
                }
                let operation = if name.text == "erlang_b" { B::Refused } else { B::Waiting };
                Expression::binary(operation, all.remove(0), all.remove(0))
            }
            "min" | "max" => {
                let operation = if name.text == "min" { B::Least } else { B::Greatest };
                let first = all.remove(0);
                let found = all.into_iter().fold(first, |found, next| Expression::binary(operation, found, next));
                return Ok((found, dimensions[0]));
            }
            "if" => {
                let found = Expression::choose(all.remove(0), all.remove(0), all.remove(0));
                return Ok((found, dimensions[1]));
            }
            _ => {
                let what = format!("`{}` cannot depend on variables", name.text);
                let remedy = "floor, ceil, sqrt, exp, ln, min, max, mod, pow, erlang_b, erlang_c and if can";
                return Err(self.error(name.span, what, remedy));
            }
        };
        Ok((found, Dimension::PLAIN))
    }

    /// The expression with all formulas of the scope written out.
    fn inlined(&self, expr: &Expr, scope: &Scope) -> Result<Expr, Error> {
        let mut writing = Writing { compiler: self, scope, formulas: 0, level: 0, left: MAX_WRITTEN };
        writing.out(expr)
    }
}

/// An expression that is written out.
struct Writing<'c, 'a> {
    compiler: &'c Compiler<'a>,
    scope: &'c Scope,
    /// Formulas within which this is, and expressions within which it is.
    formulas: u32,
    level: u32,
    /// What may still be written.
    left: usize,
}

impl Writing<'_, '_> {
    fn out(&mut self, expr: &Expr) -> Result<Expr, Error> {
        self.level += 1;
        if self.left == 0 || self.level > MAX_LEVEL {
            let what = format!("with its formulas written out this has more than {MAX_WRITTEN} parts, or is too deep");
            return Err(self.compiler.error(expr.span, what, "make it simpler, or keep what is counted in a variable"));
        }
        self.left -= 1;
        let kind = match &expr.kind {
            ExprKind::Reference(reference) if reference.indexes.is_empty() => {
                match self.scope.formulas.get(&reference.name.text) {
                    Some(formula) => self.formula(expr, &reference.name, formula)?.kind,
                    None => expr.kind.clone(),
                }
            }
            ExprKind::Negate(x) => ExprKind::Negate(Box::new(self.out(x)?)),
            ExprKind::Not(x) => ExprKind::Not(Box::new(self.out(x)?)),
            ExprKind::Binary(operator, a, b) => {
                ExprKind::Binary(*operator, Box::new(self.out(a)?), Box::new(self.out(b)?))
            }
            ExprKind::Call(name, arguments) => {
                let arguments = arguments.iter().map(|argument| self.out(argument));
                ExprKind::Call(name.clone(), arguments.collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        };
        self.level -= 1;
        Ok(Expr { kind, span: expr.span })
    }

    fn formula(&mut self, expr: &Expr, name: &Name, formula: &Expr) -> Result<Expr, Error> {
        if self.formulas == MAX_FORMULAS {
            let what = format!("`{}` needs itself", name.text);
            return Err(self.compiler.error(expr.span, what, "a formula must not need its own value"));
        }
        self.formulas += 1;
        let found = self.out(formula);
        self.formulas -= 1;
        found
    }
}

/// Whether an expression depends on the state.
fn has_variable(expr: &Expr, scope: &Scope) -> bool {
    match &expr.kind {
        ExprKind::Reference(reference) => {
            let name = &reference.name.text;
            scope.variables.contains_key(name) || scope.words.contains_key(name)
        }
        ExprKind::Negate(x) | ExprKind::Not(x) => has_variable(x, scope),
        ExprKind::Binary(_, a, b) => has_variable(a, scope) || has_variable(b, scope),
        ExprKind::Call(_, arguments) => arguments.iter().any(|argument| has_variable(argument, scope)),
        _ => false,
    }
}
