//! The Ethernet frames that announce an address or ask for its holder, byte by byte.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of an Ethernet interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Everybody on the network.
const BROADCAST: Mac = Mac([0xff; 6]);
/// A field of ARP that says nothing.
const NONE: Mac = Mac([0; 6]);

/// EtherType of ARP (RFC 826), and what begins its packets between Ethernet and IPv4: hardware type 1, protocol type
/// 0x0800, lengths 6 and 4.
const ARP: [u8; 2] = [0x08, 0x06];
const ETHERNET_IPV4: [u8; 6] = [0, 1, 0x08, 0, 6, 4];
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
/// Where the sender's addresses stand in an ARP frame.
const SENDER_MAC: usize = 22;
const SENDER_ADDRESS: usize = 28;
const ARP_FRAME: usize = 42;

/// EtherType of IPv6, next header of ICMPv6, and the hop limit that shows that no router has passed it on (RFC 4861 7.1.1).
const IPV6: [u8; 2] = [0x86, 0xdd];
pub(super) const ICMPV6: u8 = 58;
const NEIGHBOUR: u8 = 255;
const SOLICITATION: u8 = 135;
pub(super) const ADVERTISEMENT: u8 = 136;
/// Flag of an advertisement: replace what you know (RFC 4861 4.4).
const OVERRIDE: u8 = 0x20;
/// Option of an advertisement: the sender's link-layer address, one unit of 8 bytes (RFC 4861 4.6.1).
const TARGET_MAC: [u8; 2] = [2, 1];
/// Where things stand in a frame of neighbour discovery.
pub(super) const NEXT_HEADER: usize = 20;
pub(super) const ICMP_TYPE: usize = 54;
const HOP_LIMIT: usize = 21;
const TARGET: usize = 62;
const OPTIONS: usize = 78;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// What says that `mac` holds `address` now.
///
/// IPv4: a request (RFC 5227 2.3) and a reply, as there are devices that heed only one of them. The reply names the
/// sender as its target too: Linux takes it for gratuitous only then, and otherwise not within a second of the last
/// change. IPv6: an unsolicited advertisement to all nodes (RFC 4861 7.2.6).
pub(super) fn announcement(address: IpAddr, mac: Mac) -> Vec<Vec<u8>> {
    match address {
        IpAddr::V4(address) => {
            vec![arp(REQUEST, (mac, address), (NONE, address)), arp(REPLY, (mac, address), (mac, address))]
        }
        IpAddr::V6(address) => vec![advertisement(address, mac)],
    }
}

/// What asks who holds `address`, without claiming it: RFC 5227 2.1.1, RFC 4862 5.4.2.
pub(super) fn probe(address: IpAddr, mac: Mac) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => arp(REQUEST, (mac, Ipv4Addr::UNSPECIFIED), (NONE, address)),
        IpAddr::V6(address) => solicitation(address, mac),
    }
}

/// The one who says in this frame that it holds `address`, unless that is `own`.
///
/// Whoever only asks for the address as we do holds nothing; here this departs from RFC 5227 2.1.1 and RFC 4862 5.4.3,
/// as the one who may claim the address is decided elsewhere.
pub(super) fn holder(frame: &[u8], address: IpAddr, own: Mac) -> Option<Mac> {
    let holder = match address {
        IpAddr::V4(address) => arp_sender(frame, address),
        IpAddr::V6(address) => advertiser(frame, address),
    };
    holder.filter(|holder| *holder != own)
}

fn arp(operation: u8, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let mut frame = Vec::with_capacity(ARP_FRAME);
    frame.extend(BROADCAST.0);
    frame.extend(sender.0.0);
    frame.extend(ARP);
    frame.extend(ETHERNET_IPV4);
    frame.extend([0, operation]);
    for (mac, address) in [sender, target] {
        frame.extend(mac.0);
        frame.extend(address.octets());
    }
    frame
}

fn arp_sender(frame: &[u8], address: Ipv4Addr) -> Option<Mac> {
    let is_arp = frame.get(12..20)? == [ARP.as_slice(), &ETHERNET_IPV4].concat() && frame.len() >= ARP_FRAME;
    (is_arp && frame.get(SENDER_ADDRESS..)?.starts_with(&address.octets())).then_some(())?;
    mac_at(frame, SENDER_MAC)
}

fn advertisement(address: Ipv6Addr, mac: Mac) -> Vec<u8> {
    let mut message = vec![ADVERTISEMENT, 0, 0, 0, OVERRIDE, 0, 0, 0];
    message.extend(address.octets());
    message.extend(TARGET_MAC);
    message.extend(mac.0);
    icmpv6(mac, address, ALL_NODES, message)
}

/// It comes from nowhere, so it must not name its sender's link-layer address (RFC 4861 4.3).
fn solicitation(address: Ipv6Addr, mac: Mac) -> Vec<u8> {
    let mut message = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    message.extend(address.octets());
    icmpv6(mac, Ipv6Addr::UNSPECIFIED, solicited_node(address), message)
}

/// The group of those whose address ends like this one (RFC 4291 2.7.1).
fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (high & 0xff), low)
}

fn icmpv6(mac: Mac, from: Ipv6Addr, to: Ipv6Addr, mut message: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let pseudo_header = [&from.octets()[..], &to.octets(), &[0, 0], &length, &[0, 0, 0, ICMPV6]].concat();
    let checksum = checksum(&[pseudo_header, message.clone()].concat());
    message[2..4].copy_from_slice(&checksum);
    let [.., a, b, c, d] = to.octets();
    let group = [0x33, 0x33, a, b, c, d]; // RFC 2464 7
    [&group[..], &mac.0, &IPV6, &[0x60, 0, 0, 0], &length, &[ICMPV6, NEIGHBOUR], &from.octets(), &to.octets(), &message]
        .concat()
}

