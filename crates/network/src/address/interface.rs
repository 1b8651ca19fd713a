//! An interface as the kernel knows it (`netdevice(7)`).
//!
//! Asked by `ioctl`, as such a question waits for nobody. The same question by netlink takes the kernel's one lock of all changes to
//! networks, and waits while anybody on the machine changes something: milliseconds, in the middle of a takeover.

use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;

use libc::{c_ulong, ifreq};
use model::Trouble;
use socket2::{Domain, Socket, Type};

use super::frames::Mac;
use super::trouble;

#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) index: u32,
    /// Somebody has switched it on.
    pub(super) is_up: bool,
    /// Its address, if it is an Ethernet.
    pub(super) mac: Option<Mac>,
}

impl Interface {
    /// The interface of this name, if there is one.
    pub(super) fn named(name: &str) -> Result<Option<Self>, Trouble> {
        match look_up(name) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => {
                let what = format!("cannot look for the interface {name}: {error}");
                Err(Trouble::new(what, "raise the limit of open files"))
            }
        }
    }

    /// The interface of this name; it is wrong that there is none.
    pub(super) fn must_be(name: &str) -> Result<Self, Trouble> {
        Self::named(name)?.ok_or_else(|| trouble::no_such_interface(name))
    }
}

fn look_up(name: &str) -> io::Result<Interface> {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM.cloexec(), None)?;
    let request = request(name).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
    let index = ask(&socket, libc::SIOCGIFINDEX, request)?;
    let flags = ask(&socket, libc::SIOCGIFFLAGS, request)?;
    let address = ask(&socket, libc::SIOCGIFHWADDR, request)?;
    // SAFETY: each answer has the field that was asked for, and any bits are a value of it.
    let (index, flags, address) =
        unsafe { (index.ifr_ifru.ifru_ifindex, flags.ifr_ifru.ifru_flags, address.ifr_ifru.ifru_hwaddr) };
    let has = |flag: i32| i32::from(flags) & flag != 0;
    let is_ethernet = address.sa_family == libc::ARPHRD_ETHER && !has(libc::IFF_NOARP);
    let mac = Mac(std::array::from_fn(|at| address.sa_data[at].cast_unsigned()));
    Ok(Interface {
        name: name.to_owned(),
        index: u32::try_from(index).map_err(|_| io::ErrorKind::InvalidData)?,
        is_up: has(libc::IFF_UP),
        mac: is_ethernet.then_some(mac),
    })
}

/// A question about the interface of this name; `None` if no interface can have it.
fn request(name: &str) -> Option<ifreq> {
    // SAFETY: all zeros are a value of it.
    let mut request: ifreq = unsafe { zeroed() };
    let room = request.ifr_name.len() - 1;
    if name.is_empty() || name.len() > room || name.contains('\0') {
        return None;
    }
    request.ifr_name.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte.cast_signed());
    Some(request)
}

fn ask(socket: &Socket, what: c_ulong, mut request: ifreq) -> io::Result<ifreq> {
    // SAFETY: each of these questions reads and writes one such structure, which outlives the call.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), what as _, &raw mut request) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(request) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_there_and_no_ethernet() {
        let found = Interface::named("lo").unwrap().unwrap();
        assert!(found.index > 0);
        assert_eq!((found.name.as_str(), found.mac), ("lo", None));
    }

    #[test]
    fn what_no_interface_can_be_called_is_not_there() {
        for name in ["", "everline-none", "longer-than-any-interface", "l\0o"] {
            assert!(Interface::named(name).unwrap().is_none(), "{name:?}");
        }
    }
}
