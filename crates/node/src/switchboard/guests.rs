//! Connections that other hosts make to applications of this one.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{CONNECT_PATIENCE, Keys, SwitchboardSettings, look_after};
use crate::identity::explain;
use crate::server::Refusals;
use crate::wire::Trouble;

/// Listens in every network.
///
/// # Errors
/// If one of the addresses is not ours or its port is taken.
pub(super) async fn listen(settings: &SwitchboardSettings, keys: &Keys) -> Result<(), Trouble> {
    let settings = Arc::new(settings.clone());
    let refusals = Refusals::begin();
    for address in &settings.listen {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Trouble::new(
                format!("cannot listen at {address} for other hosts: {error}"),
                "it must be an address of this host, and the port be free",
            )
        })?;
        tokio::spawn(answer(listener, Arc::clone(&settings), keys.clone(), refusals.clone()));
    }
    Ok(())
}

async fn answer(listener: TcpListener, settings: Arc<SwitchboardSettings>, keys: Keys, refusals: Refusals) {
    loop {
        match listener.accept().await {
            Ok((guest, from)) => {
                let (settings, keys, refusals) = (Arc::clone(&settings), keys.clone(), refusals.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve(guest, &settings, &keys).await {
                        let why = explain(&error).map_or_else(|| error.to_string(), |why| why.what().to_owned());
                        refusals.take(from.ip(), &why);
                    }
                });
            }
            // Too many open files: others end some time.
            Err(_) => tokio::time::sleep(CONNECT_PATIENCE).await,
        }
    }
}

/// Joins a guest with the application that it asks for.
async fn serve(guest: TcpStream, settings: &SwitchboardSettings, keys: &Keys) -> io::Result<()> {
    look_after(&guest)?;
    let greeting = async {
        let mut guest = TlsAcceptor::from(keys.server()).accept(guest).await?;
        let socket = asked_for(&mut guest).await?;
        Ok::<_, io::Error>((guest, socket))
    };
    let (mut guest, socket) =
        timeout(CONNECT_PATIENCE * 4, greeting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    if !settings.offers.contains(&socket) {
        return Err(io::Error::other(format!("there is no \"{socket}\" here for other hosts")));
    }
    // Whoever does not run now is looked for again.
    let Ok(mut application) = UnixStream::connect(settings.folder.path().join("run").join(&socket)).await else {
        return guest.shutdown().await;
    };
    // How it ends says nothing that both ends would not see.
    let _ = copy_bidirectional(&mut guest, &mut application).await;
    Ok(())
}

/// Says which socket is wanted: the first word on a connection.
pub(super) async fn ask_for(far: &mut (impl AsyncWrite + Unpin), socket: &str) -> io::Result<()> {
    let length = u8::try_from(socket.len()).map_err(io::Error::other)?;
    far.write_all(&[&[length], socket.as_bytes()].concat()).await
}

/// Hears which socket is wanted.
async fn asked_for(guest: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let length = guest.read_u8().await?;
    let mut name = vec![0; length.into()];
    guest.read_exact(&mut name).await?;
    String::from_utf8(name).map_err(io::Error::other)
}
