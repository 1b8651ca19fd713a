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
        if !is_name(name) {
            return None;
        }
        let name = lex::text(name);
        // A name whose last label begins with a digit is an address or a mistake (RFC 3261 25.1, toplabel).
        if name.bytes().next_back().is_some_and(|last| last.is_ascii_digit())
            && let Ok(address) = name.parse::<Ipv4Addr>()
        {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        Some(Self::Name(name))
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

/// Letters, digits, hyphens and dots, not beginning with a dot or hyphen.
fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|&first| first != b'.' && first != b'-')
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
