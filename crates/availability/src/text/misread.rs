//! Mistakes that come from other habits: units that are called otherwise elsewhere, decimal commas, a rate that is missing.

use crate::Error;
use crate::text::ast::Expr;
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Name, Span};
use crate::text::unit;

/// Words that can come behind a number: what is wrong beside them is no unit.
const WORDS: [&str; 38] = [
    "above",
    "and",
    "assumed",
    "at",
    "before",
    "between",
    "block",
    "down",
    "event",
    "failure",
    "fails",
    "for",
    "from",
    "in",
    "is",
    "label",
    "let",
    "measure",
    "module",
    "not",
    "of",
    "or",
    "over",
    "parameter",
    "per",
    "probability",
    "repaired",
    "reward",
    "start",
    "then",
    "to",
    "top",
    "until",
    "up",
    "when",
    "while",
    "with",
    "within",
];

/// What begins a line of a model, and has a word behind it.
const LINES: [&str; 8] = ["block", "event", "for", "label", "let", "module", "reward", "when"];

impl Parser<'_> {
    /// What is wrong here if a number has a comma for its decimal point, counts without its words, or is followed by what is no unit.
    pub(crate) fn misread(&self) -> Option<Error> {
        let count = || self.lost_count().filter(|_| self.is_word(0, "of"));
        self.decimal_comma().or_else(count).or_else(|| self.no_unit(0))
    }

    /// The error that `2 of a, b, c` stands here, or `2 out of`, or `2oo3`, where `at least 2 of a, b, c` is meant.
    pub(crate) fn lost_count(&self) -> Option<Error> {
        let (number, word) = (self.earlier(1)?, self.peek(0));
        let counts = |text: &str| text == "of" || text == "out" || text.strip_prefix("oo").is_some_and(is_number);
        let is_one = number.kind == Kind::Number && word.kind == Kind::Word && !word.begins_line;
        if !self.has_units || !is_one || !counts(self.text(word)) {
            return None;
        }
        let (count, of) = (self.text(number), self.text(word));
        let remedy = format!("write `at least {count} of a, b, c`");
        Some(self.source.error(number.span, format!("`{count} {of}` counts nothing"), remedy))
    }

    /// The error that the token so many before the next one stands where the unit of a number does, and is none.
    pub(crate) fn no_unit(&self, back: usize) -> Option<Error> {
        let (word, number) = (self.earlier(back)?, self.earlier(back + 1)?);
        let text = self.text(word);
        let follows = word.kind == Kind::Word && number.kind == Kind::Number && !word.begins_line;
        if !self.has_units || !follows || WORDS.contains(&text) || unit::unit(text).is_some() {
            return None;
        }
        Some(self.unknown_unit(&Name { text: text.to_owned(), span: word.span }))
    }

    /// A sign behind the name that begins a line of a model, where that name may be a mistaken unit of the line before.
    pub(crate) fn sign_behind_name(&mut self, sign: &str, why: &str) -> Result<(), Error> {
        if !self.is_sign(0, sign)
            && let Some(error) = self.no_unit(1)
        {
            return Err(error);
        }
        self.sign(sign, why).map(|_| ())
    }

    /// The error that a comma without a space stands between two numbers, the next token being it or the number behind it.
    fn decimal_comma(&self) -> Option<Error> {
        let here = self.peek(0);
        let [before, comma, after] = if here.kind == Kind::Number {
            [self.earlier(2)?, self.earlier(1)?, here]
        } else {
            [self.earlier(1)?, here, self.peek(1)]
        };
        let is_one = self.has_units
            && [before.kind, comma.kind, after.kind] == [Kind::Number, Kind::Sign(","), Kind::Number]
            && before.span.end == comma.span.start
            && comma.span.end == after.span.start;
        if !is_one {
            return None;
        }
        let span = before.span.to(after.span);
        let what = format!("`{}` has a comma in it", &self.source.text[span.start..span.end]);
        Some(self.source.error(span, what, "a decimal point is written `.`"))
    }

    /// The rate behind `at`, which was taken.
    pub(crate) fn rate(&mut self) -> Result<Expr, Error> {
        if !self.begins_line_of_model() {
            return self.sum();
        }
        let end = self.previous().span.end;
        let remedy = "a rate is written `2 per hour`, `1 per 3 years`, `150 FIT` or `1/(5 min)`";
        Err(self.source.error(Span { start: end, end }, "no rate stands behind `at`", remedy))
    }

    /// Whether the next line of a model comes here, or the end of this one.
    fn begins_line_of_model(&self) -> bool {
        if self.is_sign(0, "}") || self.is_sign(0, ";") || self.is_sign(0, "[") {
            return true;
        }
        if self.same_line() || self.peek(0).kind != Kind::Word {
            return false;
        }
        let mut ahead = 1;
        if self.is_sign(ahead, "[") {
            while !self.is_sign(ahead, "]") && self.peek(ahead).kind != Kind::End {
                ahead += 1;
            }
            ahead += 1;
        }
        let is_named = ["->", "--", "=", ":"].into_iter().any(|sign| self.is_sign(ahead, sign));
        is_named || (LINES.contains(&self.text(self.peek(0))) && self.peek(1).kind == Kind::Word)
    }
}

/// Whether a text is made of digits.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
