//! The checksums of TCP and UDP, which a sender on this machine leaves to a network card that is not there.

use crate::address::checksum;

const ETHERNET: usize = 14;
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const IPV6_HEADER: usize = 40;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Where the parts of a packet stand that its checksum is made of.
struct Segment {
    protocol: u8,
    /// The two addresses.
    addresses: (usize, usize),
    /// From the header of TCP or UDP to the packet's end.
    from: usize,
    to: usize,
}

/// Fills in the checksum of a whole TCP or UDP packet. Anything else has its checksum already, fragments too.
pub(super) fn complete(frame: &mut [u8]) {
    let Some(segment) = segment(frame) else { return };
    let at = segment.from + if segment.protocol == TCP { 16 } else { 6 };
    let Some(field) = frame.get_mut(at..at + 2) else { return };
    field.fill(0);
    let (from, to) = segment.addresses;
    let length = ((segment.to - segment.from) as u32).to_be_bytes();
    let sum = [&frame[from..to], &length, &[0, 0, 0, segment.protocol], &frame[segment.from..segment.to]].concat();
    // Zero would say that there is none (RFC 768); in one's complement the other zero means the same.
    let sum = match checksum(&sum) {
        [0, 0] => [0xff, 0xff],
        sum => sum,
    };
    frame[at..at + 2].copy_from_slice(&sum);
}

fn segment(frame: &[u8]) -> Option<Segment> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?)));
    let ip = ETHERNET;
    let segment = if frame.get(12..14)? == IPV4 {
        let is_fragment = number(ip + 6)? & 0x3fff != 0;
        let from = ip + usize::from(frame.get(ip)? & 0xf) * 4;
        let whole =
            Segment { protocol: *frame.get(ip + 9)?, addresses: (ip + 12, ip + 20), from, to: ip + number(ip + 2)? };
        (!is_fragment).then_some(whole)?
    } else if frame.get(12..14)? == IPV6 {
        let from = ip + IPV6_HEADER;
        Segment { protocol: *frame.get(ip + 6)?, addresses: (ip + 8, ip + 40), from, to: from + number(ip + 4)? }
    } else {
        return None;
    };
    let is_whole = segment.from <= segment.to && segment.to <= frame.len();
    let header = if segment.protocol == TCP { 20 } else { 8 };
    (matches!(segment.protocol, TCP | UDP) && is_whole && segment.to - segment.from >= header).then_some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UDP from 10.0.0.1:1 to 10.0.0.2:2 with the payload "hi", without its checksum.
    fn udp4() -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend(IPV4);
        frame.extend([0x45, 0, 0, 30, 0, 0, 0x40, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0, 1, 0, 2, 0, 10, 0xab, 0xcd, b'h', b'i']);
        frame
    }

    #[test]
    fn udp_and_tcp_get_theirs() {
        let mut frame = udp4();
        complete(&mut frame);
        // 0a00+0001+0a00+0002 + 0011+000a + 0001+0002+000a+6869 = 7c94, its complement 836b.
        assert_eq!(frame[40..42], [0x83, 0x6b]);
        let mut tcp = vec![0; 12];
        tcp.extend(IPV6);
        tcp.extend([0x60, 0, 0, 0, 0, 20, TCP, 64]);
        tcp.extend([0; 32]);
        tcp.extend([0; 20]);
        complete(&mut tcp);
        assert_eq!(tcp[70..72], checksum(&[0, 0, 0, 20, 0, 0, 0, TCP]));
    }

    #[test]
    fn what_has_its_checksum_stays_as_it_is() {
        let mut fragment = udp4();
        fragment[20] = 0x20;
        let mut icmp = udp4();
        icmp[23] = 1;
        let mut arp = udp4();
        arp[13] = 0x06;
        for frame in [fragment, icmp, arp] {
            let mut changed = frame.clone();
            complete(&mut changed);
            assert_eq!(changed, frame);
        }
    }

    #[test]
    fn a_packet_that_lies_about_its_length_does_no_harm() {
        for end in 0..udp4().len() {
            complete(&mut udp4()[..end]);
        }
        let mut short = udp4();
        short[17] = 20;
        complete(&mut short);
        assert_eq!(short[40..42], [0xab, 0xcd]);
    }
}
