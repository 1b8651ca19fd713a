//! Where the lines of a text begin.

use crate::{Error, Place};

/// A text with the name of its file, and the byte at which each of its lines begins.
pub(super) struct Lines<'a> {
    file: &'a str,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(file: &'a str, text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { file, text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The line and column of a byte.
    pub(super) fn place(&self, byte: usize) -> Place {
        let line = self.starts.partition_point(|&start| start <= byte);
        let start = self.starts[line.saturating_sub(1)];
        let column = self.text.get(start..byte).map_or(0, |before| before.chars().count()) + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: self.file.to_owned(), line: number(line), column: number(column) }
    }

    /// An error at a byte.
    pub(super) fn error(&self, byte: usize, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::new(what, remedy).at(self.place(byte))
    }
}
