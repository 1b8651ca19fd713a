//! The identity of this host as a file, and as the two sides of TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};

use super::{Fingerprint, revocation};
use crate::wire::Trouble;

/// Who a host is, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The host.
    pub host: String,
    /// The solution that it belongs to.
    pub solution: String,
    /// The host's certificate, as PEM.
    pub(super) certificate: String,
    /// Its key, as PEM.
    pub(super) key: String,
    /// The authority's certificate, as PEM: nobody else is trusted.
    pub(super) authority: String,
    /// When it is to be renewed.
    pub renew_at: SystemTime,
    /// When nobody believes it any more.
    pub expires: SystemTime,
}

/// Both sides of TLS with one identity.
#[derive(Clone, Debug)]
struct Sides {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

/// The identity in a file, as it stands there now.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    /// When the identity was written, and the list of the certificates that count for nothing.
    read: [Option<SystemTime>; 2],
    identity: Identity,
    sides: Sides,
}

impl Identity {
    /// The host's certificate and key, and the authority's certificate, as PEM: for programs that want files, such as etcd.
    #[must_use]
    pub fn pem(&self) -> (String, &str) {
        (format!("{}{}", self.certificate, self.key), &self.authority)
    }

    /// By what the authority is known that has issued it.
    ///
    /// # Errors
    /// If the certificate of that is broken.
    pub fn issued_by(&self) -> Result<Fingerprint, Trouble> {
        Ok(Fingerprint::of(&certificate(&self.authority)?))
    }

    /// `revoked` is the list of certificates that count for nothing, if there is one.
    fn sides(&self, revoked: Option<CertificateRevocationListDer<'static>>) -> Result<Sides, Trouble> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = roots(&certificate(&self.authority)?)?;
        let chain = vec![certificate(&self.certificate)?];
        let key = || PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| unusable(&error));
        let of_servers = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .with_crls(revoked.clone())
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status()
            .build()
            .map_err(|error| unusable(&error))?;
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| unusable(&error))?
            .with_webpki_verifier(of_servers)
            .with_client_auth_cert(chain.clone(), key()?)
            .map_err(|error| unusable(&error))?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .with_crls(revoked)
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status()
            .build()
            .map_err(|error| unusable(&error))?;
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| unusable(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key()?)
            .map_err(|error| unusable(&error))?;
        Ok(Sides { client: Arc::new(client), server: Arc::new(server) })
    }
}

impl Keyring {
    /// Reads the identity at `path`.
    ///
    /// # Errors
    /// If there is none, or it cannot be used.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Trouble> {
        let path = path.into();
        let read = written(&path);
        let (identity, sides) = load(&path)?;
        Ok(Self { path, read, identity, sides })
    }

    /// Who this host is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// For a connection that this host opens.
    pub fn client(&mut self) -> Arc<ClientConfig> {
        self.refresh();
        Arc::clone(&self.sides.client)
    }

    /// For a connection that another host opens.
    pub fn server(&mut self) -> Arc<ServerConfig> {
        self.refresh();
        Arc::clone(&self.sides.server)
    }

    /// Takes what was written into the file since; one that cannot be used changes nothing.
    fn refresh(&mut self) {
        let written = written(&self.path);
        if written == self.read {
            return;
        }
        self.read = written;
        match load(&self.path) {
            Ok((identity, sides)) => (self.sides, self.identity) = (sides, identity),
            Err(trouble) => tracing::error!("goes on with the old certificate: {trouble}"),
        }
    }
}

/// The host that a peer's certificate names, which TLS has verified.
///
/// # Errors
/// If it names none of this solution.
pub fn host_of(certificates: &[CertificateDer<'_>], solution: &str) -> Result<String, Trouble> {
    let named = certificates.first().and_then(|first| {
        let certificate = webpki::EndEntityCert::try_from(first).ok()?;
        let suffix = super::name_of("", solution);
        certificate.valid_dns_names().find_map(|name| name.strip_suffix(&suffix).map(ToOwned::to_owned))
    });
    named.ok_or_else(|| {
        Trouble::new(
            format!("whoever connects is no host of the solution {solution}"),
            "let it join by `everline host join` with a token of this solution",
        )
    })
}

/// When the identity in this file was written, and the list beside it.
fn written(path: &Path) -> [Option<SystemTime>; 2] {
    let when = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    [when(path), when(&revocation::beside(path))]
}

fn load(path: &Path) -> Result<(Identity, Sides), Trouble> {
    let text = fs::read(path).map_err(|error| Trouble::of_file("read", path, &error))?;
    let identity: Identity = serde_json::from_slice(&text).map_err(|error| {
        Trouble::new(
            format!("{} is no identity of a host: {error}", path.display()),
            "let the host join anew by `everline host join`",
        )
    })?;
    let sides = identity.sides(revocation::read(&revocation::beside(path))?)?;
    Ok((identity, sides))
}

/// Trust in this authority and in nobody else.
pub(super) fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, Trouble> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).map_err(|error| unusable(&error))?;
    Ok(Arc::new(roots))
}

pub(super) fn certificate(pem: &str) -> Result<CertificateDer<'static>, Trouble> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| unusable(&error))
}

pub(super) fn unusable(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::new(
        format!("the certificate of this host cannot be used: {error}"),
        "let the host join anew by `everline host join`",
    )
}
