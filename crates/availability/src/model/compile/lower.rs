//! Expressions become nodes; units are checked on the way.

use std::sync::Arc;

use super::names::Entity;
use super::{Compiler, Lowered, MAX_LEVEL};
use crate::Error;
use crate::capacity::{MOST_COUNTED, counted};
use crate::model::node::{Binary, Id, Node, Unary};
use crate::model::solve::{Question, Solve};
use crate::model::sound::Sound;
use crate::text::ast::{Expr, ExprKind, Operator, Reference};
use crate::text::exact::Exact;
use crate::text::source::{Name, Span};
use crate::text::unit::{self, Dimension};

impl Compiler<'_> {
    /// An expression as a node.
    ///
    /// # Errors
    /// If it is wrong, or stands deeper within others than anybody writes.
    pub(crate) fn lower(&mut self, expr: &Expr) -> Result<Lowered, Error> {
        self.level += 1;
        if self.level > MAX_LEVEL {
            let what = format!("this is more than {MAX_LEVEL} levels below what needs it");
            return Err(self.error(expr.span, what, "declare what is needed before what needs it"));
        }
        let found = self.lowered(expr);
        self.level -= 1;
        found
    }

    fn lowered(&mut self, expr: &Expr) -> Result<Lowered, Error> {
        let plain = |id| Lowered { id, dimension: Dimension::PLAIN };
        Ok(match &expr.kind {
            ExprKind::Number(value) => plain(self.constant(*value, Dimension::PLAIN)),
            ExprKind::Bool(value) => plain(self.constant(Exact::from(f64::from(*value)), Dimension::PLAIN)),
            ExprKind::Unit(unit) => Lowered { id: self.constant(unit.size, unit.dimension), dimension: unit.dimension },
            ExprKind::Reference(reference) => self.named(reference)?,
            ExprKind::Negate(inner) => {
                let inner = self.lower(inner)?;
                let id = self.unary(Unary::Negate, inner.id, inner.dimension);
                Lowered { id, ..inner }
            }
            ExprKind::Not(inner) => {
                let inner = self.plain(inner)?;
                plain(self.complement(inner))
            }
            ExprKind::Binary(operator, left, right) => self.operator(*operator, left, right)?,
            ExprKind::Call(name, arguments) => self.call(name, arguments)?,
            ExprKind::Ask(ask) => self.answer(ask, expr.span)?,
            ExprKind::Count(..) | ExprKind::Edge(..) => {
                let what = "counting belongs into a tree, a block diagram or a condition over states";
                return Err(self.error(expr.span, what, "here a number is wanted"));
            }
        })
    }

    /// An expression that must be a plain number.
    pub(super) fn plain(&mut self, expr: &Expr) -> Result<Id, Error> {
        self.of_dimension(expr, Dimension::PLAIN, "this")
    }

    /// An expression that must have a dimension.
    pub(super) fn of_dimension(&mut self, expr: &Expr, wanted: Dimension, what: &str) -> Result<Id, Error> {
        let wanted = if self.unitless { Dimension::PLAIN } else { wanted };
        let found = self.lower(expr)?;
        if found.dimension == wanted || self.is_zero(found.id) {
            return Ok(found.id);
        }
        let text = &self.source.text[expr.span.start..expr.span.end];
        let remedy = match wanted.0 {
            -1 => "a rate is written `2 per hour`, `1 per 3 years`, `150 FIT` or `1/(5 min)`",
            1 => "a time is written `5 min`, `3 h` or `1 year`",
            _ => "a number without a unit, or a ratio of two quantities of one unit",
        };
        let what = format!("{what} must be {}, and `{text}` is {}", wanted.name(), found.dimension.name());
        Err(self.error(expr.span, what, remedy))
    }

    /// A number that has to be what `sound` says wherever its parameters take it: a constant is looked at now, others
    /// whenever they are computed, and the error is at the place of the expression. For each `kind` of number a node is
    /// looked at once.
    pub(super) fn sound(&mut self, id: Id, expr: &Expr, kind: &'static str, sound: Sound) -> Result<Id, Error> {
        if let Some((value, _)) = self.number(id) {
            sound.checked(value).map_err(|error| error.at(self.place(expr.span)))?;
            return Ok(id);
        }
        if let Some(&known) = self.sounds.get(&(id, kind)) {
            return Ok(known);
        }
        let (source, ends) = (self.source, &self.ends);
        let place = || Arc::new(source.place_among(expr.span, ends));
        let place = self.places.entry(expr.span.start).or_insert_with(place);
        let solve = Solve { question: Question::Sound(Arc::new(sound)), place: Arc::clone(place) };
        let found = self.node(Node::Solve(solve, vec![id]), self.dimensions[id]);
        self.sounds.insert((id, kind), found);
        Ok(found)
    }

    pub(super) fn same_dimension(
        &self,
        span: Span,
        a: Dimension,
        b: Dimension,
        left: &str,
        right: &str,
    ) -> Result<(), Error> {
        if a == b {
            return Ok(());
        }
        let what = format!("{left} is {} and {right} is {}", a.name(), b.name());
        Err(self.error(
            span,
            what,
            "only quantities of one unit can be added or compared; units are converted by themselves",
        ))
    }

    fn named(&mut self, reference: &Reference) -> Result<Lowered, Error> {
        let name = &reference.name;
        if let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| *local == name.text) {
            let value = *value;
            return Ok(Lowered { id: self.constant(value, Dimension::PLAIN), dimension: Dimension::PLAIN });
        }
        match self.names.get(name.text.as_str()).copied() {
            Some(Entity::Parameter(index)) => match self.parameters.get(index) {
                Some(parameter) => {
                    let dimension = parameter.dimension;
                    Ok(Lowered { id: self.node(Node::Parameter(index), dimension), dimension })
                }
                None => {
                    let what = "the value of a parameter is made of numbers and units only";
                    Err(self.error(name.span, what, "use `let` for what is computed from parameters or models"))
                }
            },
            Some(Entity::Definition(index)) => self.definition(index),
            Some(Entity::Model(_)) => {
                let what = format!("`{}` is a model and no number", name.text);
                Err(self.error(
                    name.span,
                    what,
                    format!("ask for one of its measures, `unavailability of {}`", name.text),
                ))
            }
            None => match unit::unit(&name.text) {
                Some(unit) => Ok(Lowered { id: self.constant(unit.size, unit.dimension), dimension: unit.dimension }),
                None => {
                    let what = format!("there is no `{}`{}", name.text, self.near(&name.text));
                    Err(self.error(name.span, what, "declare it with `parameter` or `let`"))
                }
            },
        }
    }

    pub(super) fn unary(&mut self, function: Unary, x: Id, dimension: Dimension) -> Id {
        let found = self.number(x).map(|(value, wrong)| (function.exact(value).0, function.error(value, wrong)));
        self.operation(Node::Unary(function, x), found, dimension)
    }

    /// `1 - x`.
    pub(super) fn complement(&mut self, x: Id) -> Id {
        let one = self.constant(Exact::ONE, Dimension::PLAIN);
        self.binary(Binary::Subtract, one, x, Dimension::PLAIN)
    }

    fn is_zero(&self, id: Id) -> bool {
        matches!(&self.nodes[id], Node::Constant(value, _) if *value == Exact::ZERO)
    }

    fn operator(&mut self, operator: Operator, left: &Expr, right: &Expr) -> Result<Lowered, Error> {
        use Operator as O;
        if let O::And | O::Or = operator {
            let (a, b) = (self.plain(left)?, self.plain(right)?);
            let function = if operator == O::And { Binary::Min } else { Binary::Max };
            return Ok(Lowered { id: self.binary(function, a, b, Dimension::PLAIN), dimension: Dimension::PLAIN });
        }
        let (a, b) = (self.lower(left)?, self.lower(right)?);
        if let O::Power = operator {
            return self.power(a, b, right.span);
        }
        let dimension = match operator {
            O::Times => Dimension(a.dimension.0 + b.dimension.0),
            O::Divide => Dimension(a.dimension.0 - b.dimension.0),
            _ => self.common(left, right, a, b)?,
        };
        let (function, swaps, negates) = match operator {
            O::Plus => (Binary::Add, false, false),
            O::Minus => (Binary::Subtract, false, false),
            O::Times => (Binary::Multiply, false, false),
            O::Divide => (Binary::Divide, false, false),
            O::Equal => (Binary::Equal, false, false),
            O::NotEqual => (Binary::Equal, false, true),
            O::Less => (Binary::Less, false, false),
            O::GreaterEqual => (Binary::Less, false, true),
            O::Greater => (Binary::Less, true, false),
            _ => (Binary::Less, true, true),
        };
        if function == Binary::Divide && self.is_zero(b.id) {
            return Err(self.error(right.span, "this divides by 0", "check the value of the denominator"));
        }
        let dimension = if let Binary::Equal | Binary::Less = function { Dimension::PLAIN } else { dimension };
        let (a, b) = if swaps { (b.id, a.id) } else { (a.id, b.id) };
        let id = self.binary(function, a, b, dimension);
        Ok(Lowered { id: if negates { self.complement(id) } else { id }, dimension })
    }

    /// The dimension that both sides have; 0 has every one.
    fn common(&self, left: &Expr, right: &Expr, a: Lowered, b: Lowered) -> Result<Dimension, Error> {
        if self.is_zero(a.id) {
            return Ok(b.dimension);
        }
        if !self.is_zero(b.id) {
            let [l, r] = [left, right].map(|side| format!("`{}`", &self.source.text[side.span.start..side.span.end]));
            self.same_dimension(right.span, a.dimension, b.dimension, &l, &r)?;
        }
        Ok(a.dimension)
    }

    fn power(&mut self, a: Lowered, b: Lowered, span: Span) -> Result<Lowered, Error> {
        if b.dimension != Dimension::PLAIN {
            return Err(self.error(
                span,
                format!("an exponent cannot be {}", b.dimension.name()),
                "an exponent is a plain number",
            ));
        }
        let exponent = match &self.nodes[b.id] {
            Node::Constant(value, _) => value.whole().and_then(|whole| i32::try_from(whole).ok()),
            _ => None,
        };
        let dimension = match exponent {
            _ if a.dimension == Dimension::PLAIN => Dimension::PLAIN,
            Some(exponent) => Dimension(a.dimension.0.saturating_mul(exponent)),
            None => {
                let what = format!("{} can only be raised to a whole number", a.dimension.name());
                return Err(self.error(span, what, "write a whole number, or divide by a unit first"));
            }
        };
        Ok(Lowered { id: self.binary(Binary::Power, a.id, b.id, dimension), dimension })
    }

    fn call(&mut self, name: &Name, arguments: &[Expr]) -> Result<Lowered, Error> {
        let function = match name.text.as_str() {
            "exp" => Unary::Exp,
            "expm1" => Unary::ExpM1,
            "ln" => Unary::Ln,
            "floor" => Unary::Floor,
            "sqrt" => return self.root(&arguments[0]),
            "ceil" => {
                let x = self.plain(&arguments[0])?;
                let negative = self.unary(Unary::Negate, x, Dimension::PLAIN);
                let floor = self.unary(Unary::Floor, negative, Dimension::PLAIN);
                return Ok(Lowered {
                    id: self.unary(Unary::Negate, floor, Dimension::PLAIN),
                    dimension: Dimension::PLAIN,
                });
            }
            "min" | "max" => return self.extreme(name, arguments),
            "if" => return self.choice(arguments),
            "pow" => return self.operator(Operator::Power, &arguments[0], &arguments[1]),
            "mod" => return self.remainder(arguments),
            "erlang_b" => return self.share_of_calls(Unary::Refused, arguments),
            "erlang_c" => return self.share_of_calls(Unary::Waiting, arguments),
            _ => {
                let what = format!("`{}` belongs into a block diagram", name.text);
                return Err(self.error(name.span, what, "here a number is wanted"));
            }
        };
        let x = self.plain(&arguments[0])?;
        Ok(Lowered { id: self.unary(function, x, Dimension::PLAIN), dimension: Dimension::PLAIN })
    }

    /// `erlang_b(servers, load)`: the servers are counted, so that they decide as a structure does; the load is smooth.
    fn share_of_calls(&mut self, function: fn(u32) -> Unary, arguments: &[Expr]) -> Result<Lowered, Error> {
        let (servers, load) = (&arguments[0], &arguments[1]);
        let count = self.whole(servers)?;
        let Some(count) = counted(count as f64) else {
            let what = format!("{count} servers");
            return Err(self.error(servers.span, what, format!("count 0 to {MOST_COUNTED} of them")));
        };
        let traffic = self.of_dimension(load, Dimension::PLAIN, "the load")?;
        let traffic = self.sound(traffic, load, "load", Sound::amount("this load"))?;
        let id = self.unary(function(count), traffic, Dimension::PLAIN);
        Ok(Lowered { id, dimension: Dimension::PLAIN })
    }

    fn root(&mut self, argument: &Expr) -> Result<Lowered, Error> {
        let x = self.lower(argument)?;
        if x.dimension.0 % 2 != 0 {
            let what = format!(
                "`{}` is {}, which has no square root",
                &self.source.text[argument.span.start..argument.span.end],
                x.dimension.name()
            );
            return Err(self.error(argument.span, what, "take the root of a plain number"));
        }
        let dimension = Dimension(x.dimension.0 / 2);
        Ok(Lowered { id: self.unary(Unary::Sqrt, x.id, dimension), dimension })
    }

    fn extreme(&mut self, name: &Name, arguments: &[Expr]) -> Result<Lowered, Error> {
        let function = if name.text == "min" { Binary::Min } else { Binary::Max };
        let mut all = self.lower(&arguments[0])?;
        for next in &arguments[1..] {
            let other = self.lower(next)?;
            let dimension = self.common(&arguments[0], next, all, other)?;
            all = Lowered { id: self.binary(function, all.id, other.id, dimension), dimension };
        }
        Ok(all)
    }

    fn choice(&mut self, arguments: &[Expr]) -> Result<Lowered, Error> {
        let condition = self.plain(&arguments[0])?;
        let (yes, no) = (self.lower(&arguments[1])?, self.lower(&arguments[2])?);
        let dimension = self.common(&arguments[1], &arguments[2], yes, no)?;
        let id = match &self.nodes[condition] {
            Node::Constant(value, _) => {
                if *value == Exact::ZERO {
                    no.id
                } else {
                    yes.id
                }
            }
            _ => self.node(Node::Choose(condition, yes.id, no.id), dimension),
        };
        Ok(Lowered { id, dimension })
    }

    /// `a - b floor(a/b)`.
    fn remainder(&mut self, arguments: &[Expr]) -> Result<Lowered, Error> {
        let (a, b) = (self.plain(&arguments[0])?, self.plain(&arguments[1])?);
        let quotient = self.binary(Binary::Divide, a, b, Dimension::PLAIN);
        let whole = self.unary(Unary::Floor, quotient, Dimension::PLAIN);
        let part = self.binary(Binary::Multiply, b, whole, Dimension::PLAIN);
        Ok(Lowered { id: self.binary(Binary::Subtract, a, part, Dimension::PLAIN), dimension: Dimension::PLAIN })
    }

    /// The value of a node now: what decides about the structure of a model, as `N` or a mission time does. The parameters
    /// that it needs are structural from now on: there is no derivative by them.
    pub(super) fn fold(&mut self, id: Id, span: Span) -> Result<Exact, Error> {
        if let Some(known) = self.fixed.get(&id) {
            return Ok(*known);
        }
        self.level += 1;
        if self.level > MAX_LEVEL {
            let what = format!("the number that is wanted here is computed in more than {MAX_LEVEL} steps");
            return Err(self.error(span, what, "compute it in fewer, or write it as a parameter"));
        }
        let found = self.folded(id, span)?;
        self.level -= 1;
        self.fixed.insert(id, found);
        Ok(found)
    }

    fn folded(&mut self, id: Id, span: Span) -> Result<Exact, Error> {
        Ok(match self.nodes[id].clone() {
            Node::Constant(value, _) => value,
            Node::Parameter(index) => {
                self.parameters[index].structural = true;
                self.parameters[index].value
            }
            Node::Unary(function, x) => function.exact(self.fold(x, span)?).0,
            Node::Binary(function, a, b) => function.exact(self.fold(a, span)?, self.fold(b, span)?).0,
            Node::Choose(condition, yes, no) => {
                let chosen = if self.fold(condition, span)? == Exact::ZERO { no } else { yes };
                self.fold(chosen, span)?
            }
            Node::Solve(Solve { question: Question::Sound(_), .. }, needs) => self.fold(needs[0], span)?,
            Node::Solve(..) => {
                let what = "this decides about the structure of a model, and it needs a measure of a model";
                return Err(self.error(span, what, "use parameters and numbers only"));
            }
        })
    }

    /// A whole number that decides about the structure of a model.
    pub(super) fn whole(&mut self, expr: &Expr) -> Result<i64, Error> {
        let id = self.plain(expr)?;
        let value = self.fold(id, expr.span)?;
        value.whole().ok_or_else(|| {
            let what = format!(
                "`{}` is {}, which is no whole number",
                &self.source.text[expr.span.start..expr.span.end],
                value.rounded()
            );
            self.error(expr.span, what, "write a whole number, or round it with floor() or ceil()")
        })
    }
}
