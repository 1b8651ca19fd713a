//! What is wrong with a certificate, in words for people.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// Why TLS has refused a connection: what the other host's certificate lacks, or what it says ours does; `None` if that was not
/// the reason.
#[must_use]
pub fn explain(error: &io::Error) -> Option<&'static str> {
    Some(match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet: the clocks of the two hosts differ"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is that of another host"
            }
            CertificateError::BadSignature | CertificateError::UnknownIssuer => {
                "its certificate is of the authority of another solution"
            }
            CertificateError::Revoked => "it was taken out of the solution",
            _ => "its certificate cannot be used",
        },
        Error::NoCertificatesPresented => "it shows no certificate",
        Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateExpired => "it says that the certificate of this host has expired",
            AlertDescription::DecryptError | AlertDescription::UnknownCA | AlertDescription::BadCertificate => {
                "it does not know the authority of this host: it is of another solution"
            }
            AlertDescription::CertificateRevoked => "it says that this host was taken out of the solution",
            AlertDescription::CertificateRequired => "it wants to see a certificate",
            _ => return None,
        },
        _ => return None,
    })
}
