//! The statements of a model text.

use crate::Error;
use crate::text::ast::{Body, Definition, Distribution, Document, Model, OriginKind, Parameter};
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Source, did_you_mean};

const STATEMENTS: [&str; 9] = ["parameter", "let", "measure", "chain", "rules", "tree", "blocks", "graph", "designed"];

/// Reads a whole model text.
///
/// # Errors
/// The first thing in it that does not follow the grammar.
pub(crate) fn document(source: Source<'_>) -> Result<Document, Error> {
    let mut parser = Parser::new(source, "#")?;
    let mut document = Document::default();
    loop {
        while parser.eat_sign(";") {}
        if parser.peek(0).kind == Kind::End {
            return Ok(document);
        }
        parser.statement(&mut document)?;
    }
}

impl Parser<'_> {
    fn statement(&mut self, document: &mut Document) -> Result<(), Error> {
        let token = self.peek(0);
        let word = if token.kind == Kind::Word { self.text(token) } else { "" };
        match word {
            "parameter" => {
                self.take();
                document.parameters.push(self.parameter()?);
            }
            "let" => {
                self.take();
                let name = self.name("a name for the expression")?;
                self.sign("=", "after the name")?;
                document.definitions.push(Definition { name, value: self.expression()? });
            }
            "measure" => {
                self.take();
                document.measures.push(self.measure()?);
            }
            "designed" => {
                self.take();
                document.designed.push(self.name("a model of what is designed and not built yet")?);
                while self.eat_sign(",") {
                    document.designed.push(self.name("another such model")?);
                }
            }
            "chain" | "rules" | "tree" | "blocks" | "graph" => {
                self.take();
                let name = self.name("a name for the model")?;
                let body = self.body(word)?;
                document.models.push(Model { name, body });
            }
            _ => {
                let near = did_you_mean(word, STATEMENTS);
                if let Some(error) = self.misread().filter(|_| near.is_empty()) {
                    return Err(error);
                }
                let what = format!("`{}` begins no statement{near}", self.text(token));
                return Err(self.source.error(
                    token.span,
                    what,
                    format!("a statement begins with {}", STATEMENTS.join(", ")),
                ));
            }
        }
        Ok(())
    }

    fn body(&mut self, kind: &str) -> Result<Body, Error> {
        Ok(match kind {
            "chain" => Body::Chain(self.block(Self::chain_item)?),
            "rules" => Body::Rules(self.rules()?),
            "tree" => Body::Structure { works: false, items: self.block(Self::tree_item)? },
            "blocks" => Body::Structure { works: true, items: self.block(Self::block_item)? },
            _ => self.graph()?,
        })
    }

    /// What follows after `parameter`.
    fn parameter(&mut self) -> Result<Parameter, Error> {
        let name = self.name("a name for the parameter")?;
        self.sign("=", "and the value of the parameter")?;
        let value = Some(self.expression()?);
        let (mut between, mut distribution, mut origin) = (None, None, None);
        loop {
            if self.eat_word("between") {
                let low = self.sum()?;
                self.word("and", "between the ends of the range")?;
                between = Some((low, self.sum()?));
            } else if self.eat_sign("~") {
                distribution = Some(self.distribution()?);
            } else if self.eat_word("from") {
                origin = Some(self.origin()?);
            } else {
                return Ok(Parameter { name, value, between, distribution, origin });
            }
        }
    }

    /// `gamma(shape = 10, mean = 3 per year)`.
    fn distribution(&mut self) -> Result<Distribution, Error> {
        let family = self.name("a distribution, `gamma(shape = 10)`")?;
        self.sign("(", "after the distribution")?;
        let mut arguments = Vec::new();
        while !self.is_sign(0, ")") {
            let name = self.name("an argument, `shape = 10`")?;
            self.sign("=", "after the name of the argument")?;
            arguments.push((name, self.sum()?));
            if !self.eat_sign(",") {
                break;
            }
        }
        self.sign(")", "after the arguments")?;
        Ok(Distribution { family, arguments })
    }

    /// `measured "drill.json"`, `published "a book, page 5"`, `assumed`.
    fn origin(&mut self) -> Result<(OriginKind, String), Error> {
        let kind = match self.peek(0).kind {
            Kind::Quoted => return Ok((OriginKind::Published, self.quoted("a source")?.0)),
            _ if self.eat_word("measured") => OriginKind::Measured,
            _ if self.eat_word("published") => OriginKind::Published,
            _ if self.eat_word("assumed") => OriginKind::Assumed,
            _ => return Err(self.unexpected("`measured`, `published` or `assumed`, and a text in quotes")),
        };
        let needs_text = kind != OriginKind::Assumed || self.peek(0).kind == Kind::Quoted;
        let text = if needs_text { self.quoted("the file or the source in quotes")?.0 } else { String::new() };
        Ok((kind, text))
    }
}
