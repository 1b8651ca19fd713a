//! The addresses of interfaces, asked of the kernel and changed there (`rtnetlink(7)`).
//!
//! The kernel does what it is asked while the request is being sent, so the answer is there when it is read, and no call
//! here waits for anybody else.

use std::io;
use std::net::IpAddr;

use model::Trouble;
use netlink_packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
    NlasIterator,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, CacheInfo};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::{VirtualAddress, trouble};

/// Attribute of an answer with the kernel's words (`NLMSGERR_ATTR_MSG` in `linux/netlink.h`), behind the request's header
/// of 16 bytes.
const WORDS: u16 = 1;
const HEADER: usize = 16;

/// A refusal: the error's number, and what the kernel says beside it.
struct Refusal {
    error: io::Error,
    words: Option<String>,
}

impl Refusal {
    /// The process lacks the right to it.
    fn is_of_right(&self) -> bool {
        matches!(self.error.raw_os_error(), Some(libc::EPERM | libc::EACCES))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self { error, words: None }
    }
}

/// A conversation with the kernel.
pub(super) struct Kernel {
    socket: Socket,
    number: u32,
}

impl Kernel {
    pub(super) fn open() -> Result<Self, Trouble> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            socket.set_ext_ack(true)?;
            socket.set_cap_ack(true)?;
            Ok(socket)
        };
        let socket = open().map_err(|error: io::Error| {
            Trouble::new(format!("cannot talk to the kernel by netlink: {error}"), "raise the limit of open files")
        })?;
        Ok(Self { socket, number: 0 })
    }

    /// Adds an address to an interface. Already there is success.
    pub(super) fn add(&mut self, address: &VirtualAddress, index: u32) -> Result<(), Trouble> {
        let message = RouteNetlinkMessage::NewAddress(addition(address, index));
        match self.ask(message, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL) {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.error.raw_os_error() == Some(libc::EEXIST) => Ok(()),
            Err(refusal) => Err(told(&format!("add {} to {}", address.address, address.interface), &refusal)),
        }
    }

    /// Removes an address from an interface. Not there is success.
    pub(super) fn remove(&mut self, address: &VirtualAddress, index: u32) -> Result<(), Trouble> {
        match self.ask(RouteNetlinkMessage::DelAddress(named(address, index)), NLM_F_ACK) {
            Ok(_) => Ok(()),
            Err(refusal) if matches!(refusal.error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENODEV)) => Ok(()),
            Err(refusal) => Err(told(&format!("remove {} from {}", address.address, address.interface), &refusal)),
        }
    }

    /// Whether this process may change addresses. It asks to remove what belongs to no family of addresses: the kernel looks at the
    /// right first (`rtnetlink_rcv_msg` in Linux), then finds nobody who could do it, and takes no lock for that.
    pub(super) fn may_change(&mut self, doing: &str) -> Result<(), Trouble> {
        match self.ask(RouteNetlinkMessage::DelAddress(AddressMessage::default()), NLM_F_ACK) {
            Err(refusal) if refusal.is_of_right() => Err(told(doing, &refusal)),
            _ => Ok(()),
        }
    }

    /// Every address of this host, with the index of its interface.
    pub(super) fn addresses(&mut self) -> Result<Vec<(u32, IpAddr)>, Trouble> {
        let question = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let answers = self.ask(question, NLM_F_DUMP).map_err(|refusal| told("list the addresses", &refusal))?;
        Ok(answers
            .iter()
            .filter_map(|answer| match answer {
                RouteNetlinkMessage::NewAddress(message) => Some((message.header.index, address_of(message)?)),
                _ => None,
            })
            .collect())
    }

    /// Sends a request, and reads to the end of its answer.
    fn ask(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<Vec<RouteNetlinkMessage>, Refusal> {
        self.number += 1;
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = self.number;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            if self.take_in(&datagram, &mut answers)? {
                return Ok(answers);
            }
        }
    }

    /// Takes in what one datagram says; whether it was the last one.
    fn take_in(&self, datagram: &[u8], answers: &mut Vec<RouteNetlinkMessage>) -> Result<bool, Refusal> {
        let mut rest = datagram;
        while rest.len() >= HEADER {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            let length = usize::try_from(message.header.length).unwrap_or(usize::MAX).next_multiple_of(4);
            rest = rest.get(length..).unwrap_or_default();
            if message.header.sequence_number != self.number {
                continue;
            }
            match message.payload {
                NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                NetlinkPayload::Error(error) if error.code.is_none() => return Ok(true),
                NetlinkPayload::Error(error) => return Err(refusal(&error)),
                NetlinkPayload::Done(_) => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }
}

fn refusal(error: &ErrorMessage) -> Refusal {
    let attributes = NlasIterator::new(error.header.get(HEADER..).unwrap_or_default());
    let words = attributes.flatten().find(|attribute| attribute.kind() == WORDS);
    let words = words.map(|words| String::from_utf8_lossy(words.value()).trim_end_matches('\0').to_owned());
    Refusal { error: error.to_io(), words }
}

fn told(doing: &str, refusal: &Refusal) -> Trouble {
    if refusal.is_of_right() {
        return trouble::lacks("CAP_NET_ADMIN", doing);
    }
    let words = refusal.words.as_ref().map(|words| format!(" ({words})")).unwrap_or_default();
    let remedy = "look at the interface with `ip address`, and at the kernel's log with `dmesg`";
    Trouble::new(format!("the kernel refuses to {doing}: {}{words}", refusal.error), remedy)
}

fn address_of(message: &AddressMessage) -> Option<IpAddr> {
    // On an interface to a single peer the other attribute is the peer's.
    let own = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    own.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

/// What names an address: itself, the length of its prefix, its interface.
fn named(address: &VirtualAddress, index: u32) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = if address.address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = address.prefix;
    message.header.index = index;
    message.attributes.push(AddressAttribute::Local(address.address));
    message.attributes.push(AddressAttribute::Address(address.address));
    message
}

fn addition(address: &VirtualAddress, index: u32) -> AddressMessage {
    let mut message = named(address, index);
    if address.address.is_ipv6() {
        // The kernel's own search for duplicates would keep the address from use for a second or more (RFC 4862 5.4).
        message.header.flags |= AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        // Deprecated from the start (RFC 4862 5.5.4): whoever binds to it uses it, but nothing else that this host begins
        // may bear an address that leaves it. A second IPv4 address of one network is never chosen anyway.
        let mut lifetimes = CacheInfo::default();
        lifetimes.ifa_valid = u32::MAX;
        message.attributes.push(AddressAttribute::CacheInfo(lifetimes));
    }
    message
}
