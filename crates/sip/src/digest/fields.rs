//! The `name=value` lists of challenges and credentials (RFC 3261 25.1, `digest-response`).

use std::borrow::Cow;

use crate::lex::{self, Cursor};
use crate::message::{Fault, unquote};

/// Fields of one Digest header value.
pub(super) struct Fields<'a>(Vec<(&'a str, &'a str)>);

/// More fields than any scheme has.
const MAX_FIELDS: usize = 32;

impl<'a> Fields<'a> {
    /// Reads a header value; `None` if its scheme is not Digest, which is no fault (RFC 4475 3.3.7).
    ///
    /// Quirks of phones are overlooked: quotes where none belong or none where they do, white space, empty members.
    ///
    /// # Errors
    /// [`Fault::Digest`] if a field has no name or value, or stands twice (RFC 7616 3.4).
    pub(super) fn parse(value: &'a [u8]) -> Result<Option<Self>, Fault> {
        let mut cursor = Cursor::new(value);
        cursor.skip_lws();
        if !cursor.take_while(lex::TOKEN).eq_ignore_ascii_case(b"Digest") {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(12);
        loop {
            cursor.skip_lws();
            if cursor.eat(b',') {
                continue;
            }
            if cursor.is_done() {
                return Ok(Some(Self(fields)));
            }
            let (name, value) = read_field(&mut cursor)?;
            if fields.len() == MAX_FIELDS || fields.iter().any(|(known, _)| name.eq_ignore_ascii_case(known)) {
                return Err(Fault::Digest("a field stands twice, or there are too many"));
            }
            fields.push((name, value));
        }
    }

    /// The value of a field as it was written.
    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, value)| value)
    }

    /// The value of a field without quotes.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(unquote)
    }

    /// The value of a field that must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<Cow<'a, str>, Fault> {
        self.get(name).ok_or(Fault::Digest(name))
    }
}

fn read_field<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, &'a str), Fault> {
    const FIELD: Fault = Fault::Digest("it is a list of name=value");
    let name = cursor.take_while(lex::TOKEN);
    if name.is_empty() || !cursor.eat_separator(b'=') {
        return Err(FIELD);
    }
    let value = match cursor.peek() {
        Some(b'"') => cursor.quoted().ok_or(FIELD)?,
        _ => cursor.take_until(|byte| byte == b',' || lex::is(byte, lex::LWS)),
    };
    let value = str::from_utf8(value).map_err(|_| FIELD)?;
    Ok((lex::text(name), value))
}
