//! Addresses as they are written in the file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::settings::{HOST, Listen, Transport};

/// Reads `udp:127.0.0.1:5060`, or `udp:host:5060` for the addresses of whichever host serves.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn listen(text: &str) -> Result<Listen, String> {
    let (transport, address) = text.split_once(':').unwrap_or((text, ""));
    let transport = match transport {
        "udp" => Transport::Udp,
        "tcp" => Transport::Tcp,
        "tls" | "ws" | "wss" | "sctp" => return Err(format!("the transport {transport} is not there yet")),
        _ => return Err("the transport is missing".into()),
    };
    if let Some(port) = address.strip_prefix(HOST).and_then(|rest| rest.strip_prefix(':')) {
        let port = port.parse().map_err(|_| format!("\"{port}\" is not a port"))?;
        return Ok(Listen::of_host(transport, port));
    }
    if address == HOST {
        return Err("the port is missing".into());
    }
    let address = socket(address)?;
    if address.ip().is_unspecified() {
        return Err("phones must be told an address that they can reach; this one stands for any".into());
    }
    Ok(Listen { transport, address })
}

/// Reads the address of a trunk, with the port that it sends from or without one.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn trunk(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    let (ip, port) = match text.parse::<IpAddr>() {
        Ok(ip) => (peer_ip(ip)?, None),
        Err(_) => peer(text).map(|address| (address.ip(), Some(address.port())))?,
    };
    Ok((ip, port))
}

/// Reads the address of a peer, whose port must be known.
fn peer(text: &str) -> Result<SocketAddr, String> {
    let address = socket(text)?;
    peer_ip(address.ip())?;
    if address.port() == 0 { Err(NOBODY.into()) } else { Ok(address) }
}

const NOBODY: &str = "nobody can be reached there";

fn peer_ip(ip: IpAddr) -> Result<IpAddr, String> {
    if ip.is_unspecified() { Err(NOBODY.into()) } else { one_host(ip) }
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| explain(text))?;
    one_host(address.ip()).map(|_| address)
}

fn one_host(ip: IpAddr) -> Result<IpAddr, String> {
    if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err("an address of many hosts cannot stand here".into());
    }
    Ok(ip)
}

/// Why this is not an address with a port.
fn explain(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => return "the port is missing".into(),
        Ok(IpAddr::V6(_)) => return "the port is missing (it follows the address in brackets: [::1]:5060)".into(),
        Err(_) => {}
    }
    match text.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_err() && host.parse::<IpAddr>().is_ok() => {
            format!("\"{port}\" is not a port")
        }
        Some((host, _)) if host.contains(|letter: char| letter.is_ascii_alphabetic()) && !host.contains(':') => {
            format!("\"{host}\" is not an IP address (names are not looked up)")
        }
        _ => "this is not an IP address with a port".into(),
    }
}

/// Reads the SIP URI of a device with a fixed contact, `sip:1050@127.0.0.1:5090`: where it listens.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn contact(text: &str) -> Result<Listen, String> {
    if text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:")) {
        return Err("sips: needs TLS, which is not there yet; write sip:NUMBER@ADDRESS:PORT".into());
    }
    let contact = call::FixedContact::parse(text)?;
    peer_ip(contact.address.ip())?;
    let transport = match contact.carrier {
        call::Carrier::Udp => Transport::Udp,
        call::Carrier::Tcp => Transport::Tcp,
    };
    if contact.address.port() == 0 { Err(NOBODY.into()) } else { Ok(Listen { transport, address: contact.address }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_listened_on() {
        for good in ["udp:127.0.0.1:5060", "tcp:[::1]:0", "udp:192.0.2.7:65535", "udp:host:5060"] {
            assert_eq!(listen(good).map(|listen| listen.to_string()), Ok(good.into()));
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        for (bad, why) in [
            ("", "transport is missing"),
            ("127.0.0.1:5060", "transport is missing"),
            ("tls:127.0.0.1:5061", "not there yet"),
            ("udp:127.0.0.1", "port is missing"),
            ("udp:127.0.0.1:sip", "\"sip\" is not a port"),
            ("udp:127.0.0.1:65536", "\"65536\" is not a port"),
            ("udp:host:sip", "\"sip\" is not a port"),
            ("udp:pbx.example:5060", "\"pbx.example\" is not an IP address"),
            ("udp:0.0.0.0:5060", "stands for any"),
            ("udp:224.0.1.75:5060", "many hosts"),
            ("udp:::1:5060", "in brackets"),
            ("udp:1.2.3:5060", "not an IP address with a port"),
        ] {
            let error = listen(bad).expect_err(bad);
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn a_trunk_may_send_from_any_port() {
        assert_eq!(trunk("192.0.2.7"), Ok(([192, 0, 2, 7].into(), None)));
        assert_eq!(trunk("[2001:db8::7]:5080").map(|(_, port)| port), Ok(Some(5080)));
        for bad in ["0.0.0.0", "[::]:5060", "255.255.255.255", "192.0.2.7:0", "carrier.example", ""] {
            assert!(trunk(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn contacts_name_a_host_by_its_address() {
        for good in ["sip:1050@127.0.0.1:5090", "sip:127.0.0.1", "sip:a@[::1]:5060;transport=tcp"] {
            assert!(contact(good).is_ok(), "{good}");
        }
        for bad in
            ["1050@127.0.0.1", "sip:1050@pbx.example", "sip:a b@127.0.0.1", "sip:1@127.0.0.1:0", "sips:1@127.0.0.1"]
        {
            assert!(contact(bad).is_err(), "{bad}");
        }
    }
}
