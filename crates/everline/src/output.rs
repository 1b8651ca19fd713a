//! Standard output: results, as tables for people and as JSON for programs.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use crate::failure::Failure;

/// Writes a result; colours are taken out unless it goes to a terminal that wants them (`NO_COLOR`).
///
/// # Errors
/// If it cannot be written. That a reader like `head` has gone is no error: it has what it wanted.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Tells the person something beside the result. If nobody can be told any more, the work goes on all the same.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", text.trim_end());
}

/// Whether what is written there shows colours.
pub(crate) fn colours(stream: &impl anstream::stream::RawStream) -> bool {
    stream.is_terminal() && anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}

/// `1 queue`, `2 queues`.
pub(crate) fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// One field of a table: its text, and how it looks on a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

/// A text as one field can have it: whatever would move the cursor of a terminal, or begin another line, is written out.
fn harmless(text: impl ToString) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.to_string().chars().map(shown).collect()
}

/// A field without a colour.
pub(crate) fn plain(text: impl ToString) -> Cell {
    Cell { text: harmless(text), style: Style::new() }
}

/// A field that shows that all is well.
pub(crate) fn good(text: impl ToString) -> Cell {
    Cell { text: harmless(text), style: AnsiColor::Green.on_default() }
}

/// A field that somebody should look at.
pub(crate) fn bad(text: impl ToString) -> Cell {
    Cell { text: harmless(text), style: AnsiColor::Red.on_default().bold() }
}

/// A field that may be empty.
pub(crate) fn optional(text: Option<impl ToString>) -> Cell {
    plain(text.map_or_else(|| "-".to_owned(), |text| text.to_string()))
}

/// A table with aligned columns; it says `nothing` if it has no rows.
pub(crate) fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[Cell; COLUMNS]], nothing: &str) -> String {
    table_of(&head, rows, nothing)
}

/// The same where the number of columns is known only now; each row has as many as the head.
pub(crate) fn table_of<Row: AsRef<[Cell]>>(head: &[&str], rows: &[Row], nothing: &str) -> String {
    if rows.is_empty() {
        return format!("{nothing}\n");
    }
    let mut widths: Vec<usize> = head.iter().map(|text| text.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    let bold = |text: &&str| Cell { text: (*text).to_owned(), style: Style::new().bold() };
    let head: Vec<Cell> = head.iter().map(bold).collect();
    let mut text = String::new();
    for row in std::iter::once(&head[..]).chain(rows.iter().map(AsRef::as_ref)) {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let style = cell.style;
            // The last column needs no filling: lines end where their text ends.
            let fill = if column + 1 == widths.len() { 0 } else { width + 2 - cell.text.chars().count() };
            text.push_str(&format!("{style}{}{style:#}{:fill$}", cell.text, ""));
        }
        text.push('\n');
    }
    text
}

/// How long ago `since` was: `4s`, `12m 05s`, `3h 12m`, `9d 4h`; the text itself if it is no time.
pub(crate) fn age(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else { return since.to_owned() };
    let seconds = now.as_second().saturating_sub(since.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {:02}s", seconds % 60),
        3_600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_an_empty_table_says_so() {
        let rows =
            [[plain("sip-a"), good("started"), optional(Some(7))], [plain("lca"), bad("x"), optional(None::<u8>)]];
        let text = anstream::adapter::strip_str(&table(["NAME", "STATE", "EPOCH"], &rows, "nothing")).to_string();
        assert_eq!(text, "NAME   STATE    EPOCH\nsip-a  started  7\nlca    x        -\n");
        assert_eq!(table(["NAME"], &[], "no calls"), "no calls\n");
    }

    #[test]
    fn what_somebody_else_has_typed_moves_no_cursor_and_adds_no_row() {
        let rows = [[plain("anna"), plain("a\nben  ready"), good("\u{1b}]0;owned\u{7}Käse")]];
        let text = anstream::adapter::strip_str(&table(["ID", "REASON", "X"], &rows, "nothing")).to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("anna  a\\nben  ready  \\u{1b}]0;owned\\u{7}Käse\n"), "{text}");
    }

    #[test]
    fn ages_read_as_people_say_them() {
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().expect("a time");
        for (since, age) in [
            ("2026-11-24T09:00:00Z", "0s"),
            ("2026-11-24T08:59:01.5Z", "59s"),
            ("2026-11-24T08:55:55Z", "4m 05s"),
            ("2026-11-24T06:55:00Z", "2h 05m"),
            ("2026-11-20T06:00:00Z", "4d 3h"),
            ("2026-11-24T09:00:05Z", "0s"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(super::age(since, now), age);
        }
    }
}
