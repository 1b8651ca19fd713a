//! A virtual address as people write it: `10.0.0.5/24@eth1`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use model::Trouble;

use super::VirtualAddress;

/// The longest name of an interface that the kernel knows, in bytes (`IFNAMSIZ` without its end).
const LONGEST_NAME: usize = 15;

const FORM: &str =
    "write it like 10.0.0.5/24@eth1 or 2001:db8::5/64@eth1: address, length of the network's prefix, interface";

impl FromStr for VirtualAddress {
    type Err = Trouble;

    fn from_str(text: &str) -> Result<Self, Trouble> {
        let wrong = |why: String| Trouble::new(format!("`{text}` is no virtual address: {why}"), FORM);
        let (before, interface) =
            text.split_once('@').ok_or_else(|| wrong("`@` and an interface are missing".into()))?;
        let (address, prefix) = before
            .split_once('/')
            .ok_or_else(|| wrong("`/` and the length of the network's prefix are missing".into()))?;
        let address: IpAddr = address.parse().map_err(|_| wrong(format!("`{address}` is no IP address")))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = digits(prefix)
            .filter(|prefix| (1..=longest).contains(prefix))
            .ok_or_else(|| wrong(format!("the prefix is `{prefix}` and not a number from 1 to {longest}")))?;
        if let Some(why) = unfit(address, prefix) {
            return Err(wrong(format!("{address} is {why}")));
        }
        if let Some(why) = unfit_name(interface) {
            return Err(wrong(format!("the name of the interface {why}")));
        }
        Ok(Self { address, prefix, interface: interface.to_owned(), hook: None })
    }
}

impl fmt::Display for VirtualAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.address, self.prefix, self.interface)
    }
}

/// A number without a sign, which `u8::from_str` would take.
fn digits(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Why an address cannot pass from one host to another.
fn unfit(address: IpAddr, prefix: u8) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => unfit_ipv4(address, prefix),
        IpAddr::V6(address) => unfit_ipv6(address),
    }
}

fn unfit_ipv4(address: Ipv4Addr, prefix: u8) -> Option<&'static str> {
    // A network of two addresses has neither of the two special ones (RFC 3021 2.1).
    let host_bits = if prefix >= 31 { 0 } else { u32::MAX >> prefix };
    let host = address.to_bits() & host_bits;
    if address.is_unspecified() {
        Some("no address of a host")
    } else if address.is_loopback() {
        Some("a loopback address, which no other host reaches")
    } else if address.is_multicast() || address.is_broadcast() {
        Some("an address of many hosts")
    } else if host_bits != 0 && host == 0 {
        Some("the address of the network itself")
    } else if host_bits != 0 && host == host_bits {
        Some("the broadcast address of its network")
    } else {
        None
    }
}

fn unfit_ipv6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        Some("no address of a host")
    } else if address.is_loopback() {
        Some("a loopback address, which no other host reaches")
    } else if address.is_multicast() {
        Some("an address of many hosts")
    } else if address.is_unicast_link_local() {
        Some("a link-local address, which SIP cannot name")
    } else if address.to_ipv4_mapped().is_some() {
        Some("an IPv4 address in the form of IPv6")
    } else {
        None
    }
}

/// What the kernel would not take as the name of an interface (`dev_valid_name` in Linux).
fn unfit_name(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("is missing".into())
    } else if name.len() > LONGEST_NAME {
        Some(format!("is longer than {LONGEST_NAME} bytes"))
    } else if name == "."
        || name == ".."
        || name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace() || c == '\0')
    {
        Some(format!("is `{}`, which none can have", name.escape_debug()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<VirtualAddress, String> {
        text.parse().map_err(|trouble: Trouble| trouble.what)
    }

    #[test]
    fn both_families_are_read_and_written_alike() {
        for text in ["10.0.0.5/24@eth1", "2001:db8::5/64@bond0.17", "192.0.2.0/31@a", "192.0.2.255/32@enp0s31f6-uplin"]
        {
            assert_eq!(parsed(text).expect("readable").to_string(), text);
        }
        let address = parsed("10.0.0.5/24@eth1").expect("readable");
        assert_eq!(
            (address.address.to_string(), address.prefix, address.interface),
            ("10.0.0.5".into(), 24, "eth1".into())
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("10.0.0.5/24", "`@` and an interface are missing"),
            ("10.0.0.5@eth1", "`/` and the length of the network's prefix are missing"),
            ("10.0.0/24@eth1", "`10.0.0` is no IP address"),
            ("10.0.0.5/33@eth1", "the prefix is `33` and not a number from 1 to 32"),
            ("10.0.0.5/+8@eth1", "the prefix is `+8`"),
            ("10.0.0.5/@eth1", "the prefix is ``"),
            ("2001:db8::5/0@eth1", "not a number from 1 to 128"),
            ("10.0.0.0/24@eth1", "the address of the network itself"),
            ("10.0.0.255/24@eth1", "the broadcast address"),
            ("127.0.0.1/8@lo", "a loopback address"),
            ("224.0.0.1/24@eth1", "an address of many hosts"),
            ("::/64@eth1", "no address of a host"),
            ("fe80::1/64@eth1", "a link-local address"),
            ("::ffff:10.0.0.5/96@eth1", "an IPv4 address in the form of IPv6"),
            ("10.0.0.5/24@", "the name of the interface is missing"),
            ("10.0.0.5/24@averyverylongone", "longer than 15 bytes"),
            ("10.0.0.5/24@eth 1", "which none can have"),
        ] {
            let told = parsed(text).expect_err(text);
            assert!(told.contains(why), "{told}");
        }
    }
}
