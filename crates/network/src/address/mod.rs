//! Virtual addresses: an address that passes from one host to another.
//!
//! A host that becomes primary [claims](VirtualAddress::claim) the address: it is added to an interface, and the network is
//! told that it is here now. A claim asks nobody, as a takeover has no time for that: who may hold it was decided by the
//! coordinator, and a predecessor that still has it in its own corner can release nothing that changes a call. Whoever begins
//! without a predecessor asks first, by [`VirtualAddress::search`]. [`Announcer`] says when to tell the network again, and
//! [`Hook`] does what a network needs that believes no announcements; a [`Mover`] calls it.
//!
//! All of it is meant for the one thread of a server: no call waits for anything but the kernel, and what takes longer has a
//! descriptor to poll. Reading order: this file, `frames`, `interface`, `netlink`, `port`, `search`; `trial` looks whether a socket
//! could be opened.

mod announcer;
mod frames;
mod hook;
mod interface;
mod mover;
mod netlink;
mod port;
mod search;
mod text;
mod trial;
mod trouble;

use std::net::IpAddr;

use model::{Span, Time, Trouble};

pub use announcer::Announcer;
pub use frames::Mac;
pub(crate) use frames::checksum;
pub use hook::{Deed, Hook};
pub use mover::{Mover, Witness};
pub use search::{Found, Search};
pub use trial::could_bind;
pub(crate) use trouble::of_packets;

use interface::Interface;
use netlink::Kernel;
pub(crate) use port::Port;

/// An address of the solution, and where a host of it puts it: `10.0.0.5/24@eth1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VirtualAddress {
    /// The address.
    pub address: IpAddr,
    /// How many of its first bits name the network.
    pub prefix: u8,
    /// The interface of this host that is in that network.
    pub interface: String,
    /// What moves it where the network believes no announcements.
    pub hook: Option<Hook>,
}

impl VirtualAddress {
    /// Puts the address at its interface, and tells nobody: for a network in which a [`Hook`] moves it.
    ///
    /// # Errors
    /// The interface does not exist; the process lacks `CAP_NET_ADMIN`; the kernel refuses.
    pub fn put(&self) -> Result<(), Trouble> {
        Kernel::open()?.add(self, Interface::must_be(&self.interface)?.index)
    }

    /// Takes the address, and announces it once; [`Announcer`] says when to announce again. It can be used at once, IPv6
    /// too. An address that this host has already is announced likewise.
    ///
    /// # Errors
    /// The interface does not exist, is down or is no Ethernet; the process lacks `CAP_NET_RAW` or `CAP_NET_ADMIN`; the kernel
    /// refuses. After an error this host may have the address or not: claim it again, or release it.
    pub fn claim(&self) -> Result<Claim, Trouble> {
        let (interface, mac) = self.place()?;
        // First what needs another right, so that its lack leaves nothing behind.
        let port = Port::open(interface.index, &interface.name, Some(&search::intake(self.address)))?;
        Kernel::open()?.add(self, interface.index)?;
        let claim = Claim { port, frames: frames::announcement(self.address, mac), address: self.address, own: mac };
        claim.announce()?;
        Ok(claim)
    }

    /// Gives the address up; one that is not there is given up already.
    ///
    /// # Errors
    /// This host has the address, and the process lacks `CAP_NET_ADMIN` or the kernel refuses.
    pub fn release(&self) -> Result<(), Trouble> {
        let Some(interface) = Interface::named(&self.interface)? else { return Ok(()) };
        let mut kernel = Kernel::open()?;
        let Err(refusal) = kernel.remove(self, interface.index) else { return Ok(()) };
        // Whoever lacks the right is refused before it is looked whether there is anything to remove.
        let is_gone = kernel.addresses().is_ok_and(|here| !here.contains(&(interface.index, self.address)));
        if is_gone { Ok(()) } else { Err(trouble::is_kept(self, refusal)) }
    }

    /// Whether the interface can be used: the least that a host must have which is to take the address.
    ///
    /// # Errors
    /// The interface does not exist or is down; or it is no Ethernet, where no hook moves the address.
    pub fn has_place(&self) -> Result<(), Trouble> {
        self.fitting().map(drop)
    }

