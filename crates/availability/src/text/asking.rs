//! Measures of models inside expressions, `mean down time of duplex`, and `measure` lines.

use crate::Error;
use crate::text::ast::{Ask, Expr, ExprKind, Measure};
use crate::text::exact::Exact;
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Name, did_you_mean};
use crate::text::unit::{self, Dimension, Unit};

/// What can be asked of a model as a whole: `PHRASE of MODEL`.
pub(crate) const OF_MODEL: [&str; 19] = [
    "availability",
    "unavailability",
    "downtime",
    "failure frequency",
    "failures",
    "counted failures",
    "failure rate",
    "repair rate",
    "mttf",
    "mean time to failure",
    "mtbf",
    "mean time between failures",
    "mean down time",
    "mean up time",
    "reliability",
    "unreliability",
    "defects per million",
    "states",
    "cut sets",
];

/// What is asked about a target in a model: `PHRASE of TARGET in MODEL`.
pub(crate) const OF_TARGET: [&str; 10] = [
    "probability",
    "frequency",
    "time",
    "birnbaum importance",
    "structural importance",
    "fussell vesely importance",
    "criticality",
    "risk achievement worth",
    "risk reduction worth",
    "diagnosis",
];

/// Words that add something to a measure, and what follows is a condition (otherwise it is a quantity).
const CLAUSES: [(&str, bool); 7] = [
    ("at", false),
    ("over", false),
    ("within", false),
    ("above", false),
    ("until", true),
    ("before", true),
    ("while", true),
];

/// Words of conditions and gates, which no measure has: `power and at least 2 of pump[*]` is none.
const LOGIC: [&str; 6] = ["and", "or", "not", "at", "all", "any"];

/// Words in a row that may make a measure.
const MAX_WORDS: usize = 5;

