//! Via: the way a request took, which its responses take back (RFC 3261 20.42, 18.2).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::{Fault, Params};
use crate::lex::{self, Cursor};
use crate::uri::Host;

/// The beginning of every branch that is unique by RFC 3261 8.1.1.7.
pub const BRANCH_COOKIE: &str = "z9hG4bK";

const PROTOCOL: Fault = Fault::Via("it begins with SIP/2.0/ and a transport");

/// What carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport<'a> {
    /// Datagrams.
    Udp,
    /// A byte stream.
    Tcp,
    /// A byte stream under TLS.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket under TLS (RFC 7118).
    Wss,
    /// Another one, as it was written.
    Other(&'a str),
}

impl<'a> Transport<'a> {
    /// The transport of this name, in any case.
    #[must_use]
    pub fn from_name(name: &'a str) -> Self {
        const KNOWN: [Transport<'static>; 5] =
            [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
        KNOWN.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name)).unwrap_or(Self::Other(name))
    }

    /// Its name in a Via.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(name) => name,
        }
    }

    /// The port where none is given (RFC 3261 18.2.2, 19.1.2; RFC 7118 5.2.1).
    #[must_use]
    pub const fn default_port(&self) -> u16 {
        match self {
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
            Self::Udp | Self::Tcp | Self::Other(_) => 5060,
        }
    }
}

impl fmt::Display for Transport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One Via value.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    sent_by: &'a [u8],
    transport: Transport<'a>,
    host: Host<'a>,
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads the Via at the cursor, to the end or to a comma.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Fault> {
        let (bare, version) = Self::read_sent_by(cursor)?;
        if version != b"2.0" {
            return Err(PROTOCOL);
        }
        Ok(Self { params: Params::read(cursor)?, ..bare })
    }

    /// As much of a damaged Via as is sound, if that is enough to send an answer (RFC 4475 3.1.2.1).
    pub(crate) fn salvage(cursor: &mut Cursor<'a>) -> Option<Self> {
        let (bare, _) = Self::read_sent_by(cursor).ok()?;
        Some(Self { params: Params::salvage(cursor), ..bare })
    }

    /// The part before the parameters, and the version of SIP in it.
    fn read_sent_by(cursor: &mut Cursor<'a>) -> Result<(Self, &'a [u8]), Fault> {
        cursor.skip_lws();
        let begin = *cursor;
        let (version, transport) = read_protocol(cursor)?;
        cursor.skip_lws();
        let (host, port) = Host::read_with_port(cursor, true).ok_or(Fault::Via("its host or port is not one"))?;
        Ok((Self { sent_by: begin.until(cursor), transport, host, port, params: Params::default() }, version))
    }

    /// Protocol, host and port as they were written.
    pub(crate) const fn sent_by(&self) -> &'a [u8] {
        self.sent_by
    }

    /// What carried the message.
    #[must_use]
    pub const fn transport(&self) -> Transport<'a> {
        self.transport
    }

    /// Who says that it sent the message.
    #[must_use]
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port where it wants the answer, if it gives one.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port where it wants the answer, given or not.
    #[must_use]
    pub fn sent_by_port(&self) -> u16 {
        self.port.unwrap_or(self.transport.default_port())
    }

    /// All parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The branch, as it was written.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The branch if it identifies a transaction by itself (RFC 3261 17.2.3); otherwise RFC 2543 matching is due.
    #[must_use]
    pub fn unique_branch(&self) -> Option<&'a str> {
        self.branch().filter(|branch| {
            let head = branch.as_bytes().get(..BRANCH_COOKIE.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(BRANCH_COOKIE.as_bytes()))
                && branch.len() > BRANCH_COOKIE.len()
        })
    }

    /// The address that an earlier hop saw (RFC 3261 18.2.1); IPv6 with or without brackets.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        self.params.get("received").and_then(Host::parse).and_then(|host| host.address())
    }

    /// `Some(None)` if the sender asks for a symmetric answer, `Some(Some(port))` once it is filled (RFC 3581).
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        let value = self.params.get("rport")?;
        Some(lex::number(value.as_bytes()).and_then(|port| u16::try_from(port).ok()))
    }

    /// The time to live of a multicast request (RFC 3261 18.1.1).
    #[must_use]
    pub fn ttl(&self) -> Option<u8> {
        self.params.get("ttl").and_then(|ttl| lex::number(ttl.as_bytes())).and_then(|ttl| u8::try_from(ttl).ok())
    }

    /// Where the answer to a request from `source` goes over an unreliable transport (RFC 3261 18.2.2, RFC 3581 4).
    ///
    /// The address is always the one that the request came from. `maddr` is not followed: it would let
    /// anybody point our answers at a third party, and multicast is not served.
    #[must_use]
    pub fn reply_to(&self, source: SocketAddr) -> SocketAddr {
        let port = if self.rport().is_some() { source.port() } else { self.sent_by_port() };
        SocketAddr::new(source.ip(), port)
    }
}

/// The version and the transport, up to the white space behind them.
fn read_protocol<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], Transport<'a>), Fault> {
    // As nearly everybody writes it.
    const USUAL: &[u8] = b"SIP/2.0/UDP ";
    if cursor.rest().starts_with(USUAL) {
        cursor.take(USUAL.len());
        return Ok((b"2.0", Transport::Udp));
    }
    let name = cursor.take_while(lex::TOKEN);
    if !name.eq_ignore_ascii_case(b"SIP") || !cursor.eat_separator(b'/') {
        return Err(PROTOCOL);
    }
    let version = cursor.take_while(lex::TOKEN);
    if !cursor.eat_separator(b'/') {
        return Err(PROTOCOL);
    }
    let transport = lex::text(cursor.take_while(lex::TOKEN));
    if transport.is_empty() || !cursor.peek().is_some_and(|byte| lex::is(byte, lex::LWS)) {
        return Err(PROTOCOL);
    }
    Ok((version, Transport::from_name(transport)))
}
