//! Words, numbers and signs of a model text.

use crate::Error;
use crate::text::source::{Source, Span, without_mark};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word: letters, digits and `_`, not beginning with a digit.
    Word,
    /// A decimal number.
    Number,
    /// A text in double quotes.
    Quoted,
    /// A sign.
    Sign(&'static str),
    /// The end of the text.
    End,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// The first of its line.
    pub(crate) begins_line: bool,
}

/// Longer ones before their beginnings.
const SIGNS: [&str; 37] = [
    "<=>", "->", "--", ":=", "..", "<=", ">=", "!=", "=>", "&&", "||", "(", ")", "[", "]", "{", "}", ",", ":", ";",
    "=", "<", ">", "+", "-", "*", "/", "^", "%", "~", "!", "&", "|", "?", "'", "@", ".",
];

/// The text as tokens, the last one being [`Kind::End`]; `comment` begins a comment that ends with its line.
pub(crate) fn tokens(source: Source<'_>, comment: &str) -> Result<Vec<Token>, Error> {
    let text = source.text;
    let (mut at, mut found, mut begins_line) = (text.len() - without_mark(text).len(), Vec::new(), true);
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            begins_line |= first == '\n';
            at += first.len_utf8();
        } else if text[at..].starts_with(comment) {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
        } else {
            let (kind, length) = token(source, at, first)?;
            found.push(Token { kind, span: Span { start: at, end: at + length }, begins_line });
            at += length;
            begins_line = false;
        }
    }
    found.push(Token { kind: Kind::End, span: Span { start: at, end: at }, begins_line: true });
    Ok(found)
}

/// The token that begins at a byte, and its length.
fn token(source: Source<'_>, at: usize, first: char) -> Result<(Kind, usize), Error> {
    let rest = &source.text[at..];
    let here = Span { start: at, end: at + first.len_utf8() };
    if first.is_alphabetic() || first == '_' {
        return Ok((Kind::Word, rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())));
    }
    let bytes = rest.as_bytes();
    if first.is_ascii_digit() || (first == '.' && bytes.get(1).is_some_and(u8::is_ascii_digit)) {
        return Ok((Kind::Number, number(bytes)));
    }
    if first == '"' {
        let line = rest.lines().next().unwrap_or(rest);
        return match line[1..].find('"') {
            Some(length) => Ok((Kind::Quoted, length + 2)),
            None => Err(source.error(here, "this text in quotes has no end in its line", "close it with `\"`")),
        };
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => Ok((Kind::Sign(sign), sign.len())),
        None => {
            let what = format!("`{first}` means nothing here");
            Err(source.error(here, what, "names are made of letters, digits and `_`"))
        }
    }
}

/// The length of a decimal number: `12`, `0.5`, `1e-9`. In `0..5` the number is `0`.
fn number(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && bytes.get(length + 1) != Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let power = digits((length + 1 + sign).min(bytes.len()));
        if power > 0 {
            length += 1 + sign + power;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        let source = Source::new("x", text);
        tokens(source, "#").expect("tokens").iter().map(|token| &text[token.span.start..token.span.end]).collect()
    }

    #[test]
    fn numbers_ranges_and_signs_are_told_apart() {
        assert_eq!(
            pieces("0..N 1e-9/h 2e x:=.5 # no"),
            ["0", "..", "N", "1e-9", "/", "h", "2", "e", "x", ":=", ".5", ""]
        );
    }

    #[test]
    fn an_unknown_letter_is_named() {
        let error = tokens(Source::new("x", "a\n §"), "#").expect_err("no sign");
        assert_eq!(error.to_string(), "x:2:2: `§` means nothing here: names are made of letters, digits and `_`");
    }
}
