//! What a host that asks for a certificate has, and what it is given: its key never travels.

use std::fmt;
use std::time::SystemTime;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Identity;
use crate::wire::Trouble;

/// A key that was made here, and the request for a certificate of it.
pub struct KeyRequest {
    key: KeyPair,
    request: String,
}

/// A certificate as the authority issues it: an identity but for the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The host.
    pub host: String,
    /// The solution that it belongs to.
    pub solution: String,
    /// The host's certificate, as PEM.
    pub(super) certificate: String,
    /// The authority's certificate, as PEM.
    pub(super) authority: String,
    /// When it is to be renewed.
    pub renew_at: SystemTime,
    /// When nobody believes it any more.
    pub expires: SystemTime,
}

/// The first half of the SHA-256 of an authority's certificate: to find another certificate with the same one would take
/// 2^128 attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) [u8; FINGERPRINT]);

/// Octets of a fingerprint.
pub(crate) const FINGERPRINT: usize = 16;

impl KeyRequest {
    /// Makes a key.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn new() -> Result<Self, Trouble> {
        let made = || {
            let key = KeyPair::generate()?;
            let request = CertificateParams::new(Vec::<String>::new())?.serialize_request(&key)?.pem()?;
            Ok::<_, rcgen::Error>(Self { key, request })
        };
        made().map_err(|error| {
            Trouble::new(format!("cannot make a key: {error}"), "the system must give random numbers: getrandom(2)")
        })
    }

    /// What the authority is sent, as PEM.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.request
    }

    /// The identity, once the authority has issued a certificate.
    #[must_use]
    pub fn answered(self, issued: Issued) -> Identity {
        issued.with_key(self.key.serialize_pem())
    }
}

impl Issued {
    pub(super) fn with_key(self, key: String) -> Identity {
        let Self { host, solution, certificate, authority, renew_at, expires } = self;
        Identity { host, solution, certificate, key, authority, renew_at, expires }
    }
}

impl Fingerprint {
    /// That of a certificate.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let digest = Sha256::digest(certificate.as_ref());
        let mut first = [0; FINGERPRINT];
        first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRequest")
    }
}
