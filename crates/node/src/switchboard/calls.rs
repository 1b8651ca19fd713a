//! Connections that processes of this host make to applications of another one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::notice::Notice;
use super::{CONNECT_PATIENCE, Keys, OtherHost, SwitchboardSettings, look_after};
use crate::identity::explain;
use crate::local;
use crate::wire::Trouble;

/// The way to another host.
#[derive(Debug)]
struct Way {
    host: OtherHost,
    keys: Keys,
    /// The network that answered last: it is tried first.
    last: AtomicUsize,
    notice: Notice,
}

/// Listens in the place of every application of another host.
///
/// # Errors
/// If one of the sockets cannot be made.
pub(super) fn listen(settings: &SwitchboardSettings, keys: &Keys, notice: &Notice) -> Result<(), Trouble> {
    for host in &settings.others {
        let way =
            Arc::new(Way { host: host.clone(), keys: keys.clone(), last: AtomicUsize::new(0), notice: notice.clone() });
        for (here, there) in &host.sockets {
            let path = settings.folder.path().join("run").join(here);
            let listener = local::listen(&path).and_then(UnixListener::from_std);
            let listener = listener.map_err(|error| Trouble::of_file("listen at", &path, &error))?;
            tokio::spawn(answer(listener, Arc::clone(&way), there.clone()));
        }
    }
    Ok(())
}

async fn answer(listener: UnixListener, way: Arc<Way>, socket: String) {
    loop {
        match listener.accept().await {
            Ok((caller, _)) => {
                tokio::spawn(carry(caller, Arc::clone(&way), socket.clone()));
            }
            // Too many open files: others end some time.
            Err(_) => tokio::time::sleep(CONNECT_PATIENCE).await,
        }
    }
}

/// Joins a caller with the application that it wants. Where that cannot be, its connection ends, as if the application
/// had.
async fn carry(mut caller: UnixStream, way: Arc<Way>, socket: String) {
    let Ok(mut far) = way.connect().await else { return };
    if super::guests::ask_for(&mut far, &socket).await.is_ok() {
        let _ = copy_bidirectional(&mut caller, &mut far).await;
        let _ = far.shutdown().await;
    }
}

impl Way {
    /// Connects over the first network that answers.
    async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let networks = self.host.networks.len();
        let first = self.last.load(Ordering::Relaxed);
        let mut last = io::Error::from(io::ErrorKind::NotConnected);
        for network in (0..networks).map(|number| (first + number) % networks) {
            let (from, to) = self.host.networks[network];
            match timeout(CONNECT_PATIENCE, self.over(from, to)).await {
                Ok(Ok(stream)) => {
                    self.last.store(network, Ordering::Relaxed);
                    self.notice.of_other(&self.host.name, None);
                    return Ok(stream);
                }
                Ok(Err(error)) => {
                    // That nobody answers says nothing of certificates.
                    if let Some(why) = explain(&error) {
                        self.notice.of_other(&self.host.name, Some(why));
                    }
                    last = error;
                }
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }

    async fn over(&self, from: SocketAddr, to: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(from)?;
        let stream = socket.connect(to).await?;
        look_after(&stream)?;
        let name = ServerName::try_from(self.host.name.clone()).map_err(io::Error::other)?;
        TlsConnector::from(self.keys.client()).connect(name, stream).await
    }
}
