//! Expressions of the PRISM language.

use crate::Error;
use crate::text::ast::{Expr, ExprKind, Operator, Reference};
use crate::text::exact::Exact;
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::Name;

const FUNCTIONS: [&str; 6] = ["min", "max", "floor", "ceil", "pow", "mod"];

const COMPARISONS: [(&str, Operator); 6] = [
    ("=", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessEqual),
    (">=", Operator::GreaterEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

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
        if self.eat_sign("=>") {
            return Ok(Expr::binary(Operator::Or, left.not(), self.implication()?));
        }
        if self.eat_sign("<=>") {
            return Ok(Expr::binary(Operator::Equal, left, self.implication()?));
        }
        Ok(left)
    }

    fn disjunction(&mut self) -> Result<Expr, Error> {
        let mut left = self.prism_conjunction()?;
        while self.eat_sign("|") {
            left = Expr::binary(Operator::Or, left, self.prism_conjunction()?);
        }
        Ok(left)
    }

    fn prism_conjunction(&mut self) -> Result<Expr, Error> {
        let mut left = self.prism_negation()?;
        while self.eat_sign("&") {
            left = Expr::binary(Operator::And, left, self.prism_negation()?);
        }
        Ok(left)
    }

    fn prism_negation(&mut self) -> Result<Expr, Error> {
        if self.eat_sign("!") {
            self.deeper()?;
            let inner = self.prism_negation()?;
            self.shallower();
            return Ok(inner.not());
        }
        let mut left = self.prism_sum()?;
        while let Kind::Sign(sign) = self.peek(0).kind {
            // `S=?` and `P=?` never come here: they begin a property.
            let Some((_, operator)) = COMPARISONS.iter().find(|(name, _)| *name == sign) else { break };
            self.take();
            left = Expr::binary(*operator, left, self.prism_sum()?);
        }
        Ok(left)
    }

    fn prism_sum(&mut self) -> Result<Expr, Error> {
        let mut left = self.prism_term()?;
        loop {
            let operator = if self.is_sign(0, "-") {
                Operator::Minus
            } else if self.is_sign(0, "+") {
                Operator::Plus
            } else {
                return Ok(left);
            };
            self.take();
            left = Expr::binary(operator, left, self.prism_term()?);
        }
    }

    fn prism_term(&mut self) -> Result<Expr, Error> {
        let mut left = self.prism_factor()?;
        loop {
            let operator = if self.eat_sign("*") {
                Operator::Times
            } else if self.eat_sign("/") {
                Operator::Divide
            } else {
                return Ok(left);
            };
            left = Expr::binary(operator, left, self.prism_factor()?);
        }
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
