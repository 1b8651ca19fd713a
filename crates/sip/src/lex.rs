//! The lexical layer of RFC 3261 25.1: character classes and a cursor over one header value.
//!
//! A header value may be folded over lines. The message parser lets CR LF into a value only as part of a
//! fold, so here CR and LF are white space like any other (RFC 3261 7.3.1).

/// Characters of a token, as in methods, parameter names and header names.
pub(crate) const TOKEN: u8 = 1;
/// Linear white space, folds included.
pub(crate) const LWS: u8 = 2;
/// Characters of a host name, an IPv4 address or an IPv6 address without its brackets.
pub(crate) const HOST: u8 = 4;
/// Characters of a `word`, of which Call-ID is made.
pub(crate) const WORD: u8 = 8;
/// Characters of the value of a header parameter: a token, or a host with its brackets and port.
pub(crate) const VALUE: u8 = 16;
/// Characters that can stand in a URI.
pub(crate) const URI: u8 = 32;

/// The sign between the two words of a Call-ID.
pub(crate) const AT: u8 = 64;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = class(byte as u8);
        byte += 1;
    }
    table
}

const fn class(byte: u8) -> u8 {
    let mut class = 0;
    if byte.is_ascii_alphanumeric() {
        class |= TOKEN | HOST | WORD | VALUE | URI;
    }
    if matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~') {
        class |= TOKEN | WORD | VALUE;
    }
    if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
        class |= LWS;
    }
    // The underscore is outside the grammar, but hosts of private networks have it.
    if matches!(byte, b'-' | b'.' | b':' | b'_') {
        class |= HOST;
    }
    if matches!(byte, b'(' | b')' | b'<' | b'>' | b':' | b'\\' | b'"' | b'/' | b'[' | b']' | b'?' | b'{' | b'}') {
        class |= WORD;
    }
    // Beyond the grammar: characters that phones put unquoted into parameters (URNs, base64, addresses).
    if matches!(byte, b'[' | b']' | b':' | b'/' | b'@' | b'=' | b'&' | b'$' | b'#' | b'(' | b')') {
        class |= VALUE;
    }
    if byte == b'@' {
        class |= AT;
    }
    if byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"') {
        class |= URI;
    }
    class
}

/// Whether `byte` belongs to one of the classes in `mask`.
pub(crate) const fn is(byte: u8, mask: u8) -> bool {
    CLASSES[byte as usize] & mask != 0
}

/// Whether `text` is not empty and made of the classes in `mask` only.
pub(crate) fn all(text: &[u8], mask: u8) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is(byte, mask))
}

/// The text without white space at its ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is(*first, LWS)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is(*last, LWS)
    {
        text = rest;
    }
    text
}

/// Bytes as text; empty if they are not UTF-8, which callers rule out by class first.
pub(crate) fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

/// A decimal number of digits only, the largest value there is if it does not fit.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

/// A place in a header value, moved forward by what was understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Moves past the next `count` bytes and gives them; fewer if there are fewer.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub(crate) fn take_while(&mut self, mask: u8) -> &'a [u8] {
        self.take_until(|byte| !is(byte, mask))
    }

    pub(crate) fn take_until(&mut self, end: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.rest.iter().position(|&byte| end(byte)).unwrap_or(self.rest.len());
        self.take(count)
    }

    pub(crate) fn skip_lws(&mut self) {
        while let [first, rest @ ..] = self.rest
            && is(*first, LWS)
        {
            self.rest = rest;
        }
    }

    /// Moves past `byte` if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Moves past `byte` with the white space around it, if it comes next.
    pub(crate) fn eat_separator(&mut self, byte: u8) -> bool {
        let before = self.rest;
        self.skip_lws();
        if self.eat(byte) {
            self.skip_lws();
            return true;
        }
        self.rest = before;
        false
    }

    /// Moves past a quoted string and gives it with its quotes; `None` if none comes next or it never ends.
    pub(crate) fn quoted(&mut self) -> Option<&'a [u8]> {
        let end = quoted_end(self.rest)?;
        Some(self.take(end))
    }

    /// What lies between this place and the `later` one of the same value.
    pub(crate) fn until(&self, later: &Self) -> &'a [u8] {
        self.rest.get(..self.rest.len().saturating_sub(later.rest.len())).unwrap_or_default()
    }
}

/// How long the quoted string at the beginning of `text` is, quotes included (RFC 3261 25.1).
pub(crate) fn quoted_end(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        match text.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}
