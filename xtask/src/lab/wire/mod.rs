//! Reading what was on the wire: packets out of a capture file, SIP messages out of packets.
//!
//! The reader shares nothing with the crate `sip`: an error there must not be able to hide itself here.

mod pcap;
mod stream;

use std::io::BufRead;
use std::net::IpAddr;

use anyhow::Result;
use drill::history::{Event, Message};

use pcap::{Packet, Payload};
use stream::Streams;

/// What else a capture tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remarks {
    /// TCP connections that the server ended or reset while the peer had not ended them.
    pub(crate) broken_connections: u64,
    /// What could not be read as SIP, in either direction.
    pub(crate) unreadable: u64,
}

/// Reads a capture and hands over every SIP message from or to `server`, in order of time.
pub(crate) fn read(file: impl BufRead, server: IpAddr, mut each: impl FnMut(Event)) -> Result<Remarks> {
    let mut remarks = Remarks::default();
    let mut streams = Streams::default();
    pcap::read(file, |packet: Packet<'_>| {
        let by_server = packet.from.ip() == server;
        let peer = if by_server { packet.to } else { packet.from };
        let mut event = |bytes: &[u8]| match Message::parse(bytes) {
            Some(message) => each(Event { at: packet.at, by_server, peer, message }),
            None => remarks.unreadable += 1,
        };
        match packet.payload {
            // Keep-alives (RFC 5626 4.4.1) and hole punching are not messages.
            Payload::Udp(bytes) if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) => {}
            Payload::Udp(bytes) => event(bytes),
            Payload::Tcp(segment) => {
                let unreadable = streams.take(packet.from, packet.to, &segment, &mut event);
                remarks.unreadable += unreadable;
            }
        }
    })?;
    remarks.broken_connections = streams.ended_by(server);
    Ok(remarks)
}
