//! Nonces that need no memory: whoever has the key can tell a genuine one, and how old it is.

use hmac::{Hmac, Mac};
use model::Time;
use sha2::Sha256;

use super::hash::Hex;

const TIME_DIGITS: usize = 16;
const TAG_BYTES: usize = 16;

/// Makes a nonce: when it was made, and a keyed hash (HMAC-SHA-256) over that, the realm and the binding.
pub(super) fn make(key: &[u8], realm: &str, binding: &[u8], now: Time) -> String {
    let time = Hex::of(&now.as_micros().to_be_bytes());
    let tag = mac(key, realm, binding, now).finalize().into_bytes();
    let tag: &[u8] = tag.get(..TAG_BYTES).unwrap_or(&tag);
    format!("{}{}", time.as_str(), Hex::of(&tag).as_str())
}

/// When a genuine nonce was made; `None` if this key did not make it for this realm and binding.
pub(super) fn made_at(nonce: &str, key: &[u8], realm: &str, binding: &[u8]) -> Option<Time> {
    let (time, tag) = nonce.split_at_checked(TIME_DIGITS)?;
    let made = Time::from_micros(u64::from_str_radix(time, 16).ok()?);
    let expected = mac(key, realm, binding, made).finalize().into_bytes();
    let expected: &[u8] = expected.get(..TAG_BYTES).unwrap_or(&expected);
    Hex::of(&expected).matches(tag).then_some(made)
}

fn mac(key: &[u8], realm: &str, binding: &[u8], made: Time) -> Hmac<Sha256> {
    // HMAC takes keys of any length (RFC 2104 2), so this never falls back to the empty key.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(&made.as_micros().to_be_bytes());
    mac.update(&(realm.len() as u64).to_be_bytes());
    mac.update(realm.as_bytes());
    mac.update(binding);
    mac
}
