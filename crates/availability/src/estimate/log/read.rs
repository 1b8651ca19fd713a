//! The three forms of an event log, read to records.

use super::instant;
use crate::text::source::without_mark;
use crate::{Error, Place};

/// What happened to a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The observation begins; whether it is up.
    Begin {
        /// Whether the component is up then.
        up: bool,
    },
    /// It fails.
    Down,
    /// It is repaired.
    Up,
    /// The observation ends.
    End,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, in nanoseconds since 1970.
    pub at: i64,
    /// To which component; `*` for all.
    pub component: String,
    /// What.
    pub event: Event,
    /// The line, from 1.
    pub line: u32,
}

enum Form {
    Text,
    /// The columns of time, component and event.
    Csv([usize; 3]),
    JsonLines,
}

/// Reads a log in one of the three forms; `file` names it in errors.
///
/// # Errors
/// At the first line that is of another form than the first one, or names no instant, component or event.
pub fn records(file: &str, text: &str) -> Result<Vec<Record>, Error> {
    let mut form = None;
    let mut records = Vec::new();
    for (number, line) in without_mark(text).lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number as u32 + 1;
        let place = |error: Error| error.at(Place { file: file.to_owned(), line: number, column: 1 });
        let known = match &form {
            Some(form) => form,
            None => {
                let found = Form::of(line).map_err(place)?;
                let header = matches!(found, Form::Csv(_));
                let found = form.insert(found);
                if header {
                    continue;
                }
                found
            }
        };
        let [time, component, event] = known.fields(line).map_err(place)?;
        records.push(Record {
            at: instant(&time).map_err(place)?,
            component,
            event: Event::named(&event).map_err(place)?,
            line: number,
        });
    }
    if records.is_empty() {
        return Err(Error::new(format!("{file} holds no event"), "write one event a line: time, component, event"));
    }
    Ok(records)
}

impl Event {
    fn named(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "begin" => Self::Begin { up: true },
            "begin-down" => Self::Begin { up: false },
            "down" => Self::Down,
            "up" => Self::Up,
            "end" => Self::End,
            _ => {
                let remedy = "events are begin, begin-down, down, up and end";
                return Err(Error::new(format!("{name:?} is no event"), remedy));
            }
        })
    }
}

impl Form {
    fn of(line: &str) -> Result<Self, Error> {
        if line.starts_with('{') {
            return Ok(Self::JsonLines);
        }
        if let Some(separator) = other_separator(line) {
            let what = format!("the columns are separated by {separator}");
            return Err(Error::new(what, "separate them by commas, from the header on: time,component,event"));
        }
        if !line.contains(',') || instant(line.split_whitespace().next().unwrap_or_default()).is_ok() {
            return Ok(Self::Text);
        }
        let header = cells(line)?;
        let column = |name: &str| {
            let found = header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
            found.ok_or_else(|| {
                Error::new(
                    format!("the header {line:?} has no column {name}"),
                    "begin a CSV file with: time,component,event",
                )
            })
        };
        Ok(Self::Csv([column("time")?, column("component")?, column("event")?]))
    }

    /// Time, component and event of a line.
    fn fields(&self, line: &str) -> Result<[String; 3], Error> {
        match self {
            Self::Text => text_fields(line),
            Self::Csv(columns) => {
                let cells = cells(line)?;
                let cell = |column: usize| {
                    let cell = cells.get(column).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty());
                    cell.ok_or_else(|| {
                        Error::new(format!("cell {} is missing", column + 1), "fill time, component and event")
                    })
                };
                let [time, component, event] = columns;
                Ok([cell(*time)?, cell(*component)?, cell(*event)?])
            }
            Self::JsonLines => {
                let value: serde_json::Value = serde_json::from_str(line)
                    .map_err(|error| Error::new(format!("the line is no JSON: {error}"), "write one object a line"))?;
                let field = |name: &str| match value.get(name).and_then(serde_json::Value::as_str) {
                    Some(text) if !text.is_empty() => Ok(text.to_owned()),
                    _ => Err(Error::new(
                        format!("there is no text in the field {name:?}"),
                        "give time, component and event as texts",
                    )),
                };
                Ok([field("time")?, field("component")?, field("event")?])
            }
        }
    }
}

/// What separates the columns of a header that is one of CSV but for that.
fn other_separator(header: &str) -> Option<&'static str> {
    let named = |separator: char| {
        let cells: Vec<&str> = header.split(separator).map(|cell| cell.trim().trim_matches('"')).collect();
        ["time", "component", "event"].iter().all(|name| cells.iter().any(|cell| cell.eq_ignore_ascii_case(name)))
    };
    [(';', "`;`"), ('\t', "tabs")].into_iter().find_map(|(separator, called)| named(separator).then_some(called))
}

/// Time (one word, or a date and a time of day), component, event; then nothing but a remark.
fn text_fields(line: &str) -> Result<[String; 3], Error> {
    let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
    match words[..] {
        [time, component, event] => Ok([time.to_owned(), component.to_owned(), event.to_owned()]),
        [date, clock, component, event] => Ok([format!("{date} {clock}"), component.to_owned(), event.to_owned()]),
        _ => Err(Error::new(
            format!("{} words stand here", words.len()),
            "write time, component and event, such as: 2026-11-29T04:05:06Z sip-a down",
        )),
    }
}

/// The cells of a line of CSV (RFC 4180, without line breaks in cells).
fn cells(line: &str) -> Result<Vec<String>, Error> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let last = cells.len() - 1;
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cells[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells[last].push(c),
        }
    }
    if quoted {
        return Err(Error::new("a quote is not closed on its line", "close it; a cell has no line breaks"));
    }
    Ok(cells)
}
