//! The authority of a solution: issues the certificates of its hosts.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use serde::{Deserialize, Serialize};

use super::{Identity, name_of};
use crate::wire::Trouble;

/// How long the certificate of a host is good; it is renewed when a third of that is left.
pub const HOST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long the authority's own certificate is good: the life of a solution.
const LIFETIME: Duration = Duration::from_secs(20 * 365 * 24 * 3_600);
/// How much the clocks of hosts may differ.
const SKEW: Duration = Duration::from_secs(3_600);

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
        let issuer = KeyPair::from_pem(&self.key).map_err(cannot_issue)?;
        let issuer = Issuer::new(of_authority(&self.solution, now)?, issuer);
        let key = KeyPair::generate().map_err(cannot_issue)?;
        let mut wanted = CertificateParams::new([name_of(host, &self.solution)]).map_err(cannot_issue)?;
        wanted.distinguished_name.push(DnType::CommonName, host);
        wanted.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
        (wanted.not_before, wanted.not_after) = ((now - SKEW).into(), (now + lifetime).into());
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = wanted.signed_by(&key, &issuer).map_err(cannot_issue)?;
        Ok(Identity {
            host: host.to_owned(),
            solution: self.solution.clone(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            authority: self.certificate.clone(),
            renew_at: now + lifetime.mul_f64(2.0 / 3.0),
            expires: now + lifetime,
        })
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

fn cannot_issue(error: rcgen::Error) -> Trouble {
    Trouble::new(
        format!("cannot issue a certificate: {error}"),
        "names of solutions and hosts are letters, digits and hyphens; the authority's file must be the one that `host init` wrote",
    )
}
