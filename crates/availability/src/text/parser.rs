//! The tokens of a text, taken one after the other; what all parts of the grammar use.

use crate::Error;
use crate::text::ast::{Expr, Item, Reference};
use crate::text::lexer::{Kind, Token, tokens};
use crate::text::source::{Name, Source, Span};

/// Deeper expressions are refused, so that no text can exhaust the stack: 2 MiB are enough without optimisation too.
const MAX_DEPTH: u32 = 64;

/// Reads a text from its first token to its last.
pub(crate) struct Parser<'a> {
    pub(crate) source: Source<'a>,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    /// Operators of the expression that is read, as [`Parser::joined`] counts them.
    pub(crate) operators: usize,
    /// Whether this is the number of `at least K of a, b, c`.
    pub(crate) counting: bool,
    /// Whether this is the model language, whose numbers have units.
    pub(crate) has_units: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(source: Source<'a>, comment: &str) -> Result<Self, Error> {
        let tokens = tokens(source, comment)?;
        Ok(Self { source, tokens, at: 0, depth: 0, operators: 0, counting: false, has_units: comment == "#" })
    }

    /// The token that comes `ahead` of the next one.
    pub(crate) fn peek(&self, ahead: usize) -> Token {
        self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub(crate) fn take(&mut self) -> Token {
        let token = self.peek(0);
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// The token that was taken last.
    pub(crate) fn previous(&self) -> Token {
        self.tokens[self.at.saturating_sub(1)]
    }

    /// The token so many before the next one.
    pub(crate) fn earlier(&self, back: usize) -> Option<Token> {
        self.tokens.get(self.at.checked_sub(back)?).copied()
    }

    /// The letters of a token.
    pub(crate) fn text(&self, token: Token) -> &'a str {
        &self.source.text[token.span.start..token.span.end]
    }

    pub(crate) fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek(ahead);
        token.kind == Kind::Word && self.text(token) == word
    }

    pub(crate) fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.peek(ahead).kind, Kind::Sign(found) if found == sign)
    }

    /// Whether the next token stands in the same line as the one before it.
    pub(crate) fn same_line(&self) -> bool {
        !self.peek(0).begins_line
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let is = self.is_word(0, word);
        if is {
            self.take();
        }
        is
    }

    pub(crate) fn eat_sign(&mut self, sign: &str) -> bool {
        let is = self.is_sign(0, sign);
        if is {
            self.take();
        }
        is
    }

    pub(crate) fn sign(&mut self, sign: &str, why: &str) -> Result<Token, Error> {
        if self.is_sign(0, sign) { Ok(self.take()) } else { Err(self.unexpected(&format!("`{sign}` {why}"))) }
    }

    pub(crate) fn word(&mut self, word: &str, why: &str) -> Result<Token, Error> {
        if self.is_word(0, word) { Ok(self.take()) } else { Err(self.unexpected(&format!("`{word}` {why}"))) }
    }

    pub(crate) fn name(&mut self, what: &str) -> Result<Name, Error> {
        if self.peek(0).kind != Kind::Word {
            return Err(self.unexpected(what));
        }
        let token = self.take();
        Ok(Name { text: self.text(token).to_owned(), span: token.span })
    }

    /// A text in quotes, without them.
    pub(crate) fn quoted(&mut self, what: &str) -> Result<(String, Span), Error> {
        if self.peek(0).kind != Kind::Quoted {
            return Err(self.unexpected(what));
        }
        let token = self.take();
        Ok((self.text(token).trim_matches('"').to_owned(), token.span))
    }

    /// A name with indexes behind it in the same line, if there are any.
    pub(crate) fn reference(&mut self, what: &str) -> Result<Reference, Error> {
        let name = self.name(what)?;
        let mut indexes = Vec::new();
        if self.same_line() && self.eat_sign("[") {
            loop {
                indexes.push(if self.eat_sign("*") { None } else { Some(self.expression()?) });
                if !self.eat_sign(",") {
                    break;
                }
            }
            self.sign("]", "after the indexes")?;
        }
        Ok(Reference { name, indexes })
    }

    pub(crate) fn references(&mut self, what: &str) -> Result<Vec<Reference>, Error> {
        let mut all = vec![self.reference(what)?];
        while self.eat_sign(",") {
            all.push(self.reference(what)?);
        }
        Ok(all)
    }

    /// The items between braces; `;` may stand between them.
    pub(crate) fn block<T>(&mut self, item: fn(&mut Self) -> Result<T, Error>) -> Result<Vec<Item<T>>, Error> {
        self.sign("{", "before the lines of a model")?;
        self.rest_of_block(item)
    }

    /// The items up to the brace that closes them.
    pub(crate) fn rest_of_block<T>(&mut self, item: fn(&mut Self) -> Result<T, Error>) -> Result<Vec<Item<T>>, Error> {
        let mut items = Vec::new();
        loop {
            while self.eat_sign(";") {}
            if self.eat_sign("}") {
                return Ok(items);
            }
            if self.peek(0).kind == Kind::End {
                return Err(self.unexpected("`}` at the end of the model"));
            }
            items.push(self.item(item)?);
        }
    }

    /// An item, or `for INDEX in FROM..TO, ... { items }`.
    fn item<T>(&mut self, item: fn(&mut Self) -> Result<T, Error>) -> Result<Item<T>, Error> {
        if !(self.is_word(0, "for") && self.peek(1).kind == Kind::Word && self.is_word(2, "in")) {
            return Ok(Item::One(item(self)?));
        }
        self.deeper()?;
        self.take();
        let loops = self.ranges()?;
        let mut body = self.block(item)?;
        self.depth -= 1;
        for (index, from, to) in loops.into_iter().rev() {
            body = vec![Item::For { index, from, to, body }];
        }
        Ok(body.remove(0))
    }

    /// `c in 1..2, s in 1..4`.
    fn ranges(&mut self) -> Result<Vec<(Name, Expr, Expr)>, Error> {
        let mut loops = Vec::new();
        loop {
            let index = self.name("the name of an index")?;
            self.word("in", "after the index")?;
            let from = self.sum()?;
            self.sign("..", "between the first and the last index")?;
            loops.push((index, from, self.sum()?));
            if !self.eat_sign(",") {
                return Ok(loops);
            }
        }
    }

    /// Goes one level down, if there is one.
    pub(crate) fn deeper(&mut self) -> Result<(), Error> {
        if self.depth == 0 {
            self.operators = 0;
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let what = format!("this is nested more than {MAX_DEPTH} deep");
            return Err(self.source.error(self.peek(0).span, what, "give parts of it a name with `let`"));
        }
        Ok(())
    }

    pub(crate) fn shallower(&mut self) {
        self.depth -= 1;
    }

    /// The error that something else is wanted here.
    pub(crate) fn unexpected(&self, wanted: &str) -> Error {
        if let Some(error) = self.misread() {
            return error;
        }
        let token = self.peek(0);
        let found = match token.kind {
            Kind::End => "the text ends here".to_owned(),
            _ => format!("`{}` is not expected here", self.text(token)),
        };
        self.source.error(token.span, found, format!("expected is {wanted}"))
    }
}
