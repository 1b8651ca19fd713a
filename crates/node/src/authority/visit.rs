//! The other side of the authority's door: a host that joins, or wants its certificate renewed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;

use super::token::{self, Token};
use super::words::{Answer, LONGEST_ANSWER, Question, hear, say};
use crate::configuration::Document;
use crate::identity::{DOOR, DOOR_LIFETIME, Fingerprint, Identity, Issued, KeyRequest, SET_CLOCKS, SKEW};
use crate::wire::Trouble;

/// How long the authority may take to answer, and to be started.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause until one that does not listen yet is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// What a host that joins is given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Its certificate.
    pub(super) issued: Issued,
    /// The configuration as the authority's host has seen it last.
    pub configuration: Document,
    /// The key of the digest's nonces, which all SIP Servers share.
    pub nonce_key: Vec<u8>,
    /// The cluster of the coordinator, where this machine is new in it.
    pub cluster: Option<String>,
}

/// Joins the solution whose authority is at `address`; gives who this host is now, and what it must know.
///
/// # Errors
/// If nobody is there, if it is not the authority of the token (which it is not shown then), or if the authority refuses.
pub fn join(address: SocketAddr, token: &Token) -> Result<(Identity, Welcome), Trouble> {
    join_as(address, token, None)
}

/// The same for a machine that is a host of that solution already, its `own`: it stays that one, and gets another certificate. The token
/// must be for a host that has joined before.
///
/// # Errors
/// As [`join`]; and if the token is for another host or of another solution, which does not use it up.
pub fn join_again(address: SocketAddr, token: &Token, own: &Identity) -> Result<(Identity, Welcome), Trouble> {
    let Identity { host, solution, .. } = own;
    if own.issued_by()? != token.authority {
        return Err(Trouble::new(
            format!("this machine is {host} of {solution}, and the token is of the authority of another solution"),
            format!(
                "give the line that `everline host token {host} --again` prints in {solution}; --dir names another folder"
            ),
        ));
    }
    let (identity, welcome) = join_as(address, token, Some(host))?;
    // An authority of an older version does not look.
    if identity.host != *host {
        return Err(token::is_for_another(host, &identity.host));
    }
    Ok((identity, welcome))
}

fn join_as(address: SocketAddr, token: &Token, was: Option<&str>) -> Result<(Identity, Welcome), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::new(format!("cannot begin: {error}"), "see `ulimit -a`"))?;
    runtime.block_on(join_with(address, Arc::new(known_by(token.authority)?), token, was))
}

/// The same over TLS as `config` says.
pub(super) async fn join_with(
    address: SocketAddr,
    config: Arc<ClientConfig>,
    token: &Token,
    was: Option<&str>,
) -> Result<(Identity, Welcome), Trouble> {
    let request = KeyRequest::new()?;
    let (secret, was) = (token.secret_text(), was.map(str::to_owned));
    let question = Question::Join { secret, request: request.text().to_owned(), was };
    let end = Instant::now() + PATIENCE;
    let answer = loop {
        match ask(None, address, Arc::clone(&config), &question).await {
            // It may have been started a moment ago.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && Instant::now() < end => {
                sleep(PAUSE).await;
            }
            answer => break answer,
        }
    };
    match answer.map_err(|error| explain(address, None, &error))? {
        Answer::Joined(welcome) => Ok((request.answered(welcome.issued.clone()), *welcome)),
        Answer::Refused(trouble) => Err(trouble),
        Answer::Renewed(_) => Err(other_version()),
    }
}

