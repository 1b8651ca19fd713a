//! Everything that has a name, each only once; and the parameters.

use std::collections::BTreeMap;

use super::Compiler;
use crate::Error;
use crate::model::Parameter;
use crate::model::cause::cause;
use crate::text::ast::{Document, Expr};
use crate::text::exact::Exact;
use crate::text::lexer::Kind;
use crate::text::parser::Parser;
use crate::text::source::{Name, Source, Span, did_you_mean, remark};
use crate::text::unit::Dimension;

/// What a name stands for, with its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Parameter(usize),
    Definition(usize),
    Model(usize),
}

/// All names of a text.
///
/// # Errors
/// If a name stands for two things.
pub(super) fn all<'a>(source: Source<'_>, document: &'a Document) -> Result<BTreeMap<&'a str, Entity>, Error> {
    let mut names = BTreeMap::new();
    let mut add = |name: &'a Name, entity| match names.insert(name.text.as_str(), (entity, name.span)) {
        None => Ok(()),
        Some((_, earlier)) => {
            let earlier = source.place(earlier);
            let what = format!("`{}` has a meaning already, from {}", name.text, earlier.in_words());
            let remedy = "choose another name: parameters, `let` and models share their names";
            Err(source.error(name.span, what, remedy).naming(Some(earlier)))
        }
    };
    // Parameters and expressions come with models, whose names may be the same: `event power is power`.
    let parameters = document.parameters.iter().enumerate().map(|(k, one)| (&one.name, Entity::Parameter(k)));
    let definitions = document.definitions.iter().enumerate().map(|(k, one)| (&one.name, Entity::Definition(k)));
    let models = document.models.iter().enumerate().map(|(k, one)| (&one.name, Entity::Model(k)));
    for (name, entity) in parameters.chain(definitions).chain(models) {
        add(name, entity)?;
    }
    Ok(names.into_iter().map(|(name, (entity, _))| (name, entity)).collect())
}

impl<'a> Compiler<'a> {
    /// Looks at all parameters: value, range, distribution, origin.
    ///
    /// # Errors
    /// If a value is missing or outside of its range, a distribution makes no sense, or what is given is no parameter.
    pub(super) fn parameters(&mut self, given: &'a [(String, String)]) -> Result<(), Error> {
        let document = self.document;
        let known = || document.parameters.iter().map(|parameter| parameter.name.text.as_str());
        for (name, _) in given {
            if !known().any(|known| known == name) {
                let what = format!("there is no parameter `{name}`{}", did_you_mean(name, known()));
                return Err(Error::new(what, format!("the parameters are {}", known().collect::<Vec<_>>().join(", "))));
            }
        }
        for (index, declared) in document.parameters.iter().enumerate() {
            let name = &declared.name;
            let given = given.iter().rev().find(|(given, _)| *given == name.text);
            let own = declared.value.as_ref().map(|value| self.alone(value)).transpose()?;
            let (value, wrong, dimension) = match (given, own) {
                (Some((_, text)), own) => self.given(name, text, own.map(|(.., dimension)| dimension))?,
                (None, Some(own)) => own,
                (None, None) => {
                    let what = format!("the constant `{}` has no value", name.text);
                    return Err(self.error(
                        name.span,
                        what,
                        format!("give it one with `--parameter {}=VALUE`", name.text),
                    ));
                }
            };
            let between = declared.between.as_ref();
            let range = between.map(|(low, high)| self.within(name, value, dimension, low, high)).transpose()?;
            let distribution = match &declared.distribution {
                None => None,
                Some(distribution) => Some(self.distribution(&name.text, distribution, value, dimension)?),
            };
            debug_assert_eq!(index, self.parameters.len());
            let origin = declared.origin.clone();
            let line = self.source.text[name.span.start..].lines().next();
            let meaning = line.and_then(remark).map(str::to_owned);
            let structural = false;
            self.parameters.push(Parameter {
                name: name.text.clone(),
                value,
                wrong,
                dimension,
                range,
                distribution,
                origin,
                meaning,
                structural,
            });
        }
        Ok(())
    }

    /// The value of an expression of numbers and units only, with a bound of its error.
    pub(super) fn alone(&mut self, value: &Expr) -> Result<(Exact, f64, Dimension), Error> {
        let lowered = self.lower(value)?;
        match self.number(lowered.id) {
            Some((exact, wrong)) if exact.rounded().is_finite() => Ok((exact, wrong, lowered.dimension)),
            Some(_) => {
                let number = |id| self.number(id).map_or(f64::NAN, |(value, _)| value.rounded());
                let what = format!("this is no number: in it is {}", cause(&self.nodes, number, lowered.id));
                Err(self.error(value.span, what, "write one that is finite"))
            }
            None => {
                let what = "the value of a parameter is made of numbers and units only";
                Err(self.error(value.span, what, "use `let` for what is computed from parameters or models"))
            }
        }
    }

    /// A value that takes the place of the one in the text. It has no place there, so that errors name the option.
    fn given(&mut self, name: &Name, text: &'a str, own: Option<Dimension>) -> Result<(Exact, f64, Dimension), Error> {
        let source = Source::new("--parameter", text);
        let named = |error: Error| {
            let what = format!("`{}={text}`: {}", name.text, error.what);
            Error { place: None, what, ..error }
        };
        let value = only_value(source).map_err(named)?;
        let outer = std::mem::replace(&mut self.source, source);
        let found = self.alone(&value);
        self.source = outer;
        let remedy = "write one value with its unit, as `30 min`, `2 per year`, `99.9 %`";
        let (value, wrong, dimension) = found.map_err(|error| named(Error { remedy: remedy.to_owned(), ..error }))?;
        match own {
            Some(own) if own != dimension => {
                let what = format!("`{}` is {}, and `{text}` is {}", name.text, own.name(), dimension.name());
                Err(Error::new(what, format!("give it with its unit, as in `--parameter \"{}=...\"`", name.text)))
            }
            _ => Ok((value, wrong, dimension)),
        }
    }

    /// The smallest and the largest value of a parameter, between which its own one lies.
    fn within(
        &mut self,
        name: &Name,
        value: Exact,
        dimension: Dimension,
        low: &Expr,
        high: &Expr,
    ) -> Result<(f64, f64), Error> {
        for end in [low, high] {
            let (.., found) = self.alone(end)?;
            self.same_dimension(end.span, found, dimension, "the range", &format!("`{}`", name.text))?;
        }
        let ((low_value, ..), (high_value, ..)) = (self.alone(low)?, self.alone(high)?);
        let text = |span: Span| &self.source.text[span.start..span.end];
        if low_value > high_value {
            let remedy = format!("write `between {} and {}`", text(high.span), text(low.span));
            return Err(self.error(low.span, "the ends of this range are the wrong way round", remedy));
        }
        if value < low_value || value > high_value {
            let what = format!("the value of `{}` is outside of its range", name.text);
            return Err(self.error(
                name.span,
                what,
                format!("it must lie between {} and {}", text(low.span), text(high.span)),
            ));
        }
        Ok((low_value.rounded(), high_value.rounded()))
    }
}

/// The one expression that a text is.
fn only_value(source: Source<'_>) -> Result<Expr, Error> {
    let mut parser = Parser::new(source, "#")?;
    // Whatever stands behind the value, it is told that one value is wanted.
    parser.has_units = false;
    let value = parser.expression()?;
    if parser.peek(0).kind == Kind::End { Ok(value) } else { Err(parser.unexpected("one value with its unit")) }
}
