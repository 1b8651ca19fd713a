//! Which process listens at an address, as far as `/proc` tells this user (`proc(5)`).

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::settings::{Listen, Transport};

/// A process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its process id.
    pub(super) pid: u32,
    /// The name of its program.
    pub(super) name: String,
}

/// The process that holds the address; `None` if it is another user's, or gone.
pub(super) fn of(listen: Listen) -> Option<Owner> {
    let tables = match listen.transport {
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
    };
    let inode = tables.iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| inode(line, listen))
    })?;
    let link = format!("socket:[{inode}]");
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    let pid = processes.find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut descriptors = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let holds = descriptors.any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == link.as_str()));
        holds.then_some(pid)
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(Owner { pid, name: name.trim_end().to_owned() })
}

/// The inode of the socket in this line of the table, if it blocks the address.
fn inode(line: &str, listen: Listen) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let local = address(fields.get(1)?)?;
    let blocks = local.ip() == listen.address.ip() || local.ip().is_unspecified();
    // A TCP connection (state 01 and others) does not block a listener (0A); a UDP socket always does.
    let listens = listen.transport == Transport::Udp || *fields.get(3)? == "0A";
    let same = local.port() == listen.address.port();
    fields.get(9).filter(|_| blocks && listens && same).map(|inode| (*inode).to_owned())
}

/// An address as the kernel prints it: words of four bytes in the byte order of the machine, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |index: usize| {
        let digits = ip.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_of_the_kernel_are_read() {
        assert_eq!(address("0100007F:13C4"), "127.0.0.1:5060".parse().ok());
        assert_eq!(address("00000000000000000000000001000000:0050"), "[::1]:80".parse().ok());
        for bad in ["", "0100007F", "0100007F:", "01:13C4", "0100007G:13C4", "é00007F:13C4"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
