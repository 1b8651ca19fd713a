//! Expressions: numbers with units, arithmetic, conditions, and measures of models.

use crate::Error;
use crate::text::ast::{Expr, ExprKind, Least, Operator};
use crate::text::exact::Exact;
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Name, Span, did_you_mean};
use crate::text::unit::{self, Dimension, Unit};

/// Functions, with the fewest and the most arguments.
pub(crate) const FUNCTIONS: [(&str, usize, usize); 15] = [
    ("sqrt", 1, 1),
    ("exp", 1, 1),
    ("ln", 1, 1),
    ("floor", 1, 1),
    ("ceil", 1, 1),
    ("min", 2, usize::MAX),
    ("max", 2, usize::MAX),
    ("if", 3, 3),
    ("pow", 2, 2),
    ("mod", 2, 2),
    ("series", 1, usize::MAX),
    ("parallel", 1, usize::MAX),
    ("expm1", 1, 1),
    ("erlang_b", 2, 2),
    ("erlang_c", 2, 2),
];

impl Expr {
    pub(crate) fn binary(operator: Operator, left: Self, right: Self) -> Self {
        let span = left.span.to(right.span);
        Self { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), span }
    }

    pub(crate) fn not(self) -> Self {
        Self { span: self.span, kind: ExprKind::Not(Box::new(self)) }
    }

    pub(crate) fn number(value: f64, span: Span) -> Self {
        Self { kind: ExprKind::Number(Exact::from(value)), span }
    }
}

