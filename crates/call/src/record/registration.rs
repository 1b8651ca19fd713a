//! Where extensions are reached.

use model::Time;
use serde::{Deserialize, Serialize};
use sip::Uri;

use crate::call::Target;
use crate::hop::Hop;

/// The contacts of one extension (RFC 3261 10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) extension: Box<str>,
    pub(crate) bindings: Vec<Binding>,
}

/// One contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    /// Its URI, as it was written.
    pub(crate) uri: Box<str>,
    /// Its preference in thousandths.
    pub(crate) q: u16,
    pub(crate) until: Time,
    /// Call-ID and CSeq of the REGISTER that it comes from (RFC 3261 10.3 point 7).
    pub(crate) call_id: Box<str>,
    pub(crate) seq: u32,
    /// The way that the REGISTER came, or the way to the contact itself.
    pub(crate) hop: Hop,
    /// See [`Target::follow`].
    pub(crate) follow: bool,
}

impl Registration {
    pub(crate) fn deadline(&self) -> Time {
        self.bindings.iter().map(|binding| binding.until).min().unwrap_or(Time::NEVER)
    }

    /// Where the extension rings, the most preferred contacts first.
    pub(crate) fn targets(&self, now: Time) -> Vec<Target> {
        let mut live: Vec<&Binding> = self.bindings.iter().filter(|binding| binding.until > now).collect();
        live.sort_by_key(|binding| std::cmp::Reverse(binding.q));
        let target = |binding: &Binding| Target {
            extension: self.extension.clone(),
            uri: binding.uri.clone(),
            hop: binding.hop,
            follow: binding.follow,
        };
        live.into_iter().map(target).collect()
    }
}

/// True if two contacts are the same (RFC 3261 19.1.4).
pub(crate) fn same_contact(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    let (Ok(Uri::Sip(left)), Ok(Uri::Sip(right))) = (Uri::parse(left.as_bytes()), Uri::parse(right.as_bytes())) else {
        return false;
    };
    // These must be in both or in none; others must only not differ where both have them.
    let strict = ["transport", "user", "ttl", "method", "maddr"];
    let same_strict = strict.iter().all(|name| {
        let (left, right) = (left.params().get(name), right.params().get(name));
        left.map(str::to_ascii_lowercase) == right.map(str::to_ascii_lowercase)
    });
    let same_others = left.params().iter().all(|(name, value)| {
        let other = right.params().get(name);
        other.is_none_or(|other| other.eq_ignore_ascii_case(value.unwrap_or_default()))
    });
    left.is_secure() == right.is_secure()
        && left.user() == right.user()
        && left.raw_password() == right.raw_password()
        && left.host() == right.host()
        && left.port() == right.port()
        && left.headers() == right.headers()
        && same_strict
        && same_others
}

#[cfg(test)]
mod tests {
    use super::same_contact;

    #[test]
    fn contacts_are_compared_as_rfc_3261_19_1_4_says() {
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:1001@192.0.2.1:5060", "sip:1001@192.0.2.1:5060"),
        ];
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:alice@atlanta.com", "sips:alice@atlanta.com"),
        ];
        assert!(same.iter().all(|(left, right)| same_contact(left, right)));
        for (left, right) in different {
            assert!(!same_contact(left, right), "{left} {right}");
        }
    }
}
