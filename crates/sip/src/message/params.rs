//! Parameters: `;name=value` behind a URI, an address or a Via.

use std::borrow::Cow;

use super::Fault;
use crate::lex::{self, Cursor};
use crate::limits::MAX_PARAMS;

/// Parameters in the order in which they stand; their grammar was checked when they were read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// Reads parameters up to the end of the value or to a comma, white space behind them included.
    ///
    /// # Errors
    /// [`Fault::Parameter`] if one has no name, no value behind its `=`, or a string that does not end.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Fault> {
        cursor.skip_lws();
        let start = *cursor;
        let mut count = 0;
        while cursor.eat(b';') {
            count += 1;
            if count > MAX_PARAMS {
                return Err(Fault::Parameter("there are too many"));
            }
            read_one(cursor)?;
        }
        Ok(Self(start.until(cursor)))
    }

    /// Reads parameters as far as they are sound.
    pub(crate) fn salvage(cursor: &mut Cursor<'a>) -> Self {
        cursor.skip_lws();
        let start = *cursor;
        loop {
            let sound = *cursor;
            if !cursor.eat(b';') || read_one(cursor).is_err() {
                *cursor = sound;
                return Self(start.until(cursor));
            }
        }
    }

    /// All of them: name, and value if there is an `=`. A quoted value keeps its quotes.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.pairs().map(|(name, value)| (lex::text(name), value.map(lex::text)))
    }

    fn pairs(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut cursor = Cursor::new(self.0);
        std::iter::from_fn(move || cursor.eat(b';').then(|| read_one(&mut cursor).ok()).flatten())
    }

    /// The parameter of this name, in any case: `Some("")` if it has no value, `None` if it is absent.
    ///
    /// The first counts if it stands twice, although RFC 3261 7.3.1 forbids that: phones do it with what means nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.pairs().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(value.map_or("", lex::text))
    }

    /// Whether the parameter of this name is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameters as they were written, with the first semicolon.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// Reads one parameter behind its semicolon, and the white space behind it.
fn read_one<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], Option<&'a [u8]>), Fault> {
    cursor.skip_lws();
    // Names in URIs may hold a few characters more than a token (RFC 3261 25.1, paramchar).
    let name = cursor.take_until(|byte| byte == b'=' || !lex::is(byte, lex::VALUE));
    if name.is_empty() {
        return Err(Fault::Parameter("a parameter has no name"));
    }
    cursor.skip_lws();
    if !cursor.eat(b'=') {
        return Ok((name, None));
    }
    cursor.skip_lws();
    let value = if cursor.peek() == Some(b'"') { read_quoted(cursor)? } else { cursor.take_while(lex::VALUE) };
    if value.is_empty() {
        return Err(Fault::Parameter("nothing follows the = of a parameter"));
    }
    cursor.skip_lws();
    Ok((name, Some(value)))
}

fn read_quoted<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Fault> {
    let value = cursor.quoted().ok_or(Fault::Parameter("a quoted string does not end"))?;
    str::from_utf8(value).map(|_| value).map_err(|_| Fault::Parameter("a quoted string is not UTF-8"))
}

/// The content of a quoted string, or the text itself if it is none (RFC 3261 25.1, `quoted-pair`).
#[must_use]
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inside) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut plain = String::with_capacity(inside.len());
    let mut escaped = false;
    for letter in inside.chars() {
        escaped = letter == '\\' && !escaped;
        if !escaped {
            plain.push(letter);
        }
    }
    Cow::Owned(plain)
}
