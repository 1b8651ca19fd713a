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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_sip_uri_are_told_apart() {
        // RFC 3261 19.1.1
        let uri =
            Uri::parse(b"sips:%61lice:pa%3Ass@[2001:db8::1]:5061;transport=tcp;lr?subject=x&to=y").expect("a URI");
        let sip = uri.as_sip().expect("a SIP URI");
        assert!(sip.is_secure());
        assert_eq!((sip.raw_user(), sip.user().as_deref()), (Some("%61lice"), Some("alice")));
        assert_eq!(sip.raw_password(), Some("pa%3Ass"));
        assert_eq!((sip.host().to_string(), sip.port()), ("[2001:db8::1]".to_owned(), Some(5061)));
        assert_eq!(
            (sip.params().get("TRANSPORT"), sip.params().get("lr"), sip.params().get("x")),
            (Some("tcp"), Some(""), None)
        );
        assert_eq!(sip.headers(), Some("subject=x&to=y"));
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for text in [
            "",
            "sip",
            "sip:",
            ":a",
            "1a:b",
            "sip:@a",
            "sip::p@a",
            "sip:a@",
            "sip:a b",
            "<sip:a>",
            "sip:a@b:0",
            "sip:a@b:65536",
            "sip:a@b:",
            "sip:%4@b",
            "sip:%zz@b",
            "sip:[::1",
            "sip:[1.2.3.4]",
            "sip:-a",
            "sip:a;=x",
            "sip:a;x=",
            "tel:",
            "tel:+",
            "tel:abcxyz",
            "sip:a@b@c",
            "name:",
        ] {
            assert!(Uri::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_the_field_writes_is_taken() {
        for text in [
            "sip:*21*7#@pbx",
            "sip:+49-30@host_name",
            "sip:a@1.2.3",
            "sip:300.1.1.1",
            "SIP:a",
            "urn:service:sos",
            "tel:*31#",
        ] {
            assert!(Uri::parse(text.as_bytes()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn addresses_are_addresses_and_all_else_is_a_name() {
        for (text, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("0.0.0.0", Some("0.0.0.0")),
            ("255.255.255.255", Some("255.255.255.255")),
            ("256.1.1.1", None),
            ("1.2.3", None),
            ("1.2.3.4.5", None),
            ("01.2.3.4", None),
            ("1..3.4", None),
            ("1.2.3.", None),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("example.com", None),
        ] {
            let host = Host::parse(text).expect("a host");
            assert_eq!(host.address().map(|address| address.to_string()).as_deref(), address, "{text}");
        }
        assert_eq!(Host::parse("example.com"), Host::parse("EXAMPLE.com"));
    }

    #[test]
    fn numbers_lose_their_separators() {
        // RFC 3966 5.1.1
        let uri = Uri::parse(b"tel:+49-(30).1234;ext=5").expect("a URI");
        assert_eq!(uri.user().as_deref(), Some("+49301234"));
    }
}
