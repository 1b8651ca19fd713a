//! The hashes of RFC 7616 3.4.

use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A hash algorithm for digests (RFC 8760 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// For phones that know nothing better.
    Md5,
    /// Preferred.
    Sha256,
}

impl Algorithm {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The algorithm of this name in any case; `None` for the session variants and all that RFC 8760 does not have.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    /// The hash of the parts with colons between, in hexadecimal.
    pub(super) fn hash(self, parts: &[&[u8]]) -> Hex {
        match self {
            Self::Md5 => Hex::of(&digest::<Md5>(parts)),
            Self::Sha256 => Hex::of(&digest::<Sha256>(parts)),
        }
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> impl AsRef<[u8]> + use<D> {
    let mut hasher = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    hasher.finalize()
}

/// What is known of a user, to check or make a response with.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// The password itself: good for every algorithm.
    Password(&'a str),
    /// H(user:realm:password) in hexadecimal, which is good for one algorithm and realm only (RFC 7616 3.4.2).
    Ha1(Algorithm, &'a str),
}

impl Secret<'_> {
    /// H(user:realm:password); `None` if only the hash of another algorithm is known.
    fn ha1(self, algorithm: Algorithm, username: &str, realm: &str) -> Option<Hex> {
        match self {
            Self::Password(password) => {
                Some(algorithm.hash(&[username.as_bytes(), realm.as_bytes(), password.as_bytes()]))
            }
            Self::Ha1(of, hash) => Hex::copy(hash).filter(|_| of == algorithm),
        }
    }
}

/// Everything that a response is made of (RFC 7616 3.4.1), quotes removed.
pub(super) struct Ingredients<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) username: &'a str,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a str,
    /// `nc` and `cnonce` of `qop=auth`; `None` for a peer that knows RFC 2069 only.
    pub(super) auth: Option<(&'a str, &'a str)>,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
}

impl Ingredients<'_> {
    /// The response; `None` if the secret does not serve for this algorithm.
    pub(super) fn response(&self, secret: Secret<'_>) -> Option<Hex> {
        let ha1 = secret.ha1(self.algorithm, self.username, self.realm)?;
        let ha2 = self.algorithm.hash(&[self.method.as_bytes(), self.uri.as_bytes()]);
        let nonce = self.nonce.as_bytes();
        Some(match self.auth {
            Some((nc, cnonce)) => {
                let parts = [ha1.as_bytes(), nonce, nc.as_bytes(), cnonce.as_bytes(), b"auth", ha2.as_bytes()];
                self.algorithm.hash(&parts)
            }
            None => self.algorithm.hash(&[ha1.as_bytes(), nonce, ha2.as_bytes()]),
        })
    }
}

/// A hash in lower-case hexadecimal.
#[derive(Clone, Copy)]
pub(super) struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    /// Writes up to 32 bytes in hexadecimal.
    pub(super) fn of(hash: &impl AsRef<[u8]>) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = Self { digits: [0; 64], length: 0 };
        for (pair, byte) in hex.digits.chunks_exact_mut(2).zip(hash.as_ref()) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            hex.length += 2;
        }
        hex
    }

    /// Takes over a hash that is hexadecimal already.
    fn copy(text: &str) -> Option<Self> {
        let mut digits = [0; 64];
        digits.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        digits.make_ascii_lowercase();
        Some(Self { digits, length: text.len() })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    pub(super) fn as_str(&self) -> &str {
        crate::lex::text(self.as_bytes())
    }

    /// Compares in a time that does not depend on where they differ; digits in any case.
    pub(super) fn matches(&self, text: &str) -> bool {
        Self::copy(text).is_some_and(|other| other.as_bytes().ct_eq(self.as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_responses_of_rfc_7616_and_rfc_2617_come_out() {
        // RFC 7616 3.9.1
        let mut parts = Ingredients {
            algorithm: Algorithm::Sha256,
            username: "Mufasa",
            realm: "http-auth@example.org",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            auth: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
            method: "GET",
            uri: "/dir/index.html",
        };
        let secret = Secret::Password("Circle of Life");
        let response = |parts: &Ingredients<'_>, secret| parts.response(secret).map(|hex| hex.as_str().to_owned());
        assert_eq!(
            response(&parts, secret).as_deref(),
            Some("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
        );
        parts.algorithm = Algorithm::Md5;
        assert_eq!(response(&parts, secret).as_deref(), Some("8ca523f5e9506fed4657c9700eebdbec"));
        // RFC 2617 3.5
        parts.realm = "testrealm@host.com";
        parts.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        parts.auth = Some(("00000001", "0a4f113b"));
        let secret = Secret::Password("Circle Of Life");
        assert_eq!(response(&parts, secret).as_deref(), Some("6629fae49393a05397450978507c4ef1"));
        // Without qop, as RFC 2069 2.1.2 has it; its HA1 in upper case serves as well.
        parts.auth = None;
        let ha1 = Secret::Ha1(Algorithm::Md5, "939E7578ED9E3C518A452ACEE763BCE9");
        assert_eq!(response(&parts, secret).as_deref(), Some("670fd8c2df070c60b045671b8b24ff02"));
        assert_eq!(response(&parts, ha1), response(&parts, secret));
        // The hash of one algorithm says nothing about the other.
        parts.algorithm = Algorithm::Sha256;
        assert_eq!(response(&parts, ha1), None);
    }

    #[test]
    fn hexadecimal_is_compared_whole_and_in_any_case() {
        let hex = Hex::of(&[0xab, 0x01]);
        assert!(hex.matches("ab01") && hex.matches("AB01"));
        assert!(!hex.matches("ab0") && !hex.matches("ab010") && !hex.matches("") && !hex.matches("bb01"));
        assert!(!hex.matches(&"a".repeat(65)));
    }
}
