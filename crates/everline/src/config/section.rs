//! One table of the file, read key by key; whatever is wrong with it is noted, never the end of reading.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::names::suggest;
use super::problem::{Problem, Problems};

/// A key that a section may have.
pub(super) struct Key {
    /// As it is written in the file.
    pub(super) name: &'static str,
    /// What may stand there, for people.
    pub(super) allowed: &'static str,
}

/// A value together with the bytes of the file that hold it.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) span: Range<usize>,
}

/// A table of the file and the keys that it may have.
pub(super) struct Section<'a> {
    /// As it is written in the file: `[[extension]]`.
    pub(super) header: &'static str,
    /// The bytes that stand for the section as a whole.
    pub(super) span: Range<usize>,
    table: &'a DeTable<'a>,
    keys: &'static [Key],
    /// Keys that were probably meant by unknown ones: they are not missed as well.
    misspelt: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The section `header` in `table`; keys that it must not have are noted at once.
    pub(super) fn new(
        header: &'static str,
        keys: &'static [Key],
        table: &'a DeTable<'a>,
        span: Range<usize>,
        problems: &mut Problems,
    ) -> Self {
        let mut misspelt = Vec::new();
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if keys.iter().all(|known| known.name != name) {
                let known = keys.iter().map(|known| known.name);
                misspelt.extend(suggest(name, known.clone()));
                problems.add(unknown(name, key.span(), header, known));
            }
        }
        Self { header, span, table, keys, misspelt }
    }

    /// How messages name a key of this section.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{} {name}", self.header)
    }

    /// What may stand at a key of this section.
    pub(super) fn allowed(&self, name: &str) -> &'static str {
        self.keys.iter().find(|key| key.name == name).map_or("", |key| key.allowed)
    }

    /// An error at a key of this section, with what is allowed there.
    pub(super) fn error(&self, name: &str, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::error(span, self.key(name), message).allowed(self.allowed(name))
    }

    /// Whether the key stands in the file, be it misspelt.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name) || self.misspelt.contains(&name)
    }

    /// Notes that a key which must be there is missing.
    pub(super) fn missing(&self, name: &str, problems: &mut Problems) {
        problems.add(self.error(name, self.span.clone(), format!("\"{name}\" is missing")));
    }

    /// A text.
    pub(super) fn text(&self, name: &str, problems: &mut Problems) -> Option<At<&'a str>> {
        self.typed(name, self.table.get(name)?, TEXT, DeValue::as_str, problems)
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str, problems: &mut Problems) -> Option<At<&'a str>> {
        if !self.has(name) {
            self.missing(name, problems);
        }
        self.text(name, problems)
    }

    /// True or false.
    pub(super) fn boolean(&self, name: &str, problems: &mut Problems) -> Option<bool> {
        let value = self.table.get(name)?;
        Some(self.typed(name, value, "true or false", DeValue::as_bool, problems)?.value)
    }

    /// A whole number from `range`.
    pub(super) fn number(&self, name: &str, range: Range<u32>, problems: &mut Problems) -> Option<At<u32>> {
        let value = self.table.get(name)?;
        let digits = self.typed(name, value, "a whole number", DeValue::as_integer, problems)?;
        let number = u32::from_str_radix(digits.value.as_str(), digits.value.radix());
        match number.ok().filter(|number| range.contains(number)) {
            Some(value) => Some(At { value, span: digits.span }),
            None => {
                problems.add(self.error(name, digits.span, "out of range"));
                None
            }
        }
    }

    /// A list of texts; an item that is none is noted and left out.
    pub(super) fn texts(&self, name: &str, problems: &mut Problems) -> Option<At<Vec<At<&'a str>>>> {
        let value = self.table.get(name)?;
        let items = self.typed(name, value, "a list in [ ]", DeValue::as_array, problems)?;
        let texts = items.value.iter();
        let texts = texts.filter_map(|item| self.typed(name, item, TEXT, DeValue::as_str, problems));
        Some(At { value: texts.collect(), span: items.span })
    }

    /// A text, or a list of texts; noted if it is something else.
    pub(super) fn text_or_texts(&self, name: &str, problems: &mut Problems) -> Option<At<Vec<At<&'a str>>>> {
        if self.table.get(name)?.get_ref().as_array().is_some() {
            return self.texts(name, problems);
        }
        let text = self.text(name, problems)?;
        Some(At { span: text.span.clone(), value: vec![text] })
    }

    /// The value as what was `wanted`; noted if it is something else.
    fn typed<T>(
        &self,
        name: &str,
        value: &'a Spanned<DeValue<'a>>,
        wanted: &str,
        convert: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
        problems: &mut Problems,
    ) -> Option<At<T>> {
        let typed = convert(value.get_ref());
        if typed.is_none() {
            let found = value.get_ref().type_str();
            problems.add(self.error(name, value.span(), format!("this must be {wanted}, not a value of type {found}")));
        }
        Some(At { value: typed?, span: value.span() })
    }
}

/// What a text looks like in the file.
const TEXT: &str = "a text in quotes";

/// An unknown key, and what it may have been meant to be.
pub(super) fn unknown(
    name: &str,
    span: Range<usize>,
    header: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Problem {
    let listed = known.clone().collect::<Vec<_>>().join(", ");
    let problem = Problem::error(span, format!("{header} {name}").trim_start(), "unknown key");
    match suggest(name, known) {
        Some(meant) => problem.allowed(format!("did you mean \"{meant}\"?")).help(format!("known here: {listed}")),
        None => problem.allowed(format!("known here: {listed}")),
    }
}
