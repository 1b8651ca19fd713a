//! New names and values for the statements of a file.

use std::collections::{BTreeMap, BTreeSet};

use super::Line;
use super::using::{Use, Value};
use crate::Error;
use crate::text::source::remark;

/// Words that begin a statement which defines a name.
const DEFINE: [&str; 7] = ["parameter", "let", "chain", "rules", "tree", "blocks", "graph"];

/// What becomes of the lines of a file.
pub(super) struct Renaming<'a> {
    /// Whether another file uses this one: then its own measures, which are questions about it alone, are left out.
    used: bool,
    /// Empty: names stay.
    prefix: &'a str,
    defined: BTreeSet<String>,
    parameters: BTreeSet<String>,
    values: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Renaming<'a> {
    pub(super) fn new(text: &str, using: Option<&'a Use>) -> Self {
        let mut renaming = Self {
            used: using.is_some(),
            prefix: "",
            defined: BTreeSet::new(),
            parameters: BTreeSet::new(),
            values: BTreeMap::new(),
        };
        for line in text.lines() {
            let Some((word, name)) = definition(line) else { continue };
            renaming.defined.insert(name.to_owned());
            if word == "parameter" {
                renaming.parameters.insert(name.to_owned());
            }
        }
        if let Some(using) = using {
            renaming.prefix = &using.prefix;
            renaming.values = using.values.iter().map(|value| (value.name.as_str(), value)).collect();
        }
        renaming
    }

    /// Refuses values for parameters that the file does not have.
    pub(super) fn check(&self, using: &Use, path: &str) -> Result<(), Error> {
        let Some(value) = using.values.iter().find(|value| !self.parameters.contains(&value.name)) else {
            return Ok(());
        };
        let known: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        let what = format!("{path} has no parameter `{}`", value.name);
        Err(Error::new(what, format!("it has {}", known.join(", "))).at(value.place.clone()))
    }

    /// A line of the file as it stands in the whole text.
    pub(super) fn line(&self, line: &str, file: &str, number: u32) -> Line {
        if let Some(("parameter", name)) = definition(line)
            && let Some(Value { word, value, place, .. }) = self.values.get(name)
        {
            let meaning = remark(line).filter(|_| remark(value).is_none());
            let meaning = meaning.map_or_else(String::new, |meaning| format!("  # {meaning}"));
            let text = format!("{word} {} = {value}{meaning}", self.renamed(name));
            return Line { text, file: place.file.clone(), number: place.line };
        }
        let asks = line.split_whitespace().next() == Some("measure");
        let text = if self.used && asks {
            String::new()
        } else if self.prefix.is_empty() {
            line.to_owned()
        } else {
            self.words(line)
        };
        Line { text, file: file.to_owned(), number }
    }

    fn renamed(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}_{name}", self.prefix) }
    }

    /// The line with each name of the file renamed, but for what stands in quotes or behind a `#`.
    fn words(&self, line: &str) -> String {
        let mut text = String::with_capacity(line.len() + 16);
        let mut word = String::new();
        let mut quoted = false;
        let mut rest = line.char_indices();
        for (at, c) in rest.by_ref() {
            if c == '#' && !quoted {
                self.finish(&mut word, &mut text);
                text.push_str(&line[at..]);
                return text;
            }
            if !quoted && (c.is_alphanumeric() || c == '_') {
                word.push(c);
                continue;
            }
            self.finish(&mut word, &mut text);
            quoted ^= c == '"';
            text.push(c);
        }
        self.finish(&mut word, &mut text);
        text
    }

    fn finish(&self, word: &mut String, text: &mut String) {
        if self.defined.contains(word.as_str()) {
            text.push_str(&self.renamed(word));
        } else {
            text.push_str(word);
        }
        word.clear();
    }
}

/// The statement and the name that a line defines.
fn definition(line: &str) -> Option<(&str, &str)> {
    let mut words = line.trim_start().splitn(2, char::is_whitespace);
    let word = words.next().filter(|word| DEFINE.contains(word))?;
    let rest = words.next()?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let name = &rest[..end];
    (!name.is_empty()).then_some((word, name))
}
