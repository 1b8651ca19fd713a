//! What went wrong, where, and what to do about it.

use std::fmt;

/// A place in a text that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the file, as the caller gave it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// How the words of an error name this place, if it is not the one that the error stands at.
    pub(crate) fn in_words(&self) -> String {
        format!("line {}", self.line)
    }
}

/// Why there is no number: what happened, where in which text, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where, if the reason stands in a text.
    pub place: Option<Place>,
    /// Another place that `what` names by its line: that of a rule which cannot be applied, or of what an error is compared with.
    pub named: Option<Box<Place>>,
    /// What happened, naming the state, gate, parameter or line: a whole sentence without its full stop.
    pub what: String,
    /// What to do, or what is allowed instead.
    pub remedy: String,
    /// Whether a value of the model or of somebody who asks is wrong, although it was found only while it was solved.
    pub is_wrong: bool,
}

impl Error {
    /// An error that belongs to no place in a text.
    #[must_use]
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: None, named: None, what: what.into(), remedy: remedy.into(), is_wrong: false }
    }

    /// The same error, said of a value that is wrong.
    #[must_use]
    pub(crate) fn wrong(self) -> Self {
        Self { is_wrong: true, ..self }
    }

    /// The same error, at a place; one that has a place keeps it, since the inner one is the more exact.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// The same error, in whose words this place is named as [`Place::in_words`] does it.
    #[must_use]
    pub(crate) fn naming(mut self, place: Option<Place>) -> Self {
        self.named = place.map(Box::new);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { file, line, column }) = &self.place {
            write!(f, "{file}:{line}:{column}: ")?;
        }
        write!(f, "{}: {}", self.what, self.remedy)
    }
}

impl std::error::Error for Error {}
