//! Hosts: names and addresses, with or without a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::lex::{self, Cursor};

/// The host of a URI or of a Via (RFC 3261 25.1, `host`).
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// A name, as it was written.
    Name(&'a str),
    /// An address.
    Address(IpAddr),
}

impl<'a> Host<'a> {
    /// Reads a host that fills `text` whole; an IPv6 address with or without its brackets.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.contains(':') && !text.starts_with('[') {
            return text.parse().ok().map(|address| Self::Address(IpAddr::V6(address)));
        }
        let mut cursor = Cursor::new(text.as_bytes());
        let host = Self::read(&mut cursor)?;
        cursor.is_done().then_some(host)
    }

    /// The address, if it is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Address(address) => Some(*address),
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        if cursor.eat(b'[') {
            let inside = lex::text(cursor.take_while(lex::HOST));
            let address: Ipv6Addr = inside.parse().ok()?;
            return cursor.eat(b']').then_some(Self::Address(IpAddr::V6(address)));
        }
        let name = cursor.take_until(|byte| byte == b':' || !lex::is(byte, lex::HOST));
        match name {
            [] | [b'.' | b'-', ..] => None,
            // A name never ends in a label that begins with a digit (RFC 3261 25.1, toplabel), but such things are
            // met, so what is no address is left to whoever looks names up.
            [b'0'..=b'9', ..] => match ipv4(name) {
                Some(address) => Some(Self::Address(IpAddr::V4(address))),
                None => Some(Self::Name(lex::text(name))),
            },
            _ => Some(Self::Name(lex::text(name))),
        }
    }

    /// A host and the port behind it; white space around the colon where `spaced` (Via only).
    pub(crate) fn read_with_port(cursor: &mut Cursor<'a>, spaced: bool) -> Option<(Self, Option<u16>)> {
        let host = Self::read(cursor)?;
        let colon = if spaced { cursor.eat_separator(b':') } else { cursor.eat(b':') };
        if !colon {
            return Some((host, None));
        }
        let port = lex::number(cursor.take_until(|byte| !byte.is_ascii_digit()))?;
        Some((host, Some(u16::try_from(port).ok().filter(|&port| port != 0)?)))
    }
}

/// Four decimal numbers with dots between, without leading zeros, which some read as octal.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut address = 0_u32;
    let (mut octet, mut digits, mut dots) = (0_u32, 0_u8, 0_u8);
    for &byte in text {
        match byte {
            b'0'..=b'9' if digits == 0 || (octet != 0 && digits < 3) => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits != 0 && octet < 256 => {
                address = address << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
        if dots > 3 {
            return None;
        }
    }
    (dots == 3 && digits != 0 && octet < 256).then(|| Ipv4Addr::from(address << 8 | octet))
}

/// Host names are compared without case (RFC 3261 19.1.4).
impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(left), Self::Name(right)) => left.eq_ignore_ascii_case(right),
            (Self::Address(left), Self::Address(right)) => left == right,
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

/// As it stands in a URI: an IPv6 address in brackets.
impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