fn advertiser(frame: &[u8], address: Ipv6Addr) -> Option<Mac> {
    let is_advertisement = frame.get(12..14)? == IPV6
        && *frame.get(NEXT_HEADER)? == ICMPV6
        && *frame.get(HOP_LIMIT)? == NEIGHBOUR
        && *frame.get(ICMP_TYPE)? == ADVERTISEMENT
        && frame.get(TARGET..OPTIONS)? == address.octets();
    is_advertisement.then_some(())?;
    let named = (frame.get(OPTIONS..)?.starts_with(&TARGET_MAC)).then(|| mac_at(frame, OPTIONS + 2)).flatten();
    named.or_else(|| mac_at(frame, 6))
}

fn mac_at(frame: &[u8], at: usize) -> Option<Mac> {
    frame.get(at..at + 6)?.try_into().ok().map(Mac)
}

/// The internet checksum over `bytes`, whose own field is zero (RFC 1071).
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 2] {
    let pairs = bytes.chunks(2).map(|pair| u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum: u64 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [.., high, low] = (!sum).to_be_bytes();
    [high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x02, 0x77, 0, 0, 0, 0x01]);
    const OTHER: Mac = Mac([0x02, 0x77, 0, 0, 0, 0x02]);

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn ipv4_is_announced_as_request_and_as_reply() {
        let frames: Vec<String> = announcement(ip("10.77.0.201"), MAC).iter().map(|frame| hex(frame)).collect();
        let ethernet = "ffffffffffff".to_owned() + "027700000001" + "0806" + "0001" + "0800" + "06" + "04";
        // RFC 5227 2.3: sender and target are the address; the target's hardware address says nothing.
        assert_eq!(frames[0], format!("{ethernet}00010277000000010a4d00c90000000000000a4d00c9"));
        assert_eq!(frames[1], format!("{ethernet}00020277000000010a4d00c90277000000010a4d00c9"));
        assert_eq!(frames[0].len(), 2 * ARP_FRAME);
    }

    #[test]
    fn ipv6_is_announced_to_all_nodes_with_the_override_flag() {
        let frames = announcement(ip("fd77::201"), MAC);
        assert_eq!(frames.len(), 1);
        let expected = "333300000001".to_owned() + "027700000001" + "86dd" // RFC 2464 7
            + "60000000" + "0020" + "3a" + "ff" // 32 bytes of ICMPv6, hop limit 255 (RFC 4861 7.1.2)
            + "fd770000000000000000000000000201" + "ff020000000000000000000000000001"
            + "8800" + "5536" + "20000000" // advertisement, checksum, flags: override only (RFC 4861 7.2.6)
            + "fd770000000000000000000000000201" + "0201" + "027700000001";
        assert_eq!(hex(&frames[0]), expected);
    }

    #[test]
    fn a_probe_says_nothing_of_its_sender() {
        let ethernet = "ffffffffffff".to_owned() + "027700000001" + "0806" + "0001" + "0800" + "06" + "04";
        // RFC 5227 2.1.1: the sender's address is zero, so that nobody's cache takes it.
        assert_eq!(hex(&probe(ip("10.77.0.201"), MAC)), ethernet + "0001027700000001000000000000000000000a4d00c9");
        // RFC 4862 5.4.2: from the unspecified address to the solicited-node group, without an option.
        let expected = "3333ff000201".to_owned()
            + "027700000001"
            + "86dd"
            + "60000000"
            + "0018"
            + "3a"
            + "ff"
            + "00000000000000000000000000000000"
            + "ff0200000000000000000001ff000201"
            + "8700"
            + "792e"
            + "00000000"
            + "fd770000000000000000000000000201";
        assert_eq!(hex(&probe(ip("fd77::201"), MAC)), expected);
    }

    #[test]
    fn a_checksum_over_the_whole_is_zero() {
        assert_eq!(
            checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            [0x22, 0x0d],
            "the example of RFC 1071 3"
        );
        assert_eq!(checksum(&[0x12, 0x34, 0x56]), checksum(&[0x12, 0x34, 0x56, 0x00]));
        for frame in [probe(ip("2001:db8::1:ff5"), OTHER), announcement(ip("2001:db8::1:ff5"), OTHER).remove(0)] {
            let length = u16::try_from(frame.len() - ICMP_TYPE).expect("small").to_be_bytes();
            let all = [&frame[22..54], &[0, 0], &length[..], &[0, 0, 0, ICMPV6], &frame[ICMP_TYPE..]].concat();
            assert_eq!(checksum(&all), [0, 0]);
        }
    }

    #[test]
    fn who_holds_an_address_is_read_from_what_it_says() {
        for (address, other) in [(ip("10.77.0.201"), ip("10.77.0.202")), (ip("fd77::201"), ip("fd77::202"))] {
            for frame in announcement(address, OTHER) {
                assert_eq!(holder(&frame, address, MAC), Some(OTHER));
                assert_eq!(holder(&frame, address, OTHER), None, "that is us");
                assert_eq!(holder(&frame, other, MAC), None, "another address");
                for end in 0..ICMP_TYPE.min(frame.len()) {
                    assert_eq!(holder(&frame[..end], address, MAC), None, "cut off after {end} bytes");
                }
            }
            assert_eq!(holder(&probe(address, OTHER), address, MAC), None, "whoever asks holds nothing");
        }
    }

    #[test]
    fn an_advertisement_that_a_router_may_have_passed_on_counts_for_nothing() {
        let address = ip("fd77::201");
        let mut frame = announcement(address, OTHER).remove(0);
        frame[HOP_LIMIT] = 254;
        assert_eq!(holder(&frame, address, MAC), None);
    }
}
