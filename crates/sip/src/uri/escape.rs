//! Percent escapes (RFC 3261 19.1.2).

use std::borrow::Cow;

pub(super) fn escapes_are_whole(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some([high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {}
            _ => return false,
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    true
}

/// Decodes % escapes, once. What is no escape stays as it is; bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)),
            _ => None,
        };
        rest = match escaped {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                after.get(2..).unwrap_or_default()
            }
            None => {
                bytes.push(*first);
                after
            }
        };
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The characters of a URI component for comparison: an escaped character is the character itself, but for the
/// reserved ones, which mean something else when they stand plain (RFC 3261 19.1.4).
pub(super) fn canonical(text: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        let escaped = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let Some((high, low)) = escaped else {
            rest = after;
            return Some((first, false));
        };
        rest = after.get(2..).unwrap_or_default();
        let byte = high << 4 | low;
        Some((byte, b";/?:@&=+$,".contains(&byte)))
    })
}
