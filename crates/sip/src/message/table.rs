//! Where the header lines of a message stand.

use smallvec::SmallVec;

use super::header::{self, Id, SINGLE};
use super::lines::Lines;
use super::{Fault, HeaderName};
use crate::limits::MAX_HEADERS;

/// The header lines of one message in their order.
#[derive(Clone, Debug)]
pub(super) struct Table {
    lines: SmallVec<[Line; 24]>,
    /// The first line of each of the names that are asked for most, which come first among the known ones.
    first: [u16; 16],
}

/// Stands for no line: there are at most [`MAX_HEADERS`].
const NONE: u16 = u16::MAX;

/// Where one header line stands in the message; folds are part of the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) id: Id,
    pub(super) name: (u16, u16),
    pub(super) value: (u16, u16),
}

impl Table {
    /// Reads the header lines, and says where the body begins.
    pub(super) fn read(bytes: &[u8], at: usize) -> Result<(Self, usize), Fault> {
        let mut lines = Lines::new(bytes, at);
        let mut table = Self { lines: SmallVec::new(), first: [NONE; 16] };
        let mut known = 0_u128;
        let mut repeated = 0_u128;
        while let Some(line) = lines.next_line()? {
            if table.lines.len() == MAX_HEADERS {
                return Err(Fault::TooManyHeaders);
            }
            repeated |= known & line.id.bit();
            known |= line.id.bit();
            table.push(line);
        }
        match repeated & SINGLE {
            0 => Ok((table, lines.at())),
            repeated => Err(Fault::Repeated(header::lowest(repeated))),
        }
    }

    fn push(&mut self, line: Line) {
        if let Some(first) = self.first.get_mut(line.id.place())
            && *first == NONE
        {
            *first = self.lines.len() as u16;
        }
        self.lines.push(line);
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The values of all lines of this name.
    pub(super) fn all<'a, 't>(&'t self, bytes: &'a [u8], name: HeaderName<'t>) -> impl Iterator<Item = &'a [u8]> + 't
    where
        'a: 't,
    {
        let id = Id::of_name(name);
        let unknown = match name {
            HeaderName::Other(text) => text.as_bytes(),
            _ => b"",
        };
        let lines = self.since_first(id).iter().filter(move |line| {
            line.id == id && (id.known().is_some() || line.name(bytes).eq_ignore_ascii_case(unknown))
        });
        lines.map(move |line| line.value(bytes))
    }

    /// The value of the first line of this name.
    pub(super) fn first<'a>(&self, bytes: &'a [u8], name: HeaderName<'_>) -> Option<&'a [u8]> {
        match self.first.get(Id::of_name(name).place()) {
            Some(&first) => self.lines.get(usize::from(first)).map(|line| line.value(bytes)),
            None => self.all(bytes, name).next(),
        }
    }

    /// The lines from the first of this name on, or all where that is not noted.
    fn since_first(&self, id: Id) -> &[Line] {
        match self.first.get(id.place()) {
            Some(&first) => self.lines.get(usize::from(first)..).unwrap_or_default(),
            None => &self.lines,
        }
    }
}

impl Line {
    /// Its name as it was written.
    pub(super) fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(usize::from(self.name.0)..usize::from(self.name.1)).unwrap_or_default()
    }

    /// Its value as it was written, without white space at the ends.
    pub(super) fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(usize::from(self.value.0)..usize::from(self.value.1)).unwrap_or_default()
    }
}
