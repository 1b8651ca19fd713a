//! Certificates that count for nothing any more although they have not ended: those of hosts that were taken out of the solution.
//!
//! The authority signs one list of their serial numbers (RFC 5280 5), which every host has beside its identity; etcd reads the same
//! file.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use super::authority::cannot_issue;
use super::keyring::{certificate, unusable};
use super::{Authority, Issued};
use crate::wire::Trouble;

/// The next list comes when a host is taken out: this one counts until then.
const LIFETIME: Duration = Duration::from_secs(20 * 365 * 24 * 3_600);

impl Authority {
    /// The list of these serial numbers, as PEM.
    ///
    /// # Errors
    /// If the authority's key is broken.
    pub fn revoke(&self, serials: &[Vec<u8>], now: SystemTime) -> Result<String, Trouble> {
        let revoked = |serial: &Vec<u8>| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: now.into(),
            reason_code: None,
            invalidity_date: None,
        };
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let list = CertificateRevocationListParams {
            this_update: now.into(),
            next_update: (now + LIFETIME).into(),
            crl_number: SerialNumber::from_slice(&seconds.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer(now)?).and_then(|list| list.pem()).map_err(cannot_issue)
    }
}

impl Issued {
    /// The serial number of the certificate.
    ///
    /// # Errors
    /// If it is broken.
    pub fn serial(&self) -> Result<Vec<u8>, Trouble> {
        serial_of(&certificate(&self.certificate)?)
    }
}

/// The serial number of a certificate.
///
/// # Errors
/// If it is broken.
pub(crate) fn serial_of(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Trouble> {
    let parsed = webpki::EndEntityCert::try_from(certificate).map_err(|error| unusable(&error))?;
    // A number that would be negative without it has a zero before it.
    let digits = parsed.serial().iter().skip_while(|octet| **octet == 0);
    Ok(digits.copied().collect())
}

/// Where the list lies beside an identity.
pub(super) fn beside(identity: &Path) -> PathBuf {
    identity.with_file_name(REVOKED)
}

/// The name of its file.
pub(crate) const REVOKED: &str = "revoked.pem";

/// The list in a file; none if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<CertificateRevocationListDer<'static>>, Trouble> {
    match fs::read(path) {
        Ok(text) => {
            CertificateRevocationListDer::from_pem_slice(&text).map(Some).map_err(|error| no_list(path, &error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Trouble::of_file("read", path, &error)),
    }
}

fn no_list(path: &Path, error: &dyn std::fmt::Display) -> Trouble {
    Trouble::new(
        format!("{} is no list of certificates that count for nothing: {error}", path.display()),
        "copy that file from another host",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{HOST_LIFETIME, KeyRequest};

    #[test]
    fn a_list_is_read_as_it_is_written_and_names_the_number_of_a_certificate() {
        let now = SystemTime::now();
        let ours = Authority::create("ours", now).unwrap();
        let issued = ours.sign(KeyRequest::new().unwrap().text(), "h2", &[], now, HOST_LIFETIME).unwrap();
        let number = issued.serial().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("identity.json"));
        assert_eq!(read(&path).unwrap(), None);
        for numbers in [vec![], vec![number.clone()]] {
            fs::write(&path, ours.revoke(&numbers, now).unwrap()).unwrap();
            let list = read(&path).unwrap().expect("it is there");
            let parsed = webpki::BorrowedCertRevocationList::from_der(&list).unwrap();
            // As it is written: a number that would be negative has a zero before it.
            let written = if number[0] < 0x80 { number.clone() } else { [&[0], &number[..]].concat() };
            let found = webpki::CertRevocationList::from(parsed).find_serial(&written).unwrap().is_some();
            assert_eq!(found, !numbers.is_empty());
        }
        fs::write(&path, "nothing").unwrap();
        read(&path).unwrap_err();
    }
}
