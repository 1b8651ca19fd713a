//! `tel:` URIs.

use std::borrow::Cow;

use crate::lex::{self, Cursor};
use crate::message::{Fault, Params};

/// A `tel:` URI (RFC 3966).
#[derive(Clone, Copy, Debug)]
pub struct TelUri<'a> {
    raw: &'a str,
    number: &'a str,
    params: Params<'a>,
}

impl<'a> TelUri<'a> {
    pub(super) fn parse(raw: &'a str, rest: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(rest);
        let number = lex::text(cursor.take_until(|byte| byte == b';'));
        let body = number.strip_prefix('+').unwrap_or(number);
        if body.is_empty() || !body.bytes().all(|byte| byte.is_ascii_hexdigit() || b"*#-.()".contains(&byte)) {
            return Err(Fault::Uri("a tel URI holds digits and '-', '.', '(', ')' only"));
        }
        let params = Params::read(&mut cursor)?;
        if !cursor.is_done() {
            return Err(Fault::Uri("something that is no parameter follows the number"));
        }
        Ok(Self { raw, number, params })
    }

    /// The URI as it was written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.raw
    }

    /// The number without visual separators, with its `+` if it is global (RFC 3966 5.1.1).
    #[must_use]
    pub fn number(&self) -> Cow<'a, str> {
        if self.number.contains(['-', '.', '(', ')']) {
            Cow::Owned(self.number.chars().filter(|digit| !"-.()".contains(*digit)).collect())
        } else {
            Cow::Borrowed(self.number)
        }
    }

    /// The parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}