/// Gets a new certificate for this host, whose `own` one `config` shows, from the authority that is reached by one of these ways.
///
/// # Errors
/// If nobody is there, or the authority refuses.
pub async fn renew(
    ways: &[(SocketAddr, SocketAddr)],
    own: &Identity,
    config: Arc<ClientConfig>,
) -> Result<Identity, Trouble> {
    let request = KeyRequest::new()?;
    let question = Question::Renew { request: request.text().to_owned() };
    let mut last = Trouble::new("no address of the authority is known", "look at [place] in the configuration");
    for (from, to) in ways {
        match ask(Some(*from), *to, Arc::clone(&config), &question).await {
            Ok(Answer::Renewed(issued)) => return Ok(request.answered(*issued)),
            Ok(Answer::Refused(trouble)) => return Err(trouble),
            Ok(Answer::Joined(_)) => return Err(other_version()),
            Err(error) => last = explain(*to, Some(own), &error),
        }
    }
    Err(last)
}

async fn ask(
    from: Option<SocketAddr>,
    to: SocketAddr,
    config: Arc<ClientConfig>,
    question: &Question,
) -> io::Result<Answer> {
    let exchange = async {
        let stream = match from {
            Some(from) => {
                let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                socket.bind(from)?;
                socket.connect(to).await?
            }
            None => TcpStream::connect(to).await?,
        };
        let name = ServerName::try_from(DOOR).map_err(io::Error::other)?;
        let mut stream = TlsConnector::from(config).connect(name, stream).await?;
        // Whoever does not want to hear it has said why.
        let said = say(&mut stream, question).await;
        let heard = hear(&mut stream, LONGEST_ANSWER).await;
        if is_alert(&heard) { heard } else { said.and(heard) }
    };
    timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn is_alert<T>(heard: &io::Result<T>) -> bool {
    let inner = heard.as_ref().err().and_then(io::Error::get_ref);
    inner.is_some_and(|inner| matches!(inner.downcast_ref::<Error>(), Some(Error::AlertReceived(_))))
}

/// What kept us from an answer, for people; the `own` certificate was shown, if there is one.
fn explain(address: SocketAddr, own: Option<&Identity>, error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Trouble::new(
            format!(
                "whoever answers at {address} is not the authority that has made this token; it was not shown the token"
            ),
            "name the host on which `everline host token` was given; if you did, somebody else answers in its place",
        ),
        // The certificate of the door was made a moment ago.
        Some(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            differs(address, DOOR_LIFETIME, "ahead of")
        }
        Some(Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => differs(address, SKEW, "behind"),
        Some(Error::AlertReceived(alert)) => {
            let what = format!("the authority at {address} does not accept the certificate of this host: {alert:?}");
            // The alert is also that of one that is not valid yet (RFC 8446 6.2).
            let is_good_here = own.is_some_and(|own| SystemTime::now() < own.expires);
            if *alert == AlertDescription::CertificateExpired && is_good_here {
                return Trouble::new(what, SET_CLOCKS);
            }
            Trouble::new(what, token::anew(own.map_or("HOST", |own| own.host.as_str())))
        }
        _ => Trouble::new(
            format!("no answer of the authority at {address}: {error}"),
            "`everline host run` must run on that host, and a firewall let this port through",
        ),
    }
}

/// The clock of this host is further from that of the authority than certificates allow.
fn differs(address: SocketAddr, allowed: Duration, how: &str) -> Trouble {
    let minutes = allowed.as_secs() / 60;
    let what =
        format!("the clock of this host is more than {minutes} minutes {how} that of the authority at {address}");
    Trouble::new(what, SET_CLOCKS)
}

fn other_version() -> Trouble {
    Trouble::new("the authority answers something else than it was asked", "update all hosts to one version")
}

/// Trust in the one authority with this fingerprint, which shows itself.
fn known_by(fingerprint: Fingerprint) -> Result<ClientConfig, Trouble> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Arc::new(Known { fingerprint, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]);
    let config = config.map_err(|error| Trouble::new(format!("no TLS: {error}"), "report this"))?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Finds the authority in the chain by its fingerprint; everything else is checked as always.
struct Known {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl Known {
    fn verifier(&self, authority: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = intermediates.iter().find(|one| Fingerprint::of(one) == self.fingerprint);
        let authority = authority.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        self.verifier(authority)?.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({})", self.fingerprint)
    }
}

impl fmt::Debug for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Welcome({})", self.issued.host)
    }
}
