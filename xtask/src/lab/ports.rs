//! Ports that the operating system says are free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use anyhow::{Context, Result};

/// Free ports, for UDP and TCP alike. They are held until this is dropped, so that none is given twice.
#[derive(Default)]
pub(crate) struct Ports(Vec<(UdpSocket, TcpListener)>);

/// A port that is free for UDP is as good as always free for TCP; a few tries find one that is.
const TRIES: usize = 50;

impl Ports {
    /// One more port that is free at this address.
    pub(crate) fn take(&mut self, address: [u8; 4]) -> Result<SocketAddr> {
        let address = Ipv4Addr::from(address);
        for _ in 0..TRIES {
            let udp = UdpSocket::bind((address, 0)).with_context(|| format!("no free UDP port at {address}"))?;
            let place = udp.local_addr()?;
            if let Ok(tcp) = TcpListener::bind(place) {
                self.0.push((udp, tcp));
                return Ok(place);
            }
        }
        anyhow::bail!("no port at {address} is free for UDP and TCP")
    }
}
