//! What the SIP Server is set up with. Plain data; the binary builds it from the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use model::hash64;
use serde::{Deserialize, Serialize};
use sip::{Host, SipUri, Uri};

/// Everything that the engine has to know before its first input.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Name of the domain that is served: the host of addresses of record, and the realm of digests.
    pub domain: String,
    /// Where messages come in; a [`ListenerId`] is an index of this list. At most 256.
    pub listeners: Vec<Listener>,
    /// The extensions by number.
    pub extensions: BTreeMap<String, Extension>,
    /// The queues by number.
    pub queues: BTreeMap<String, Queue>,
    /// The agents' ids by the number of their extension.
    pub agents: BTreeMap<String, String>,
    /// The peers that are known by their address.
    pub trunks: Vec<Trunk>,
    /// How long registrations last.
    pub expiry: Expiry,
    /// Offer SHA-256 before MD5 when asking for a password (RFC 8760 2.3). Phones on older stacks give up when they see
    /// an algorithm that they do not know, although the other one follows.
    pub sha_256: bool,
    /// Proves that a nonce was made here. Both sides of the pair have the same.
    pub secret: [u8; 32],
    /// Where each host serves at an address of its own: what tells this one from the others (see [`Settings::at_home`]). 0 where
    /// one virtual address passes from host to host.
    pub home: u64,
    /// The addresses of all such hosts: each of them means this server.
    pub hosts: Vec<IpAddr>,
}

/// Bounds of a registration (RFC 3261 10.3), in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// A shorter one is answered 423.
    pub shortest: u32,
    /// A longer one is cut to this.
    pub longest: u32,
}

impl Default for Expiry {
    fn default() -> Self {
        Self { shortest: 60, longest: 3_600 }
    }
}

/// An index of [`Settings::listeners`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListenerId(pub u8);

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// Datagrams.
    Udp,
    /// Byte streams.
    Tcp,
}

/// A place where messages come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// What carries them.
    pub carrier: Carrier,
    /// The address that peers reach it at; it goes into Via and Contact, so it must not be `0.0.0.0`.
    pub address: SocketAddr,
}

/// A phone or device with a number.
#[derive(Clone, Default)]
pub struct Extension {
    /// What it proves itself with; `None` if it never has to (only sensible with a fixed contact).
    pub password: Option<String>,
    /// Where it is, if it never registers.
    pub contact: Option<FixedContact>,
}

/// Without the password.
impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension").field("contact", &self.contact).finish_non_exhaustive()
    }
}

/// Where a device is that never registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedContact {
    /// Its URI, which becomes the Request-URI.
    pub uri: String,
    /// Where it is reached.
    pub address: SocketAddr,
    /// What carries messages to it.
    pub carrier: Carrier,
}

/// A routing point where callers wait for an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// The extension that callers go to while no Routing Server answers.
    pub default: Option<String>,
}

/// A peer that is known by its address and may call every number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Its name, for logs.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// The port that it sends from; `None` for any.
    pub port: Option<u16>,
}

impl Settings {
    /// The same for a host that serves at its listeners' addresses, which do not pass to another one; `hosts` are those of all.
    #[must_use]
    pub fn at_home(mut self, hosts: Vec<IpAddr>) -> Self {
        let addresses: Vec<String> = self.listeners.iter().map(|listener| listener.address.to_string()).collect();
        (self.home, self.hosts) = (hash64(addresses.join(" ").as_bytes()).max(1), hosts);
        self
    }

    pub(crate) fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.listeners.get(usize::from(id.0))
    }

    /// The first listener of this carrier, of the same address family as `peer` if there is one.
    pub(crate) fn listener_towards(&self, carrier: Carrier, peer: SocketAddr) -> Option<ListenerId> {
        let ids = (0..=u8::MAX).zip(&self.listeners).filter(|(_, listener)| listener.carrier == carrier);
        let best = ids.min_by_key(|(id, listener)| (listener.address.is_ipv4() != peer.is_ipv4(), *id));
        best.map(|(id, _)| ListenerId(id))
    }

    /// True if the host of a Request-URI means this server.
    pub(crate) fn is_ours(&self, host: Host<'_>) -> bool {
        Host::parse(&self.domain) == Some(host)
            || host.address().is_some_and(|ip| {
                self.listeners.iter().any(|listener| listener.address.ip() == ip) || self.hosts.contains(&ip)
            })
    }

    pub(crate) fn trunk_at(&self, source: SocketAddr) -> Option<&Trunk> {
        self.trunks
            .iter()
            .find(|trunk| trunk.address == source.ip() && trunk.port.is_none_or(|port| port == source.port()))
    }

    /// The extensions that are known by the address of their fixed contact, as they have no password.
    pub(crate) fn devices(&self) -> BTreeMap<SocketAddr, String> {
        let known = self.extensions.iter().filter(|(_, extension)| extension.password.is_none());
        let known = known.filter_map(|(number, extension)| Some((extension.contact.as_ref()?.address, number.clone())));
        known.collect()
    }
}

impl FixedContact {
    /// Reads the URI of a device: `sip:1050@192.0.2.7:5070`, optionally with `;transport=tcp`.
    ///
    /// # Errors
    /// A sentence that says what is wrong, for whoever wrote the configuration.
    pub fn parse(uri: &str) -> Result<Self, &'static str> {
        let parsed = Uri::parse(uri.as_bytes()).map_err(|_| "this is no SIP URI; write sip:NUMBER@ADDRESS:PORT")?;
        let sip = parsed.as_sip().ok_or("only sip: URIs can be reached; write sip:NUMBER@ADDRESS:PORT")?;
        let address = address_of(sip).ok_or("the host must be an IP address, as no names are looked up yet")?;
        Ok(Self { uri: uri.to_owned(), address, carrier: carrier_of(sip) })
    }
}

/// Where a URI with an address for a host is reached.
pub(crate) fn address_of(uri: &SipUri<'_>) -> Option<SocketAddr> {
    let port = uri.port().unwrap_or(5060);
    uri.host().address().map(|ip| SocketAddr::new(ip, port))
}

/// What carries messages to a URI (RFC 3263 4.1): UDP unless it says otherwise.
pub(crate) fn carrier_of(uri: &SipUri<'_>) -> Carrier {
    match uri.params().get("transport") {
        Some(transport) if transport.eq_ignore_ascii_case("tcp") => Carrier::Tcp,
        _ => Carrier::Udp,
    }
}