    /// Whether this host could take the address, as far as it can be known before: nothing is changed, sent or waited for.
    ///
    /// # Errors
    /// As [`has_place`](Self::has_place); or the process lacks `CAP_NET_ADMIN`, or `CAP_NET_RAW` where no hook moves the address.
    pub fn could_be_claimed(&self) -> Result<(), Trouble> {
        let interface = self.fitting()?;
        if self.hook.is_none() {
            drop(Port::open(interface.index, &interface.name, None)?);
        }
        Kernel::open()?.may_change(&format!("add {} to {}", self.address, self.interface))
    }

    /// Begins to ask who else holds the address, for as long as `patience` at most. Polled; nobody waits.
    ///
    /// # Errors
    /// As [`claim`](Self::claim), but only `CAP_NET_RAW` is needed.
    pub fn search(&self, now: Time, patience: Span) -> Result<Search, Trouble> {
        let (interface, mac) = self.place()?;
        Search::begin(self.address, &interface, mac, now, patience)
    }

    /// Who else holds the address, for callers that may wait: it takes all of `patience` where nobody does.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn is_held_elsewhere(&self, patience: Span) -> Result<Option<Mac>, Trouble> {
        let (interface, mac) = self.place()?;
        search::wait(self.address, &interface, mac, patience)
    }

    /// The interface, if whoever takes the address can use it: what a hook moves is announced by nobody else.
    fn fitting(&self) -> Result<Interface, Trouble> {
        if self.hook.is_some() { self.usable() } else { self.place().map(|(interface, _)| interface) }
    }

    /// The interface, if it is there and up.
    fn usable(&self) -> Result<Interface, Trouble> {
        let interface = Interface::must_be(&self.interface)?;
        if interface.is_up { Ok(interface) } else { Err(trouble::is_down(&self.interface)) }
    }

    /// The interface, if it can be used, and its Ethernet address.
    fn place(&self) -> Result<(Interface, Mac), Trouble> {
        let interface = self.usable()?;
        let mac = interface.mac.ok_or_else(|| trouble::no_ethernet(&self.interface))?;
        Ok((interface, mac))
    }
}

/// Those of the given addresses that this host has now, each on its interface.
///
/// # Errors
/// The kernel does not say.
pub fn held(given: &[VirtualAddress]) -> Result<Vec<&VirtualAddress>, Trouble> {
    let here = Kernel::open()?.addresses()?;
    let mut held = Vec::new();
    for one in given {
        let Some(interface) = Interface::named(&one.interface)? else { continue };
        if here.contains(&(interface.index, one.address)) {
            held.push(one);
        }
    }
    Ok(held)
}

/// All addresses that this host has now, whatever their interface.
///
/// # Errors
/// The kernel does not say.
pub fn here() -> Result<Vec<IpAddr>, Trouble> {
    Ok(Kernel::open()?.addresses()?.into_iter().map(|(_, address)| address).collect())
}

/// All addresses that this host has at an interface.
///
/// # Errors
/// The kernel does not say.
pub fn at(interface: &str) -> Result<Vec<IpAddr>, Trouble> {
    let Some(interface) = Interface::named(interface)? else { return Ok(Vec::new()) };
    let all = Kernel::open()?.addresses()?.into_iter();
    Ok(all.filter(|(index, _)| *index == interface.index).map(|(_, address)| address).collect())
}

/// An address that was claimed, and what announces it. Dropping it gives nothing up.
#[derive(Debug)]
pub struct Claim {
    port: Port,
    frames: Vec<Vec<u8>>,
    address: IpAddr,
    own: Mac,
}

impl Claim {
    /// Tells the network that the address is here.
    ///
    /// # Errors
    /// The interface has gone down or away, or its queue is full.
    pub fn announce(&self) -> Result<(), Trouble> {
        self.frames.iter().try_for_each(|frame| self.port.send(frame))
    }

    /// Who else has said since the last call that the address is there (RFC 5227 2.4). Does not wait.
    ///
    /// # Errors
    /// The interface has gone down or away.
    pub fn contested(&self) -> Result<Option<Mac>, Trouble> {
        search::heard(&self.port, self.address, self.own)
    }
}
