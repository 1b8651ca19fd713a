//! A model text made of several files: parts that are used again under other names, and parameters taken from measurements.
//!
//! The model language knows one text. Where a model grows, its parts go into files of their own, and `use` puts them in:
//! ```text
//! use "operations.avail"                 # its statements, here; a second time it is passed over
//! use "hot-pair.avail" as sip {          # its names get the prefix sip_, and these parameters these values
//!   deaths = 4 per year from assumed "no field data yet"
//!   gap    = 10 ms
//!   let host_fails = failure rate of host   # computed from other models
//! }
//! measure calls = unavailability of sip_pair
//! ```
//! Paths are relative to the file that uses. The prefix is given to the names that the file itself defines (parameters,
//! expressions, models) and not to those of files that it uses in its turn, so that what several parts share stays shared.
//! The measures of a used file are left out: they are questions about that file alone. `use`, `measure`, and parameters that
//! are given other values, have a line of their own.
//!
//! A parameter whose origin names a file and an estimate in it,
//! ```text
//! parameter covered = 0.9 ~ beta(a = 9.5, b = 0.5) from measured "drill.json#coverage of process-death"
//! ```
//! takes value and distribution from that result of a drill when [`Composed::measure`] is given the file, so that a new drill
//! needs no change of the model. Where the drill made no such fault, or the file is not at hand, the parameter keeps what the text
//! says, and [`Taken`] names it.
//!
//! A parameter that is given another value keeps the remark behind it, unless the new value has one of its own: it says what the
//! parameter is ([`crate::model::Parameter::meaning`]).

mod measured;
mod names;
mod using;

pub use measured::{Kept, Replaced, Taken};

use std::collections::BTreeSet;

use crate::text::source::without_mark;
use crate::{Error, Place};
use names::Renaming;
use using::Use;

/// The deepest that files may use one another.
const MOST_DEEP: usize = 32;

/// A text put together, which remembers where each of its lines comes from.
#[derive(Clone, Debug)]
pub struct Composed {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    text: String,
    file: String,
    number: u32,
}

impl Composed {
    /// Puts a model together from the file of this path and all that it uses; `read` gives the text of a path.
    ///
    /// # Errors
    /// If a file cannot be read, a `use` is not understood, a parameter that is given a value does not exist, a file uses
    /// itself, is used within more than 31 others, or is used twice under one name with other values.
    pub fn new(path: &str, read: &mut dyn FnMut(&str) -> Result<String, Error>) -> Result<Self, Error> {
        let mut reading = Reading { read, lines: Vec::new(), done: BTreeSet::new(), open: Vec::new() };
        reading.file(path, None)?;
        Ok(Self { lines: reading.lines })
    }

    /// The whole text, for [`crate::model::Model::read`].
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }

    /// The same error, at the file and line that its place in the whole text comes from, as does the other place that its words
    /// name. Its column is that of the whole text, in which names may be longer.
    #[must_use]
    pub fn explain(&self, mut error: Error) -> Error {
        let Some(place) = error.place.as_ref().and_then(|place| self.own_place(place)) else { return error };
        let named = error.named.as_deref().and_then(|named| Some((named.in_words(), self.own_place(named)?)));
        if let Some((words, own)) = named {
            let file = if own.file == place.file { String::new() } else { format!(" of {}", own.file) };
            error.what = error.what.replacen(&words, &format!("{}{file}", own.in_words()), 1);
            error.named = Some(Box::new(own));
        }
        error.place = Some(place);
        error
    }

    /// The file that a line of the whole text comes from, by the number of the line there.
    #[must_use]
    pub fn file_of(&self, line: u32) -> Option<&str> {
        Some(&self.line(line)?.file)
    }

    fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get((number as usize).checked_sub(1)?)
    }

    /// A place of the whole text as one of the file that its line comes from.
    fn own_place(&self, whole: &Place) -> Option<Place> {
        let line = self.line(whole.line)?;
        Some(Place { file: line.file.clone(), line: line.number, column: whole.column })
    }
}

struct Reading<'a> {
    read: &'a mut dyn FnMut(&str) -> Result<String, Error>,
    lines: Vec<Line>,
    /// Path and prefix of what stands already.
    done: BTreeSet<(String, String)>,
    /// The files that are being read, outermost first.
    open: Vec<String>,
}

impl Reading<'_> {
    fn file(&mut self, path: &str, using: Option<&Use>) -> Result<(), Error> {
        let chain = || self.open.join(", which uses ");
        if self.open.iter().any(|open| open == path) {
            return Err(Error::new(format!("{path} uses itself: {}", chain()), "take one of these `use` away"));
        }
        if self.open.len() >= MOST_DEEP {
            let what = format!("`use` is nested more than {MOST_DEEP} deep: {}, which uses {path}", chain());
            return Err(Error::new(what, "use some of these files from one that stands above them"));
        }
        let text = (self.read)(path)?;
        let text = without_mark(&text);
        let renaming = Renaming::new(text, using);
        if let Some(using) = using {
            renaming.check(using, path)?;
        }
        self.open.push(path.to_owned());
        let mut lines = text.lines().zip(1_u32..);
        while let Some((line, number)) = lines.next() {
            let place = Place { file: path.to_owned(), line: number, column: 1 };
            match Use::read(line, &place, &mut lines)? {
                Some(inner) => self.using(path, &inner)?,
                None => self.lines.push(renaming.line(line, path, number)),
            }
        }
        self.open.pop();
        Ok(())
    }

    fn using(&mut self, path: &str, using: &Use) -> Result<(), Error> {
        let inner = join(path, &using.path);
        if self.done.insert((inner.clone(), using.prefix.clone())) {
            return self.file(&inner, Some(using)).map_err(|error| error.at(using.place.clone()));
        }
        if using.values.is_empty() {
            return Ok(());
        }
        let what = format!("{inner} is used already under the same name, and values are given anew");
        Err(Error::new(what, "give it another name with `as`").at(using.place.clone()))
    }
}

/// A path relative to the file that names it.
fn join(from: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
