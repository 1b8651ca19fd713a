//! Who takes part in a rehearsal, and how namespaces, interfaces and addresses are called.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use model::Trouble;
use serde::{Deserialize, Serialize};

/// The most hosts of a rehearsal.
pub const MOST_HOSTS: u8 = 12;

/// The namespace with the bridges.
pub(super) const SWITCH: &str = "switch";

/// The last numbers of the addresses of the places that are no hosts.
const PHONES: u8 = 101;
const CARRIERS: u8 = 102;
const STRANGER: u8 = 103;
/// The first virtual address stands behind this number.
const VIRTUAL: u8 = 200;

/// The short name of a solution's rehearsal, by which several do not collide: 1 to 8 small letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl FromStr for Id {
    type Err = Trouble;

    fn from_str(text: &str) -> Result<Self, Trouble> {
        let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (1..=8).contains(&text.len()) && text.bytes().all(is_fine) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Trouble::new(format!("`{text}` cannot name a rehearsal"), "take 1 to 8 small letters and digits"))
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Id {
    /// What the names of all namespaces of this rehearsal begin with, and of no other.
    pub(super) fn prefix(&self) -> String {
        format!("everline-{}-", self.0)
    }

    /// The namespace of a place, as `ip netns` lists it.
    #[must_use]
    pub fn namespace(&self, place: Place) -> String {
        format!("{}{place}", self.prefix())
    }

    pub(super) fn switch(&self) -> String {
        format!("{}{SWITCH}", self.prefix())
    }
}

/// A network of the rehearsal; also the name of the interface of whoever is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Where phones and carriers live, and the virtual addresses.
    Access,
    /// One network between the hosts.
    A,
    /// The other one.
    B,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Access, Self::A, Self::B];

    /// Its name, and that of the interfaces in it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// What its addresses have in the place of the network.
    const fn number(self) -> u8 {
        match self {
            Self::Access => 0,
            Self::A => 1,
            Self::B => 2,
        }
    }
}

impl FromStr for Network {
    type Err = Trouble;

    fn from_str(text: &str) -> Result<Self, Trouble> {
        let found = Self::ALL.into_iter().find(|network| network.name() == text);
        found.ok_or_else(|| Trouble::new(format!("there is no network `{text}`"), "name `access`, `a` or `b`"))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Somebody in the rehearsal with a namespace of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// A host, `h1` and so on.
    Host(u8),
    /// Where phones run.
    Phones,
    /// Where carriers and other exchanges run.
    Carriers,
    /// A machine that is none of them and nobody's friend: it may take an address that is not its own. Whoever has an address
    /// hears nothing that comes from it, so a place that is to be spoken to cannot be the one that steals it.
    Stranger,
}

impl Place {
    /// The networks that it is in.
    #[must_use]
    pub const fn networks(self) -> &'static [Network] {
        match self {
            Self::Host(_) => &Network::ALL,
            Self::Phones | Self::Carriers | Self::Stranger => &[Network::Access],
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Host(number) => number,
            Self::Phones => PHONES,
            Self::Carriers => CARRIERS,
            Self::Stranger => STRANGER,
        }
    }

    /// Its IPv4 address: `10.77.NETWORK.NUMBER`, the network of access being 0, `a` 1 and `b` 2.
    #[must_use]
    pub const fn ipv4(self, network: Network) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, network.number(), self.number())
    }

    /// Its IPv6 address: `fd77:0:0:NETWORK::NUMBER`, the number read as in its IPv4 address.
    #[must_use]
    pub const fn ipv6(self, network: Network) -> Ipv6Addr {
        ipv6(network, self.number())
    }

    /// The Ethernet address of its interface.
    pub(super) fn mac(self, network: Network) -> String {
        format!("02:77:00:00:{:02x}:{:02x}", network.number(), self.number())
    }

    /// The other end of that interface's cable, in the switch.
    pub(super) fn port(self, network: Network) -> String {
        format!("{self}-{network}")
    }
}

/// The addresses of the access network that are nobody's until a host claims them: `10.77.0.201`, `fd77::201` and so on.
///
/// `number` counts from 1; from 55 on it begins anew.
#[must_use]
pub const fn virtual_addresses(number: u8) -> (Ipv4Addr, Ipv6Addr) {
    let number = VIRTUAL + 1 + number.saturating_sub(1) % 54;
    (Ipv4Addr::new(10, 77, 0, number), ipv6(Network::Access, number))
}

/// The digits of the number stay as they are, so that both addresses read alike.
const fn ipv6(network: Network, number: u8) -> Ipv6Addr {
    let (hundreds, tens, ones) = (number as u16 / 100, number as u16 / 10 % 10, number as u16 % 10);
    Ipv6Addr::new(0xfd77, 0, 0, network.number() as u16, 0, 0, 0, hundreds << 8 | tens << 4 | ones)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(number) => write!(f, "h{number}"),
            Self::Phones => f.write_str("phones"),
            Self::Carriers => f.write_str("carriers"),
            Self::Stranger => f.write_str("stranger"),
        }
    }
}

impl FromStr for Place {
    type Err = Trouble;

    fn from_str(text: &str) -> Result<Self, Trouble> {
        let unknown = || {
            Trouble::new(
                format!("there is no `{text}` in a rehearsal"),
                "name a host (`h1`), `phones`, `carriers` or `stranger`",
            )
        };
        match text {
            "phones" => Ok(Self::Phones),
            "carriers" => Ok(Self::Carriers),
            "stranger" => Ok(Self::Stranger),
            _ => {
                let number = text.strip_prefix('h').and_then(|number| number.parse().ok()).ok_or_else(unknown)?;
                let host = Self::Host(number);
                let is_host = (1..=MOST_HOSTS).contains(&number) && host.to_string() == text;
                is_host.then_some(host).ok_or_else(unknown)
            }
        }
    }
}

impl TryFrom<String> for Place {
    type Error = Trouble;

    fn try_from(text: String) -> Result<Self, Trouble> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_be_told_beforehand() {
        let host = Place::Host(12);
        assert_eq!(host.ipv4(Network::A).to_string(), "10.77.1.12");
        assert_eq!(host.ipv6(Network::B).to_string(), "fd77:0:0:2::12");
        assert_eq!(Place::Phones.ipv6(Network::Access).to_string(), "fd77::101");
        assert_eq!(host.mac(Network::A), "02:77:00:00:01:0c");
        let (ipv4, ipv6) = virtual_addresses(1);
        assert_eq!((ipv4.to_string(), ipv6.to_string()), ("10.77.0.201".into(), "fd77::201".into()));
        assert_eq!(virtual_addresses(54).0.to_string(), "10.77.0.254");
        assert_eq!(virtual_addresses(255).0.octets()[3], VIRTUAL + 1 + 254 % 54);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["h1", "h12", "phones", "carriers", "stranger"] {
            assert_eq!(text.parse::<Place>().expect("a place").to_string(), text);
        }
        for text in ["h0", "h13", "h01", "h+1", "h", "1", "switch", ""] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
        for text in ["", "A", "a-b", "a/b", "ninechars"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_fit_into_the_kernels_room_for_them() {
        let places = (1..=MOST_HOSTS).map(Place::Host).chain([Place::Phones, Place::Carriers]);
        for place in places {
            assert!(place.networks().iter().all(|network| place.port(*network).len() <= 15), "{place}");
        }
    }
}
