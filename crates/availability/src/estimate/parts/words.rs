//! Lines of words and numbers, with their places.

use crate::text::source::without_mark;
use crate::{Error, Place};

/// The words of one line that has any.
pub(super) struct Words<'a> {
    file: &'a str,
    line: u32,
    /// Column from 1, and the word without its quotes.
    words: Vec<(u32, &'a str)>,
    next: usize,
    length: u32,
}

/// All lines of a text that hold more than a remark.
pub(super) fn lines<'a>(file: &'a str, text: &'a str) -> Result<Vec<Words<'a>>, Error> {
    let mut all = Vec::new();
    for (number, line) in without_mark(text).lines().enumerate() {
        let number = number as u32 + 1;
        let words = split(line).map_err(|column| {
            Error::new("a name without its closing quote", "write a name with blanks as \"two words\"").at(Place {
                file: file.to_owned(),
                line: number,
                column,
            })
        })?;
        if !words.is_empty() {
            all.push(Words { file, line: number, words, next: 0, length: line.chars().count() as u32 });
        }
    }
    Ok(all)
}

fn split(line: &str) -> Result<Vec<(u32, &str)>, u32> {
    let mut words = Vec::new();
    let mut rest = line.char_indices().peekable();
    let mut column = 0;
    while let Some((start, first)) = rest.next() {
        column += 1;
        let begin = column;
        match first {
            '#' => break,
            '"' => {
                let end = rest.by_ref().inspect(|_| column += 1).find(|(_, c)| *c == '"');
                let (end, _) = end.ok_or(begin)?;
                words.push((begin, &line[start + 1..end]));
            }
            c if c.is_whitespace() => {}
            _ => {
                let mut end = start + first.len_utf8();
                while let Some((at, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && *c != '#' && *c != '"') {
                    end = at + c.len_utf8();
                    column += 1;
                }
                words.push((begin, &line[start..end]));
            }
        }
    }
    Ok(words)
}

impl<'a> Words<'a> {
    /// The next word, which the line must have: `what` it is.
    pub(super) fn take(&mut self, what: &str) -> Result<&'a str, Error> {
        let word = self.try_take();
        word.ok_or_else(|| {
            let end = Place { column: self.length + 1, ..self.place() };
            Error::new(format!("the line ends where {what} should stand"), "complete it").at(end)
        })
    }

    /// The next word, if there is one.
    pub(super) fn try_take(&mut self) -> Option<&'a str> {
        let (_, word) = self.words.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    /// The next word as a number that is positive and finite.
    pub(super) fn number(&mut self, what: &str) -> Result<f64, Error> {
        let word = self.take(what)?;
        match word.parse() {
            Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
            _ => Err(self.error(format!("{word:?} is no {what}"), "write a positive number such as 0.4 or 1e-6")),
        }
    }

    /// A temperature in degrees Celsius: a number and `C`.
    pub(super) fn temperature(&mut self) -> Result<f64, Error> {
        let word = self.take("a temperature")?;
        let (number, unit) = match word.strip_suffix('C') {
            Some(number) if !number.is_empty() => (number, "C"),
            _ => (word, self.take("the unit of a temperature, C")?),
        };
        match number.parse() {
            Ok(celsius) if unit == "C" && (-273.0..=500.0).contains(&celsius) => Ok(celsius),
            _ => Err(self.error(format!("{number} {unit} is no temperature"), "write degrees Celsius, such as 40 C")),
        }
    }

    /// Refuses what is left of the line.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        match self.try_take() {
            Some(word) => Err(self.error(format!("{word:?} is too much on this line"), "end the line before it")),
            None => Ok(()),
        }
    }

    /// Where the word stands that was taken last, or the end of the line if there was none.
    pub(super) fn place(&self) -> Place {
        let taken = self.next.checked_sub(1).and_then(|k| self.words.get(k));
        let column = taken.map_or(self.length + 1, |(column, _)| *column);
        Place { file: self.file.to_owned(), line: self.line, column }
    }

    /// An error at the word taken last.
    pub(super) fn error(&self, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::new(what, remedy).at(self.place())
    }
}
