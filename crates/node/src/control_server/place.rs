//! Where whoever serves is found: at one address that passes from host to host, or at one of those that the hosts have for themselves.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;

/// The addresses, of one family; whoever serves is at one of them, and nobody at the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(Arc<[SocketAddr]>);

impl FromIterator<SocketAddr> for Place {
    fn from_iter<I: IntoIterator<Item = SocketAddr>>(addresses: I) -> Self {
        Self(addresses.into_iter().collect())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&addresses.join(" or "))
    }
}

impl Place {
    /// One of the addresses, by which the server knows that it is meant.
    pub(super) fn name(&self) -> Option<SocketAddr> {
        self.0.first().copied()
    }

    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.0.contains(&address)
    }

    /// Sends this to all of them.
    ///
    /// # Errors
    /// If it can be sent to none.
    pub(super) async fn send(&self, socket: &UdpSocket, bytes: &[u8]) -> io::Result<()> {
        let mut sent = Err(io::ErrorKind::AddrNotAvailable.into());
        for address in self.0.iter() {
            let this = socket.send_to(bytes, address).await.map(drop);
            sent = sent.or(this);
        }
        sent
    }
}
