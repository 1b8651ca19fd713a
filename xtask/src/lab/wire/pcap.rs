//! Capture files in the classic format of libpcap, IPv4 over Ethernet as the loopback device delivers it.

use std::io::{BufRead, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, bail};

use drill::history::Nanos;

/// One UDP datagram or TCP segment.
pub(super) struct Packet<'a> {
    pub(super) at: Nanos,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) payload: Payload<'a>,
}

pub(super) enum Payload<'a> {
    Udp(&'a [u8]),
    Tcp(Segment<'a>),
}

/// A TCP segment; `sequence` is the number of its first byte.
pub(super) struct Segment<'a> {
    pub(super) sequence: u32,
    pub(super) opens: bool,
    pub(super) ends: bool,
    pub(super) bytes: &'a [u8],
}

const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const LINK_ETHERNET: u32 = 1;
const ETHERNET_HEADER: usize = 14;
const ETHERTYPE_IPV4: [u8; 2] = [8, 0];
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
/// No packet on the loopback device is longer.
const MAX_PACKET: u32 = 262_144;

/// Hands over every packet; a record that is cut off at the end of the file ends it.
pub(super) fn read(mut file: impl BufRead, mut each: impl FnMut(Packet<'_>)) -> Result<()> {
    let mut header = [0; 24];
    file.read_exact(&mut header)?;
    let nanos_per_tick = match word(&header, 0) {
        Some(MAGIC_NANOS) => 1,
        Some(MAGIC_MICROS) => 1_000,
        _ => bail!("not a capture file of this machine's byte order"),
    };
    if word(&header, 20) != Some(LINK_ETHERNET) {
        bail!("the capture is not one of the loopback device");
    }
    let mut buffer = Vec::new();
    loop {
        let mut record = [0; 16];
        match file.read_exact(&mut record) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let field = |at| u64::from(word(&record, at).unwrap_or(0));
        let length = word(&record, 8).unwrap_or(0);
        if length > MAX_PACKET {
            bail!("the capture file is corrupt: a packet of {length} bytes");
        }
        buffer.clear();
        file.by_ref().take(u64::from(length)).read_to_end(&mut buffer)?;
        if let Some(packet) = packet(&buffer, field(0) * 1_000_000_000 + field(4) * nanos_per_tick) {
            each(packet);
        }
    }
}

/// A 32-bit number in the byte order of the machine that captured, which is this one.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// `None` for what is neither UDP nor TCP over IPv4.
fn packet(frame: &[u8], at: Nanos) -> Option<Packet<'_>> {
    if frame.get(12..ETHERNET_HEADER)? != ETHERTYPE_IPV4 {
        return None;
    }
    let ip = frame.get(ETHERNET_HEADER..)?;
    let ip = ip.get(..usize::from(short(ip, 2)?))?;
    let body = ip.get(usize::from(ip.first()? & 0x0f) * 4..)?;
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?));
    let from = SocketAddr::from((address(12)?, short(body, 0)?));
    let to = SocketAddr::from((address(16)?, short(body, 2)?));
    let payload = match *ip.get(9)? {
        PROTOCOL_UDP => Payload::Udp(body.get(8..)?),
        PROTOCOL_TCP => {
            let flags = *body.get(13)?;
            Payload::Tcp(Segment {
                sequence: u32::from_be_bytes(body.get(4..8)?.try_into().ok()?),
                opens: flags & 0x02 != 0,
                ends: flags & 0x05 != 0,
                bytes: body.get(usize::from(body.get(12)? >> 4) * 4..)?,
            })
        }
        _ => return None,
    };
    Some(Packet { at, from, to, payload })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A capture of one UDP datagram from 127.0.0.2:5080 to 127.0.0.1:5060, at 1.5 s.
    pub(crate) fn capture_of(datagram: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend(ETHERTYPE_IPV4);
        let length = (28 + datagram.len()) as u16;
        frame.extend([0x45, 0]);
        frame.extend(length.to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, PROTOCOL_UDP, 0, 0, 127, 0, 0, 2, 127, 0, 0, 1]);
        frame.extend([5080_u16, 5060, length - 20, 0].iter().flat_map(|number| number.to_be_bytes()));
        frame.extend(datagram);
        let mut file = Vec::new();
        for number in [MAGIC_NANOS, 0x0004_0002, 0, 0, MAX_PACKET, LINK_ETHERNET] {
            file.extend(number.to_ne_bytes());
        }
        for number in [1, 500_000_000, frame.len() as u32, frame.len() as u32] {
            file.extend(number.to_ne_bytes());
        }
        file.extend(frame);
        file
    }

    #[test]
    fn a_datagram_comes_out_as_it_went_in() {
        let mut seen = Vec::new();
        read(&capture_of(b"hello")[..], |packet| {
            let Payload::Udp(bytes) = packet.payload else { panic!("it was UDP") };
            seen.push((packet.at, packet.from.to_string(), packet.to.to_string(), bytes.to_vec()));
        })
        .expect("the file is whole");
        assert_eq!(seen, [(1_500_000_000, "127.0.0.2:5080".into(), "127.0.0.1:5060".into(), b"hello".to_vec())]);
    }

    #[test]
    fn a_file_cut_off_in_mid_record_ends_there() {
        let file = capture_of(b"hello");
        for length in 24..file.len() {
            let mut packets = 0;
            assert!(read(&file[..length], |_| packets += 1).is_ok());
            assert_eq!(packets, 0, "no packet is made of {length} bytes");
        }
    }
}
