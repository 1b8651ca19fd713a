//! What is wrong with a certificate, in words for people, and what they can do about it.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// What is done about clocks that differ.
pub(crate) const SET_CLOCKS: &str = "set the clocks of both hosts; chrony or systemd-timesyncd keeps them right";

/// Why two hosts do not believe each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The certificate of the other host has expired.
    Expired,
    /// It is not valid yet.
    NotValidYet,
    /// It is that of another host.
    OfAnotherHost,
    /// It is of the authority of another solution.
    OfAnotherSolution,
    /// It counts for nothing any more.
    TakenOut,
    /// It is broken, or not for this.
    Unusable,
    /// The other host shows none.
    Missing,
    /// The other host finds that the certificate of this one has expired, or is not valid yet.
    OwnNotNow,
    /// The other host does not know the authority of this one.
    OwnOfAnotherSolution,
    /// The other host knows that the certificate of this one counts for nothing any more.
    OwnTakenOut,
    /// The other host has seen none.
    OwnMissing,
}

impl Reason {
    /// What is wrong, as a clause about the other host.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Expired => "its certificate has expired",
            Self::NotValidYet => "its certificate is not valid yet: the clocks of the two hosts differ",
            Self::OfAnotherHost => "its certificate is that of another host",
            Self::OfAnotherSolution => "its certificate is of the authority of another solution",
            Self::TakenOut => "it was taken out of the solution",
            Self::Unusable => "its certificate cannot be used",
            Self::Missing => "it shows no certificate",
            Self::OwnNotNow => "it says that the certificate of this host has expired or is not valid yet",
            Self::OwnOfAnotherSolution => "it does not know the authority of this host: it is of another solution",
            Self::OwnTakenOut => "it says that this host was taken out of the solution",
            Self::OwnMissing => "it wants to see a certificate",
        }
    }

    /// What people can do about it, if the other host is `host`.
    #[must_use]
    pub fn remedy(self, host: &str) -> String {
        match self {
            Self::Expired => {
                format!(
                    "`everline status` on {host} says how it gets another one; if nothing is wrong there, {SET_CLOCKS}"
                )
            }
            Self::NotValidYet => SET_CLOCKS.to_owned(),
            Self::OwnNotNow => {
                format!("do what is said of the certificate of this host itself; if nothing is, {SET_CLOCKS}")
            }
            Self::OfAnotherHost => {
                format!("look at the addresses of {host} in the configuration: another host answers there")
            }
            Self::OfAnotherSolution | Self::OwnOfAnotherSolution => {
                "let the one that came from elsewhere join anew: `everline host token HOST --again`".to_owned()
            }
            Self::TakenOut => format!(
                "end it by `everline stop` there; to have it back, let it join anew: `everline host token {host} --again`"
            ),
            Self::OwnTakenOut => "end this host by `everline stop`; to have it back, let it join anew: `everline host \
                                  token HOST --again`"
                .to_owned(),
            Self::Unusable => format!("let {host} join anew: `everline host token {host} --again`"),
            Self::Missing | Self::OwnMissing => {
                format!("bring both hosts to one version; if they are, something else is at an address of {host}")
            }
        }
    }
}

/// Why TLS has refused a connection: what the other host's certificate lacks, or what it says ours does; `None` if that was not
/// the reason.
#[must_use]
pub fn explain(error: &io::Error) -> Option<Reason> {
    Some(match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Reason::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Reason::NotValidYet,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Reason::OfAnotherHost
            }
            CertificateError::BadSignature | CertificateError::UnknownIssuer => Reason::OfAnotherSolution,
            CertificateError::Revoked => Reason::TakenOut,
            _ => Reason::Unusable,
        },
        Error::NoCertificatesPresented => Reason::Missing,
        Error::AlertReceived(alert) => match alert {
            // Also one that is not valid yet (RFC 8446 6.2).
            AlertDescription::CertificateExpired => Reason::OwnNotNow,
            AlertDescription::DecryptError | AlertDescription::UnknownCA | AlertDescription::BadCertificate => {
                Reason::OwnOfAnotherSolution
            }
            AlertDescription::CertificateRevoked => Reason::OwnTakenOut,
            AlertDescription::CertificateRequired => Reason::OwnMissing,
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: Error) -> Option<Reason> {
        explain(&io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn a_clock_is_set_and_a_host_joins_anew() {
        let clock = of(Error::InvalidCertificate(CertificateError::NotValidYet)).unwrap();
        assert!(clock.what().contains("the clocks of the two hosts differ"));
        assert_eq!(clock.remedy("h2"), SET_CLOCKS);
        let out = of(Error::InvalidCertificate(CertificateError::Revoked)).unwrap();
        assert!(out.remedy("h2").contains("`everline host token h2 --again`"), "{out:?}");
        // Which of the two it is, the other host knows better.
        for (error, asked) in [
            (Error::InvalidCertificate(CertificateError::Expired), "`everline status` on h2"),
            (Error::AlertReceived(AlertDescription::CertificateExpired), "of the certificate of this host"),
        ] {
            let remedy = of(error).unwrap().remedy("h2");
            assert!(remedy.contains(asked) && remedy.ends_with(SET_CLOCKS) && !remedy.contains("--again"), "{remedy}");
        }
        assert_eq!(of(Error::HandshakeNotComplete), None, "that says nothing of certificates");
    }
}
