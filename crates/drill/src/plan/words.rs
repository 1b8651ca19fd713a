//! The words of a line, with their columns.

use super::Problem;

/// One line, read from the left.
pub(super) struct Words<'a> {
    text: &'a str,
    line: usize,
    words: Vec<(usize, &'a str)>,
    at: usize,
}

impl<'a> Words<'a> {
    /// The words of a line, without its comment. `+`, `,` and `->` are words of their own.
    pub(super) fn new(text: &'a str, line: usize) -> Self {
        let body = text.split('#').next().unwrap_or_default();
        let mut words = Vec::new();
        let mut begin = None;
        let mut skip = 0;
        for (at, letter) in body.char_indices() {
            if at < skip {
                continue;
            }
            let rest = body.get(at..).unwrap_or_default();
            // A sign before a digit belongs to a number, `+1h`.
            let signs = rest.get(1..).is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
            let mark = if rest.starts_with("->") {
                2
            } else if letter == ',' || (letter == '+' && !signs) {
                1
            } else {
                0
            };
            if (mark > 0 || letter.is_whitespace())
                && let Some(from) = begin.take()
            {
                words.push((from, body.get(from..at).unwrap_or_default()));
            }
            if mark > 0 {
                words.push((at, body.get(at..at + mark).unwrap_or_default()));
                skip = at + mark;
            } else if !letter.is_whitespace() && begin.is_none() {
                begin = Some(at);
            }
        }
        if let Some(from) = begin {
            words.push((from, body.get(from..).unwrap_or_default()));
        }
        Self { text, line, words, at: 0 }
    }

    /// The line without comment and white space at its ends.
    pub(super) fn body(&self) -> &'a str {
        self.text.split('#').next().unwrap_or_default().trim()
    }

    /// True if nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.words.len()
    }

    /// The next word, which stays.
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(|(_, word)| *word)
    }

    /// Takes the next word if it is this one.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let is_it = self.peek() == Some(word);
        self.at += usize::from(is_it);
        is_it
    }

    /// Takes the next word.
    ///
    /// # Errors
    /// If the line ends; `allowed` says what could stand there.
    pub(super) fn take(&mut self, allowed: &str) -> Result<&'a str, Problem> {
        let word = self.peek().ok_or_else(|| self.problem("the line ends too early", allowed))?;
        self.at += 1;
        Ok(word)
    }

    /// Takes the next word as what `read` makes of it.
    ///
    /// # Errors
    /// If the line ends, or `read` makes nothing of it.
    pub(super) fn read<T>(&mut self, allowed: &str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<T, Problem> {
        let word = self.take(allowed)?;
        read(word).ok_or_else(|| {
            self.at -= 1;
            self.problem(&format!("`{word}` is not understood here"), allowed)
        })
    }

    /// A problem with the next word, or with the end of the line.
    pub(super) fn problem(&self, what: &str, allowed: &str) -> Problem {
        let end = self.text.split('#').next().unwrap_or_default().trim_end().len();
        let (at, word) = self.words.get(self.at).copied().unwrap_or((end, ""));
        let column = self.text.get(..at).unwrap_or_default().chars().count() + 1;
        Problem {
            line: self.line,
            column,
            text: self.text.trim_end().to_owned(),
            length: word.chars().count(),
            what: what.to_owned(),
            allowed: allowed.to_owned(),
        }
    }
}
