//! The statement `use`.

use crate::{Error, Place};

/// `use "PATH" as PREFIX { NAME = VALUE; let NAME = EXPRESSION ... }`, one a line.
pub(super) struct Use {
    pub(super) path: String,
    /// Empty without `as`.
    pub(super) prefix: String,
    pub(super) values: Vec<Value>,
    pub(super) place: Place,
}

/// A parameter of the used file that is given another value.
pub(super) struct Value {
    pub(super) name: String,
    /// `parameter`, or `let` where it is computed from other things.
    pub(super) word: &'static str,
    /// All behind the equals sign.
    pub(super) value: String,
    pub(super) place: Place,
}

const FORM: &str = "write `use \"FILE\"` or `use \"FILE\" as NAME`, and values of its parameters in braces, one a line";

impl Use {
    /// Reads the statement if one begins in this line, and takes the lines of its block.
    pub(super) fn read<'a>(
        line: &str,
        place: &Place,
        lines: &mut impl Iterator<Item = (&'a str, u32)>,
    ) -> Result<Option<Self>, Error> {
        let wrong = |what: &str| Error::new(what, FORM).at(place.clone());
        let Some(rest) = line.trim_start().strip_prefix("use").filter(|rest| rest.trim_start().starts_with('"')) else {
            return Ok(None);
        };
        let (path, rest) =
            rest.trim_start()[1..].split_once('"').ok_or_else(|| wrong("the name of the file has no closing quote"))?;
        let words: Vec<&str> = rest.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let (prefix, has_values) = match words[..] {
            [] => ("", false),
            ["{"] => ("", true),
            ["as", name] => (name, false),
            ["as", name, "{"] => (name, true),
            _ => return Err(wrong("this `use` is not understood")),
        };
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if path.is_empty() || !is_name(prefix) {
            return Err(wrong("a file and a name are needed here"));
        }
        let mut using =
            Self { path: path.to_owned(), prefix: prefix.to_owned(), values: Vec::new(), place: place.clone() };
        if has_values {
            using.read_values(lines)?;
        }
        Ok(Some(using))
    }

    fn read_values<'a>(&mut self, lines: &mut impl Iterator<Item = (&'a str, u32)>) -> Result<(), Error> {
        for (line, number) in lines {
            let line = line.trim();
            let place = Place { line: number, ..self.place.clone() };
            if line.starts_with('}') {
                return Ok(());
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line
                .split_once('=')
                .ok_or_else(|| Error::new("here stands no `NAME = VALUE`", FORM).at(place.clone()))?;
            let (word, name) = match name.trim().strip_prefix("let ") {
                Some(name) => ("let", name.trim()),
                None => ("parameter", name.trim()),
            };
            self.values.push(Value { name: name.to_owned(), word, value: value.trim().to_owned(), place });
        }
        Err(Error::new("the braces of this `use` are not closed", FORM).at(self.place.clone()))
    }
}
