//! The sections about hosts: `[[network]]`, `[[host]]`, `[[address]]`, `[place]` and `[etcd]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use model::Span;
use network::address::{Hook, VirtualAddress};

use super::problem::{Problem, Problems};
use super::section::{At, Key, Section};
use super::sections::{name, noted};

/// What the sections say; texts that name something else keep their place in the file.
#[derive(Debug, Default)]
pub(super) struct Hosts<'a> {
    /// `[[network]]`.
    pub(super) networks: Vec<Network<'a>>,
    /// `[[host]]`.
    pub(super) hosts: Vec<Host<'a>>,
    /// `[[address]]`.
    pub(super) addresses: Vec<At<VirtualAddress>>,
    /// `[place]`.
    pub(super) place: Option<Place<'a>>,
    /// `[etcd]`.
    pub(super) etcd: Option<Etcd<'a>>,
}

/// A network between the hosts.
#[derive(Debug)]
pub(super) struct Network<'a> {
    /// Its name.
    pub(super) name: Option<At<&'a str>>,
    /// Which addresses are in it.
    pub(super) prefix: Option<At<Prefix>>,
}

/// A host.
#[derive(Debug)]
pub(super) struct Host<'a> {
    /// Its name.
    pub(super) name: Option<At<&'a str>>,
    /// Its addresses, one in each network.
    pub(super) addresses: Option<At<Vec<At<IpAddr>>>>,
    /// Its addresses for SIP, if the file says which.
    pub(super) sip: Option<At<Vec<At<IpAddr>>>>,
}

/// What runs where.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// Where the section stands.
    pub(super) span: std::ops::Range<usize>,
    /// The hosts of `sip-a` and `sip-b`.
    pub(super) sip: Option<Names<'a>>,
    /// The hosts of `routing-a` and `routing-b`.
    pub(super) routing: Option<Names<'a>>,
    /// The hosts of the spares.
    pub(super) spare: Option<Names<'a>>,
    /// The hosts of the members of etcd.
    pub(super) coordinator: Option<Names<'a>>,
    /// The host of the authority.
    pub(super) authority: Option<At<&'a str>>,
    /// Both sides of a pair may be on one host.
    pub(super) same_host: bool,
}

/// Names of hosts, which may not exist.
pub(super) type Names<'a> = At<Vec<At<&'a str>>>;

/// A coordinator that somebody else keeps.
#[derive(Debug)]
pub(super) struct Etcd<'a> {
    /// Where the section stands.
    pub(super) span: std::ops::Range<usize>,
    /// Its members, `HOST:PORT`.
    pub(super) members: Vec<&'a str>,
    /// Files for TLS: the authority, the certificate, its key.
    pub(super) tls: Option<[&'a str; 3]>,
}

/// A network as its first address and the number of bits that all of its addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    first: IpAddr,
    bits: u8,
}

impl Prefix {
    /// Whether the address is in it.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                first.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                first.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }

    /// Whether an address can be in both.
    pub(super) fn overlaps(self, other: Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }
}

/// The network that an address is in, as it is written in the file.
pub(crate) fn network_of(address: IpAddr, bits: u8) -> String {
    let first = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            std::net::Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            std::net::Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    };
    Prefix { first, bits }.to_string()
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, bits) = text.split_once('/').ok_or("\"/\" and the length of the prefix are missing")?;
        let first: IpAddr = first.parse().map_err(|_| format!("\"{first}\" is not an IP address"))?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse().ok().filter(|bits| (1..=longest).contains(bits));
        Ok(Self { first, bits: bits.ok_or_else(|| format!("the length of the prefix is 1 to {longest}"))? })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// What a name of a host may look like: it stands in the names of certificates (RFC 1123 2.1) and of files.
pub(super) const LABEL_ALLOWED: &str = "1 to 63 small letters, digits or hyphens, no hyphen first or last";

pub(super) const NETWORK: &[Key] = &[
    Key { name: "name", allowed: LABEL_ALLOWED },
    Key { name: "prefix", allowed: "the network's addresses, 10.0.1.0/24" },
];

pub(super) const HOST: &[Key] = &[
    Key { name: "name", allowed: LABEL_ALLOWED },
    Key { name: "addresses", allowed: "a list of IP addresses, one in each [[network]]" },
    Key { name: "sip", allowed: "a list of IP addresses, for [sip] listen with host as ADDRESS" },
];

pub(super) const ADDRESS: &[Key] = &[
    Key {
        name: "address",
        allowed: "address, prefix and interface of an address that whoever serves takes, 10.0.0.5/24@eth0",
    },
    Key { name: "hook", allowed: "the absolute path of a program, the same on every host" },
    Key { name: "hook-timeout", allowed: "1 to 120 seconds" },
];

/// How long a hook may take if the file does not say, in seconds.
const HOOK_TIMEOUT: u32 = 10;

pub(super) const PLACE: &[Key] = &[
    Key { name: "sip", allowed: "the hosts of sip-a and sip-b, [\"h1\", \"h2\"]" },
    Key { name: "routing", allowed: "the hosts of routing-a and routing-b, [\"h1\", \"h2\"]" },
    Key { name: "spare", allowed: "a host that has no side of a pair, or a list of up to 3" },
    Key { name: "coordinator", allowed: "1, 3 or 5 hosts that keep a member of etcd each" },
    Key { name: "authority", allowed: "the host that has data/authority.json" },
    Key { name: "same-host", allowed: "true or false" },
];

