//! A text that somebody wrote, and places in it.

use crate::{Error, Place};

/// Bytes of a text, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// From the beginning of this one to the end of another.
    pub(crate) fn to(self, end: Self) -> Self {
        Self { start: self.start, end: end.end }
    }
}

/// A name in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A text with the name of its file; a second file may begin at a byte of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    pub(crate) second: Option<(usize, &'a str)>,
}

impl<'a> Source<'a> {
    pub(crate) const fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, second: None }
    }

    /// File, line and column of a byte.
    pub(crate) fn place(&self, span: Span) -> Place {
        let (file, begin) = match self.second {
            Some((begin, file)) if span.start >= begin => (file, begin),
            _ => (self.file, 0),
        };
        let before = self.text.get(begin..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            file: file.to_owned(),
            line: count(before.matches('\n').count() + 1),
            column: count(before[line_start..].chars().count() + 1),
        }
    }

    /// Where the lines of the text end.
    pub(crate) fn line_ends(&self) -> Vec<usize> {
        self.text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at).collect()
    }

    /// As [`Self::place`], without a walk through all that stands before it: `ends` are those of the lines.
    pub(crate) fn place_among(&self, span: Span, ends: &[usize]) -> Place {
        let (file, begin) = match self.second {
            Some((begin, file)) if span.start >= begin => (file, begin),
            _ => (self.file, 0),
        };
        let [above, before] = [begin, span.start].map(|at| ends.partition_point(|&end| end < at));
        let line_start = if before > above { ends[before - 1] + 1 } else { begin };
        let column = self.text.get(line_start..span.start).map_or(0, |own| own.chars().count());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: file.to_owned(), line: count(before - above + 1), column: count(column + 1) }
    }

    /// Line and column of each of these bytes, found in one pass through the text.
    pub(crate) fn spots(&self, starts: &[usize]) -> Vec<(u32, u32)> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut order: Vec<usize> = (0..starts.len()).collect();
        order.sort_by_key(|&index| starts[index]);
        let mut spots = vec![(1, 1); starts.len()];
        let (mut line, mut column, mut seen) = (1_usize, 1_usize, 0);
        for index in order {
            let between = self.text.get(seen..starts[index]).unwrap_or_default();
            line += between.matches('\n').count();
            column = match between.rfind('\n') {
                Some(end) => between[end..].chars().count(),
                None => column + between.chars().count(),
            };
            seen = starts[index];
            spots[index] = (count(line), count(column));
        }
        spots
    }

    /// An error at a place of this text.
    pub(crate) fn error(&self, span: Span, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::new(what, remedy).at(self.place(span))
    }
}

/// A text without the byte-order mark that some editors write before it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Letters of a line that are shown at most, and how many of a longer one before the place.
const MOST_SHOWN: usize = 160;
const SHOWN_BEFORE: usize = 60;

/// An error with the line of the text that it is about, and a caret under the place; of a very long line what is around it.
///
/// ```text
/// duplex.avail:3:25: `5 h` is a time and `gamma` is a rate: only quantities of one unit can be added
///   3 | parameter x = gamma + 5 h
///     |                       ^^^
/// ```
#[must_use]
pub fn explain(error: &Error, text: &str) -> String {
    let Some(place) = &error.place else { return error.to_string() };
    let Some(line) = text.lines().nth(place.line.saturating_sub(1) as usize) else { return error.to_string() };
    let letters: Vec<char> = line.chars().collect();
    let column = (place.column.saturating_sub(1) as usize).min(letters.len());
    let is_long = letters.len() > MOST_SHOWN;
    let first = if is_long { column.saturating_sub(SHOWN_BEFORE) } else { 0 };
    let last = if is_long { letters.len().min(first + MOST_SHOWN) } else { letters.len() };
    let is_word = |c: &&char| c.is_alphanumeric() || **c == '_' || **c == '.';
    let width = letters[column..last].iter().take_while(is_word).count().max(1);
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let (before, behind) = (cut(first > 0), cut(last < letters.len()));
    let shown: String = letters[first..last].iter().collect();
    // A tab of the line stays a tab under it, so that the caret stands right whatever its width.
    let indent: String = letters[first..column].iter().map(|&c| if c == '\t' { '\t' } else { ' ' }).collect();
    let indent = format!("{}{indent}", if first > 0 { " " } else { "" });
    format!("{error}\n  {number} | {before}{shown}{behind}\n  {margin} | {indent}{}", "^".repeat(width))
}

