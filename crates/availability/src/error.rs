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

/// Why there is no number: what happened, where in which text, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where, if the reason stands in a text.
    pub place: Option<Place>,
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
        Self { place: None, what: what.into(), remedy: remedy.into(), is_wrong: false }
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
