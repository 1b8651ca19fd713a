//! Addresses with a display name and parameters: From, To, Contact, Route, Record-Route.

use std::borrow::Cow;

use super::{Fault, Params, unquote};
use crate::lex::{self, Cursor};
use crate::uri::Uri;

/// A `name-addr` or `addr-spec` with its parameters (RFC 3261 20.10).
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    display: &'a [u8],
    uri: Uri<'a>,
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one address that fills `value` whole.
    ///
    /// # Errors
    /// [`Fault`] with the reason if it is none, or if more follows.
    pub fn parse(value: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(value);
        let address = Self::read(&mut cursor)?;
        if cursor.is_done() { Ok(address) } else { Err(Fault::Address("more follows where one address may stand")) }
    }

    /// Reads the address at the cursor, to the end or to a comma.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Fault> {
        cursor.skip_lws();
        let (display, uri) = match read_display(cursor)? {
            Some(display) => (display, read_bracketed(cursor)?),
            None => (&b""[..], read_bare(cursor)?),
        };
        let params = Params::read(cursor)?;
        Ok(Self { display, uri, params })
    }

    /// The display name as it was written, quotes included; empty if there is none.
    #[must_use]
    pub const fn raw_display(&self) -> &'a [u8] {
        self.display
    }

    /// The display name for people; bytes that are not UTF-8 become U+FFFD. `None` if there is none.
    #[must_use]
    pub fn display_name(&self) -> Option<Cow<'a, str>> {
        match String::from_utf8_lossy(self.display) {
            Cow::Borrowed("") => None,
            Cow::Borrowed(text) => Some(unquote(text)),
            Cow::Owned(text) => Some(Cow::Owned(unquote(&text).into_owned())),
        }
    }

    /// The URI.
    #[must_use]
    pub const fn uri(&self) -> &Uri<'a> {
        &self.uri
    }

    /// The header parameters: those outside of the brackets.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The tag (RFC 3261 19.3).
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The `expires` of a Contact in seconds; what is no number counts as 3600 (RFC 3261 10.2.1.1).
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        let value = self.params.get("expires")?;
        Some(lex::number(value.as_bytes()).map_or(3600, |seconds| u32::try_from(seconds).unwrap_or(u32::MAX)))
    }

    /// The `q` of a Contact in thousandths, 1000 if there is none or it is no number (RFC 3261 20.10).
    #[must_use]
    pub fn q(&self) -> u16 {
        self.params.get("q").and_then(thousandths).unwrap_or(1000)
    }
}

/// Reads `0.5` as 500.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.bytes().chain([b'0'; 3]).take(3);
    let sum = digits
        .clone()
        .all(|digit| digit.is_ascii_digit())
        .then(|| digits.fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0')))?;
    match whole {
        "0" | "" => Some(sum),
        "1" => Some(1000),
        _ => None,
    }
}

/// Moves to the bracket and gives the display name before it; `None` if there is no bracket.
///
/// Everything before the bracket counts as display name, although RFC 3261 25.1 wants tokens or a quoted
/// string: phones send umlauts and commas unquoted, and RFC 4475 3.1.2.15 lets us guess the quotes.
fn read_display<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, Fault> {
    if cursor.peek() == Some(b'"') {
        let quoted = cursor.quoted().ok_or(Fault::Address("the quoted display name does not end"))?;
        cursor.skip_lws();
        return Ok(Some(quoted));
    }
    let Some(bracket) = memchr::memchr3(b'<', b'"', b';', cursor.rest()) else {
        return Ok(None);
    };
    if cursor.rest().get(bracket) != Some(&b'<') {
        return Ok(None);
    }
    Ok(Some(lex::trim(cursor.take(bracket))))
}

fn read_bracketed<'a>(cursor: &mut Cursor<'a>) -> Result<Uri<'a>, Fault> {
    if !cursor.eat(b'<') {
        return Err(Fault::Address("a display name is followed by a URI in < >"));
    }
    let Some(end) = memchr::memchr(b'>', cursor.rest()) else {
        return Err(Fault::Address("the < before a URI has no >"));
    };
    // White space just inside the brackets is overlooked, as RFC 4475 3.1.2.14 allows.
    let uri = Uri::parse(lex::trim(cursor.take(end)))?;
    cursor.eat(b'>');
    Ok(uri)
}

/// A URI without brackets: it has no parameters of its own (RFC 3261 20.10) and ends before `;` or `,`.
fn read_bare<'a>(cursor: &mut Cursor<'a>) -> Result<Uri<'a>, Fault> {
    let text = cursor.take_until(|byte| matches!(byte, b';' | b',') || lex::is(byte, lex::LWS));
    if text.contains(&b'?') {
        return Err(Fault::Address("a URI with a '?' stands in < > (RFC 3261 20.10)"));
    }
    Uri::parse(text)
}