pub(super) const ETCD: &[Key] = &[
    Key { name: "members", allowed: "the members of an etcd that runs already, [\"HOST:PORT\"]" },
    Key { name: "ca-file", allowed: "the path of the certificate that etcd is known by, on every host" },
    Key { name: "certificate-file", allowed: "the path of the certificate that is shown to etcd, on every host" },
    Key { name: "key-file", allowed: "the path of the key of that certificate, on every host" },
];

/// Whether the text can be a label of a host name (RFC 1123 2.1), in small letters.
pub(super) fn is_label(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(fine) && !text.starts_with('-') && !text.ends_with('-')
}

/// A name as [`name`] reads it, which must be a label besides.
fn label<'a>(section: &Section<'a>, problems: &mut Problems) -> Option<At<&'a str>> {
    let text = name(section, "name", problems)?;
    if super::is_name(text.value) && !is_label(text.value) {
        problems.add(section.error("name", text.span.clone(), "this cannot stand in the name of a certificate"));
    }
    Some(text)
}

pub(super) fn network<'a>(section: &Section<'a>, problems: &mut Problems) -> Network<'a> {
    let name = label(section, problems);
    let text = section.required("prefix", problems);
    let prefix = text.and_then(|text| {
        let value = noted(section, "prefix", &text.span, text.value.parse(), problems)?;
        Some(At { value, span: text.span })
    });
    Network { name, prefix }
}

pub(super) fn host<'a>(section: &Section<'a>, problems: &mut Problems) -> Host<'a> {
    let name = label(section, problems);
    if !section.has("addresses") {
        section.missing("addresses", problems);
    }
    let addresses = own_addresses(section, "addresses", problems);
    let sip = own_addresses(section, "sip", problems);
    Host { name, addresses, sip }
}

/// Addresses of a host.
fn own_addresses(section: &Section<'_>, key: &'static str, problems: &mut Problems) -> Option<At<Vec<At<IpAddr>>>> {
    section.texts(key, problems).map(|texts| {
        let read = |text: At<&str>| {
            let parsed = text.value.parse::<IpAddr>().map_err(|_| format!("\"{}\" is not an IP address", text.value));
            let usable = parsed.and_then(|ip| {
                let bad = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
                if bad { Err("other hosts cannot reach this address".into()) } else { Ok(ip) }
            });
            let value = noted(section, key, &text.span, usable, problems)?;
            Some(At { value, span: text.span })
        };
        At { value: texts.value.into_iter().filter_map(read).collect(), span: texts.span }
    })
}

pub(super) fn address(section: &Section<'_>, problems: &mut Problems) -> Option<At<VirtualAddress>> {
    let text = section.required("address", problems)?;
    let parsed = text.value.parse::<VirtualAddress>().map_err(|trouble| trouble.what);
    let value = noted(section, "address", &text.span, parsed, problems)?;
    let hook = section.text("hook", problems);
    if let Some(bad) = hook.as_ref().filter(|hook| !hook.value.starts_with('/')) {
        problems.add(section.error("hook", bad.span.clone(), "this is not an absolute path"));
    }
    let limit = section.number("hook-timeout", 1..121, problems).map_or(HOOK_TIMEOUT, |seconds| seconds.value);
    let hook = hook.map(|hook| Hook { program: hook.value.into(), limit: Span::from_secs(limit.into()) });
    Some(At { value: VirtualAddress { hook, ..value }, span: text.span })
}

pub(super) fn place<'a>(section: &Section<'a>, problems: &mut Problems) -> Place<'a> {
    Place {
        span: section.span.clone(),
        sip: section.texts("sip", problems),
        routing: section.texts("routing", problems),
        spare: section.text_or_texts("spare", problems),
        coordinator: section.texts("coordinator", problems),
        authority: section.text("authority", problems),
        same_host: section.boolean("same-host", problems).unwrap_or(false),
    }
}

pub(super) fn etcd<'a>(section: &Section<'a>, problems: &mut Problems) -> Etcd<'a> {
    let members = section.texts("members", problems);
    if members.as_ref().is_none_or(|members| members.value.is_empty()) {
        section.missing("members", problems);
    }
    for member in members.iter().flat_map(|members| &members.value) {
        let port = member.value.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then_some(port));
        if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            problems.add(section.error("members", member.span.clone(), "this is not a host with a port"));
        }
    }
    let files = ["ca-file", "certificate-file", "key-file"];
    let given: Vec<&str> =
        files.into_iter().filter_map(|key| section.text(key, problems)).map(|text| text.value).collect();
    if !given.is_empty() {
        files.into_iter().filter(|key| !section.has(key)).for_each(|key| section.missing(key, problems));
    }
    if !section.has("ca-file")
        && let Some(open) = members.iter().flat_map(|members| &members.value).find(|at| !is_loopback(at.value))
    {
        let what = "whoever reaches it can read all passwords and make himself primary";
        let help = "let etcd demand certificates, and write ca-file, certificate-file and key-file into [etcd]";
        let problem = Problem::warning(open.span.clone(), section.key("members"), what);
        problems.add(problem.allowed("without TLS, and not on loopback").help(help));
    }
    let members = members.map_or_else(Vec::new, |members| members.value.into_iter().map(|at| at.value).collect());
    Etcd { span: section.span.clone(), members, tls: given.try_into().ok() }
}

/// Whether a member of etcd, `HOST:PORT`, is reached from its own host only.
fn is_loopback(member: &str) -> bool {
    let host = member.rsplit_once(':').map_or(member, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
