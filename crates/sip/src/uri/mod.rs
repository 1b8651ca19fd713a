//! SIP, SIPS and tel URIs (RFC 3261 19.1, RFC 3966), and all others as they are.

mod compare;
mod escape;
mod host;
mod sip;
mod tel;

use std::borrow::Cow;
use std::fmt;

pub use escape::decode;
pub use host::Host;
pub use sip::SipUri;
pub use tel::TelUri;

use crate::lex;
use crate::message::Fault;
use escape::escapes_are_whole;

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

impl<'a> Uri<'a> {
    /// Reads a URI that fills `text` whole.
    ///
    /// # Errors
    /// [`Fault::Uri`] with the reason if it is no URI.
    pub fn parse(text: &'a [u8]) -> Result<Self, Fault> {
        if !lex::all(text, lex::URI) {
            return Err(Fault::Uri("a URI holds no white space, brackets, quotes or control characters"));
        }
        let colon = text.iter().position(|&byte| byte == b':');
        let Some((scheme, [_, rest @ ..])) = colon.and_then(|colon| text.split_at_checked(colon)) else {
            return Err(Fault::Uri("a URI begins with a scheme and a colon"));
        };
        if scheme.eq_ignore_ascii_case(b"sip") {
            SipUri::parse(text, rest, false).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case(b"sips") {
            SipUri::parse(text, rest, true).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case(b"tel") {
            TelUri::parse(lex::text(text), rest).map(Self::Tel)
        } else if is_scheme(scheme) && !rest.is_empty() {
            Ok(Self::Other(lex::text(text)))
        } else {
            Err(Fault::Uri("a scheme is a letter, then letters, digits, '+', '-' and '.'"))
        }
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        match self {
            Self::Sip(uri) => uri.as_str(),
            Self::Tel(uri) => uri.as_str(),
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

fn is_scheme(scheme: &[u8]) -> bool {
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}
