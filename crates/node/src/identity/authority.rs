//! The authority of a solution: issues the certificates of its hosts.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use serde::{Deserialize, Serialize};

use super::keyring::{certificate, roots, unusable};
use super::revocation;
use super::{Fingerprint, Identity, Issued, name_of};
use crate::wire::Trouble;

/// How long the certificate of a host is good; it is renewed when a third of that is left.
pub const HOST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long the authority's own certificate is good: the life of a solution.
const LIFETIME: Duration = Duration::from_secs(20 * 365 * 24 * 3_600);
/// How far the clock of a host may be behind that of the authority: so long before it was issued a certificate is good.
pub(crate) const SKEW: Duration = Duration::from_secs(3_600);
/// How long the certificate of the authority's door is good: it is made for each connection, so the clock of a host may be so far ahead.
pub(crate) const DOOR_LIFETIME: Duration = Duration::from_secs(600);

/// The name in the certificate of the authority's door. No host has it: those have the solution in their names.
pub const DOOR: &str = "authority.everline.internal";

/// What issues certificates; its file holds a key and is for its owner only.
#[derive(Debug, Serialize, Deserialize)]
pub struct Authority {
    /// The name of the solution.
    solution: String,
    /// Its own certificate, as PEM.
    certificate: String,
    /// Its key, as PEM.
    key: String,
}

impl Authority {
    /// A new authority for this solution.
    ///
    /// # Errors
    /// If the system gives no random numbers, or the name cannot stand in a certificate.
    pub fn create(solution: &str, now: SystemTime) -> Result<Self, Trouble> {
        let key = KeyPair::generate().map_err(cannot_issue)?;
        let certificate = of_authority(solution, now)?.self_signed(&key).map_err(cannot_issue)?;
        Ok(Self { solution: solution.to_owned(), certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// The name of the solution.
    #[must_use]
    pub fn solution(&self) -> &str {
        &self.solution
    }

    /// By what somebody who has never seen this authority knows it.
    ///
    /// # Errors
    /// If its certificate is broken.
    pub fn fingerprint(&self) -> Result<Fingerprint, Trouble> {
        Ok(Fingerprint::of(&certificate(&self.certificate)?))
    }

    /// Gives a host with these addresses an identity that is good from `now` on for `lifetime`. Everline itself calls a host by its
    /// name; etcd does so by its addresses.
    ///
    /// # Errors
    /// If the host's name cannot stand in a certificate.
    pub fn issue(
        &self,
        host: &str,
        addresses: &[IpAddr],
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<Identity, Trouble> {
        let key = KeyPair::generate().map_err(cannot_issue)?;
        Ok(self.certify(host, addresses, &key, now, lifetime)?.with_key(key.serialize_pem()))
    }

    /// The same for a host that has made its key itself: `request` is its certificate signing request, as PEM. Of that only the
    /// key counts, and that it is the sender's.
    ///
    /// # Errors
    /// If it is no such request, or the host's name cannot stand in a certificate.
    pub fn sign(
        &self,
        request: &str,
        host: &str,
        addresses: &[IpAddr],
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<Issued, Trouble> {
        let asked = CertificateSigningRequestParams::from_pem(request).map_err(|error| {
            Trouble::new(
                format!("this is no request for a certificate: {error}"),
                "update all hosts to one version of everline",
            )
        })?;
        self.certify(host, addresses, &asked.public_key, now, lifetime)
    }

    fn certify(
        &self,
        host: &str,
        addresses: &[IpAddr],
        key: &impl PublicKeyData,
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<Issued, Trouble> {
        let mut wanted = of_host(&name_of(host, &self.solution), host, now, lifetime)?;
        wanted.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
        let certificate = wanted.signed_by(key, &self.issuer(now)?).map_err(cannot_issue)?;
        Ok(Issued {
            host: host.to_owned(),
            solution: self.solution.clone(),
            certificate: certificate.pem(),
            authority: self.certificate.clone(),
            renew_at: now + lifetime.mul_f64(2.0 / 3.0),
            expires: now + lifetime,
        })
    }

    /// The side of TLS of the authority's door: whoever comes may show the certificate of a host, or none. The list of those that
    /// count for nothing any more is in the file `revoked`, if it is there.
    ///
    /// # Errors
    /// If the authority's certificate or key is broken, or the list is.
    pub fn door(&self, now: SystemTime, revoked: &Path) -> Result<Arc<ServerConfig>, Trouble> {
        let key = KeyPair::generate().map_err(cannot_issue)?;
        let own = of_host(DOOR, "authority", now, DOOR_LIFETIME)?;
        let own = own.signed_by(&key, &self.issuer(now)?).map_err(cannot_issue)?;
        let authority = certificate(&self.certificate)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(&authority)?, Arc::clone(&provider))
            .allow_unauthenticated()
            .with_crls(revocation::read(revoked)?)
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status()
            .build()
            .map_err(|error| unusable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).map_err(|error| unusable(&error))?;
        // Whoever joins finds the authority itself in the chain, and knows it by its fingerprint.
        let chain = vec![own.der().clone(), authority];
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| unusable(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| unusable(&error))?;
        Ok(Arc::new(config))
    }

    pub(super) fn issuer(&self, now: SystemTime) -> Result<Issuer<'static, KeyPair>, Trouble> {
        let key = KeyPair::from_pem(&self.key).map_err(cannot_issue)?;
        Ok(Issuer::new(of_authority(&self.solution, now)?, key))
    }
}

/// What stands in the authority's certificate. Only the name and the key of it go into those that it issues.
fn of_authority(solution: &str, now: SystemTime) -> Result<CertificateParams, Trouble> {
    let mut wanted = CertificateParams::new(Vec::<String>::new()).map_err(cannot_issue)?;
    wanted.distinguished_name.push(DnType::CommonName, format!("{solution} (Everline)"));
    (wanted.not_before, wanted.not_after) = ((now - SKEW).into(), (now + LIFETIME).into());
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(wanted)
}

/// What stands in the certificate of somebody who is called `name` by others.
fn of_host(name: &str, common: &str, now: SystemTime, lifetime: Duration) -> Result<CertificateParams, Trouble> {
    let mut wanted = CertificateParams::new([name.to_owned()]).map_err(cannot_issue)?;
    wanted.distinguished_name.push(DnType::CommonName, common);
    (wanted.not_before, wanted.not_after) = ((now - SKEW).into(), (now + lifetime).into());
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(wanted)
}

pub(super) fn cannot_issue(error: rcgen::Error) -> Trouble {
    Trouble::new(
        format!("cannot issue a certificate: {error}"),
        "names of solutions and hosts are letters, digits and hyphens; the authority's file must be the one that `host init` wrote",
    )
}
