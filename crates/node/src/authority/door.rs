//! The authority's side: listens, and answers one question on each connection.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::token::{Comes, Grant};
use super::visit::Welcome;
use super::words::{Answer, LONGEST_QUESTION, Question, hear, say};
use super::{AuthoritySettings, files, token};
use crate::configuration;
use crate::identity::{Authority, HOST_LIFETIME, explain, host_of, serial_of};
use crate::server::Refusals;
use crate::wire::Trouble;

/// Guests that are served at a time in each network; others wait in the kernel, where they cost no descriptor.
pub(super) const MOST_GUESTS: usize = 32;
/// How long one may take for all of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause when the system gives no more connections.
const PAUSE: Duration = Duration::from_millis(200);

/// What every connection needs.
struct Door {
    settings: AuthoritySettings,
    authority: Authority,
    refusals: Refusals,
}

/// Listens in every network; gives the addresses with their ports.
///
/// # Errors
/// If one of the addresses is not ours or its port is taken.
pub(super) async fn listen(settings: AuthoritySettings, authority: Authority) -> Result<Vec<SocketAddr>, Trouble> {
    let listen = settings.listen.clone();
    let mut places = Vec::new();
    let door = Arc::new(Door { settings, authority, refusals: Refusals::begin() });
    for address in listen {
        let cannot = |error| {
            Trouble::new(
                format!("cannot listen at {address} for hosts that join: {error}"),
                "it must be an address of this host, and the port be free",
            )
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        places.push(listener.local_addr().map_err(cannot)?);
        tokio::spawn(answer(listener, Arc::clone(&door)));
    }
    Ok(places)
}

async fn answer(listener: TcpListener, door: Arc<Door>) {
    let room = Arc::new(Semaphore::new(MOST_GUESTS));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((guest, from)) => {
                let door = Arc::clone(&door);
                tokio::spawn(async move {
                    let _place = place;
                    let served = timeout(PATIENCE, door.serve(guest, from.ip())).await;
                    if let Err(error) = served.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                        let why = explain(&error).map_or_else(|| error.to_string(), |why| why.what().to_owned());
                        door.refusals.take(from.ip(), &why);
                    }
                });
            }
            // Too many open files: others end some time.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

impl Door {
    async fn serve(&self, guest: TcpStream, from: IpAddr) -> io::Result<()> {
        let now = SystemTime::now();
        let acceptor =
            TlsAcceptor::from(self.authority.door(now, &self.settings.folder.revoked()).map_err(io::Error::other)?);
        let mut guest = match acceptor.accept(guest).into_fallible().await {
            Ok(guest) => guest,
            Err((error, mut guest)) => {
                // It was told why. Whoever closes with something unread makes the kernel take that back.
                let _ = guest.shutdown().await;
                let _ = tokio::io::copy(&mut guest, &mut tokio::io::sink()).await;
                return Err(error);
            }
        };
        let shown = guest.get_ref().1.peer_certificates();
        let host = shown.map(|shown| {
            let host = host_of(shown, self.authority.solution())?;
            Ok::<_, Trouble>((host, serial_of(&shown[0])?))
        });
        let answer = match (hear(&mut guest, LONGEST_QUESTION).await?, host.transpose()) {
            (Question::Join { secret, request, was }, Ok(None)) => {
                self.join(&secret, &request, was.as_deref(), from, now)
            }
            (Question::Renew { request }, Ok(Some((host, serial)))) => self.renew(&host, &serial, &request, now),
            (_, Err(trouble)) => Err(trouble),
            (Question::Join { .. }, Ok(Some((host, _)))) => Err(twice(&host)),
            (Question::Renew { .. }, Ok(None)) => Err(Trouble::new(
                "a certificate is renewed only for a host that shows the one it has",
                "let the host join anew by `everline host join`",
            )),
        };
        let answer = answer.unwrap_or_else(|trouble| {
            self.refusals.take(from, &trouble);
            Answer::Refused(trouble)
        });
        say(&mut guest, &answer).await?;
        guest.shutdown().await
    }

    /// Lets a machine join, which `was` that host already if it was one.
    fn join(
        &self,
        secret: &str,
        request: &str,
        was: Option<&str>,
        from: IpAddr,
        now: SystemTime,
    ) -> Result<Answer, Trouble> {
        let folder = &self.settings.folder;
        let _issuing = files::issuing(folder)?;
        let grant = token::look_up(folder, secret, now)?;
        if let Some(was) = was {
            stays(was, &grant)?;
        }
        if grant.comes == Comes::First && files::joined(folder, &grant.host).is_some() {
            return Err(has_joined(&grant.host));
        }
        // Everything that a full disk makes fail comes before the token is used up. Where that cannot be done a host is noted that nobody is:
        // nobody has its certificate, and `--again` lets it join.
        let issued = self.authority.sign(request, &grant.host, &grant.addresses, now, HOST_LIFETIME)?;
        let configuration = configuration::kept(folder)?.ok_or_else(|| {
            Trouble::new("the authority has no configuration to give", "give `everline host init` where it is")
        })?;
        let key = folder.nonce_key();
        let nonce_key = fs::read(&key).map_err(|error| Trouble::of_file("read", &key, &error))?;
        let cluster = match grant.comes {
            Comes::Anew => fs::read_to_string(folder.cluster()).ok(),
            Comes::First | Comes::Again => None,
        };
        files::note(folder, &grant.host, &grant.addresses, &issued, now)?;
        token::use_up(folder, secret)?;
        tracing::info!("{} joins from {from}", grant.host);
        Ok(Answer::Joined(Box::new(Welcome { issued, configuration, nonce_key, cluster })))
    }

    /// Gives `host`, which has shown the certificate with the number `serial`, another one.
    fn renew(&self, host: &str, serial: &[u8], request: &str, now: SystemTime) -> Result<Answer, Trouble> {
        let folder = &self.settings.folder;
        let _issuing = files::issuing(folder)?;
        if files::is_taken_back(folder, serial, now)? {
            return Err(Trouble::new(format!("the certificate of {host} was taken back"), token::anew(host)));
        }
        let known = self.settings.hosts.iter().find(|(name, _)| name == host).map(|(_, addresses)| addresses.clone());
        let addresses = known.or_else(|| Some(files::joined(folder, host)?.addresses));
        let addresses = addresses.ok_or_else(|| {
            Trouble::new(
                format!("{host} is no host of this solution any more"),
                "write its [[host]] into the configuration and let it join, or end it",
            )
        })?;
        let issued = self.authority.sign(request, host, &addresses, now, HOST_LIFETIME)?;
        let since = files::joined(folder, host).map_or(now, |joined| joined.since);
        files::note(folder, host, &addresses, &issued, since)?;
        tracing::info!("{host} gets a new certificate");
        Ok(Answer::Renewed(Box::new(issued)))
    }
}

/// Two machines with one name would disturb each other.
fn has_joined(host: &str) -> Trouble {
    Trouble::new(
        format!("another machine has joined as {host} already"),
        format!(
            "if that one is gone or was installed anew, give `everline host token {host} --again` where the authority is"
        ),
    )
}

/// A machine that is a host already stays that one, by a token for one that has joined before.
fn stays(was: &str, grant: &Grant) -> Result<(), Trouble> {
    if was != grant.host {
        return Err(token::is_for_another(was, &grant.host));
    }
    if grant.comes == Comes::First {
        return Err(Trouble::new(
            format!("the token is for a machine that has never joined, and this one is {was} already"),
            format!("make another one where the authority is: `everline host token {was} --again`"),
        ));
    }
    Ok(())
}

fn twice(host: &str) -> Trouble {
    Trouble::new(format!("this host is {host} already"), "`everline host run` runs it")
}
