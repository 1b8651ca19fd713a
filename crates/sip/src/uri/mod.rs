//! SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966), and all others as they are.

mod host;

use std::borrow::Cow;
use std::fmt;

pub use host::Host;

use crate::lex::{self, Cursor};
use crate::message::{Fault, Params};

/// A URI as it stands in a message.
#[derive(Clone, Copy, Debug)]
pub enum Uri<'a> {
    /// `sip:` or `sips:`.
    Sip(SipUri<'a>),
    /// `tel:`, a telephone number.
    Tel(TelUri<'a>),
    /// Any other scheme, the whole URI.
    Other(&'a str),
}

/// A `sip:` or `sips:` URI (RFC 3261 19.1.1).
#[derive(Clone, Copy, Debug)]
pub struct SipUri<'a> {
    raw: &'a str,
    secure: bool,
    userinfo: Option<&'a str>,
    host: Host<'a>,
    port: Option<u16>,
    params: Params<'a>,
    headers: Option<&'a str>,
}

/// A `tel:` URI (RFC 3966).
#[derive(Clone, Copy, Debug)]
pub struct TelUri<'a> {
    raw: &'a str,
    number: &'a str,
    params: Params<'a>,
}

impl<'a> Uri<'a> {
    /// Reads a URI that fills `text` whole.
    ///
    /// # Errors
    /// [`Fault::Uri`] with the reason if it is no URI.
    pub fn parse(text: &'a [u8]) -> Result<Self, Fault> {
        if !lex::all(text, lex::URI) {
            return Err(Fault::Uri("a URI holds no white space, brackets, quotes or control characters"));
        }
        let raw = lex::text(text);
        let Some((scheme, rest)) = raw.split_once(':') else {
            return Err(Fault::Uri("a URI begins with a scheme and a colon"));
        };
        if scheme.eq_ignore_ascii_case("sip") {
            SipUri::parse(raw, rest, false).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("sips") {
            SipUri::parse(raw, rest, true).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("tel") {
            TelUri::parse(raw, rest).map(Self::Tel)
        } else if is_scheme(scheme.as_bytes()) && !rest.is_empty() {
            Ok(Self::Other(raw))
        } else {
            Err(Fault::Uri("a scheme is a letter, then letters, digits, '+', '-' and '.'"))
        }
    }

    /// The URI as it was written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Sip(uri) => uri.raw,
            Self::Tel(uri) => uri.raw,
            Self::Other(raw) => raw,
        }
    }

    /// It as a `sip:` or `sips:` URI.
    #[must_use]
    pub const fn as_sip(&self) -> Option<&SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// Who it names: the decoded user of a SIP URI, the number of a tel URI without its separators.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Sip(uri) => uri.user(),
            Self::Tel(uri) => Some(uri.number()),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> SipUri<'a> {
    fn parse(raw: &'a str, rest: &'a str, secure: bool) -> Result<Self, Fault> {
        // Everything left of the @ is the user, semicolons and question marks included (RFC 4475 3.1.1.9).
        let (userinfo, rest) = match rest.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        if let Some(userinfo) = userinfo
            && (userinfo.is_empty() || userinfo.starts_with(':') || !escapes_are_whole(userinfo))
        {
            return Err(Fault::Uri("the part before the @ is empty or has a broken % escape"));
        }
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        let mut cursor = Cursor::new(rest.as_bytes());
        let (host, port) = Host::read_with_port(&mut cursor, false).ok_or(Fault::Uri("the host or port is not one"))?;
        let params = Params::read(&mut cursor)?;
        if !cursor.is_done() {
            return Err(Fault::Uri("something that is no parameter follows the host"));
        }
        Ok(Self { raw, secure, userinfo, host, port, params, headers })
    }

    /// The URI as it was written.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.raw
    }

    /// Whether it is a `sips:` URI.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The user as it was written, without the password.
    #[must_use]
    pub fn raw_user(&self) -> Option<&'a str> {
        self.userinfo.map(|info| info.split_once(':').map_or(info, |(user, _)| user))
    }

    /// The user with its % escapes decoded, once (RFC 3261 19.1.2, RFC 4475 3.1.1.3).
    #[must_use]
    pub fn user(&self) -> Option<Cow<'a, str>> {
        self.raw_user().map(decode)
    }

    /// The password as it was written.
    #[must_use]
    pub fn raw_password(&self) -> Option<&'a str> {
        self.userinfo.and_then(|info| info.split_once(':')).map(|(_, password)| password)
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port, if one is given.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The headers behind the `?`, as they were written.
    #[must_use]
    pub const fn headers(&self) -> Option<&'a str> {
        self.headers
    }
}

impl<'a> TelUri<'a> {
    fn parse(raw: &'a str, rest: &'a str) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(rest.as_bytes());
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

fn is_scheme(scheme: &[u8]) -> bool {
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn escapes_are_whole(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'%', rest) {
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
