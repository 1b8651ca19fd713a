//! When two URIs mean the same (RFC 3261 19.1.4, RFC 3966 4).

use super::escape::canonical;
use super::{SipUri, TelUri, Uri};
use crate::limits::MAX_PARAMS;
use crate::message::Params;

/// Parameters that must stand in both URIs or in none. RFC 3261 19.1.4 lists them, and its examples add `transport`.
const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri<'_> {
    /// Whether both mean the same (RFC 3261 19.1.4, RFC 3966 4). This is no equality: what is the same as two others need not make those the same.
    #[must_use]
    pub fn same_as(&self, other: &Uri<'_>) -> bool {
        // Also where a parameter stands twice, of which only the first is compared below.
        if self.as_str() == other.as_str() {
            return true;
        }
        match (self, other) {
            (Self::Sip(left), Uri::Sip(right)) => left.same_as(right),
            (Self::Tel(left), Uri::Tel(right)) => left.same_as(right),
            (Self::Other(left), Uri::Other(right)) => same_other(left, right),
            _ => false,
        }
    }
}

impl SipUri<'_> {
    fn same_as(&self, other: &SipUri<'_>) -> bool {
        self.is_secure() == other.is_secure()
            && same_option(self.raw_user(), other.raw_user(), same_text)
            && same_option(self.raw_password(), other.raw_password(), same_text)
            && self.host() == other.host()
            && self.port() == other.port()
            && same_params(self.params(), other.params())
            && same_headers(self.headers().unwrap_or_default(), other.headers().unwrap_or_default())
    }
}

impl TelUri<'_> {
    /// The same digits and the same parameters in any order.
    fn same_as(&self, other: &TelUri<'_>) -> bool {
        let within = |left: Params<'_>, right: Params<'_>| {
            left.iter()
                .all(|(name, value)| right.get(name).is_some_and(|other| same_value(value.unwrap_or_default(), other)))
        };
        self.number().eq_ignore_ascii_case(&other.number())
            && within(self.params(), other.params())
            && within(other.params(), self.params())
    }
}

fn same_option(left: Option<&str>, right: Option<&str>, same: impl Fn(&str, &str) -> bool) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(left, right),
        (None, None) => true,
        _ => false,
    }
}

fn same_text(left: &str, right: &str) -> bool {
    left == right || canonical(left).eq(canonical(right))
}

fn same_value(left: &str, right: &str) -> bool {
    let lower = |(byte, reserved): (u8, bool)| (byte.to_ascii_lowercase(), reserved);
    canonical(left).map(lower).eq(canonical(right).map(lower))
}

/// A parameter that stands in both must be the same; one that stands in one only counts if it is decisive.
fn same_params(left: Params<'_>, right: Params<'_>) -> bool {
    let agrees = |one: Params<'_>, other: Params<'_>| {
        one.iter().all(|(name, value)| match other.get(name) {
            Some(other) => same_value(value.unwrap_or_default(), other),
            None => !DECISIVE.iter().any(|decisive| decisive.eq_ignore_ascii_case(name)),
        })
    };
    agrees(left, right) && agrees(right, left)
}

/// Every header must stand in both, in any order.
fn same_headers(left: &str, right: &str) -> bool {
    let count = left.split('&').count();
    if count != right.split('&').count() || count > MAX_PARAMS {
        return false;
    }
    let same = |left: &str, right: &str| match (left.split_once('='), right.split_once('=')) {
        (Some((name, value)), Some((other, other_value))) => same_value(name, other) && same_text(value, other_value),
        _ => left == right,
    };
    left.split('&').all(|header| right.split('&').any(|other| same(header, other)))
        && right.split('&').all(|header| left.split('&').any(|other| same(header, other)))
}

/// URIs of other schemes are compared as they stand, but for the case of the scheme (RFC 3986 6.2.2.1).
fn same_other(left: &str, right: &str) -> bool {
    match (left.split_once(':'), right.split_once(':')) {
        (Some((scheme, rest)), Some((other, other_rest))) => scheme.eq_ignore_ascii_case(other) && rest == other_rest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        let uri = |text: &'static str| Uri::parse(text.as_bytes()).expect("a URI");
        let (left, right) = (uri(left.to_owned().leak()), uri(right.to_owned().leak()));
        assert_eq!(left.same_as(&right), right.same_as(&left), "{left} and {right}");
        left.same_as(&right)
    }

    #[test]
    fn the_examples_of_rfc_3261_are_the_same() {
        for (left, right) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(same(left, right), "{left} and {right}");
        }
    }

    #[test]
    fn the_counterexamples_of_rfc_3261_are_not() {
        for (left, right) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a%3bb@c", "sip:a;b@c"),
            ("sip:a@b", "sips:a@b"),
            ("sip:a@b?x=1&x=1", "sip:a@b?x=1&x=2"),
        ] {
            assert!(!same(left, right), "{left} and {right}");
        }
    }

    #[test]
    fn telephone_numbers_are_compared_without_separators() {
        // RFC 3966 4
        assert!(same("tel:+1-201-555-0123", "TEL:+1.201.555.0123"));
        assert!(same("tel:863-1234;phone-context=+1-914-555;a=B", "tel:8631234;A=b;phone-context=+1-914-555"));
        assert!(!same("tel:863-1234;phone-context=+1-914-555", "tel:863-1234"));
        assert!(!same("tel:+12015550123", "sip:+12015550123@example.com"));
        assert!(same("sip:a;x=1;x=2", "sip:a;x=1;x=2"), "a URI is the same as itself, even if it says a thing twice");
        assert!(same("URN:service:sos", "urn:service:sos") && !same("urn:a", "urn:A"));
    }
}