impl Parser<'_> {
    /// A whole expression: conditions joined by `or`.
    pub(crate) fn expression(&mut self) -> Result<Expr, Error> {
        self.deeper()?;
        let found = self.joined(Self::conjunction, |parser| parser.eat_word("or").then_some(Operator::Or));
        self.shallower();
        found
    }

    fn conjunction(&mut self) -> Result<Expr, Error> {
        self.joined(Self::negation, |parser| parser.eat_word("and").then_some(Operator::And))
    }

    fn negation(&mut self) -> Result<Expr, Error> {
        if self.is_word(0, "not") {
            let start = self.take().span;
            self.deeper()?;
            let inner = self.negation()?;
            self.shallower();
            return Ok(Expr { span: start.to(inner.span), ..inner.not() });
        }
        let left = self.sum()?;
        match self.comparison() {
            Some(operator) => Ok(Expr::binary(operator, left, self.sum()?)),
            None => Ok(left),
        }
    }

    /// Terms joined by `+` and `-`.
    pub(crate) fn sum(&mut self) -> Result<Expr, Error> {
        self.joined(Self::term, Self::plus_or_minus)
    }

    /// Factors joined by `*` and `/`; `per UNIT` or `per NUMBER UNIT` divides the whole term.
    fn term(&mut self) -> Result<Expr, Error> {
        let mut left = self.factor()?;
        loop {
            left = if self.eat_sign("*") {
                Expr::binary(Operator::Times, left, self.factor()?)
            } else if self.is_sign(0, "/") {
                self.quotient(left)?
            } else if self.same_line() && self.is_word(0, "per") {
                self.take();
                let below = if self.peek(0).kind == Kind::Number { self.factor()? } else { self.unit_word()? };
                Expr::binary(Operator::Divide, left, below)
            } else {
                return Ok(left);
            };
            self.crowded()?;
        }
    }

    /// What follows after `left /`. `1/2 h` is refused: half an hour for one reader, and 0.5 per hour for another.
    fn quotient(&mut self, left: Expr) -> Result<Expr, Error> {
        self.take();
        let begins_with_number = self.peek(0).kind == Kind::Number;
        let right = self.factor()?;
        // A quantity is a number times or by its unit; `%` and `ppm` are no reason for doubt.
        let is_dimension =
            |unit: &Expr| matches!(unit.kind, ExprKind::Unit(unit) if unit.dimension != Dimension::PLAIN);
        let has_unit =
            matches!(&right.kind, ExprKind::Binary(Operator::Times | Operator::Divide, _, unit) if is_dimension(unit));
        if begins_with_number && has_unit && matches!(left.kind, ExprKind::Number(_)) {
            let [a, b] = [left.span, right.span].map(|span| &self.source.text[span.start..span.end]);
            let what = format!("`{a}/{b}` can be read in two ways");
            return Err(self.source.error(
                left.span,
                what,
                format!("write `{a}/({b})` or `{a} per {b}` for a rate, or brackets around the fraction for a time"),
            ));
        }
        Ok(Expr::binary(Operator::Divide, left, right))
    }

    fn factor(&mut self) -> Result<Expr, Error> {
        if self.is_sign(0, "-") {
            let start = self.take().span;
            self.deeper()?;
            let inner = self.factor()?;
            self.shallower();
            return Ok(Expr { span: start.to(inner.span), kind: ExprKind::Negate(Box::new(inner)) });
        }
        let base = self.primary()?;
        if !self.eat_sign("^") {
            return Ok(base);
        }
        self.deeper()?;
        let exponent = self.factor()?;
        self.shallower();
        Ok(Expr::binary(Operator::Power, base, exponent))
    }

    fn primary(&mut self) -> Result<Expr, Error> {
        let token = self.peek(0);
        match token.kind {
            Kind::Number => self.quantity(),
            Kind::Sign("(") => {
                self.take();
                let inner = self.expression()?;
                let end = self.sign(")", "that closes the bracket")?.span;
                self.with_unit(Expr { kind: inner.kind, span: token.span.to(end) })
            }
            Kind::Word => self.named(),
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn quantity(&mut self) -> Result<Expr, Error> {
        let token = self.take();
        let text = self.text(token);
        let Some(value) = Exact::decimal(text) else {
            let what = format!("`{text}` does not fit into a number");
            return Err(self.source.error(token.span, what, "numbers lie between 1e-290 and 1e300"));
        };
        self.with_unit(Expr { kind: ExprKind::Number(value), span: token.span })
    }

    /// `value UNIT` in one line, or `value %`.
    fn with_unit(&mut self, value: Expr) -> Result<Expr, Error> {
        let next = self.peek(0);
        let unit = match next.kind {
            Kind::Sign("%") => Unit { size: Exact::ONE / Exact::from(100.0), dimension: Dimension::PLAIN },
            Kind::Word if self.same_line() => match unit::unit(self.text(next)) {
                // `2 h -> up` in a chain whose state is called `h`, and `5 d = ...` are no quantities.
                Some(unit) if !self.is_sign(1, "->") => unit,
                _ => return Ok(value),
            },
            _ => return Ok(value),
        };
        self.take();
        let (operator, unit) = match unit.divisor() {
            Some(divisor) => (Operator::Divide, divisor),
            None => (Operator::Times, unit),
        };
        Ok(Expr::binary(operator, value, Expr { kind: ExprKind::Unit(unit), span: next.span }))
    }

    /// A unit by its name.
    pub(crate) fn unit_word(&mut self) -> Result<Expr, Error> {
        let name = self.name("a unit of time")?;
        match unit::unit(&name.text) {
            Some(unit) => Ok(Expr { kind: ExprKind::Unit(unit), span: name.span }),
            None => Err(self.unknown_unit(&name)),
        }
    }

    pub(crate) fn unknown_unit(&self, name: &Name) -> Error {
        let what = format!("`{}` is no unit{}", name.text, unit::near(&name.text));
        self.source.error(name.span, what, unit::KNOWN)
    }

    /// What begins with a word: a constant, a count, a function, a measure, or a name.
    fn named(&mut self) -> Result<Expr, Error> {
        let token = self.peek(0);
        let word = self.text(token);
        if let "true" | "false" = word {
            self.take();
            return Ok(Expr { kind: ExprKind::Bool(word == "true"), span: token.span });
        }
        if let Some(count) = self.count()? {
            return Ok(count);
        }
        if self.is_sign(1, "(") {
            return self.call();
        }
        if let Some(ask) = self.ask()? {
            return Ok(ask);
        }
        let reference = self.reference("a name")?;
        let span = token.span.to(self.previous().span);
        Ok(Expr { kind: ExprKind::Reference(reference), span })
    }

    /// `at least K of a, b`, `all of a, b`, `any of a, b`.
    fn count(&mut self) -> Result<Option<Expr>, Error> {
        let start = self.peek(0).span;
        let least = if self.is_word(0, "at") && self.is_word(1, "least") {
            self.take();
            self.take();
            let outside = std::mem::replace(&mut self.counting, true);
            let least = Least::Count(Box::new(self.sum()?));
            self.counting = outside;
            self.word("of", "after the number")?;
            least
        } else if (self.is_word(0, "all") || self.is_word(0, "any")) && self.is_word(1, "of") {
            let is_all = self.is_word(0, "all");
            self.take();
            self.take();
            if is_all { Least::All } else { Least::Any }
        } else {
            return Ok(None);
        };
        let bracketed = self.eat_sign("(");
        let mut members = vec![self.negation()?];
        while self.eat_sign(",") {
            members.push(self.negation()?);
        }
        if bracketed {
            self.sign(")", "after the last one")?;
        }
        Ok(Some(Expr { kind: ExprKind::Count(least, members), span: start.to(self.previous().span) }))
    }

    fn call(&mut self) -> Result<Expr, Error> {
        let name = self.name("a function")?;
        let Some((_, fewest, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name.text) else {
            let known = FUNCTIONS.map(|(known, ..)| known);
            let what = format!("there is no function `{}`{}", name.text, did_you_mean(&name.text, known));
            return Err(self.source.error(name.span, what, format!("functions are {}", known.join(", "))));
        };
        self.sign("(", "after a function")?;
        let mut arguments = vec![self.expression()?];
        while self.eat_sign(",") {
            arguments.push(self.expression()?);
        }
        self.sign(")", "after the last argument")?;
        if !(*fewest..=*most).contains(&arguments.len()) {
            let what = format!("`{}` has {} arguments here", name.text, arguments.len());
            return Err(self.source.error(
                name.span,
                what,
                format!("it takes {fewest}{}", if most > fewest { " or more" } else { "" }),
            ));
        }
        let span = name.span.to(self.previous().span);
        Ok(Expr { kind: ExprKind::Call(name, arguments), span })
    }
}
