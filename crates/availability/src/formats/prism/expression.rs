//! Expressions of the PRISM language.

use crate::Error;
use crate::text::ast::{Expr, ExprKind, Operator, Reference};
use crate::text::exact::Exact;
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::Name;

const FUNCTIONS: [&str; 6] = ["min", "max", "floor", "ceil", "pow", "mod"];

impl Parser<'_> {
    /// `condition ? a : b`, the operator that binds least.
    pub(super) fn prism_expression(&mut self) -> Result<Expr, Error> {
        self.deeper()?;
        let condition = self.implication()?;
        let found = if self.eat_sign("?") {
            let yes = self.prism_expression()?;
            self.sign(":", "between the two values")?;
            let no = self.prism_expression()?;
            let span = condition.span.to(no.span);
            let name = Name { text: "if".to_owned(), span: condition.span };
            Expr { kind: ExprKind::Call(name, vec![condition, yes, no]), span }
        } else {
            condition
        };
        self.shallower();
        Ok(found)
    }

    fn implication(&mut self) -> Result<Expr, Error> {
        let left = self.disjunction()?;
        let is_both_ways = self.is_sign(0, "<=>");
        if !is_both_ways && !self.is_sign(0, "=>") {
            return Ok(left);
        }
        self.take();
        self.deeper()?;
        let right = self.implication()?;
        self.shallower();
        Ok(if is_both_ways {
            Expr::binary(Operator::Equal, left, right)
        } else {
            Expr::binary(Operator::Or, left.not(), right)
        })
    }

    fn disjunction(&mut self) -> Result<Expr, Error> {
        self.joined(Self::prism_conjunction, |parser| parser.eat_sign("|").then_some(Operator::Or))
    }

    fn prism_conjunction(&mut self) -> Result<Expr, Error> {
        self.joined(Self::prism_negation, |parser| parser.eat_sign("&").then_some(Operator::And))
    }

    fn prism_negation(&mut self) -> Result<Expr, Error> {
        if self.eat_sign("!") {
            self.deeper()?;
            let inner = self.prism_negation()?;
            self.shallower();
            return Ok(inner.not());
        }
        // `S=?` and `P=?` never come here: they begin a property.
        self.joined(Self::prism_sum, Self::comparison)
    }

    fn prism_sum(&mut self) -> Result<Expr, Error> {
        self.joined(Self::prism_term, Self::plus_or_minus)
    }

    fn prism_term(&mut self) -> Result<Expr, Error> {
        self.joined(Self::prism_factor, |parser| {
            if parser.eat_sign("*") {
                return Some(Operator::Times);
            }
            parser.eat_sign("/").then_some(Operator::Divide)
        })
    }

    pub(super) fn prism_factor(&mut self) -> Result<Expr, Error> {
        let token = self.peek(0);
        match token.kind {
            Kind::Sign("-") => {
                self.take();
                self.deeper()?;
                let inner = self.prism_factor()?;
                self.shallower();
                Ok(Expr { span: token.span.to(inner.span), kind: ExprKind::Negate(Box::new(inner)) })
            }
            Kind::Sign("(") => {
                self.take();
                let inner = self.prism_expression()?;
                self.sign(")", "that closes the bracket")?;
                Ok(inner)
            }
            Kind::Number => {
                let text = self.text(token);
                self.take();
                let value = Exact::decimal(text).ok_or_else(|| {
                    let what = format!("`{text}` does not fit into a number");
                    self.source.error(token.span, what, "numbers lie between 1e-290 and 1e300")
                })?;
                Ok(Expr { kind: ExprKind::Number(value), span: token.span })
            }
            Kind::Quoted => {
                let name = self.label()?;
                Ok(Expr { span: name.span, kind: ExprKind::Reference(Reference { name, indexes: Vec::new() }) })
            }
            Kind::Word => self.prism_named(),
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn prism_named(&mut self) -> Result<Expr, Error> {
        let name = self.name("a name")?;
        if let "true" | "false" = name.text.as_str() {
            return Ok(Expr { kind: ExprKind::Bool(name.text == "true"), span: name.span });
        }
        if !self.is_sign(0, "(") {
            let span = name.span;
            return Ok(Expr { kind: ExprKind::Reference(Reference { name, indexes: Vec::new() }), span });
        }
        if !FUNCTIONS.contains(&name.text.as_str()) {
            let what = format!("the function `{}` is not read here", name.text);
            return Err(self.source.error(name.span, what, format!("functions are {}", FUNCTIONS.join(", "))));
        }
        self.take();
        let mut arguments = vec![self.prism_expression()?];
        while self.eat_sign(",") {
            arguments.push(self.prism_expression()?);
        }
        let span = name.span.to(self.sign(")", "after the arguments")?.span);
        let wanted = match name.text.as_str() {
            "floor" | "ceil" => 1..=1,
            "pow" | "mod" => 2..=2,
            _ => 2..=usize::MAX,
        };
        if !wanted.contains(&arguments.len()) {
            let what = format!("`{}` has {} arguments here", name.text, arguments.len());
            return Err(self.source.error(name.span, what, format!("it takes {} or more", wanted.start())));
        }
        Ok(Expr { kind: ExprKind::Call(name, arguments), span })
    }
}
