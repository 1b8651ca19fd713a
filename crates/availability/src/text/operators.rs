//! Operators between operands: what the model language and that of PRISM have in common.

use crate::Error;
use crate::text::ast::{Expr, Operator};
use crate::text::lexer::Kind;
use crate::text::parser::Parser;

/// Different operators in one expression, of which each makes it deeper: more are refused, so that no text can exhaust the
/// stack.
const MAX_OPERATORS: usize = 100;

const COMPARISONS: [(&str, Operator); 6] = [
    ("=", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessEqual),
    (">=", Operator::GreaterEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Parser<'_> {
    /// `operand operator operand operator ...`, from the left; a long row of one operator that may be bracketed as one likes
    /// is bracketed in halves, so that it is not deep.
    ///
    /// # Errors
    /// Those of the operands, and if there are more operators than anybody writes.
    pub(crate) fn joined(
        &mut self,
        operand: fn(&mut Self) -> Result<Expr, Error>,
        operator: fn(&mut Self) -> Option<Operator>,
    ) -> Result<Expr, Error> {
        let first = operand(self)?;
        let Some(next) = operator(self) else { return Ok(first) };
        let mut operands = vec![first, operand(self)?];
        let is_free = matches!(next, Operator::Or | Operator::And | Operator::Plus | Operator::Times);
        let mut other = operator(self);
        while is_free && other == Some(next) {
            operands.push(operand(self)?);
            other = operator(self);
        }
        let mut left = halves(next, operands);
        while let Some(operator_here) = other {
            self.crowded()?;
            left = Expr::binary(operator_here, left, operand(self)?);
            other = operator(self);
        }
        Ok(left)
    }

    /// Counts an operator that makes the expression deeper.
    pub(crate) fn crowded(&mut self) -> Result<(), Error> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let what = format!("this has more than {MAX_OPERATORS} operators in turn");
            return Err(self.source.error(self.previous().span, what, "give parts of it a name"));
        }
        Ok(())
    }

    /// The comparison that stands here, which is taken.
    pub(crate) fn comparison(&mut self) -> Option<Operator> {
        let Kind::Sign(sign) = self.peek(0).kind else { return None };
        let (_, operator) = COMPARISONS.iter().find(|(name, _)| *name == sign)?;
        self.take();
        Some(*operator)
    }

    /// `+` or `-`, which is taken.
    pub(crate) fn plus_or_minus(&mut self) -> Option<Operator> {
        if self.eat_sign("+") { Some(Operator::Plus) } else { self.eat_sign("-").then_some(Operator::Minus) }
    }
}

/// One operator between all of the operands.
fn halves(operator: Operator, mut operands: Vec<Expr>) -> Expr {
    while operands.len() > 1 {
        let mut rest = operands.into_iter();
        let mut joined = Vec::new();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => Expr::binary(operator, left, right),
                None => left,
            });
        }
        operands = joined;
    }
    operands.swap_remove(0)
}
