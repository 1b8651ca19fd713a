//! Properties: questions about a model, each of which becomes a measure.

use super::{MODEL, Reading};
use crate::Error;
use crate::text::ast::{Ask, Expr, ExprKind, Measure, Operator, Reference};
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Name, Span};

impl Parser<'_> {
    /// `P=? [ ... ]`, `S=? [ ... ]`, `R{"name"}=? [ ... ]`.
    pub(super) fn property(&mut self, reading: &mut Reading, name: Option<(String, Span)>) -> Result<(), Error> {
        let start = self.peek(0).span;
        let kind = self.name("P, S or R")?;
        let reward = if kind.text == "R" { Some(self.asked_reward(reading)?) } else { None };
        if !self.is_sign(0, "=") || !self.is_sign(1, "?") {
            return Err(self.unexpected("`=?`: a property asks for a number here"));
        }
        self.take();
        self.take();
        self.sign("[", "before the question")?;
        let ask = match (kind.text.as_str(), reward) {
            ("S", _) => asked("probability", Some(self.prism_expression()?), Vec::new(), start),
            ("R", Some(reward)) => self.reward_question(reward, start)?,
            _ => self.path_question(start)?,
        };
        let span = start.to(self.sign("]", "after the question")?.span);
        self.eat_sign(";");
        let (name, at) = name.unwrap_or_else(|| (self.source.text[span.start..span.end].to_owned(), span));
        let value = Expr { kind: ExprKind::Ask(Box::new(ask)), span };
        reading.document.measures.push(Measure { name, span: at, value, unit: None });
        Ok(())
    }

    /// The reward that is asked for; without a name the first one.
    fn asked_reward(&mut self, reading: &Reading) -> Result<Expr, Error> {
        let here = self.peek(0).span;
        let name = if self.eat_sign("{") {
            let name = self.reward_name()?;
            self.sign("}", "after the name of the reward")?;
            name
        } else {
            match reading.rules.rewards.first() {
                Some(reward) => Name { text: reward.name.text.clone(), span: here },
                None => {
                    return Err(self.source.error(
                        here,
                        "the model has no rewards",
                        "declare them: `rewards ... endrewards`",
                    ));
                }
            }
        };
        Ok(Expr { span: name.span, kind: ExprKind::Reference(Reference { name, indexes: Vec::new() }) })
    }

    /// `S`, `C<=t`, `I=t`, `F states`.
    fn reward_question(&mut self, reward: Expr, start: Span) -> Result<Ask, Error> {
        let word = self.name("S, C<=t, I=t or F")?;
        let clause = match word.text.as_str() {
            "S" => None,
            "C" => {
                self.sign("<=", "and the time: `C<=t`")?;
                Some(("over", self.prism_expression()?))
            }
            "I" => {
                self.sign("=", "and the time: `I=t`")?;
                Some(("at", self.prism_expression()?))
            }
            "F" => Some(("until", self.prism_expression()?)),
            other => {
                let what = format!("a reward cannot be asked with `{other}` here");
                return Err(self.source.error(word.span, what, "there are S, C<=t, I=t and F"));
            }
        };
        let clauses = clause.map(|(name, value)| (Name { text: name.to_owned(), span: word.span }, value));
        Ok(asked("reward", Some(reward), clauses.into_iter().collect(), start))
    }

    /// `F<=t states`, `states U<=t states`, both with or without the time.
    fn path_question(&mut self, start: Span) -> Result<Ask, Error> {
        if self.is_word(0, "G") || self.is_word(0, "X") {
            return Err(self.unexpected("F or U; G and X are not read here (G is one minus F of the opposite)"));
        }
        let stays = if self.eat_word("F") {
            None
        } else {
            let stays = self.prism_expression()?;
            self.word("U", "between the two conditions")?;
            Some(stays)
        };
        let here = self.previous().span;
        let clause = |text: &str, value| (Name { text: text.to_owned(), span: here }, value);
        let time = if self.eat_sign("<=") { Some(self.time_bound()?) } else { None };
        if time.is_none()
            && (self.is_sign(0, ">=") || self.is_sign(0, "<") || self.is_sign(0, ">") || self.is_sign(0, "["))
        {
            return Err(self.unexpected("`<=t`: other bounds of time are not read here"));
        }
        let target = self.prism_expression()?;
        let clauses = match (time, stays) {
            (Some(time), None) => vec![clause("within", time)],
            (Some(time), Some(stays)) => vec![clause("within", time), clause("while", stays)],
            (None, None) => vec![clause("before", Expr { kind: ExprKind::Bool(false), span: here })],
            (None, Some(stays)) => {
                let lost = Expr::binary(Operator::And, stays.not(), target.clone().not());
                vec![clause("before", lost)]
            }
        };
        Ok(asked("probability", Some(target), clauses, start))
    }

    /// A time: a number, a name, or something in brackets, so that what follows is not taken for a part of it.
    fn time_bound(&mut self) -> Result<Expr, Error> {
        if self.is_sign(0, "(") {
            self.take();
            let time = self.prism_expression()?;
            self.sign(")", "after the time")?;
            return Ok(time);
        }
        if !matches!(self.peek(0).kind, Kind::Number | Kind::Word) {
            return Err(self.unexpected("a number, a constant, or a time in brackets"));
        }
        self.prism_factor()
    }
}

/// A question about the one model of the file.
fn asked(phrase: &str, target: Option<Expr>, clauses: Vec<(Name, Expr)>, span: Span) -> Ask {
    let name = |text: &str| Name { text: text.to_owned(), span };
    Ask { phrase: name(phrase), target, model: name(MODEL), clauses }
}
