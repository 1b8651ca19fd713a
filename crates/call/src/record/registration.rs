//! Where extensions are reached.

use model::Time;
use redundancy::change::Aliases;
use serde::{Deserialize, Serialize};
use sip::Uri;

use super::alias_of_former;
use crate::call::Target;
use crate::hop::{ConnectionId, Hop};
use crate::limits::MAX_FORMER_FLOWS;

/// The contacts of one extension (RFC 3261 10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) extension: Box<str>,
    pub(crate) bindings: Vec<Binding>,
    /// The last connections that its phones had before the ones of their bindings.
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    pub(crate) former: Vec<Former>,
}

/// A connection on which a phone had registered before it did so on another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Former {
    pub(crate) flow: ConnectionId,
    /// The contact that has taken its place.
    pub(crate) contact: Box<str>,
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

    /// The phone of one contact has registered anew, perhaps on another connection: what belongs to the former one is sent on
    /// the new one from now on (RFC 5626 in spirit).
    pub(crate) fn moves(&mut self, before: &Binding, now: &Binding) {
        let flow = now.hop.connection();
        self.former.retain(|known| Some(known.flow) != flow);
        for known in self.former.iter_mut().filter(|known| known.contact == before.uri) {
            known.contact = now.uri.clone();
        }
        if let Some(old) = before.hop.connection().filter(|old| Some(*old) != flow) {
            self.former.retain(|known| known.flow != old);
            self.former.push(Former { flow: old, contact: now.uri.clone() });
        }
        let surplus = self.former.len().saturating_sub(MAX_FORMER_FLOWS);
        self.former.drain(..surplus);
    }

    /// The connection on which the phone is now that had this one.
    pub(crate) fn successor(&self, flow: ConnectionId) -> Option<ConnectionId> {
        let known = self.former.iter().find(|known| known.flow == flow)?;
        self.bindings.iter().find(|binding| binding.uri == known.contact)?.hop.connection()
    }

    pub(crate) fn aliases(&self) -> Aliases {
        self.former.iter().map(|known| alias_of_former(known.flow)).collect()
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