impl Parser<'_> {
    /// A measure of a model, if one begins here.
    pub(crate) fn ask(&mut self) -> Result<Option<Expr>, Error> {
        let start = self.peek(0).span;
        let Some(words) = self.phrase_length().filter(|&words| !self.is_number_of_count(words)) else {
            return Ok(None);
        };
        let mut phrase = self.name("a measure")?;
        for _ in 1..words {
            let next = self.name("a measure")?;
            phrase = Name { text: format!("{} {}", phrase.text, next.text), span: start.to(next.span) };
        }
        let is_until_entry = self.is_word(0, "to");
        let (target, model) = if phrase.text == "reward" {
            let reward = self.reference("the name of a reward")?;
            let span = reward.name.span;
            self.word("of", "after the reward")?;
            (Some(Expr { kind: ExprKind::Reference(reward), span }), self.name("the name of a model")?)
        } else {
            // `of`, or the `to` of `time to STATES in MODEL`.
            self.take();
            self.target_and_model(&phrase)?
        };
        let clauses = self.clauses()?;
        if phrase.text == "time" && !is_until_entry && clauses.is_empty() {
            let remedy = "as in `time of S in M over 5 h`, or `until T`; `time to S in M` is the time to get there";
            return Err(self.source.error(phrase.span, "`time of` needs an end", remedy));
        }
        let ask = Ask { phrase, target, model, clauses };
        Ok(Some(Expr { kind: ExprKind::Ask(Box::new(ask)), span: start.to(self.previous().span) }))
    }

    /// The number of words before `of` (or before `to` for `time to`, or 1 for `reward NAME of`) in this line.
    fn phrase_length(&self) -> Option<usize> {
        if self.is_word(0, "time") && self.is_word(1, "to") {
            return Some(1);
        }
        if self.is_word(0, "reward") && self.peek(1).kind == Kind::Word && !self.is_word(1, "of") {
            return Some(1);
        }
        for words in 1..=MAX_WORDS {
            let next = self.peek(words);
            if next.kind != Kind::Word || next.begins_line || LOGIC.contains(&self.text(next)) {
                return None;
            }
            if self.is_word(words, "of") {
                return Some(words);
            }
        }
        None
    }

    /// Whether these words are the number of `at least K of a, b, c`, and no measure.
    fn is_number_of_count(&self, words: usize) -> bool {
        let known = OF_MODEL.iter().chain(&OF_TARGET).any(|phrase| *phrase == self.text(self.peek(0)));
        self.counting && words == 1 && !known && !self.is_word(0, "reward")
    }

    fn target_and_model(&mut self, phrase: &Name) -> Result<(Option<Expr>, Name), Error> {
        if OF_MODEL.contains(&phrase.text.as_str()) {
            return Ok((None, self.name("the name of a model")?));
        }
        if !OF_TARGET.contains(&phrase.text.as_str()) {
            let near = did_you_mean(&phrase.text, OF_MODEL.into_iter().chain(OF_TARGET));
            let what = format!("there is no measure `{}`{near}", phrase.text);
            let remedy = format!(
                "of a model there is {}; of something in a model {}; and `time to STATES in MODEL`, `reward NAME of MODEL`",
                OF_MODEL.join(", "),
                OF_TARGET.join(", ")
            );
            return Err(self.source.error(phrase.span, what, remedy));
        }
        let target = self.target()?;
        self.word("in", "and the model")?;
        Ok((Some(target), self.name("the name of a model")?))
    }

    /// States, an event, or a connection of a network: `left -> right`, `left -- right`.
    fn target(&mut self) -> Result<Expr, Error> {
        let start = self.expression()?;
        let Kind::Sign(sign @ ("->" | "--")) = self.peek(0).kind else { return Ok(start) };
        let ExprKind::Reference(from) = start.kind else { return Err(self.unexpected("`in` and the model")) };
        self.take();
        let to = self.reference("the other end of the connection")?;
        let span = start.span.to(self.previous().span);
        Ok(Expr { kind: ExprKind::Edge(Box::new((from, sign, to))), span })
    }

    fn clauses(&mut self) -> Result<Vec<(Name, Expr)>, Error> {
        let mut clauses = Vec::new();
        while self.same_line() {
            if self.is_word(0, "with") && self.is_word(1, "holding") {
                self.take();
                let name = self.name("`holding`")?;
                clauses.push((name, self.sum()?));
                continue;
            }
            let Some((_, is_condition)) = CLAUSES.iter().find(|(word, _)| self.is_word(0, word)) else { break };
            let name = self.name("a clause")?;
            clauses.push((name, if *is_condition { self.expression()? } else { self.sum()? }));
        }
        Ok(clauses)
    }

    /// `measure NAME = VALUE in UNIT`, or without the name.
    pub(crate) fn measure(&mut self) -> Result<Measure, Error> {
        let named = if self.peek(0).kind == Kind::Word && self.is_sign(1, "=") {
            let name = self.name("the name of the measure")?;
            self.take();
            Some(name)
        } else if self.peek(0).kind == Kind::Quoted && self.is_sign(1, "=") {
            let (text, span) = self.quoted("the name of the measure")?;
            self.take();
            Some(Name { text, span })
        } else {
            None
        };
        let value = self.expression()?;
        let name = named.unwrap_or_else(|| {
            let words = self.source.text[value.span.start..value.span.end].split_whitespace();
            Name { text: words.collect::<Vec<_>>().join(" "), span: value.span }
        });
        let unit = if self.same_line() && self.eat_word("in") { Some(self.wanted_unit()?) } else { None };
        Ok(Measure { name: name.text, span: name.span, value, unit })
    }

    /// The unit in which a measure is printed: `h`, `per year`, `1/h`, `min/year`, `minutes per year`, `%`.
    pub(crate) fn wanted_unit(&mut self) -> Result<(Unit, String), Error> {
        let start = self.peek(0).span;
        let plain = Unit { size: Exact::ONE, dimension: Dimension::PLAIN };
        let above = if self.eat_sign("%") {
            Unit { size: Exact::ONE / Exact::from(100.0), ..plain }
        } else if self.peek(0).kind == Kind::Number && self.text(self.peek(0)) == "1" {
            self.take();
            plain
        } else if self.is_word(0, "per") {
            plain
        } else {
            self.unit_of_word()?
        };
        let is_quotient = self.same_line() && (self.eat_sign("/") || self.eat_word("per"));
        let found = if is_quotient {
            let below = self.unit_of_word()?;
            Unit { size: above.size / below.size, dimension: Dimension(above.dimension.0 - below.dimension.0) }
        } else {
            above
        };
        let span = start.to(self.previous().span);
        Ok((found, self.source.text[span.start..span.end].to_owned()))
    }

    fn unit_of_word(&mut self) -> Result<Unit, Error> {
        let name = self.name("a unit")?;
        unit::unit(&name.text).ok_or_else(|| self.unknown_unit(&name))
    }
}