/// The remark in a line, without its `#`; none if it is empty.
pub(crate) fn remark(line: &str) -> Option<&str> {
    let mut quoted = false;
    let begins = |c: char| {
        quoted ^= c == '"';
        c == '#' && !quoted
    };
    let at = line.find(begins)?;
    Some(line[at + 1..].trim()).filter(|remark| !remark.is_empty())
}

/// Longer names are no words that somebody mistyped, and it would take as long as the square of their length to compare them.
const MOST_COMPARED: usize = 200;

/// The name that is nearest to one that does not exist, as `; did you mean "x"?`; empty if none is near.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let letters = wrong.chars().count();
    if letters > MOST_COMPARED {
        return String::new();
    }
    let most = letters.max(3) / 3;
    // Names of very different lengths are not near.
    let alike = known.into_iter().filter(|name| name.chars().count().abs_diff(letters) <= most + 1);
    match alike.map(|name| (distance(wrong, name), name)).min() {
        Some((distance, name)) if distance <= most && distance < letters => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// Letters to insert, delete, replace or swap to make one word of another (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_word_whatever_the_letters_before_it() {
        let text = "a\nb = ü + gama\n";
        let source = Source::new("x.avail", text);
        let start = text.find("gama").expect("there");
        let error = source.error(Span { start, end: start + 4 }, "no `gama`", "declare it");
        assert_eq!(explain(&error, text), "x.avail:2:9: no `gama`: declare it\n  2 | b = ü + gama\n    |         ^^^^");
    }

    #[test]
    fn of_a_long_line_what_is_around_the_place_is_shown() {
        let text = format!("{} gama {}", "a".repeat(500), "b".repeat(500));
        let error = Source::new("x", &text).error(Span { start: 501, end: 505 }, "no `gama`", "declare it");
        let shown = explain(&error, &text);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], format!("  1 | …{} gama {}…", "a".repeat(59), "b".repeat(95)));
        assert_eq!(lines[2], format!("    | {}^^^^", " ".repeat(61)));
    }

    #[test]
    fn places_are_found_in_one_pass_as_one_by_one() {
        let text = "ä b\n\n c d\nd";
        let source = Source::new("x", text);
        let starts = [8, 0, 3, 10, 6, 3];
        let one_by_one = starts.iter().map(|&start| {
            let place = source.place(Span { start, end: start });
            (place.line, place.column)
        });
        assert_eq!(source.spots(&starts), one_by_one.collect::<Vec<_>>());
        for source in [source, Source { second: Some((5, "y")), ..source }] {
            let ends = source.line_ends();
            for start in starts {
                let span = Span { start, end: start };
                assert_eq!(source.place_among(span, &ends), source.place(span));
            }
        }
    }

    #[test]
    fn a_remark_begins_outside_of_quotes() {
        assert_eq!(remark("parameter a = 1 from measured \"f#gap of b\"  # of one # side "), Some("of one # side"));
        assert_eq!(remark("parameter a = 1 from measured \"f#gap of b\""), None);
        assert_eq!(remark("a #"), None);
    }

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("gmama", ["delta", "gamma"]), "; did you mean `gamma`?");
        assert_eq!(did_you_mean("x", ["delta", "gamma"]), "");
        let long = "a".repeat(1_000_000);
        assert_eq!(did_you_mean(&long, [&*long, "a"]), "");
        assert_eq!(did_you_mean("a", [&*long, "delta"]), "");
    }
}
